"""A comparison of two runs as sections of plain cells, which every form of it is written from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from sftrecipe.report.comparison.compared_side import SideHead
from sftrecipe.report.comparison.figure_changes import FigureChange
from sftrecipe.report.comparison.judged_changes import JudgedChange
from sftrecipe.report.comparison.recipe_changes import RecipeChange
from sftrecipe.report.comparison.run_difference import RunDifference
from sftrecipe.report.comparison.shown_excerpts import excerpts
from sftrecipe.report.comparison.step_changes import FileChange, StepChange
from sftrecipe.report.comparison.stream_changes import RowSample, StreamChange
from sftrecipe.report.words.page_words import Words

Cells = tuple[str, ...]
_LONG = 300
"""Characters of an option's value that are shown."""
_GROUPS = ("rejects", "shares", "lengths", "usage")


@dataclass(frozen=True)
class Sample:
    """A row, or a file, before and now."""

    title: str
    parts: Sequence[tuple[str, str, str]] = ()
    """Name, text before, text now."""
    lines: Sequence[str] = ()
    """A file's difference, line by line, with `+`, `-` or a blank before each."""


@dataclass(frozen=True)
class DifferenceSection:
    """One kind of change."""

    name: str
    title: str
    head: Cells
    rows: Sequence[Cells]
    samples: Sequence[Sample] = ()
    numbers: frozenset[int] = frozenset()
    """Columns of numbers."""


def heads(found: RunDifference, words: Words) -> list[Cells]:
    """What both sides are, a line each."""
    return [
        (words["was"], _head_text(found.was, words)),
        (words["now"], _head_text(found.now, words)),
    ]


def notes(found: RunDifference, words: Words) -> list[str]:
    """What could not be compared."""
    return [
        words[slug].format_map(
            {
                name: value if isinstance(value, str) else words["between-names"].join(value)
                for name, value in values.items()
            }
        )
        for slug, values in found.notes
    ]


def difference_sections(found: RunDifference, words: Words) -> list[DifferenceSection]:
    """The sections that have something to tell."""
    two = (words["was"], words["now"])
    made = [
        DifferenceSection(
            "recipe",
            words["recipe"],
            (words["what"], words["change"], *two),
            [_recipe_row(each, words) for each in found.recipe],
        ),
        _file_section(found.files, words),
        *(
            DifferenceSection(
                name,
                words[name],
                (words["what"], *two),
                [
                    (each.name, *excerpts(_value(each.was), _value(each.now), _LONG))
                    for each in facts
                ],
            )
            for name, facts in (("versions", found.versions), ("lock", found.lock))
        ),
        DifferenceSection(
            "steps",
            words["steps"],
            (words["step"], words["why"]),
            [(each.step, _why(each, words)) for each in found.steps],
        ),
        _stream_section(found.streams, words),
        *(_figure_section(group, found.figures, words) for group in _GROUPS),
        DifferenceSection(
            "judged",
            words["judged"],
            (words["step"], words["figure"], *two, words["difference"], words["pairs"]),
            [_judged_row(each, words) for each in found.judged],
            numbers=frozenset({2, 3}),
        ),
    ]
    return [each for each in made if each.rows]


def _head_text(head: SideHead, words: Words) -> str:
    parts = [
        f"{words[f'kind-{head.kind}']} {head.name}",
        head.recipe,
        words["profile"].format(name=head.profile) if head.profile else "",
        words["commit"].format(name=head.commit) if head.commit else "",
        words.get(f"run-{head.status}", head.status),
        head.began.replace("T", " ").removesuffix("+00:00") + (" UTC" if head.began else ""),
    ]
    return words["comma"].join(filter(None, parts))


def _recipe_row(change: RecipeChange, words: Words) -> Cells:
    if change.kind == "moved":
        return (change.name, words["moved"], "", "")
    was, now = excerpts(_value(change.was), _value(change.now), _LONG)
    return (change.name, words[change.kind], was, now)


def _value(value: Any) -> str:
    """A value as a recipe could have it, on one line."""
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value, default=str).decode()


def _why(change: StepChange, words: Words) -> str:
    if change.kind != "stale":
        return words[f"step-{change.kind}"]
    return words["between-names"].join(words.get(f"part-{part}", part) for part in change.why)


def _file_section(files: Sequence[FileChange], words: Words) -> DifferenceSection:
    return DifferenceSection(
        "files",
        words["files"],
        (words["what"], words["change"]),
        [(each.name, words[f"file-{each.kind}"]) for each in files],
        [Sample(each.name, lines=each.lines) for each in files if each.lines],
    )


def _stream_section(streams: Sequence[StreamChange], words: Words) -> DifferenceSection:
    return DifferenceSection(
        "streams",
        words["streams"],
        (
            *(words["stream"], words["was"], words["now"]),
            *(words[f"rows-{name}"] for name in ("added", "gone", "changed")),
        ),
        [_stream_row(each, words) for each in streams],
        [_row_sample(each.stream, sample, words) for each in streams for sample in each.samples],
        frozenset(range(1, 6)),
    )


def _stream_row(change: StreamChange, words: Words) -> Cells:
    was, now = (
        words["rows-missing"] if side in change.missing else _number(rows, words)
        for side, rows in (("was", change.was), ("now", change.now))
    )
    if None in (change.was, change.now):
        return (change.stream, was, now, "", "", "")
    counts = (change.added, change.gone, change.changed)
    return (change.stream, was, now, *(f"{count:,}" for count in counts))


def _row_sample(stream: str, sample: RowSample, words: Words) -> Sample:
    title = words[f"sample-{sample.kind}"].format(stream=stream, id=sample.id)
    return Sample(title, [(name, was or "", now or "") for name, was, now in sample.parts])


def _figure_section(group: str, figures: Sequence[FigureChange], words: Words) -> DifferenceSection:
    of = {"rejects": "step", "shares": "stream", "lengths": "part", "usage": "figure"}[group]
    rows = list(_figure_rows([each for each in figures if each.group == group], words))
    if group == "usage":
        head: Cells = (words["figure"], words["was"], words["now"])
        return DifferenceSection(group, words[group], head, rows, numbers=frozenset({1, 2}))
    named = "reason" if group == "rejects" else "figure"
    head = (words[of], words[named], words["was"], words["now"])
    return DifferenceSection(group, words[group], head, rows, numbers=frozenset({2, 3}))


def _figure_rows(figures: Sequence[FigureChange], words: Words) -> Iterator[Cells]:
    for each in figures:
        values = _number(each.was, words), _number(each.now, words)
        if each.group == "shares":
            values = _share(each.was, words), _share(each.now, words)
        if each.group == "usage":
            yield (words[each.name].format(of=each.of), *values)
        elif each.group == "rejects":
            yield (each.of, each.name, *values)
        else:
            yield (words.get(f"{each.of}-part", each.of), words[each.name], *values)


def _judged_row(change: JudgedChange, words: Words) -> Cells:
    told = f"{change.difference:+.4g}"
    if change.low is not None and change.high is not None:
        told += f" ({change.low:+.4g} … {change.high:+.4g})"
    slug = "unpaired" if not change.paired else "paired-lost" if change.lost else "paired"
    how = words[slug].format(rows=change.rows, lost=change.lost)
    return (change.step, change.name, f"{change.was:.4g}", f"{change.now:.4g}", told, how)


def _number(value: float | None, words: Words) -> str:
    if value is None:
        return words["none"]
    return f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"


def _share(value: float | None, words: Words) -> str:
    return words["none"] if value is None else f"{value:.1%}"
