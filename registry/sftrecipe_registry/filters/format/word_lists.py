"""Lists of words, one a line in `words/`."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def word_list(name: str) -> frozenset[str]:
    """The words of a list; read when it is first asked for."""
    path = Path(__file__).parent / "words" / f"{name}.txt"
    return frozenset(path.read_text("utf-8").splitlines())
