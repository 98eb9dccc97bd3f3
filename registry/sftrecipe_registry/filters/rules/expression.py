"""Rows for which an expression is true."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import ClassVar

from sftrecipe import KEEP, Context, Record, RowFilter, Verdict
from sftrecipe.kinds import Inputs, OptionFiles, OptionProblem
from sftrecipe.record import OF_TURNS
from sftrecipe_registry.filters.rules.safe_expression import (
    BadExpression,
    SafeExpression,
    read_expression,
    unknown_names,
)
from sftrecipe_registry.shared.text.row_text import of_turns

_GROUPS = frozenset({"column", "score", "tag"})
_SHOWN = 200


class Expression(RowFilter):
    """Keep rows for which an expression over their columns, scores and tags is true.

    Names are columns; `score.rated` is the score that block `rated` gave, `tag.language` a tag;
    `column["a name"]`, `score["my-id"]` where a name is not a word. What a row does not have is
    `null`. There are comparisons, `and`, `or`, `not`, `in`, `a if b else c`, `+ - * / // %`, lists,
    and `abs`, `contains`, `ends_with`, `len`, `lower`, `max`, `min`, `number`, `round`,
    `starts_with`, `strip`, `words`; nothing else. Rejects `not_true`; `not_comparable` where a
    value does not fit, such as `null > 3`.
    """

    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {"not_true": ("keep",)}
    example: ClassVar[str] = """\
{use: expression, with: {keep: 'score.rated >= 4 and words(output) > 20 and tag.language == "zh"'}}
"""

    keep: str
    """The expression: a row is kept if it is true, or anything but false, 0, empty and null."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """An expression that cannot be read; columns that the rows do not have."""
        try:
            read = _read(self.keep)
        except BadExpression as error:
            yield OptionProblem(("keep",), str(error), error.hint)
            return
        if inputs is None:
            return
        columns = read.names | read.members.get("column", frozenset())
        if "messages" in inputs:
            columns -= OF_TURNS
        for name, near in unknown_names(columns, inputs):
            known = f"columns: {', '.join(sorted(inputs))}" if inputs else None
            hint = f"did you mean '{near}'?" if near else known
            yield OptionProblem(("keep",), f"column '{name}' is not in the input rows", hint)

    def judge_row(self, row: Record, ctx: Context) -> Verdict:
        """The verdict on one row."""
        columns, read = row.columns, _read(self.keep)
        of_chat = {
            name: of_turns(columns, name) for name in read.names & OF_TURNS if "messages" in columns
        }
        names = {**of_chat, **columns, "column": columns, "score": row.scores, "tag": row.tags}
        try:
            is_true = bool(read.compute(names))
        except (TypeError, ValueError, ArithmeticError) as error:
            return Verdict(False, "not_comparable", detail=str(error)[:_SHOWN])
        return KEEP if is_true else Verdict(False, "not_true", detail=self.keep[:_SHOWN])


@lru_cache(maxsize=64)
def _read(text: str) -> SafeExpression:
    return read_expression(text, _GROUPS)
