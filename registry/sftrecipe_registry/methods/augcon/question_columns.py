"""The columns of a row that is a question about a context."""

from __future__ import annotations

from sftrecipe.plugin import Inputs


def missing_columns(inputs: Inputs) -> list[str]:
    """Those that the rows lack; none where their columns are not known."""
    if inputs is None:
        return []
    return [column for column in ("context", "instruction") if column not in inputs]
