"""Problems on stderr, in colour where that is a terminal."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterable, Iterator

import click

from sftrecipe.api.terminal import Terminal
from sftrecipe.errors import Problem
from sftrecipe.report.text.problem_text import render

_RED, _YELLOW, _CYAN, _DIM = "1;31", "1;33", "36", "2"
_SOURCE = re.compile(r"( *\d+ \| )(.*)", re.DOTALL)
_CARET = re.compile(r"( +\| )(\s*\^.*)", re.DOTALL)
_HINT = re.compile(r"(  (?:hint:|提示：))(.*)", re.DOTALL)
_LABEL = re.compile(r"(?:error|错误|warning|警告)(?:\[[\w-]+\])?(?=[:：])|Error(?=:)")
_WARNINGS = ("warning", "警告")


def show_problems(problems: Iterable[Problem]) -> None:
    """Tell them one after the other."""
    show_error(render(problems))


def show_usage_error(error: click.ClickException) -> None:
    """Tell what is wrong with a command line."""
    told = io.StringIO()
    error.show(told)
    show_error(told.getvalue().rstrip("\n"))


def show_error(text: str) -> None:
    """Write a text with labels of errors and warnings in front of its lines."""
    stream = sys.stderr
    if isinstance(stream, Terminal) and stream.has_colour:
        for line in text.splitlines(keepends=True):
            stream.write_styled(_coloured(line))
        stream.write("\n")
        stream.flush()
    else:
        click.echo(text, err=True)


def _coloured(line: str) -> Iterator[tuple[str, str]]:
    """The parts of a line, each with its colour."""
    for pattern, codes in ((_SOURCE, (_DIM, "")), (_CARET, (_DIM, _RED)), (_HINT, (_CYAN, ""))):
        if found := pattern.fullmatch(line):
            yield from zip(codes, found.groups(), strict=True)
            return
    found = _LABEL.search(line)
    if found is None:
        yield "", line
        return
    is_warning = found[0].startswith(_WARNINGS)
    yield "", line[: found.start()]
    yield _YELLOW if is_warning else _RED, found[0]
    yield "", line[found.end() :]
