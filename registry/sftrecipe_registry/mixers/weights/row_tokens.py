"""Tokens of rows: counted by a tokenizer, or estimated by their script."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sftrecipe.plugin import (
    Columns,
    PluginRefused,
    Record,
    Texts,
    install_command,
    tokens_of,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

texts = Texts(__package__)

INSTALL = f"{install_command()} tokenizers"
TEXTS = (
    *("system", "tools", "history", "instruction", "input", "messages", "text"),
    *("reasoning", "output", "chosen", "rejected"),
)
"""The columns that a model reads or writes in training."""
_NAMES = frozenset({"role", "id", "tool_call_id", "train"})
"""Keys of a turn that are no text of it."""
_BATCH = 512

TextCounter = Callable[[Sequence[str]], Iterable[int]]
"""Tokens of each of some texts."""


def estimated_tokens(texts: Sequence[str]) -> Iterable[int]:
    """By their script, the same on every machine."""
    return map(tokens_of, texts)


def tokenizer_is_missing() -> bool:
    """Whether the package is not installed that reads a `tokenizer.json`."""
    return find_spec("tokenizers") is None


def tokenizer_counter(file: Path) -> TextCounter:
    """By a model's `tokenizer.json`. Raises PluginRefused where it cannot be read."""
    if tokenizer_is_missing():
        raise PluginRefused(texts("needs-tokenizers", install=INSTALL))
    from tokenizers import Tokenizer  # noqa: PLC0415 - only where one is named

    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises Exception itself
        raise PluginRefused(
            texts("tokenizer-unreadable", file=file.name, cause=str(error))
        ) from error

    def count(texts: Sequence[str]) -> Iterable[int]:
        found = tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return (len(each.ids) for each in found)

    return count


def token_counts(rows: Iterable[Record], count: TextCounter) -> NDArray[np.uint32]:
    """Tokens of every row, in 4 bytes a row."""
    import numpy as np  # noqa: PLC0415 - 60 ms, and `validate` needs none

    return np.fromiter(_counts(iter(rows), count), np.uint32)


def _counts(rows: Iterator[Record], count: TextCounter) -> Iterator[int]:
    while held := [row_text(row.columns) for row in islice(rows, _BATCH)]:
        yield from count(held)


def row_text(columns: Columns) -> str:
    """All that a model reads or writes of the row: what its turns say, think and call."""
    parts: list[str] = []
    for name in TEXTS:
        value = columns.get(name)
        if type(value) is str:
            parts.append(value)
        elif value is not None:
            parts.extend(_leaf_texts(value))
    return "\n".join(parts)


def _leaf_texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, item in value.items():
            if name not in _NAMES:
                yield from _leaf_texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaf_texts(item)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)
