"""Data files as LLaMA-Factory's reader (`datasets` 4.0) takes them.

Files are UTF-8; one bad row fails the whole file; a column has one type in all rows.
"""

from __future__ import annotations

import codecs
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from sftrecipe.plugin import Finding, PluginRefused, Text, Texts, error_text
from sftrecipe_registry.llamafactory.preflight.tally import Tally, Trouble, of_data_set
from sftrecipe_registry.shared.files.encoding_guess import wide_encoding
from sftrecipe_registry.shared.readers.arrow_tables import arrow_rows, parquet_rows
from sftrecipe_registry.shared.readers.csv_table import csv_rows
from sftrecipe_registry.shared.readers.json_lines import json_lines
from sftrecipe_registry.shared.readers.json_list import json_items
from sftrecipe_registry.shared.readers.rows import BadLine, Found
from sftrecipe_registry.shared.readers.text_documents import text_lines

texts = Texts(__package__)

KINDS = {".arrow": "arrow", ".csv": "csv", ".json": "json", ".jsonl": "json",
         ".parquet": "parquet", ".txt": "text"}  # fmt: skip
_BOM = b"\xef\xbb\xbf"
_HEAD = 1 << 16
_CHUNK = 1 << 20
_PARSED = 1 << 28
"""Bytes of a list that is parsed a second time, to tell which item names a column twice."""
_MISSING = frozenset(
    (
        *(
            "",
            "#N/A",
            "#N/A N/A",
            "#NA",
            "-1.#IND",
            "-1.#QNAN",
            "-NaN",
            "-nan",
            "1.#IND",
            "1.#QNAN",
        ),
        *("<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
    )
)
"""What pandas reads as no value."""
_SWITCHES = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d(:?\d\d(:?\d\d)?)?Z?)?")
_NUMBER = re.compile(r"\s*([-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|true|false)\s*", re.IGNORECASE)

_SAVE = "save-without-mark"
_ENCODING = Trouble("fault", "encoding", "not-utf8", "rows-stop-training", _SAVE)
_NOT_JSON = Trouble("fault", "json", "row-no-json", "rows-stop-training", "repair-rows")
_NULL = Trouble("fault", "json", "null-row", "rows-vanish", "remove-rows")
_NOT_OBJECT = Trouble(
    "fault",
    "json",
    "row-no-object",
    "rows-stop-training",
    "write-objects",
)
_NOT_TABLE = Trouble("fault", "csv", "values-unlike-header", "rows-stop-training",
                     "quote-values")  # fmt: skip
_SHORT = Trouble("warning", "csv", "fewer-values", "rows-misread",
                 "write-all-values")  # fmt: skip
_TWICE = Trouble("fault", "json", "key-twice", "rows-misread", "keep-one")


