"""What the value of a training argument holds, and where a folder that it names leads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath, PureWindowsPath


def leads_out(folder: str) -> bool:
    """Whether it is no folder inside the one that it is seen from, here or on Windows."""
    both = PurePosixPath(folder), PureWindowsPath(folder)
    return folder.startswith("~") or any(
        path.root or path.drive or ".." in path.parts or "$" in folder for path in both
    )


def all_texts(value: object) -> Iterator[str]:
    """All texts in a value, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from (text for pair in value.items() for each in pair for text in all_texts(each))
    elif isinstance(value, list):
        yield from (text for each in value for text in all_texts(each))
