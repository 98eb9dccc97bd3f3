"""Counts and figures of two runs: rejects by reason, shares of the mix, lengths, what it cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sftrecipe.report.comparison.compared_side import ComparedSide
from sftrecipe.report.pages.run.facts.lengths import Lengths, lengths
from sftrecipe.report.pages.run.facts.mixture import mixture
from sftrecipe.report.pages.run.facts.opened_run import OpenedRun

_COUNTED = ("asked", "cached", "failed", "input_tokens", "output_tokens", "thought_tokens")


@dataclass(frozen=True)
class FigureChange:
    """One of them, before and now; None: there was none."""

    group: str
    """`rejects`, `shares`, `lengths` or `usage`."""
    of: str
    """The step, stream, part or currency."""
    name: str
    was: float | None
    now: float | None


def figure_changes(was: ComparedSide, now: ComparedSide) -> list[FigureChange]:
    """What differs of it between two runs."""
    if was.opened is None or now.opened is None:
        return []
    # the furthest streams of a run that did not come to its end are no later form of a result
    both_ended = not (was.unreached(now) or now.unreached(was))
    found = (
        *_changes("rejects", _rejects(was.opened), _rejects(now.opened)),
        *(_changes("shares", _shares(was.opened), _shares(now.opened)) if both_ended else ()),
        *(_lengths(was.opened, now.opened) if both_ended else ()),
        *(
            each
            for each in _changes("usage", _usage(was.opened), _usage(now.opened))
            if each.was or each.now
        ),
    )
    return list(found)


def _changes(
    group: str, was: Mapping[tuple[str, str], float], now: Mapping[tuple[str, str], float]
) -> Iterator[FigureChange]:
    for of, name in dict.fromkeys((*was, *now)):
        old, new = was.get((of, name)), now.get((of, name))
        if old != new:
            yield FigureChange(group, of, name, old, new)


def _rejects(opened: OpenedRun) -> dict[tuple[str, str], float]:
    return {
        (step.id, reason): count
        for step in opened.steps
        for reason, count in step.facts.reasons.items()
        if count
    }


def _shares(opened: OpenedRun) -> dict[tuple[str, str], float]:
    return {(each.name, "share"): round(each.share, 4) for each in mixture(opened)}


def _lengths(was: OpenedRun, now: OpenedRun) -> Iterator[FigureChange]:
    """Medians and ninth tenths, where both are counted in the same way."""
    if [*was.streams.values()] == [*now.streams.values()]:
        return
    found = lengths(was), lengths(now)
    if found[0] and found[1] and found[0].provider == found[1].provider:
        yield from _changes("lengths", _spreads(found[0]), _spreads(found[1]))


def _spreads(found: Lengths) -> dict[tuple[str, str], float]:
    return {
        (each.part, name): getattr(each, name)
        for each in found.spreads
        for name in ("median", "p90")
    }


def _usage(opened: OpenedRun) -> dict[tuple[str, str], float]:
    """What the run itself asked and paid; replies out of the ledger cost it nothing."""
    usage = opened.run.usage
    if usage is None:
        return {}
    found: dict[tuple[str, str], float] = {("", name): getattr(usage, name) for name in _COUNTED}
    if usage.currency:
        found[usage.currency, "cost"] = round(usage.cost, 6)
    return found
