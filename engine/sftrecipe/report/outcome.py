"""What a run came to, for people and for programs."""

from __future__ import annotations

from typing import Any

import orjson

from sftrecipe.run.results import REJECTS_FILE, RUN_FILE
from sftrecipe.run.start import Outcome


def outcome_text(outcome: Outcome) -> str:
    """The data sets, what was lost, what was asked, how long it took."""
    lines = []
    for data_set in outcome.execution.data_sets:
        files = ", ".join(str(outcome.out / file) for file in data_set.files)
        lines.append(f"{data_set.name}: {data_set.rows} rows  {files}")
    lines.append(f"rejected: {outcome.rejected} rows  {outcome.out / REJECTS_FILE}")
    if failed := outcome.execution.failed:
        lines.append(
            f"{failed} of them because their calls failed; ask again with: run --retry-failed"
        )
    lines.append(f"calls: {_calls(outcome)}; {outcome.seconds:.1f} s")
    if not outcome.fresh:
        lines.append("nothing to do: everything was done by an earlier run")
    return "\n".join(lines)


def outcome_json(outcome: Outcome) -> str:
    """The same facts as JSON."""
    facts: dict[str, Any] = {
        "out": str(outcome.out),
        "data_sets": [
            {"name": each.name, "rows": each.rows, "files": list(each.files), "role": each.role}
            for each in outcome.execution.data_sets
        ],
        "rejected": outcome.rejected,
        "failed": outcome.execution.failed,
        "usage": outcome.usage,
        "seconds": round(outcome.seconds, 3),
        "fresh": outcome.fresh,
        "run": str(outcome.out / RUN_FILE),
    }
    return orjson.dumps(facts, option=orjson.OPT_INDENT_2).decode()


def _calls(outcome: Outcome) -> str:
    usage = outcome.usage
    asked, cached = usage.get("asked", 0), usage.get("cached", 0)
    text = f"{asked} asked, {cached} from the ledger"
    if usage.get("failed"):
        text += f", {usage['failed']} failed"
    if asked:
        text += f"; {usage.get('input_tokens', 0)} + {usage.get('output_tokens', 0)} tokens"
    if usage.get("currency"):
        text += f", {usage['cost']:.4f} {usage['currency']}"
    return text
