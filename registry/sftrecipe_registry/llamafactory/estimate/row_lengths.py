"""How long the rows of a training are: counted by its tokenizer, or guessed from a sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import orjson

from sftrecipe.plugin import DataSet, tokens_of
from sftrecipe_registry.llamafactory.estimate.training_setup import Settings
from sftrecipe_registry.llamafactory.training.output import listed

_READ = 4 << 20
"""Bytes of a data set that are looked at."""
_SAMPLE = 200
"""Rows of which tokens are guessed."""
_TEMPLATE = 24
"""Tokens of a template around a row, about: roles, marks, a short system prompt."""
_ROUNDED = 8
"""Sequences are filled up to a multiple of it (the collator's pad_to_multiple_of)."""


class RowLengths(NamedTuple):
    """Tokens of rows, cut where they are cut."""

    longest: int
    mean: float
    basis: Literal["tokenizer", "sample", "cutoff"]
    """`cutoff`: nothing is known of the rows, none is longer."""

    def padded(self) -> int:
        """The longest, filled up."""
        return -(-self.longest // _ROUNDED) * _ROUNDED


_COUNTED: dict[tuple[str, ...], RowLengths] = {}
"""What tokenizers counted while this process checked trainings."""


def keep_lengths(settings: Settings, folder: Path, told: Mapping[str, float] | None) -> None:
    """Keep what the preflight's tokenizer counted for the forecast after it."""
    if told is not None:
        found = RowLengths(int(told["longest"]), float(told["mean"]), "tokenizer")
        _COUNTED[_key(settings, folder)] = found


def counted_lengths(settings: Settings, folder: Path) -> RowLengths | None:
    """What was counted of just these data, with these settings; None: nothing was."""
    return _COUNTED.get(_key(settings, folder))


def _key(settings: Settings, folder: Path) -> tuple[str, ...]:
    names = ("model_name_or_path", "dataset", "template", "cutoff_len", "stage")
    return (str(folder), *(str(settings.get(name)) for name in names))


def sampled_lengths(
    settings: Settings, data: Sequence[DataSet], folder: Path, cutoff: int
) -> RowLengths:
    """From the files that were exported, as far as they are there."""
    names = listed(settings.get("dataset"))
    files = [
        folder / file
        for each in data
        if each.role == "train" and (each.name in names or not names)
        for file in each.files
    ]
    rows = [row for file in files for row in json_rows(file)]
    if not rows:
        return RowLengths(cutoff, float(cutoff), "cutoff")
    step = -(-len(rows) // _SAMPLE)
    sizes = [_tokens(row) for row in rows[::step]]
    longest = max(*sizes, _tokens(max(rows, key=len)))
    mean = sum(min(size, cutoff) for size in sizes) / len(sizes)
    return RowLengths(min(longest, cutoff), mean, "sample")


def json_rows(file: Path) -> Iterator[bytes]:
    """A file's rows as JSON, one a line as exporters write them, from its first megabytes."""
    try:
        with file.open("rb") as opened:
            lines = opened.read(_READ).splitlines()
    except OSError:
        return
    for line in lines:
        row = line.strip().rstrip(b",").removeprefix(b"[").removesuffix(b"]")
        if row[:1] == b"{" and row[-1:] == b"}":
            yield row


def _tokens(row: bytes) -> int:
    try:
        found = orjson.loads(row)
    except orjson.JSONDecodeError:
        return 0
    return _TEMPLATE + sum(tokens_of(text) for text in _texts(found))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)
