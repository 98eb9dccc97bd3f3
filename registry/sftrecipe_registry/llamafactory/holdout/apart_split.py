"""The split of all rows into training and holdout, by groups of questions and by strata."""

from __future__ import annotations

import json
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from heapq import nsmallest
from typing import Any, NamedTuple

from sftrecipe.plugin import Context, PluginRefused, Record, Texts
from sftrecipe_registry.llamafactory.formats.export_plan import ALL, AskedRow
from sftrecipe_registry.llamafactory.holdout.holdout_option import SOURCE, Holdout
from sftrecipe_registry.llamafactory.holdout.strata import Group, held_groups, parts

texts = Texts(__package__)

_SHOWN = 40


class Stratum(NamedTuple):
    """Rows with the same values."""

    name: str
    rows: int
    held_out: int


@dataclass
class Split:
    """Which questions are held out, and what is to be told of it."""

    held: frozenset[int]
    """Their draws."""
    strata: list[Stratum] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    parted: list[int] = field(default_factory=list)
    """Rows of groups of near-duplicates that a draw row by row would have parted."""
    too_large: list[int] = field(default_factory=list)
    """Rows of groups that are greater than the part of their strata, which is not reached."""
    unknown: list[str] = field(default_factory=list)
    """Names in `by` that no row has."""


def split(option: Holdout, rows: Callable[[], Iterable[AskedRow]], seed: int) -> Split:
    """Go through the rows, twice where groups of near-duplicates are looked for."""
    questions = _Questions(option.names)
    for row in rows():
        questions.add(row)
    labels: Iterable[int] = range(len(questions.draws))
    if option.apart is not None and questions.draws:
        labels = _labels(option.apart, rows)
    return questions.split(option.share, labels, seed)


def _labels(apart: float, rows: Callable[[], Iterable[AskedRow]]) -> Iterable[int]:
    from sftrecipe_registry.llamafactory.holdout.question_groups import (  # noqa: PLC0415 - numpy
        LineCounts,
        QuestionGroups,
    )

    lines, groups = LineCounts(), QuestionGroups()
    for row in _different(rows()):
        lines.add(row.asked)
    for row in _different(rows()):
        groups.add(lines.asked(row.asked))
    labels: list[int] = groups.labels(apart).tolist()
    return labels


def _different(rows: Iterable[AskedRow]) -> Iterator[AskedRow]:
    seen: set[int] = set()
    for row in rows:
        if row.draw not in seen:
            seen.add(row.draw)
            yield row


def tell_split(found: Split, ctx: Context) -> None:
    """Tell of the holdout in the step's report.

    Raises PluginRefused where a name in `by` stands in no row.
    """
    if found.unknown:
        raise PluginRefused(texts("by-in-no-row", name=found.unknown[0]))
    for name, count in found.counts.items():
        ctx.count(name, count)
    for each in found.strata:
        if each.name:
            ctx.tell("holdout_strata", f"{each.name}: {each.held_out}/{each.rows}")
    for size in found.parted:
        ctx.tell("holdout_parted", str(size))
    for size in found.too_large:
        ctx.tell("holdout_too_large", str(size))


