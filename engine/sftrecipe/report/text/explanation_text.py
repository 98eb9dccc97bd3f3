"""Why a row is as it is, for people and for programs."""

from __future__ import annotations

from collections import Counter
from typing import Any

import orjson

from sftrecipe.messages import Word, message
from sftrecipe.report.text.ledger_text import reply_lines
from sftrecipe.report.text.row_text import row_text
from sftrecipe.run.row_trace import RowTrace


def explanation_text(trace: RowTrace, indent: str = "") -> str:
    """The explanation as an indented tree."""
    row = trace.row
    if trace.seen:
        return indent + message("explained-above", {"step": trace.step, "row": row.id})
    lines = [f"{trace.step}  {row.origin}".rstrip(), *row_text(row).splitlines()]
    for each, reason in zip(trace.lost, trace.reasons, strict=True):
        measured = "" if each.value is None else f" ({each.value})"
        detail = f": {each.detail}" if each.detail else ""
        values = {"step": each.step, "reason": each.reason, "more": f"{measured}{detail}"}
        lines.append("  " + message("explained-lost", values))
        lines += [f"    {reason.line}"] if reason.line else []
    for step, count in Counter(each.step for each in trace.equal).items():
        lines.append("  " + message("explained-equal", {"step": step, "count": count}))
    for call in trace.calls:
        asked = {"provider": call.provider, "model": call.model, "call": call.key}
        lines.append("  " + message("explained-asked", asked))
        lines += [f"    > {line}" for line in call.prompt.splitlines()]
        lines += [f"    {line}" for line in reply_lines(call)]
        if call.error:
            values = {"state": Word(f"state-{call.state}"), "error": call.error}
            more = message("explained-attempts", {**values, "attempts": call.attempts})
            lines.append(f"    {more}")
    text = "\n".join(indent + line for line in lines)
    made_from = [explanation_text(parent, indent + "    ") for parent in trace.parents]
    if made_from:
        text += f"\n{indent}  {message('explained-from', {})}\n" + "\n".join(made_from)
    return text


def explanation_json(trace: RowTrace) -> str:
    """The explanation as JSON."""
    return orjson.dumps(_plain(trace), option=orjson.OPT_INDENT_2).decode()


def _plain(trace: RowTrace) -> dict[str, Any]:
    return {
        "step": trace.step,
        "row": trace.row._asdict(),
        "lost": [each.loss() for each in trace.lost],
        "equal": [each.loss() for each in trace.equal],
        "calls": [call._asdict() for call in trace.calls],
        "parents": [_plain(parent) for parent in trace.parents],
    }
