"""The best rows by a score or a column."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import ceil, isfinite, isnan, nan
from typing import Annotated, ClassVar, Literal

from annotated_types import Gt, Le

from sftrecipe.plugin import (
    KEEP,
    ColumnName,
    Context,
    Filter,
    Inputs,
    OptionFiles,
    OptionProblem,
    PluginRefused,
    Record,
    Rows,
    Texts,
    Verdict,
    closest,
)
from sftrecipe_registry.shared.text.row_text import text_of

texts = Texts(__package__)


class Top(Filter):
    """Keep the best rows by a score or by a column of numbers: so many, or a share of them.

    Of equals the earlier row is better, so the same rows come out every time. Rejects
    `not_among_best` with the value, the detail is the rank; `no_value` where there is no number.
    """

    paper: ClassVar[str] = "AlpaGasus (arXiv 2307.08701), IFD (arXiv 2308.12032): the best share"
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "not_among_best": ("most", "share"),
        "no_value": (),
    }
    example: ClassVar[str] = "{use: top, with: {score: rated, share: 0.1, per: topic}}"

    score: str | None = None
    """Id of the filter block that scored the rows, or another score's name."""
    column: ColumnName | None = None
    """A column of numbers, instead of a score."""
    most: Annotated[int, Gt(0)] | None = None
    """Rows to keep."""
    share: Annotated[float, Gt(0), Le(1)] | None = None
    """Share of the rows with a number to keep, rounded up."""
    best: Literal["highest", "lowest"] = "highest"
    """Which numbers are the best."""
    per: ColumnName | None = None
    """Keep the best of each value of this column, instead of all together."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """Not exactly one thing to rank by; not exactly one measure of how many to keep."""
        for one, other in (("score", "column"), ("most", "share")):
            given = [name for name in (one, other) if getattr(self, name) is not None]
            if len(given) == 2:
                told = texts("both-given", one=one, other=other)
                yield OptionProblem((other,), told, texts("keep-one"), at_key=True)
            elif not given:
                told = texts("neither-given", one=one, other=other)
                yield OptionProblem((), told, texts("set-one", one=one, other=other))

    def judge(self, rows: Rows, ctx: Context) -> Iterator[Verdict]:
        """Every row's verdict, in order. Raises PluginRefused where no row has the number."""
        values: array[float] = array("d")
        groups: defaultdict[str, array[int]] = defaultdict(lambda: array("Q"))
        known: set[str] = set()
        group = text_of(self.per, lambda row: "")
        for place, row in enumerate(rows):
            value = self._value(row)
            values.append(value)
            known.update(row.scores)
            if not isnan(value):
                groups[group(row)].append(place)
        if values and not groups:
            raise PluginRefused(self._no_value_text(known))
        ranks = self._ranks(values, groups)
        for place, value in enumerate(values):
            if isnan(value):
                yield Verdict(False, "no_value", detail=self._name())
            elif place in ranks:
                rank, size = ranks[place]
                yield Verdict(False, "not_among_best", value, f"rank {rank} of {size}")
            else:
                yield KEEP

    def _ranks(
        self, values: Sequence[float], groups: dict[str, array[int]]
    ) -> dict[int, tuple[int, int]]:
        """Rank and size of the group of every row that is not kept, by its place."""
        sign = -1 if self.best == "highest" else 1
        ranks = {}
        for places in groups.values():
            ranked = sorted(places, key=lambda place: (sign * values[place], place))
            for at in range(self._kept(len(ranked)), len(ranked)):
                ranks[ranked[at]] = (at + 1, len(ranked))
        return ranks

    def _kept(self, size: int) -> int:
        if self.most is not None:
            return self.most
        exact = (self.share or 1.0) * size
        return ceil(exact - 1e-9 * size)  # 0.07 * 100 is 7.000000000000001

    def _value(self, row: Record) -> float:
        """The row's number; NaN where there is none."""
        if self.score is not None:
            value = row.scores.get(self.score)
        else:
            value = row.columns.get(self.column or "")
        if isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                return nan
        if not isinstance(value, int | float) or not _fits(value):
            return nan
        return float(value)

    def _name(self) -> str:
        return self.score or self.column or ""

    def _no_value_text(self, known: set[str]) -> str:
        if self.score is None:
            return texts("no-number", column=self.column)
        if near := closest(self.score, known):
            return texts("score-unknown-near", score=self.score, near=near)
        found = ", ".join(sorted(known)) or texts("none")
        return texts("score-unknown", score=self.score, scores=found)


def _fits(value: float) -> bool:
    """Whether it is a finite double: JSON has whole numbers of any length."""
    try:
        return isfinite(value)
    except OverflowError:
        return False
