"""What changed between two runs, as a comment of a pull request.

Rows and names are somebody's text: whatever stands in them, they stay inside their cells, link to
nothing, load nothing and call nobody. A cell is HTML code whose signs are written as entities,
which neither Markdown nor the site that shows it takes for anything else; plain words and numbers
stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sftrecipe.report.comparison.run_difference import RunDifference
from sftrecipe.report.comparison.shown_excerpts import excerpts
from sftrecipe.report.pages.html_page import visible
from sftrecipe.report.text.difference_sections import (
    DifferenceSection,
    Sample,
    difference_sections,
    heads,
    notes,
)
from sftrecipe.report.words.difference_words import difference_words

MOST = 65_536
"""Characters that a comment may have."""
_ROOM = MOST - 1000
_PLAIN = re.compile(r"[^\W\d_]+(?:,? [^\W\d_]+)*|[+-]?\d{1,3}(?:,\d{3})*(?:\.\d{1,6})?%?")
_SIGNS = re.compile(r"[!-+/:<-@\[-`{-~]")
_LINKING = re.compile(r"&#(?:64|58|47);|www", re.IGNORECASE)
_CELL = 600
"""Characters of a text in a cell."""


def difference_markdown(found: RunDifference, language: str | None = None) -> str:
    """The comment; what would make it too long is left out, and told."""
    words = difference_words(language)
    parts = [f"### {words['kicker']}", _table((), heads(found, words))]
    parts += [f"> {_cell(each)}" for each in notes(found, words)]
    if found.is_empty:
        parts.append(words["nothing"])
    sections = difference_sections(found, words)
    parts += [_section(each) for each in sections]
    samples = (part for each in sections for part in _samples(each, words["was"], words["now"]))
    return _bounded([*parts, *samples], words["note-cut"].format(most=f"{MOST:,}"))


def _bounded(parts: Sequence[str], cut: str) -> str:
    """The parts that fit, each whole or up to one of its lines."""
    kept: list[str] = []
    room = _ROOM
    for part in parts:
        if _size(part) + 2 <= room:
            kept.append(part)
            room -= _size(part) + 2
            continue
        lines: list[str] = []
        for line in part.splitlines():
            if _size(line) + 1 > room:
                break
            lines.append(line)
            room -= _size(line) + 1
        return "\n\n".join([*kept, *(["\n".join(lines)] if len(lines) > 3 else []), f"_{cut}_"])
    return "\n\n".join(kept)


def _size(text: str) -> int:
    """Characters as the sites count them: those beyond the basic plane are two."""
    return len(text.encode("utf-16-le")) // 2


def _section(section: DifferenceSection) -> str:
    return f"#### {section.title}\n\n{_table(section.head, section.rows, section.numbers)}"


def _samples(section: DifferenceSection, was: str, now: str) -> Iterator[str]:
    for sample in section.samples:
        rows = [(name, old, new) for name, old, new in sample.parts] or list(_changed(sample))
        head = ("", was, now)
        yield f"**{_cell(sample.title)}**\n\n{_table(head, rows)}"


def _changed(sample: Sample) -> Iterator[tuple[str, str, str]]:
    """A file's lines that went and came, side by side."""
    gone = [line[1:] for line in sample.lines if line.startswith("-")]
    come = [line[1:] for line in sample.lines if line.startswith("+")]
    for at in range(max(len(gone), len(come))):
        was, now = (lines[at] if at < len(lines) else "" for lines in (gone, come))
        yield ("", *excerpts(was, now, _CELL))


def _table(
    head: Sequence[str], rows: Sequence[Sequence[str]], numbers: frozenset[int] = frozenset()
) -> str:
    columns = len(rows[0]) if rows else len(head)
    names = [*head, *[""] * (columns - len(head))]
    marks = ["---:" if at in numbers else "---" for at in range(columns)]
    lines = [names, marks, *([_cell(each) for each in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    """A text as code; empty where it says nothing."""
    if not text.strip():
        return ""
    if _PLAIN.fullmatch(text):
        return text
    short = text if len(text) <= _CELL else f"{text[:_CELL]}…"
    lines = [_entities(str(visible(line))) for line in short.splitlines()]
    return "<br>".join(f"<code>{line}</code>" for line in lines if line.strip())


def _entities(text: str) -> str:
    """What Markdown could take for a sign of its own by its number; what begins a link or calls
    somebody is torn from what follows by an empty comment."""
    numbered = _SIGNS.sub(lambda found: f"&#{ord(found[0])};", text)
    return _LINKING.sub(lambda found: f"{found[0]}<!-- -->", numbered)
