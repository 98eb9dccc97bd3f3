"""Why a text is no YAML, as whoever wrote it sees it: the mark that is wrong, and what to write."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

import yaml

from sftrecipe.errors import Position, Problem

_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'[^']*'|#.*")
_WIDE_AFTER_KEY = re.compile(r"(?:^|[\s{,])[A-Za-z_][\w-]*(：)")
_WIDE_SPACE = re.compile(r"^[ ]*(?:- +)?(\u3000)|^[ ]*(?:- +)?[A-Za-z_][\w-]*:(\u3000)")
_WIDE_DASH = re.compile(r"^ *([－—–])(?=[\s\w])")
_WIDE_MARKS = re.compile("[，｛｝［］：＂＇]")
WIDE_SPACE = "\u3000"
_PLAIN = {WIDE_SPACE: " ", "—": "-", "–": "-"}
_KEY = re.compile(
    r"^(?P<before> *(?:- +)*)(?P<key>[\w.-]+|\"[^\"]*\"|'[^']*'):(?P<value>(?: .*)?)$"
)
_NO_SPACE = re.compile(r"^ *(?:- +)?(?P<key>[A-Za-z_][\w-]*):(?=[^\s/:\\])(?P<value>.+)$")
_NO_SPACE_DASH = re.compile(r"^ *-(?=[A-Za-z_{\[\"'])(?P<value>.+)$")
_BLOCK_TEXT = re.compile(r": *[|>][0-9+-]*\s*(?:#.*)?$")
_SPECIAL = "@`%&*!"
_SHOWN = 100


@dataclass(frozen=True)
class _Break:
    """Where YAML breaks off; lines and columns from 0."""

    name: str
    lines: list[str]
    line: int
    column: int
    reason: str
    context: str
    began: tuple[int, int] | None
    """Where what was being read began."""

    def source(self, up: int = 0) -> str:
        """The line, or one above it; empty where there is none."""
        number = self.line - up
        return self.lines[number] if 0 <= number < len(self.lines) else ""

    def problem(
        self, slug: str, line: int, column: int, hint: str | None, /, **values: object
    ) -> Problem:
        return Problem(slug, Position(self.name, line + 1, column + 1), values, hint)


def syntax_problem(error: yaml.YAMLError, text: str, name: str) -> Problem:
    """What is wrong where YAML breaks off."""
    fault = _fault(error, text, name)
    for explained in _EXPLANATIONS:
        if problem := explained(fault):
            return problem
    line, column = fault.line, fault.column
    if line >= len(fault.lines):
        line, column = len(fault.lines) - 1, len(fault.lines[-1])
    return fault.problem("yaml", line, column, None, error=fault.reason)


def _fault(error: yaml.YAMLError, text: str, name: str) -> _Break:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    reason = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read"
    if mark is None:  # a character that YAML does not allow
        before = text[: int(getattr(error, "position", 0) or 0)]
        line, column = before.count("\n"), len(before) - before.rfind("\n") - 1
    else:
        line, column = mark.line, mark.column
    began = getattr(error, "context_mark", None)
    context = getattr(error, "context", None) or ""
    place = (began.line, began.column) if began else None
    return _Break(name, text.splitlines() or [""], line, column, reason, context, place)


def wide_mark(lines: list[str], name: str, line: int) -> Problem | None:
    """A full-width mark of punctuation where YAML takes a plain one: in a line that breaks off, or
    in the one before, which the parser reads on from."""
    for number in (line, line - 1, line - 2):
        if not 0 <= number < len(lines):
            continue
        bare = _bare(lines[number])
        column = _wide_column(bare)
        if column is None and number == line and (mark := _WIDE_MARKS.search(bare)):
            column = mark.start()
        if column is not None:
            return wide_problem(bare[column], Position(name, number + 1, column + 1))
    return None


def wide_problem(wide: str, place: Position) -> Problem:
    """The problem of a full-width mark."""
    plain = _PLAIN.get(wide) or unicodedata.normalize("NFKC", wide)
    if plain == " ":
        return Problem("yaml-wide-space", place, {}, "write-space")
    return Problem("yaml-wide", place, {"character": wide, "plain": plain}, "write-plain")


def _bare(line: str) -> str:
    """The line with its quoted texts and its comment struck out."""
    return _QUOTED.sub(lambda found: "x" * len(found[0]), line)


def _wide_column(bare: str) -> int | None:
    if found := _WIDE_AFTER_KEY.search(bare):
        return found.start(1)
    if found := _WIDE_SPACE.search(bare):
        return found.start(1) if found[1] else found.start(2)
    found = _WIDE_DASH.search(bare)
    return found.start(1) if found else None


def quoted(text: str) -> str:
    """A text as YAML takes it whatever it holds."""
    if "'" in text and "\\" not in text and '"' not in text:
        return f'"{text}"'
    return "'" + text.replace("'", "''") + "'"


def _tab(fault: _Break) -> Problem | None:
    source, column = fault.source(), fault.column
    indent = source[: len(source) - len(source.lstrip())]
    if "\t" in indent or source[column : column + 1] == "\t":
        column = indent.find("\t") if "\t" in indent else column
        return fault.problem("yaml-tab", fault.line, column, "use-spaces")
    return None


def _wide(fault: _Break) -> Problem | None:
    return wide_mark(fault.lines, fault.name, fault.line)


def _variable(fault: _Break) -> Problem | None:
    column = fault.column
    if column and fault.source()[column - 1 : column + 1] == "${":
        return fault.problem("yaml-variable", fault.line, column - 1, "quote-variable")
    return None


def _fence(fault: _Break) -> Problem | None:
    if fault.source().lstrip().startswith("```"):
        return fault.problem("yaml-fence", fault.line, fault.column, "remove-fence")
    return None


def _escape(fault: _Break) -> Problem | None:
    """A backslash within double quotes, where it begins an escape."""
    if "escape" not in fault.reason and "hexdecimal" not in fault.reason:
        return None
    source = fault.source()
    column = source.rfind("\\", 0, fault.column + 1)
    start = fault.began[1] if fault.began and fault.began[0] == fault.line else -1
    end = source.find('"', max(column, start + 1))
    values = {"escape": source[column : column + 2]}
    if start < 0 or end < 0 or column < 0:
        return fault.problem("yaml-escape", fault.line, max(column, 0), "single-quotes", **values)
    written = quoted(source[start + 1 : end])
    values["suggestion"] = written
    hint = "write-path" if "\\U" in source or ":\\" in source else "write-line"
    values["plain"] = quoted(source[start + 1 : end].replace("\\\\", "/").replace("\\", "/"))
    return fault.problem("yaml-escape", fault.line, column, hint, **values)


def _open_quote(fault: _Break) -> Problem | None:
    if "quoted scalar" not in fault.context or not fault.began or "end" not in fault.reason:
        return None
    line, column = fault.began
    rest = fault.lines[line][column:].rstrip() if line < len(fault.lines) else ""
    values = {"quote": rest[:1], "suggestion": rest + rest[:1]}
    return fault.problem("yaml-quote", line, column, "write-line", **values)


def _missing_space(fault: _Break) -> Problem | None:
    """`use:vllm` and `-id: x`: no key and no item for YAML."""
    for up in range(3):
        bare, source = _bare(fault.source(up)), fault.source(up)
        if found := _NO_SPACE_DASH.match(bare):
            column, mark = found.start("value") - 1, "-"
            written = "- " + source[found.start("value") :].strip()
        elif found := _NO_SPACE.match(bare):
            column, mark = found.end("key"), ":"
            written = f"{found['key']}: {source[column + 1 :].strip()}"
        else:
            continue
        values = {"mark": mark, "suggestion": written[:_SHOWN]}
        return fault.problem("yaml-space", fault.line - up, column, "write-line", **values)
    return None


def _comment(fault: _Break) -> Problem | None:
    for up in range(3):
        source = fault.source(up)
        at = _bare(source).find("//")
        if at >= 0 and not source[:at].rstrip().endswith(":") and source[:at].strip(" ,{}[]") == "":
            values = {"suggestion": "# " + source[at:].lstrip("/ ")}
            return fault.problem("yaml-comment", fault.line - up, at, "write-line", **values)
    return None


def _unquoted(fault: _Break) -> Problem | None:
    """A text that YAML reads as something else: one with `: ` in it, or that begins with a mark."""
    found = _KEY.match(fault.source())
    value = found["value"].strip() if found else ""
    if not found or not value or value[0] in "\"'|>":
        return None
    start = found.start("value") + len(found["value"]) - len(found["value"].lstrip())
    marked = value[0] in _SPECIAL and fault.column in (start, start + 1)
    colon = "mapping values" in fault.reason and fault.column > start
    if not marked and not colon:
        return None
    values = {"mark": value[0] if marked else ":", "suggestion": f"{found['key']}: {quoted(value)}"}
    column = start if marked else fault.column
    return fault.problem("yaml-text", fault.line, column, "write-line", **values)


def _indent(fault: _Break) -> Problem | None:
    """A line that stands further left or right than the ones it belongs to."""
    if text := _text_too_far_left(fault):
        return text
    if not any(words in fault.reason for words in ("mapping values", "expected", "find")):
        return None
    found = _KEY.match(fault.source())
    above = next((up for up in range(1, 4) if _KEY.match(fault.source(up))), None)
    if found is None or above is None or "{" in fault.context or "flow" in fault.context:
        return None
    here = len(found["before"])
    other = _KEY.match(fault.source(above))
    there = len(other["before"]) if other else here
    if here == there:
        return None
    values = {"found": here, "above": there}
    return fault.problem("yaml-indent", fault.line, here, "indent-like", **values)


def _text_too_far_left(fault: _Break) -> Problem | None:
    """The text of `key: |` that is not indented further than its key."""
    for up in range(1, 4):
        if _BLOCK_TEXT.search(fault.source(up)):
            line = fault.line - up + 1
            source = fault.lines[line]
            indent = len(source) - len(source.lstrip())
            key = _KEY.match(fault.source(up))
            least = len(key["before"]) + 1 if key else indent + 1
            if indent >= least:
                return None
            values = {"found": indent, "least": least + 1}
            return fault.problem("yaml-indent", line, indent, "indent-text", **values)
    return None


_EXPLANATIONS: tuple[Callable[[_Break], Problem | None], ...] = (
    _tab,
    _wide,
    _variable,
    _fence,
    _escape,
    _open_quote,
    _missing_space,
    _comment,
    _unquoted,
    _indent,
)
"""In the order in which they are tried: the surest first."""
