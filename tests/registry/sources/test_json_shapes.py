"""JSON files of any shape: what is no list of rows is refused, and what is said reads it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sftrecipe import PluginRefused

from ...support.plain_runs import examples
from ...support.source_rows import columns, context, read, source

VALUES = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text(max_size=6))
ROWS = st.lists(
    st.fixed_dictionaries({"question": VALUES, "answer": VALUES}), min_size=2, max_size=5
)
INDENTS = st.sampled_from([None, 0, 2])
KEYS = st.text(st.characters(codec="utf-8", exclude_characters="."), min_size=1, max_size=5)
_ADVICE = re.compile(r"write `use: json(?:, key: (?P<key>.*?))?(?:, layout: (?P<layout>\w+))?`")


def followed(refusal: PluginRefused) -> dict[str, Any]:
    """The options that a refusal says to write."""
    found = _ADVICE.search(str(refusal))
    assert found, refusal
    return {name: value for name, value in found.groupdict().items() if value}


def as_told(name: str, folder: Path, path: str) -> list[Any]:
    """The rows, by the source itself or as it says they are read."""
    try:
        rows, rejects = read(name, folder, path=path)
    except PluginRefused as refusal:
        options = followed(refusal)
        try:
            rows, rejects = read("json", folder, path=path, **options)
        except PluginRefused as second:
            rows, rejects = read("json", folder, path=path, **followed(second))
    assert not rejects
    return columns(rows)


SHAPES = {
    "list": lambda rows: rows,
    "key": lambda rows: {"version": "1.1", "data": rows},
    "keys": lambda rows: {"result": {"total": len(rows), "items": rows}},
    "values": lambda rows: {f"id-{at}": row for at, row in enumerate(rows)},
    "values under a key": lambda rows: {"v": 1, "d": {f"q{at}": r for at, r in enumerate(rows)}},
    "columns": lambda rows: {name: [row[name] for row in rows] for name in rows[0]},
    "pandas": lambda rows: {
        name: {str(at): row[name] for at, row in enumerate(rows)} for name in rows[0]
    },
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["json", "jsonl"])
@given(rows=ROWS, indent=INDENTS)
@settings(max_examples=examples(6), deadline=None)
def test_what_is_said_reads_the_rows(
    name: str, shape: str, rows: list[dict[str, Any]], indent: int | None, tmp_path_factory: Any
) -> None:
    folder = tmp_path_factory.mktemp("shape")
    (folder / "a.json").write_text(json.dumps(SHAPES[shape](rows), indent=indent))
    assert as_told(name, folder, "a.json") == rows


@given(rows=ROWS, indent=INDENTS, path=st.lists(KEYS, min_size=1, max_size=3), before=VALUES)
@settings(max_examples=examples(20), deadline=None)
def test_any_key(
    rows: list[dict[str, Any]], indent: int | None, path: list[str], before: Any,
    tmp_path_factory: Any,
) -> None:  # fmt: skip
    folder = tmp_path_factory.mktemp("key")
    value: Any = rows
    for name in reversed(path):
        value = {f"{name}-before": [before, {"[": "]}"}], name: value, f"{name}-after": before}
    (folder / "a.json").write_text(json.dumps(value, indent=indent, ensure_ascii=False), "utf-8")
    found, rejects = read("json", folder, path="a.json", key=".".join(path), repair=False)
    assert (columns(found), rejects) == (rows, [])


def test_a_large_file_is_read_piece_by_piece(tmp_path: Path) -> None:
    rows = [{"question": f"{number}?", "answer": "x" * 200} for number in range(20_000)]
    for layout, value in (("rows", rows), ("values", {r["question"]: r for r in rows})):
        (tmp_path / "a.json").write_text(json.dumps({"a": {"b": "[{"}, "data": value}))
        with pytest.raises(PluginRefused) as refusal:
            read("json", tmp_path, path="a.json")
        assert followed(refusal.value)["key"] == "data"
        found, _ = read("json", tmp_path, path="a.json", key="data", layout=layout)
        assert columns(found) == rows


@pytest.mark.parametrize(
    "row",
    [
        {"instruction": "a?", "output": "b"},
        {"id": "x", "messages": [{"role": "user", "content": "a?"}]},
        {"question": "a?", "answers": [{"text": "b"}]},
        {"id": 3, "tags": ["a", "b"]},
    ],
)
def test_an_object_that_is_a_row_stays_one(row: dict[str, Any], tmp_path: Path) -> None:
    for indent in (None, 2):
        (tmp_path / "a.json").write_text(json.dumps(row, indent=indent))
        plugin = source("json", path="a.json")
        [found] = plugin.read(context(plugin, tmp_path))
        assert found.columns == row  # type: ignore[union-attr]
    (tmp_path / "a.jsonl").write_text(json.dumps(row) + "\n")
    plugin = source("jsonl", path="a.jsonl")
    assert len(list(plugin.read(context(plugin, tmp_path)))) == 1


def test_a_doubtful_object_can_be_a_row(tmp_path: Path) -> None:
    row = {"id": 1, "steps": [{"say": "a"}, {"say": "b"}]}
    (tmp_path / "a.json").write_text(json.dumps(row))
    with pytest.raises(PluginRefused, match="`layout: rows`"):
        read("json", tmp_path, path="a.json")
    assert columns(read("json", tmp_path, path="a.json", layout="rows")[0]) == [row]


def test_a_key_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"data": [], "meta": {}}')
    with pytest.raises(PluginRefused, match="under the key 'rows'; keys: data, meta"):
        read("json", tmp_path, path="a.json", key="rows")
    with pytest.raises(PluginRefused, match="write `layout: values`"):
        read("json", tmp_path, path="a.json", key="meta")


WIDE = st.one_of(
    st.integers(-(2**80), 2**80),
    st.sampled_from([2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**400]),
)
ODD = st.recursive(
    st.one_of(WIDE, st.just(float("nan")), st.just(float("inf")), st.text(max_size=4)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)


def kept(value: Any) -> Any:
    """What becomes of a value: nothing is rounded, and no row is lost."""
    if isinstance(value, dict):
        return {name: kept(item) for name, item in value.items()}
    if isinstance(value, list):
        return [kept(item) for item in value]
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return None
    if isinstance(value, float) and value != value:
        return None
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return str(value)
    return value


@given(rows=st.lists(st.fixed_dictionaries({"a": ODD, "text": st.just("b")}), max_size=4))
@settings(max_examples=examples(40), deadline=None)
def test_numbers_that_json_or_64_bits_lack(
    rows: list[dict[str, Any]], tmp_path_factory: Any
) -> None:
    folder = tmp_path_factory.mktemp("numbers")
    (folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "a.json").write_text(json.dumps(rows, indent=1))
    for name in ("jsonl", "json"):
        plugin = source(name, path=f"a.{name}", repair=False)
        ctx = context(plugin, folder)
        assert [row.columns for row in plugin.read(ctx)] == list(map(kept, rows))  # type: ignore[union-attr]
        told = ctx.told.keys()
        assert bool(told) == (rows != list(map(kept, rows)))
