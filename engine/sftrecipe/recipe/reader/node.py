"""A YAML document as a tree in which every key and value knows its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sftrecipe.errors import Position
from sftrecipe.messages import Word

Path = tuple[str | int, ...]
"""Keys and indices from the root of a document."""


@dataclass(slots=True, eq=False)
class Node:
    """A value and its place: a mapping or a list of nodes, or a scalar."""

    value: Any
    """`dict[str, Node]`, `list[Node]`, or a plain scalar."""
    place: Position
    keys: dict[str, Position] = field(default_factory=dict)
    """Places of a mapping's keys."""
    source: Position | None = None
    """Where a text was written that stands at `place` by a variable; None: there itself."""

    @property
    def written_at(self) -> Position:
        """Where it was written: a path in it is seen from that file."""
        return self.source or self.place

    @property
    def is_mapping(self) -> bool:
        """Whether it holds keys and values."""
        return isinstance(self.value, dict)

    @property
    def is_list(self) -> bool:
        """Whether it holds items."""
        return isinstance(self.value, list)

    def get(self, key: str) -> Node | None:
        """The value of a mapping's key; None where there is none."""
        found = self.value.get(key) if isinstance(self.value, dict) else None
        return found if isinstance(found, Node) else None

    def text(self, key: str) -> str | None:
        """The value of a mapping's key if it is a text."""
        found = self.get(key)
        return found.value if found and isinstance(found.value, str) else None

    def plain(self) -> Any:
        """The value without places."""
        if isinstance(self.value, dict):
            return {key: item.plain() for key, item in self.value.items()}
        if isinstance(self.value, list):
            return [item.plain() for item in self.value]
        return self.value

    def child(self, step: str | int) -> Node | None:
        """What lies one key or index further in; None where nothing does."""
        if isinstance(self.value, dict):
            found = self.value.get(str(step))
            return found if isinstance(found, Node) else None
        if isinstance(self.value, list) and isinstance(step, int) and step < len(self.value):
            item = self.value[step]
            return item if isinstance(item, Node) else None
        return None

    def texts(self, path: Path = ()) -> Iterator[tuple[Path, Node]]:
        """Every text in it, with its path."""
        if isinstance(self.value, dict):
            for key, item in self.value.items():
                yield from item.texts((*path, key))
        elif isinstance(self.value, list):
            for index, item in enumerate(self.value):
                yield from item.texts((*path, index))
        elif isinstance(self.value, str):
            yield path, self


def nearest(root: Node, path: Sequence[str | int]) -> Node:
    """The node of a path, or the last one on the way to it."""
    node = root
    for step in path:
        found = node.child(step)
        if found is None:
            return node
        node = found
    return node


def place_of(root: Node, path: Sequence[str | int], *, key: bool = False) -> Position:
    """Where the value of a path stands (or its key); where it is absent, what should hold it."""
    node, place = root, root.place
    for step in path:
        found = node.child(step)
        if found is None:
            break
        name = str(step)
        place = node.keys[name] if key and name in node.keys else found.place
        node = found
    return place


def source_of(root: Node, path: Sequence[str | int]) -> Position:
    """Where the value of a path was written; where it is absent, what should hold it."""
    found = nearest(root, path)
    return found.source or place_of(root, path)


def kind_of(value: Any) -> Word:
    """What a plain value is, for a message."""
    if value is None:
        return Word("null")
    if isinstance(value, bool):
        return Word("boolean")
    kinds = {str: "text", int: "whole", float: "number", dict: "mapping", list: "list"}
    return Word(kinds.get(type(value), "other"))
