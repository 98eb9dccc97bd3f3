"""Problems as text: place, message, the source line with a caret, and what to do."""

from __future__ import annotations

import re
import shutil
import sys
import unicodedata
from collections.abc import Iterable

from sftrecipe import messages
from sftrecipe.errors import Position, Problem
from sftrecipe.plugin.regular_files import open_regular
from sftrecipe.report.text.folding import NARROWEST, cells

_BREAKS = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_WRITTEN_KEY = re.compile(
    r"""((?:key|token|secret|passw|credential|auth)[\w-]{0,20}["']?\s{0,20}[:：]\s{0,20}["']?)"""
    r"""((?!\$|%|\{|Bearer)[^\s"',{}]{6,})""",
    re.IGNORECASE,
)
_WIDTH = 100
_MARGIN = 9
"""Cells before a line, for its number; the last one stays free."""
_MOST_READ = 4_000_000
"""Bytes of a file in which a line is looked for; a recipe has less."""
_LABELS = {
    "en": {"error": "error", "warning": "warning", "hint": "hint: "},
    "zh": {"error": "错误", "warning": "警告", "hint": "提示："},
}


def render(problems: Iterable[Problem], language: str | None = None) -> str:
    """The problems one after the other, in the user's language unless one is given."""
    chosen = language or messages.user_language()
    sources: dict[str, list[str]] = {}
    return "\n".join(_problem_text(problem, chosen, sources) for problem in problems)


def _problem_text(problem: Problem, language: str, sources: dict[str, list[str]]) -> str:
    labels = _LABELS[language]
    place = f"{problem.position}: " if problem.position else ""
    lines = [f"{place}{labels[problem.severity]}[{problem.slug}]: {problem.message(language)}"]
    if problem.position:
        lines += _source_lines(problem.position, sources)
    if advice := problem.advice(language):
        lines.append(f"  {labels['hint']}{advice}")
    return "\n".join(_visible_line(line) for line in lines)


def _source_lines(position: Position, sources: dict[str, list[str]]) -> list[str]:
    """The line of a place, with a caret under the column; nothing where it cannot be read."""
    if position.path not in sources:
        sources[position.path] = _file_lines(position.path)
    lines = sources[position.path]
    if position.line > len(lines) or "\ufffd" in lines[position.line - 1]:
        return []  # of another encoding, the line shows nothing
    text = _visible_line(without_keys(lines[position.line - 1][: position.column + 2 * _WIDTH]))
    column = position.column - 1
    shown, start = _window(text, column)
    before = "".join(_blank(character) for character in text[start:column])
    margin = f"{position.line:>5} | "
    return [f"{margin}{shown}".rstrip(), f"{' ' * (len(margin) - 2)}| {before}^"]


def _window(text: str, column: int) -> tuple[str, int]:
    """As much of a line around a column as is shown, and where that begins."""
    if sys.stderr is None or not sys.stderr.isatty():
        start = max(0, column - _WIDTH + 20) if len(text) > _WIDTH else 0
        return text[start : start + _WIDTH], start
    room = min(max(shutil.get_terminal_size().columns - _MARGIN, NARROWEST), _WIDTH)
    start = max(0, column - room)
    while cells(text[start:column]) > room * 3 // 4:
        start += 1
    end = min(len(text), start + room)
    while cells(text[start:end]) > room:
        end -= 1
    return text[start:end], start


def without_keys(line: str) -> str:
    """A line of a recipe with the keys in it struck out, so that no log holds them."""
    return _WRITTEN_KEY.sub(lambda found: found[1] + "*" * len(found[2]), line)


def _file_lines(path: str) -> list[str]:
    try:
        with open_regular(path) as file:
            return _BREAKS.split(file.read(_MOST_READ).decode("utf-8-sig", "replace"))
    except OSError:
        return []


def _blank(character: str) -> str:
    """Spaces as wide as a character is on a terminal."""
    if character == "\t":
        return "\t"
    if unicodedata.combining(character):
        return ""
    return "  " if unicodedata.east_asian_width(character) in ("W", "F") else " "


def _visible_line(line: str) -> str:
    """The line without characters that a terminal would obey or that turn its direction."""
    if line.isprintable():
        return line
    return "".join(map(_visible_character, line))


def _visible_character(character: str) -> str:
    if character.isprintable() or character == "\t":
        return character
    return " " if character.isspace() else "\ufffd"