class _Questions:
    """Different questions in order, and of which stratum the rows are that ask them."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.draws: dict[int, int] = {}
        self._names = names
        self._questions, self._strata = array("q"), array("l")
        self._stratum_of: dict[tuple[str, ...], int] = {}
        self._lacking: Counter[str] = Counter()

    def add(self, row: AskedRow) -> None:
        """Take the next row."""
        self._questions.append(self.draws.setdefault(row.draw, len(self.draws)))
        values = tuple(_value(row.record, name) for name in self._names)
        self._lacking.update(
            name for name, value in zip(self._names, values, strict=True) if not value
        )
        self._strata.append(self._stratum_of.setdefault(values, len(self._stratum_of)))

    def split(self, wish: float, labels: Iterable[int], seed: int) -> Split:
        """Draw from the groups of questions with equal labels."""
        label_of = [*labels]
        groups, places = self._groups(label_of)
        names = [_stratum_name(self._names, values) for values in self._stratum_of]
        counts = Counter(self._strata)
        rows = [counts[each] for each in range(len(names))]
        wanted = parts(rows, wish, lambda each: _number(seed, "stratum", names[each]))
        chosen = {*held_groups(groups, wanted, lambda name: _number(seed, "group", name))}
        held_out = Counter[int]()
        for place in chosen:
            held_out.update(groups[place].rows)
        strata = map(Stratum, names, rows, map(held_out.__getitem__, range(len(names))))
        short = {each for each, want in enumerate(wanted) if held_out[each] < want}
        left = [group for place, group in enumerate(groups) if place not in chosen]
        found = Split(
            frozenset(draw for draw, at in self.draws.items() if places[label_of[at]] in chosen),
            strata=sorted(strata, key=lambda each: (-each.rows, each.name)),
            too_large=_sizes(each for each in left if _is_too_large(each, wanted, short)),
            unknown=[name for name in self._names if self._lacking[name] == len(self._strata) > 0],
        )
        self._tell_groups(found, wish, label_of, groups, places)
        return found

    def _groups(self, labels: list[int]) -> tuple[list[Group], dict[int, int]]:
        """The groups, and the place of each by its label."""
        rows: defaultdict[int, Counter[int]] = defaultdict(Counter)
        for question, stratum in zip(self._questions, self._strata, strict=True):
            rows[labels[question]][stratum] += 1
        least: dict[int, int] = {}
        for draw, question in self.draws.items():
            label = labels[question]
            least[label] = min(draw, least.get(label, ALL))
        places = {label: place for place, label in enumerate(least)}
        return [Group(name, rows[label]) for label, name in least.items()], places

    def _tell_groups(
        self,
        found: Split,
        wish: float,
        labels: list[int],
        groups: list[Group],
        places: Mapping[int, int],
    ) -> None:
        """Of the groups, and of a draw row by row of the same size."""
        limit = int(wish * ALL)
        if wish >= 1:
            limit = nsmallest(int(wish), self.draws)[-1] + 1
        members = {label for label, size in Counter(labels).items() if size > 1}
        sides: defaultdict[int, set[bool]] = defaultdict(set)
        for draw, at in self.draws.items():
            if labels[at] in members:
                sides[labels[at]].add(draw < limit)
        parted = {label for label, both in sides.items() if len(both) > 1}
        found.parted = _sizes(groups[places[label]] for label in parted)
        alone = {at for draw, at in self.draws.items() if draw < limit and labels[at] in parted}
        counts = {
            "groups of near-duplicates": len(members),
            "rows in groups of near-duplicates": sum(
                _sizes(groups[places[label]] for label in members)
            ),
            "rows that a draw by row would hold out without a twin": sum(
                at in alone for at in self._questions
            ),
            "rows in groups too large to hold out": sum(found.too_large),
            **{f"rows without '{name}'": count for name, count in self._lacking.items()},
        }
        found.counts = {name: count for name, count in counts.items() if count}


def _sizes(groups: Iterable[Group]) -> list[int]:
    """Rows of each, the greatest first."""
    return sorted((sum(group.rows.values()) for group in groups), reverse=True)


def _is_too_large(group: Group, wanted: Sequence[int], short: set[int]) -> bool:
    """Whether a stratum that lacks rows has it, and it has more of one than that is to give."""
    return not short.isdisjoint(group.rows) and any(
        count > wanted[each] for each, count in group.rows.items()
    )


def _value(record: Record, name: str) -> str:
    """What a row has under a name; empty where it has nothing."""
    if name == SOURCE:
        return record.stream
    value: Any = record.columns.get(name)
    if value is None or value == "":
        value = record.tags.get(name, "")
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _stratum_name(names: tuple[str, ...], values: tuple[str, ...]) -> str:
    """As the report tells it."""
    return ", ".join(
        f"{name} {_shortened(value)}" if value else f"no {name}"
        for name, value in zip(names, values, strict=True)
    )


def _shortened(value: str) -> str:
    line = " ".join(value.split())
    return line if len(line) <= _SHOWN else line[:_SHOWN] + "…"


def _number(seed: int, *salt: object) -> int:
    text = repr((seed, *salt)).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")
