"""Tables fold to a terminal's width, lose nothing by it, and stay whole in a pipe."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from sftrecipe.cli.main import cli
from sftrecipe.report.text.folding import folded
from sftrecipe.report.text.table import table

_WORDS = st.sampled_from(
    ["a", "bc ", "医", "，", "（", "-", " ", "/", "😀", "é", "长句子，", "word_", "2,944 "]
)
_CELL = st.lists(_WORDS, max_size=20).map("".join)


@st.composite
def _tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    count = draw(st.integers(1, 7))
    line = st.lists(_CELL, min_size=count, max_size=count)
    return draw(line), draw(st.lists(line, min_size=1, max_size=4))


@given(_tables(), st.integers(20, 140))
@settings(max_examples=40, deadline=None)
def test_no_line_is_wider_and_no_character_is_lost(
    made: tuple[list[str], list[list[str]]], width: int
) -> None:
    head, rows = made
    told = table(head, rows, width=width)
    assert all(cell_len(line) <= width for line in told.splitlines())
    held = Counter("".join(told.split()))
    assert not Counter("".join("".join(map("".join, rows)).split())) - held


def test_columns_that_are_empty_are_dropped_on_a_terminal_alone() -> None:
    rows = [["ask", "", "12"], ["total", "", "12"]]
    assert table(["step", "lost", "rows"], rows) == (
        "step   lost  rows\nask          12\ntotal        12"
    )
    assert table(["step", "lost", "rows"], rows, width=80) == "step   rows\nask    12\ntotal  12"


def test_a_name_in_a_list_is_not_torn() -> None:
    told = table([], [["exact_dedup", "Keep one of rows with equal content"]], width=31)
    assert told.splitlines() == ["exact_dedup  Keep one of rows", "             with equal content"]


RECIPE = """\
version: 1
name: 宽度
sources: {早期种子问题: {use: jsonl, path: rows.jsonl}}
filter:
  - {id: length_of_the_answers, use: length, with: {field: output, max_chars: 400}}
export:
  - {use: jsonl}
"""


@pytest.mark.parametrize("width", [40, 80, 120])
def test_the_plan_fits_the_terminal(tmp_path: Path, width: int) -> None:
    (tmp_path / "rows.jsonl").write_text('{"instruction": "a", "output": "b"}\n')
    (tmp_path / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    command = [sys.executable, "-m", "sftrecipe.cli.main", "plan", str(tmp_path / "recipe.yaml")]
    environment = {**os.environ, "COLUMNS": str(width), "SFTRECIPE_LANG": "zh"}
    here, there = pty.openpty()
    with subprocess.Popen(command, env=environment, stdout=there, stderr=subprocess.DEVNULL) as run:
        os.close(there)
        told = b""
        while True:
            try:
                told += (read := os.read(here, 65536))
            except OSError:  # the other end is closed
                break
            if not read:
                break
    os.close(here)
    assert run.returncode == 0
    lines = told.decode().splitlines()
    assert max(map(cell_len, lines)) <= width
    assert "早期种子问题" in told.decode()
    piped = CliRunner(env=environment).invoke(cli, ["plan", str(tmp_path / "recipe.yaml")]).stdout
    assert len(piped.splitlines()) == 5  # head, three steps, sum: unfolded


def test_a_full_width_bracket_stays_at_what_it_opens() -> None:
    assert folded("使用兼容接口（v2）。", 14) == ["使用兼容接口", "（v2）。"]
