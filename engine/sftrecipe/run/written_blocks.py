"""The blocks of a recipe's document by their ids, as it was run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sftrecipe.recipe.language.sections import SECTIONS


def written_blocks(
    document: Mapping[str, Any], section: str
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The blocks of a section with their ids, as the recipe's reader names them."""
    found = document.get(section) or {}
    if section in SECTIONS and SECTIONS[section].form == "named":
        yield from found.items()
        return
    taken: set[str] = set()
    for block in [found] if isinstance(found, Mapping) and found else found:
        unnamed = section if isinstance(found, Mapping) else f"{section}-{block.get('use')}"
        name = block.get("id") or _free(unnamed, taken)
        taken.add(name)
        yield name, block


def written_block(document: Mapping[str, Any], section: str, name: str) -> Mapping[str, Any]:
    """The block of an id; empty where there is none."""
    return dict(written_blocks(document, section)).get(name, {})


def _free(name: str, taken: set[str]) -> str:
    number, free = 2, name
    while free in taken:
        free, number = f"{name}-{number}", number + 1
    return free
