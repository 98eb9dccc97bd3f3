"""Any bytes at all: the readers never fail, and lose nothing."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sftrecipe import PluginRefused, Record
from sftrecipe_registry.shared.readers.json_list import _Items

from ...support.source_rows import read

BITS = st.sampled_from(
    [
        *(b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\n", b"\r\n", b" ", b"\t", b"'"),
        *(b'{"a":1}', b'"x"', b"null", b"1", b"a,b", b"\xff", b"\xe4\xbd\xa0", b"\xc4\xe3", b"\0"),
        *(b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"# T\n", b"---\n", b"```\n", b"==="),
    ]
)
ANY = st.one_of(st.binary(max_size=200), st.lists(BITS, max_size=40).map(b"".join))
NAMES = {"jsonl": "a.jsonl", "json": "a.json", "csv": "a.csv", "text": "a.txt", "markdown": "a.md"}
CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\r]")
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
REFUSED = re.compile(
    r"is (binary data|HTML|a |an |packed |RTF)|has (objects over|its rows|.* where a row stands)"
    r"|ends early|is damaged"
)
"""What is said of a file that is not of the source's kind at all."""
ROWS = st.lists(st.dictionaries(st.text(max_size=4).map("x".__add__), VALUES, max_size=3))


def found(name: str, content: bytes, **options: Any) -> tuple[list[Record], int]:
    """Rows, and how many rejects, of a file with this content."""
    with TemporaryDirectory() as folder:
        (Path(folder) / NAMES[name]).write_bytes(content)
        rows, rejects = read(name, Path(folder), path=NAMES[name], **options)
    for reject in rejects:
        assert reject.record.origin.startswith(NAMES[name])
        orjson.dumps(reject.record.columns)
    return rows, len(rejects)


@given(ANY)
def test_every_line_of_jsonl_is_a_row_or_a_reject(content: bytes) -> None:
    try:
        rows, rejects = found("jsonl", content, encoding="utf-8")
    except PluginRefused as refusal:
        assert REFUSED.search(str(refusal))
        return
    if not content.startswith(b"\xef\xbb\xbf"):
        lines = [line for line in content.split(b"\n") if not (line == b"" or line.isspace())]
        assert len(rows) + rejects == len(lines)


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None)
@given(content=ANY)
def test_no_bytes_make_a_reader_fail(name: str, content: bytes) -> None:
    try:
        found(name, content)
    except PluginRefused as refusal:
        assert REFUSED.search(str(refusal)) or (name == "csv" and "header" in str(refusal))


@given(ROWS, st.sampled_from([None, 0, 1, 4]), st.sampled_from(["utf-8", "utf-16", "utf-8-sig"]))
def test_json_lists_come_back(rows: list[dict[str, Any]], indent: int | None, name: str) -> None:
    text = json.dumps(rows, indent=indent, ensure_ascii=False)
    assert [row.columns for row in found("json", text.encode(name), repair=False)[0]] == rows


@given(ROWS.filter(bool), st.data())
@settings(max_examples=50)
def test_a_bad_item_of_a_json_list_costs_itself(
    rows: list[dict[str, Any]], data: st.DataObject
) -> None:
    items = [json.dumps(row) for row in rows]
    place = data.draw(st.integers(0, len(rows) - 1))
    bad = data.draw(st.sampled_from(["{'a': 1}", "nan", '{"a": 1,}', "", '{"a" 1}', '{"a": "\t"}']))
    text = ",\n".join([*items[:place], bad, *items[place:]])
    read_rows, rejects = found("json", f"[{text}]".encode(), repair=False)
    assert [row.columns for row in read_rows] == rows
    assert rejects == 1


@given(ANY, st.integers(1, 9))
@settings(max_examples=300)
def test_where_the_pieces_are_cut_does_not_matter(content: bytes, size: int) -> None:
    assert pieces(content, size) == pieces(content, len(content) + 1)


def pieces(content: bytes, size: int) -> list[object]:
    items = _Items()
    out: list[object] = []
    for start in range(0, len(content), size):
        out += items.feed(content[start : start + size])
    return [*out, *items.end()]


@given(st.lists(st.tuples(st.text(st.characters(codec="utf-8")), st.text()), min_size=1))
def test_csv_comes_back(rows: list[tuple[str, str]]) -> None:
    clean = [tuple(CONTROLS.sub("", value) for value in row) for row in rows]
    clean = [tuple(value.encode("utf-8", "ignore").decode() for value in row) for row in clean]
    file = io.StringIO(newline="")
    csv.writer(file, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *clean])
    read_rows, rejects = found("csv", file.getvalue().encode(), encoding="utf-8", repair=False)
    assert [(row.columns["a"], row.columns["b"]) for row in read_rows] == clean
    assert rejects == 0
