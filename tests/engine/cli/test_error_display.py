"""Errors have colours on a terminal, where they are wanted; what a text brings along has none."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from sftrecipe.api.terminal import Terminal
from sftrecipe.cli.error_display import show_error, show_problems
from sftrecipe.errors import Position, Problem

TEXT = """\
a.yaml:1:3: error[unknown-key]: key '\x07' is not known
    1 | a: b
      |   ^
  hint: none"""


class Stream(io.StringIO):
    """A terminal, or none."""

    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


def shown(monkeypatch: pytest.MonkeyPatch, *, is_terminal: bool, **variables: str) -> str:
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"TERM": "xterm"} | variables).items():
        monkeypatch.setenv(name, value)
    stream = Stream(is_terminal=is_terminal)
    monkeypatch.setattr(sys, "stderr", Terminal(stream))
    show_error(TEXT)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("is_terminal", "variables", "coloured"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (True, {"TERM": "dumb"}, False),
        (True, {"CLICOLOR": "0"}, False),
        (False, {"FORCE_COLOR": "1"}, True),
        (False, {"CLICOLOR_FORCE": "1"}, True),
        (False, {"FORCE_COLOR": "0"}, False),
        (False, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colours_where_they_are_wanted(
    is_terminal: bool,
    variables: dict[str, str],
    coloured: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = shown(monkeypatch, is_terminal=is_terminal, **variables)
    assert ("\x1b[1;31merror[unknown-key]\x1b[0m" in told) == coloured
    plain = told
    for code in ("1;31", "2", "36", "0"):
        plain = plain.replace(f"\x1b[{code}m", "")
    assert plain == TEXT.replace("\x07", "\\u0007") + "\n"


def test_a_caret_stands_below_its_column_on_a_narrow_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("名" * 80 + "X" + "值" * 80, encoding="utf-8")
    monkeypatch.setenv("COLUMNS", "50")
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Stream(is_terminal=True)
    monkeypatch.setattr(sys, "stderr", Terminal(stream))
    show_problems([Problem("unknown-key", Position(str(file), 1, 81), {"key": "X"})])
    line, caret = stream.getvalue().splitlines()[1:3]
    before = line[: line.index("X")]
    assert len(before) + before.count("名") == caret.index("^")
    assert len(line) + line.count("名") + line.count("值") <= 50
