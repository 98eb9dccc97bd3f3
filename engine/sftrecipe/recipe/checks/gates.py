"""What the figures of a judge must reach."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sftrecipe.errors import Problem, unknown
from sftrecipe.plugin.judge import ROWS_JUDGED, Judge
from sftrecipe.plugin.plugin_kinds import Exporter
from sftrecipe.recipe.blocks import BlockDraft, crash_problem, of_section
from sftrecipe.recipe.language.sections import HELD_OUT
from sftrecipe.recipe.reader.node import Node, place_of
from sftrecipe.recipe.recipe import Gate

_ENDS = ("_low", "_high")
_COUNTED = (0.0, math.inf)


def gates_of(draft: BlockDraft) -> Mapping[str, Gate]:
    """The gates of a block whose shape is right, by figure."""
    written = draft.node.get("gate") if draft.section.takes("gate") else None
    if written is None or not written.is_mapping:
        return {}
    return {name: Gate(**bounds) for name, bounds in written.plain().items()}


def judges_held_out(draft: BlockDraft) -> bool:
    """Whether a judge reads the rows that are held out."""
    read = draft.node.get("on")
    return read is None or read.value == HELD_OUT


def gate_problems(root: Node, drafts: Sequence[BlockDraft]) -> Iterator[Problem]:
    """Figures that the judge does not find; gates without a bound, or that nothing can pass."""
    for draft in of_section(drafts, "evaluate"):
        written = draft.node.get("gate")
        if written is None or not written.is_mapping or not isinstance(draft.plugin, Judge):
            continue
        try:
            most = most_held_out(drafts) if judges_held_out(draft) else None
            known = _Known.of(draft.plugin, most)
        except Exception as error:
            yield crash_problem(draft, root, error)
            continue
        for name, bounds in written.value.items():
            place = place_of(root, (*draft.path, "gate", name), key=True)
            if known.names is not None and name not in known.names:
                values = {"metric": name, "use": draft.use}
                yield unknown("unknown-metric", place, name, sorted(known.names), **values)
            elif bounds.is_mapping and (found := known.problem(name, bounds.plain())):
                slug, hint, told = found
                yield Problem(slug, place, {"metric": name, **told}, hint)


Found = tuple[str, str | None, Mapping[str, object]]
"""A problem's slug, its hint, and what they show."""


class _Known(NamedTuple):
    """What a judge tells of its figures before it judges."""

    names: frozenset[str] | None
    ranges: Mapping[str, tuple[float, float]]
    judge: Judge
    most_rows: int | None
    """As many as can be judged; None: not known."""

    @classmethod
    def of(cls, judge: Judge, most_rows: int | None) -> _Known:
        names = judge.metrics()
        names = None if names is None else names | {ROWS_JUDGED}
        ranges = {**judge.ranges(), ROWS_JUDGED: _COUNTED}
        ends = {name + end: ranges[name] for name in ranges for end in _ENDS}
        return cls(names, {**ends, **ranges}, judge, most_rows)

    def problem(self, name: str, bounds: Mapping[str, Any]) -> Found | None:
        """What is wrong with a gate."""
        least, most = (_number(bounds.get(end)) for end in ("at_least", "at_most"))
        if _is_empty(least, most):
            return "gate-bounds", "gate-form", {}
        low, high = self.ranges.get(name, (-math.inf, math.inf))
        if (least is not None and least > high) or (most is not None and most < low):
            return "gate-beyond", None, {"range": _range_text(low, high)}
        if name == ROWS_JUDGED and least and self.most_rows is not None and least > self.most_rows:
            return "gate-rows", "hold-out-rows", {"bound": f"{least:g}", "most": self.most_rows}
        written = _at_the_end(least, most, (low, high))
        if written and holds_interval(self.judge, name, Gate(**bounds)):
            return "gate-end", "gate-by-point", {"written": written}
        return None


def holds_interval(judge: Judge, name: str, gate: Gate) -> bool:
    """Whether the figure's interval is held to the gate, and not the figure alone or a limit."""
    known = judge.metrics() or frozenset()
    has_interval = all(name + end in known for end in _ENDS)
    is_limit = name in judge.limits() and gate.at_least is None
    return has_interval and not is_limit and gate.by == "interval"


def _at_the_end(least: float | None, most: float | None, ends: tuple[float, float]) -> str | None:
    """The bound that only an interval without width keeps, as it is written."""
    if least is not None and least == ends[1]:
        return f"at_least: {least:g}"
    return f"at_most: {most:g}" if most is not None and most == ends[0] else None


def _number(bound: object) -> float | None:
    return float(bound) if isinstance(bound, int | float) else None


def _is_empty(least: float | None, most: float | None) -> bool:
    """Whether there is no bound, or no number that keeps within both."""
    if least is None or most is None:
        return least is most
    return least > most


def _range_text(low: float, high: float) -> str:
    return f"≥ {low:g}" if high == math.inf else f"{low:g} … {high:g}"


def most_held_out(drafts: Sequence[BlockDraft]) -> int | None:
    """The most rows that exports hold out; None: not known before."""
    exporters = [each.plugin for each in of_section(drafts, "export")]
    holding = [each for each in exporters if isinstance(each, Exporter) and each.holds_out()]
    tops = [each.expected_holdout(0, None)[1] for each in holding]
    known = [top for top in tops if top is not None]
    return max(known) if known and len(known) == len(tops) else None
