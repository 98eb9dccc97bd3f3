"""Packed files: the rows of the plain file, whatever packs it; damage and bombs are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sftrecipe import PluginRefused
from sftrecipe_registry.shared.files import packed_files
from sftrecipe_registry.shared.files.packed_files import Packed, unpacked

from ...support.packed_files import PACKERS, gz, zipped, zst
from ...support.plain_runs import examples
from ...support.source_rows import columns, context, read, source

ROWS = st.lists(st.fixed_dictionaries({"n": st.integers(0, 9), "a": st.text(max_size=5)}))
FILES = {
    "jsonl": ("a.jsonl", lambda rows: "".join(json.dumps(row) + "\n" for row in rows)),
    "json": ("a.json", json.dumps),
    "csv": ("a.csv", lambda rows: "".join(["n,a\n", *(f'{row["n"]},"x"\n' for row in rows)])),
    "text": ("a.txt", lambda rows: "".join(f"line {row['n']}\n" for row in rows)),
    "markdown": ("a.md", lambda rows: "# T\n" + "".join(f"{row['n']}\n" for row in rows)),
}
TEXT = '{"instruction": "发烧怎么办？", "output": "多喝水，注意休息。"}\n'


@pytest.mark.parametrize("name", FILES)
@given(rows=ROWS, packing=st.sampled_from([*PACKERS, "zip"]), named=st.booleans())
@settings(max_examples=examples(8), deadline=None)
def test_rows_are_those_of_the_plain_file(
    name: str, rows: list[dict[str, Any]], packing: str, named: bool, tmp_path_factory: Any
) -> None:
    folder = tmp_path_factory.mktemp("packed")
    file, write = FILES[name]
    content = write(rows).encode()
    (folder / file).write_bytes(content)
    (folder / "p").mkdir()
    packed = zipped({file: content}) if packing == "zip" else PACKERS[packing](content)
    told = f"p/{file}.{packing}" if named else f"p/{file}"
    (folder / told).write_bytes(packed)
    plain = columns(read(name, folder, path=file)[0])
    for row in plain:
        row.pop("path", None)  # type: ignore[attr-defined]
    for path in (told, "p"):
        found = columns(read(name, folder, path=path)[0])
        for row in found:
            row.pop("path", None)  # type: ignore[attr-defined]
        assert found == plain


@pytest.mark.parametrize("packing", [*PACKERS, "zip"])
def test_parquet(packing: str, tmp_path: Path) -> None:
    pq.write_table(pa.table({"n": [1, 2]}), tmp_path / "a.parquet")
    content = (tmp_path / "a.parquet").read_bytes()
    packed = zipped({"a.parquet": content}) if packing == "zip" else PACKERS[packing](content)
    (tmp_path / f"b.parquet.{packing}").write_bytes(packed)
    rows, _ = read("parquet", tmp_path, path=f"b.parquet.{packing}")
    assert columns(rows) == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize("packing", PACKERS)
def test_several_members_in_a_row(packing: str, tmp_path: Path) -> None:
    lines = [f'{{"n": {number}}}\n'.encode() for number in range(3)]
    (tmp_path / "a.jsonl").write_bytes(b"".join(map(PACKERS[packing], lines)))
    assert columns(read("jsonl", tmp_path, path="a.jsonl")[0]) == [{"n": n} for n in range(3)]


@pytest.mark.parametrize("packing", PACKERS)
def test_another_encoding_that_shows_late(packing: str, tmp_path: Path) -> None:
    early = '{"n": "' + "x" * 90 + '"}\n'
    content = (early * 30_000 + TEXT).encode("gb18030")
    (tmp_path / f"a.jsonl.{packing}").write_bytes(PACKERS[packing](content))
    (tmp_path / f"a.json.{packing}").write_bytes(PACKERS[packing](content))
    for name, path in (("jsonl", f"a.jsonl.{packing}"), ("json", f"a.json.{packing}")):
        rows, rejects = read(name, tmp_path, path=path)
        assert (len(rows), rejects) == (30_001, [])
        assert rows[-1].columns == json.loads(TEXT)


@pytest.mark.parametrize("packing", [*PACKERS, "zip"])
@pytest.mark.parametrize("harm", ["cut", "spoilt"])
def test_damage_is_refused_by_name(packing: str, harm: str, tmp_path: Path) -> None:
    lines = "".join(f'{{"n": "{hash((number, "x"))}"}}\n' for number in range(5000)).encode()
    packed = zipped({"a.jsonl": lines}) if packing == "zip" else PACKERS[packing](lines)
    half = len(packed) // 2
    packed = packed[:half] + (b"" if harm == "cut" else b"\0" * 99 + packed[half + 99 :])
    (tmp_path / "a.jsonl").write_bytes(packed)
    with pytest.raises(PluginRefused, match=r"file 'a.jsonl'.*(damaged|ends early)"):
        read("jsonl", tmp_path, path="a.jsonl")


@pytest.mark.parametrize("packing", [*PACKERS, "zip"])
@pytest.mark.parametrize("name", ["jsonl", "json", "csv", "text", "markdown"])
def test_what_inflates_beyond_measure_is_stopped(
    packing: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed_files, "LARGEST", 1 << 20)
    begin = b"(" if name == "csv" else b"{"
    content = (begin + b'"a": "' + b"x" * 90 + b'"}\n') * 50_000
    packed = zipped({"a.jsonl": content}) if packing == "zip" else PACKERS[packing](content)
    (tmp_path / "a.x").write_bytes(packed)
    with pytest.raises(PluginRefused, match="a file may hold 200 times its size"):
        read(name, tmp_path, path="a.x", **({"per": "file"} if name == "text" else {}))


@pytest.mark.parametrize("begin", ["BZhang", "ORC", "LZIP", "GIF8", "PK", "Rar", "7z", "OBJ", "<h"])
def test_a_text_may_begin_like_something_else(begin: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(f"{begin} says 你好\n", "utf-8")
    rows, _ = read("text", tmp_path, path="a.txt")
    assert columns(rows) == [{"text": f"{begin} says 你好"}]


def test_an_archive_of_several_files(tmp_path: Path) -> None:
    files = {
        "d/b.jsonl": b'{"n": 2}\n',
        "a.jsonl": b'{"n": 1}\n',
        "README.md": b"# T",
        "__MACOSX/._a.jsonl": b"\0\5\0\6",
        ".DS_Store": b"\0",
    }
    (tmp_path / "a.zip").write_bytes(zipped(files))
    plugin = source("jsonl", path="a.zip")
    ctx = context(plugin, tmp_path)
    assert [row.columns for row in plugin.read(ctx)] == [{"n": 1}, {"n": 2}]  # type: ignore[union-attr]
    assert ctx.told["passed_over"].examples == ["a.zip/README.md"]


def test_archives_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d/a.zip").write_bytes(zipped({"a.jsonl": b'{"n": 1}\n'}))
    (tmp_path / "d/pictures.zip").write_bytes(zipped({"p.png": b"x", "q.png": b"y"}))
    plugin = source("jsonl", path="d")
    ctx = context(plugin, tmp_path)
    assert [row.origin for row in plugin.read(ctx)] == ["d/a.zip/a.jsonl:1"]  # type: ignore[union-attr]
    assert ctx.told["passed_over"].examples == ["d/pictures.zip/p.png", "d/pictures.zip/q.png"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (zipped({"[Content_Types].xml": b"x", "xl/workbook.xml": b"x"}), "write `use: xlsx`"),
        (zipped({"[Content_Types].xml": b"x", "word/document.xml": b"x"}), "an Office document"),
        (gz(b"x" * 257 + b"ustar\0" + b"x" * 300), "a tar archive.*unpack it"),
        (gz(zst(b"abc" * 99)), "packed twice"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(50), "a 7z archive"),
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF"),
        (b"PAR1abc", "Parquet.*write `use: parquet`"),
        (b"<!DOCTYPE html><html><body>x", "HTML"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "git lfs pull"),
        (bytes(range(256)) * 9, "binary data"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
@pytest.mark.parametrize("name", ["jsonl", "json", "csv", "text", "markdown"])
def test_what_is_no_text_is_named(name: str, content: bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / "a.x").write_bytes(content)
    with pytest.raises(PluginRefused, match=told):
        read(name, tmp_path, path="a.x")


@given(
    steps=st.lists(st.tuples(st.integers(0, 3_000_000), st.integers(1, 300_000)), max_size=8),
    packing=st.sampled_from([*PACKERS]),
)
@settings(max_examples=examples(6), deadline=None)
def test_going_back_and_forth(
    steps: list[tuple[int, int]], packing: str, tmp_path_factory: Any
) -> None:
    content = b"".join(b"%08d" % number for number in range(300_000))
    path = tmp_path_factory.mktemp("seek") / "a.bin"
    path.write_bytes(PACKERS[packing](content))
    file = unpacked(path)
    assert isinstance(file, Packed)
    with file.open() as opened:
        for place, size in steps:
            assert opened.seek(place) == min(place, len(content))
            assert opened.read(size) == content[place : place + size]
