"""The ledger's facts, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from sftrecipe.calls.repair import Repaired
from sftrecipe.calls.totals import Call, Total
from sftrecipe.report.table import aligned

_HEAD = ("day", "provider", "model", "calls", "failed", "in flight", "tokens", "cost", "lost")


def totals_text(totals: Sequence[Total]) -> str:
    """A line a day, provider, model and run, and the sum."""
    if not totals:
        return "the ledger is empty"
    lines = [_HEAD, *(_cells(total) for total in totals)]
    calls = sum(total.calls for total in totals)
    return f"{aligned(lines)}\n{calls} calls in all"


def totals_json(totals: Sequence[Total]) -> str:
    """The same facts as JSON."""
    facts = [total._asdict() for total in totals]
    return orjson.dumps(facts, option=orjson.OPT_INDENT_2).decode()


def repaired_text(repaired: Repaired) -> str:
    """What a repair saved, what it could not, and where the damaged file is."""
    return "\n".join(
        [
            f"saved: {repaired.saved:,} calls, {repaired.replies:,} of them with a reply",
            f"lost: {repaired.lost:,} calls whose rows cannot be read; they will be asked again",
            f"the damaged file: {repaired.kept}",
        ]
    )


def call_text(call: Call) -> str:
    """One call: what was asked, what came back, what it cost."""
    cost = "" if call.cost is None else f", {call.cost:.6f} {call.currency}"
    lines = [
        f"call {call.key}: {call.state}",
        f"{call.provider} {call.model} {call.kind}, step {call.step}, {call.attempts} attempts",
        f"sampling: {orjson.dumps(call.sampling).decode()}",
        f"tokens: {call.input_tokens} + {call.output_tokens}{cost}",
        *(f"> {line}" for line in call.prompt.splitlines()),
        *(f"< {line}" for line in call.reply.splitlines()),
    ]
    if call.error:
        lines.append(f"error: {call.error}")
    return "\n".join(lines)


def call_json(call: Call) -> str:
    """The same facts as JSON."""
    return orjson.dumps(call._asdict(), option=orjson.OPT_INDENT_2).decode()


def _lost(total: Total) -> str:
    """What attempts without a reply may have cost."""
    if not total.lost_tokens:
        return ""
    cost = f", {total.lost_cost:.4f} {total.currency}" if total.currency else ""
    return f"{total.lost_tokens:,}{cost}"


def _cells(total: Total) -> tuple[str, ...]:
    return (
        total.day,
        total.provider,
        total.model,
        f"{total.calls:,}",
        f"{total.failed + total.refused:,}",
        f"{total.in_flight:,}",
        f"{total.input_tokens:,} + {total.output_tokens:,}",
        f"{total.cost:.4f} {total.currency}" if total.currency else "",
        _lost(total),
    )