def data_files(name: str, path: Path) -> Iterator[Finding | Path]:
    """The file, or all that lies in the folder, and what is wrong with their kinds."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    if not files:
        yield _fault(name, "file", texts("folder-empty", folder=path.name))
    kinds = {file: KINDS.get(file.suffix) if file.is_file() else None for file in files}
    for file, kind in kinds.items():
        if kind is None:
            text = texts("no-kind-that-is-read", file=file.name)
            yield _fault(name, "file", text, texts("write-one-of-kinds", kinds=", ".join(KINDS)))
    found = {kind for kind in kinds.values() if kind is not None}
    if len(found) > 1:
        text = texts("several-kinds", folder=path.name, kinds=", ".join(sorted(found)))
        yield _fault(name, "file", text, texts("one-kind-a-folder"))
    for file, kind in kinds.items():
        if kind is not None:
            yield file


class TableFile:
    """One file, read row by row, with what its reader makes of whole columns."""

    def __init__(self, path: Path, columns: Sequence[str], texts: Sequence[str]) -> None:
        self.path = path
        self.columns = columns
        """Columns that the data set uses."""
        self._texts = frozenset(texts)
        """Those that must be text."""
        self.seen: Counter[str] = Counter()
        """Rows that have a column."""
        self.kind = KINDS[path.suffix]
        self.lines = self.kind == "json" and _has_object_lines(path)
        """Whether it is JSON, one object a line."""
        self._number = self._line = 0
        self._has_lines = self.kind not in ("parquet", "arrow")
        self._all_odd = set(texts)
        """Columns that hold nothing but dates (JSON lines) or numbers (CSV) so far."""

    @property
    def place(self) -> str:
        """Where the row stands that was given last."""
        line = f" (line {self._line})" if self._has_lines else ""
        return f"{self.path.name}, row {self._number}{line}"

    def rows(self, tally: Tally) -> Iterator[dict[str, Any]]:
        """Every row, which stands at `place`. What is no row is told to the tally."""
        if self._has_lines and (wide := self._wide()):
            trouble = _ENCODING._replace(what="in-other-encoding", cause=wide)
            tally.rows += 1
            tally.add(trouble, self.path.name)
            return
        odd = self.lines or self.kind == "csv"
        try:
            for found in self._found():
                self._number, self._line = self._number + 1, found[0]
                tally.rows += 1
                if isinstance(found, BadLine):
                    tally.add(_trouble(found), self.place, found.text or found.detail)
                    continue
                self.seen.update(found[1].keys())
                if odd and self._all_odd:
                    self._note_odd(found[1])
                yield found[1]
        except (PluginRefused, OSError) as error:
            fate = _NOT_JSON.fate
            trouble = Trouble("fault", "file", "unreadable", fate, cause=error_text(error))
            tally.add(trouble, self.path.name)

    def _wide(self) -> str | None:
        """UTF-16 or UTF-32, of which no line is UTF-8."""
        with self.path.open("rb") as file:
            head = file.read(4096)
        marked = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        return wide_encoding(head) or ("UTF-16" if marked else None)

    def _found(self) -> Iterator[Found]:
        if self.kind == "csv":
            return map(self._as_pandas, csv_rows(self.path, "utf-8", delimiter=","))
        if self.kind == "text":
            return text_lines(self.path, "utf-8")
        if self.kind != "json":
            return iter((parquet_rows if self.kind == "parquet" else arrow_rows)(self.path))
        return (json_lines if self.lines else json_items)(self.path, "utf-8")

    def _as_pandas(self, found: Found) -> Found:
        if isinstance(found, BadLine):
            return found
        row: dict[str, Any] = {}
        for name, value in found[1].items():
            row[name] = None if value in _MISSING else value
            if name not in self._texts:
                row[name] = _SWITCHES.get(value, row[name])
        return found[0], row

    def _note_odd(self, row: dict[str, Any]) -> None:
        pattern = _DATE if self.lines else _NUMBER
        for name in list(self._all_odd):
            value = row.get(name)
            if value is not None and not (isinstance(value, str) and pattern.fullmatch(value)):
                self._all_odd.discard(name)

    def findings(self, name: str, tally: Tally) -> Iterator[Finding]:
        """What is wrong with the file as a whole; the rows have been read."""
        yield from self._retyped(name)
        if self.kind != "json":
            return
        with self.path.open("rb") as file:
            head = file.read(_HEAD)
        is_list = head.removeprefix(_BOM).lstrip().startswith(b"[")
        if head.startswith(_BOM) and is_list:
            text = texts("file-byte-order-mark", file=self.path.name)
            yield _fault(name, "encoding", text, texts(_SAVE))
        if is_list and _tail(self.path).endswith(b",]"):
            text = texts("comma-before-bracket", file=self.path.name)
            yield _fault(name, "json", text, texts("remove-comma"))
        self._count_twice(tally)

    def _retyped(self, name: str) -> Iterator[Finding]:
        slug, advice = "all-numbers", "write-json"
        if self.lines:
            slug, advice = "all-dates", "write-json-list"
        for column in sorted(self._all_odd):
            if self.seen[column] and (self.lines or self.kind == "csv") and self._has_value(column):
                text = texts(slug, column=column, file=self.path.name)
                yield _fault(name, "types", text, texts(advice))

    def _has_value(self, column: str) -> bool:
        return any(
            not isinstance(found, BadLine) and found[1].get(column) is not None
            for found in self._found()
        )

    def _count_twice(self, tally: Tally) -> None:
        """Objects that name a column twice: of a list the last one counts, lines are refused."""
        named = _named(self.path, self.columns)
        suspects = [name for name in self.columns if named[name] > self.seen[name]]
        if not suspects:
            return
        trouble = _TWICE._replace(fate="rows-stop-training") if self.lines else _TWICE
        for place, keys in _repeated(self.path, self.lines):
            if again := sorted(keys & set(suspects)):
                tally.add(trouble, f"{self.path.name}, {place}", ", ".join(again))


def _has_object_lines(path: Path) -> bool:
    """Whether a JSON file is no list, and its first line is whole."""
    with path.open("rb") as file:
        head = file.read(_HEAD).removeprefix(_BOM).lstrip()
    if head.startswith(b"["):
        return False
    try:
        orjson.loads(head.split(b"\n", 1)[0])
    except orjson.JSONDecodeError:
        return False
    return True


def _trouble(bad: BadLine) -> Trouble:
    if bad.reason == "undecodable":
        return _ENCODING
    if bad.reason == "not_an_object":
        return _NULL if bad.detail == "null" else _NOT_OBJECT
    if bad.reason == "wrong_columns":
        have, _, wanted = re.findall(r"\d+|expected", bad.detail)
        return _SHORT if int(have) < int(wanted) else _NOT_TABLE
    return _NOT_TABLE if bad.reason == "bad_csv" else _NOT_JSON


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 200))
        return b"".join(file.read().split())


def _named(path: Path, names: Sequence[str]) -> Counter[str]:
    """How often names stand in a file, in quotation marks; inside of a text those are escaped."""
    counts: Counter[str] = Counter()
    keys = {name: json.dumps(name).encode() for name in names}
    rest = b""
    longest = max(map(len, keys.values()), default=0)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            for name, key in keys.items():
                counts[name] += (rest[len(rest) - len(key) + 1 :] + chunk).count(key)
            rest = (rest + chunk)[-longest:] if longest else b""
    return counts


def _repeated(path: Path, lines: bool) -> Iterator[tuple[str, set[str]]]:
    """The objects that have a key twice, with their place."""

    def noted(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = Counter(name for name, _ in pairs)
        made = dict(pairs)
        twice = {name for name, count in names.items() if count > 1}
        return made if not twice else _Marked(made, twice)

    decoder = json.JSONDecoder(object_pairs_hook=noted, strict=False)
    try:
        if lines:
            with path.open(encoding="utf-8", errors="replace") as file:
                for number, line in enumerate(file, 1):
                    row = decoder.decode(line) if line.strip() else None
                    if isinstance(row, _Marked):
                        yield f"line {number}", row.twice
        elif path.stat().st_size <= _PARSED:
            rows = decoder.decode(path.read_text("utf-8-sig"))
            for number, row in enumerate(rows if isinstance(rows, list) else [], 1):
                if isinstance(row, _Marked):
                    yield f"item {number}", row.twice
    except (ValueError, RecursionError):
        return  # it is no JSON, which is told already


class _Marked(dict[str, Any]):
    def __init__(self, made: dict[str, Any], twice: set[str]) -> None:
        super().__init__(made)
        self.twice = twice


def _fault(name: str, check: str, text: Text, advice: Text | None = None) -> Finding:
    return Finding("fault", check, of_data_set(name, text), advice)
