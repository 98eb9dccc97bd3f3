"""Judges: plugins that tell how good models are."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sftrecipe.plugin.base import Plugin
from sftrecipe.plugin.context import Context, Rows
from sftrecipe.plugin.plugin_kinds import Expected
from sftrecipe.record import Record


@dataclass(frozen=True)
class Judgement:
    """What a judge found."""

    metrics: Mapping[str, float]
    """Figures by name; `NAME_low` and `NAME_high` are the ends of the interval of `NAME`."""
    rows: Sequence[Record] = ()
    """One a judged item, in the order of the rows, with what each model answered and the judge
    said; the scores hold the item's own value of every metric that is a mean over items, and
    `NAME_weight` beside it where the items do not weigh the same. Paired by it, what is judged on
    the same rows can be compared."""
    notes: Mapping[str, Any] = field(default_factory=dict)
    """More for the report: the tables that its plots are drawn from."""


ROWS_JUDGED = "rows"
"""A figure of every judge, for a `gate`: how many rows have a verdict."""


class Judge(Plugin):
    """Compares or scores models; `ctx.models` holds the providers that its options name."""

    kind: ClassVar[str] = "judge"

    @abstractmethod
    async def evaluate(self, rows: Rows, ctx: Context) -> Judgement:
        """Judge on the rows.

        Raises PluginRefused where nothing could be judged.
        """

    def metrics(self) -> frozenset[str] | None:
        """Names of the figures that it finds, for a `gate`; None: not known before."""
        return None

    def ranges(self) -> Mapping[str, tuple[float, float]]:
        """The least and the greatest that a figure named here can be; a `gate` beyond is wrong."""
        return {}

    def limits(self) -> Mapping[str, float]:
        """Figures that spoil the judging where they are surely above the number: the run warns, and
        no gate of the block is passed. A `gate` on the figure sets another `at_most`."""
        return {}

    def reachable(self, rows: int) -> Mapping[str, tuple[float, float]]:
        """Of so many judged rows, how high a figure's lower end can come, and how low the upper."""
        return {}

    def expected(self, least: int, most: int | None) -> Expected:
        """Calls and judged rows to expect of so many rows; for `plan`."""
        return Expected((0, None), (0, most))
