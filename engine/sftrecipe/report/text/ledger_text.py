"""The ledger's facts, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import orjson

from sftrecipe.calls.ledger.counted_calls import LedgerCall, Total
from sftrecipe.calls.ledger.repair import Repaired
from sftrecipe.messages import Word, message, word
from sftrecipe.report.text.table import table

_HEAD = (
    *("day", "history-recipe", "ledger-steps", "provider", "model"),
    *("calls", "failed", "in-flight", "unanswered", "tokens", "cost", "lost"),
)


def totals_text(totals: Sequence[Total]) -> str:
    """A line a day, provider, model and run, and the sum."""
    if not totals:
        return message("ledger-empty", {})
    head = tuple(word(name) for name in _HEAD)
    lines = [_cells(total) for total in totals]
    calls = sum(total.calls for total in totals)
    return f"{table(head, lines, empty=('', '0'))}\n{message('ledger-all', {'count': calls})}"


def totals_json(totals: Sequence[Total]) -> str:
    """The same facts as JSON."""
    facts = [total._asdict() for total in totals]
    return orjson.dumps(facts, option=orjson.OPT_INDENT_2).decode()


def sound_text(path: Path, calls: int | None) -> str:
    """That a ledger is sound, or that there is none."""
    slug = "ledger-none" if calls is None else "ledger-sound"
    return message(slug, {"path": path, "count": calls})


def sound_json(path: Path, calls: int | None) -> str:
    """The same facts as JSON."""
    return orjson.dumps({"path": str(path), "sound": True, "calls": calls or 0}).decode()


def repaired_text(repaired: Repaired) -> str:
    """What a repair saved, what it could not, and where the damaged file is."""
    values = {
        "saved": f"{repaired.saved:,}",
        "replies": f"{repaired.replies:,}",
        "lost": f"{repaired.lost:,}",
        "path": repaired.kept,
    }
    slugs = ("ledger-saved", "ledger-lost", "ledger-kept")
    return "\n".join(message(slug, values) for slug in slugs)


def repaired_json(repaired: Repaired) -> str:
    """The same facts as JSON."""
    return orjson.dumps({**repaired._asdict(), "kept": str(repaired.kept)}).decode()


def call_text(call: LedgerCall) -> str:
    """One call: what was asked, what came back, what it cost."""
    cost = "" if call.cost is None else f", {call.cost:.6f} {call.currency}"
    values = {
        **call._asdict(),
        "state": Word(f"state-{call.state}"),
        "sampling": orjson.dumps(call.sampling).decode(),
        "read": call.input_tokens,
        "written": call.output_tokens,
        "cost": cost,
    }
    tokens = "ledger-estimated" if call.estimated else "ledger-tokens"
    slugs = ("ledger-call", "ledger-asked", "ledger-sampling", tokens)
    lines = [
        *(message(slug, values) for slug in slugs),
        *(f"> {line}" for line in call.prompt.splitlines()),
        *reply_lines(call),
    ]
    if call.error:
        lines.append(message("ledger-error", values))
    return "\n".join(lines)


def reply_lines(call: LedgerCall) -> list[str]:
    """A reply as it is shown: the thought after `~`, the answer and calls of tools after `<`."""
    calls = (
        f"< {each['name']}({orjson.dumps(each['arguments']).decode()})" for each in call.tool_calls
    )
    thought = (f"~ {line}" for line in call.reasoning.splitlines())
    return [*thought, *(f"< {line}" for line in call.reply.splitlines()), *calls]


def call_json(call: LedgerCall) -> str:
    """The same facts as JSON."""
    return orjson.dumps(call._asdict(), option=orjson.OPT_INDENT_2).decode()


def _lost_text(total: Total) -> str:
    """What attempts without a reply may have cost."""
    if not total.lost_tokens:
        return ""
    cost = f", {total.lost_cost:.4f} {total.currency}" if total.currency else ""
    return f"{total.lost_tokens:,}{cost}"


def _cells(total: Total) -> tuple[str, ...]:
    return (
        total.day,
        total.run,
        ", ".join(total.steps),
        total.provider,
        total.model,
        f"{total.calls:,}",
        f"{total.failed + total.refused:,}",
        f"{total.in_flight:,}",
        f"{total.unanswered:,}",
        _tokens_text(total),
        _total_cost_text(total),
        _lost_text(total),
    )


def _tokens_text(total: Total) -> str:
    tokens = f"{total.input_tokens:,} + {total.output_tokens:,}"
    if not total.estimated:
        return tokens
    return message("ledger-some-estimated", {"tokens": tokens, "count": total.estimated})


def _total_cost_text(total: Total) -> str:
    if total.currency:
        return f"{total.cost:.4f} {total.currency}"
    return word("no-price") if total.calls else ""
