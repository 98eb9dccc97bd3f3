"""What changed between two runs, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from sftrecipe.report.comparison.run_difference import RunDifference
from sftrecipe.report.text.difference_sections import (
    DifferenceSection,
    Sample,
    difference_sections,
    heads,
    notes,
)
from sftrecipe.report.text.table import table
from sftrecipe.report.words.difference_words import difference_words

_INDENT = "  "


def difference_text(found: RunDifference) -> str:
    """Both sides, what could not be compared, and a table for each kind of change."""
    words = difference_words()
    parts = [table((), heads(found, words))]
    if told := notes(found, words):
        parts.append("\n".join([words["notes"], *(_INDENT + each for each in told)]))
    sections = difference_sections(found, words)
    parts += ["\n".join(_section_lines(each)) for each in sections]
    if found.is_empty:
        parts.append(words["nothing"])
    return "\n\n".join(parts)


def _section_lines(section: DifferenceSection) -> Iterator[str]:
    yield section.title
    yield table(section.head, section.rows, indent=_INDENT)
    for sample in section.samples:
        yield from _sample_lines(sample)


def _sample_lines(sample: Sample) -> Iterator[str]:
    yield f"{_INDENT}{sample.title}"
    for line in sample.lines:
        yield f"{_INDENT * 2}{line}"
    for name, was, now in sample.parts:
        yield f"{_INDENT * 2}{name}"
        if was == now:
            yield from (f"{_INDENT * 3}{line}" for line in now.splitlines())
            continue
        yield from (f"{_INDENT * 2}- {line}" for line in was.splitlines())
        yield from (f"{_INDENT * 2}+ {line}" for line in now.splitlines())
