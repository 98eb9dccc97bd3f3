"""Small files that grow beyond measure: stopped at a stated size, in little memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sftrecipe import PluginRefused
from sftrecipe.plugin import base
from sftrecipe.plugin.base import OptionFiles
from sftrecipe_registry.shared.files.inflation import LARGEST
from sftrecipe_registry.shared.files.plain_yaml import plain_yaml
from sftrecipe_registry.shared.readers.arrow_tables import arrow_rows, parquet_rows
from sftrecipe_registry.shared.readers.json_lines import json_lines
from sftrecipe_registry.shared.readers.json_list import json_items

RUNS = int(os.environ.get("SFTRECIPE_TEST_RUNS", "15"))
LONG = 1_000_000
TEXT = "x" * LONG
REPEATED = pa.DictionaryArray.from_arrays(pa.array([0] * 10_000, pa.int32()), pa.array([TEXT]))
ZEROS = pa.array(["0" * (LARGEST + LONG)])


def parquet(path: Path, table: pa.Table, **options: Any) -> Iterable[Any]:
    pq.write_table(table, path, compression="zstd", **options)
    return parquet_rows(path)


def arrow(path: Path, table: pa.Table, form: str, compression: str | None) -> Iterable[Any]:
    new = pa.ipc.new_stream if form == "stream" else pa.ipc.new_file
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with new(str(path), table.schema, options=options) as writer:
        writer.write_table(table)
    return arrow_rows(path)


BOMBS: dict[str, Callable[[Path], Iterable[Any]]] = {
    "texts": lambda path: parquet(path, pa.table({"a": REPEATED}), store_schema=False),
    "categories": lambda path: parquet(path, pa.table({"a": REPEATED})),
    "nested": lambda path: parquet(
        path, pa.table({"m": pa.StructArray.from_arrays([REPEATED], ["content"])})
    ),
    "list": lambda path: parquet(
        path, pa.table({"m": pa.ListArray.from_arrays(pa.array(range(10_001)), REPEATED)})
    ),
    "page": lambda path: parquet(path, pa.table({"a": ZEROS}), use_dictionary=False),
    "arrow categories": lambda path: arrow(path, pa.table({"a": REPEATED}), "file", None),
    "arrow stream": lambda path: arrow(path, pa.table({"a": ZEROS}), "stream", "zstd"),
    "arrow file": lambda path: arrow(path, pa.table({"a": ZEROS}), "file", "zstd"),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_tables_stop_at_the_stated_size(tmp_path: Path, kind: str) -> None:
    rows = BOMBS[kind](tmp_path / "bomb")
    read: list[int] = []
    with pytest.raises(PluginRefused, match=r"and inflates to .* over 64 MiB"):
        read.extend(number for number, _ in rows)
    assert len(read) * LONG <= LARGEST


def test_a_run_on_one_ends_in_little_memory(tmp_path: Path) -> None:
    (tmp_path / ".sftrecipe").mkdir()
    list_of = BOMBS["texts"](tmp_path / "a.parquet")
    assert list_of is not None
    (tmp_path / "recipe.yaml").write_text(
        "version: 1\nname: t\nsources: {s: {use: parquet, path: a.parquet}}\n"
        "export: [{use: jsonl}]\n"
    )
    # Through a small process: what this one holds counts for its children too.
    script = (
        "import resource, subprocess, sys; "
        "program = [sys.executable, '-m', 'sftrecipe.cli.main']; "
        "done = subprocess.run([*program, 'run', 'recipe.yaml']); "
        "print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    status, kilobytes = map(int, done.stdout.split())
    assert status == 1, done.stderr
    assert "64 MiB" in done.stderr
    assert "Traceback" not in done.stderr
    assert kilobytes < 1_000_000


@settings(max_examples=RUNS, deadline=None)
@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {"a": st.text(max_size=9), "b": st.lists(st.sampled_from(["yes", "no"]), max_size=3)}
        ),
        min_size=1,
        max_size=30,
    ),
    form=st.sampled_from(["parquet", "stream", "file"]),
    categories=st.booleans(),
)
def test_ordinary_tables_are_read_as_before(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[dict[str, Any]],
    form: str,
    categories: bool,
) -> None:
    path = tmp_path_factory.mktemp("ordinary") / "table"
    table = pa.Table.from_pylist(rows)
    if categories:
        encoded = table["a"].dictionary_encode()
        table = table.set_column(table.schema.get_field_index("a"), "a", encoded)
    found = parquet(path, table) if form == "parquet" else arrow(path, table, form, "zstd")
    assert [row for _, row in found] == rows


def test_a_damaged_arrow_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    list(arrow(path, pa.table({"a": ["x"] * 50}), "file", "zstd"))
    content = path.read_bytes()
    for cut in range(9, len(content), 37):
        for damaged in (content[:cut], content[:cut] + b"\xff" * 8 + content[cut + 8 :]):
            path.write_bytes(damaged)
            try:
                list(arrow_rows(path))
            except PluginRefused as error:
                assert "Arrow" in str(error) or "inflates" in str(error)


YAML_BOMBS = (
    "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
    "a: &a {x: 1}\nb: {<<: *a}\n",
    "[" * 5000 + "]" * 5000,
    "- " * 3000,
    "{a: " * 2000,
    "a: 2024-99-99\n",
    "!!python/object/apply:os.system [ls]",
    "\0",
)


@pytest.mark.parametrize("text", YAML_BOMBS)
def test_yaml_that_grows_or_is_none_is_refused(text: str) -> None:
    started = time.monotonic()
    with pytest.raises(ValueError):
        plain_yaml(text)
    assert time.monotonic() - started < 2


def test_plain_yaml_is_read() -> None:
    assert plain_yaml("a: [x, 'y']\nb:\n- z\n") == {"a": ["x", "y"], "b": ["z"]}


def test_json_that_is_deep_or_long_is_a_bad_row(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    deep = "[" * 100_000 + "]" * 100_000
    path.write_text(f'{{"a": {deep}}}\n{{"a": 1}}\n')
    assert [type(each).__name__ for each in json_lines(path)] == ["BadLine", "tuple"]
    path.write_text(f'[{{"a": {deep}}}, {{"a": 1}}]')
    assert [type(each).__name__ for each in json_items(path)] == ["BadLine", "tuple"]


def test_a_text_that_is_too_long_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "LONGEST_TEXT", 10)
    (tmp_path / "words").write_text("word\n" * 10)
    with pytest.raises(OSError, match="over 10 characters"):
        OptionFiles({"words": str(tmp_path / "words")}).text("words")
