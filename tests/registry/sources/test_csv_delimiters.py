"""Tables with other delimiters are read as they are meant."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ...support.plain_runs import examples
from ...support.source_rows import columns, context, read, source

CELLS = st.text(
    st.one_of(st.sampled_from(",;|\t\"'\n ."), st.characters(codec="utf-8", categories=["L"])),
    max_size=12,
)
ROWS = st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=6)


@given(
    rows=ROWS,
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    suffix=st.sampled_from(["csv", "tsv"]),
)
@settings(max_examples=examples(40), deadline=None)
def test_rows_come_back(
    rows: list[tuple[str, str, str]], delimiter: str, encoding: str, suffix: str,
    tmp_path_factory: Any,
) -> None:  # fmt: skip
    folder = tmp_path_factory.mktemp("csv")
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([("instruction", "input", "output"), *rows])
    (folder / f"a.{suffix}").write_bytes(text.getvalue().encode(encoding))
    found, rejects = read("csv", folder, path=f"a.{suffix}", repair=False)
    assert rejects == []
    assert [tuple(row.values()) for row in columns(found)] == rows


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("instruction;output\nWhat is fever?;High, often with chills.\n", 2),
        ("问题|回答\n发烧怎么办？|多喝水，休息\n", 2),
        ("sep=;\na;b\n1;2\n", 2),
        ("text\nones; twos; threes\nfour, five\n", 1),
        ("text\nonly, commas; here\n", 1),
        ("a,b\nx;y,1\nz;w,2\n", 2),
        ("a;b;c\n", 3),
    ],
)
def test_the_columns_are_what_they_are_meant_to_be(text: str, rows: int, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text, "utf-8")
    found, _ = read("csv", tmp_path, path="a.csv")
    assert all(len(row.columns) == rows for row in found)
    assert len(found) == text.count("\n") - 1 - text.startswith("sep=")


def test_an_unusual_delimiter_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a;b\n1;2\n")
    plugin = source("csv", path="a.csv")
    ctx = context(plugin, tmp_path)
    assert [row.columns for row in plugin.read(ctx)] == [{"a": "1", "b": "2"}]  # type: ignore[union-attr]
    assert ctx.told["delimiter"].examples == ["a.csv ';'"]


def test_the_recipe_has_the_last_word(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a;b\n1;2\n")
    assert columns(read("csv", tmp_path, path="a.csv", delimiter=",")[0]) == [{"a;b": "1;2"}]
