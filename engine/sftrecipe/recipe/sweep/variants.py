"""A recipe's `sweep`: its variants, each laid out as a document of its own, and their names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import product
from math import prod
from typing import Any

import orjson

from sftrecipe.errors import Position, Problem, unknown
from sftrecipe.recipe.blocks import BlockDraft
from sftrecipe.recipe.language.keys import RecipeShape
from sftrecipe.recipe.language.sections import SECTIONS
from sftrecipe.recipe.reader.layers import RecipeDocument
from sftrecipe.recipe.reader.node import Node, Path

MOST_TRAININGS = 100
_SECTIONS = [section for section in SECTIONS.values() if section.kind != "judge"]
SWEEPABLE = ("vars", "language", "seed", *(section.name for section in _SECTIONS))
"""What decides the model; the judges measure it."""
_NAMED = ("vars", *(section.name for section in _SECTIONS if section.form == "named"))
_LONGEST_NAME = 100
_UNSAFE = re.compile(r"[^A-Za-z0-9_.=+\u4e00-\u9fff-]+")


@dataclass(frozen=True)
class WrittenVariant:
    """The values of a variant as the recipe writes them, each with its way into the document."""

    values: tuple[tuple[str, Path, Node, Position], ...]
    """Dotted path, its steps, the value, and where the dotted path stands."""

    def lay_over(self, document: RecipeDocument) -> RecipeDocument:
        """The recipe with the values in their places; those of variables before they are filled
        in."""
        unfilled = document.unfilled
        for _, path, value, place in self.values:
            if path[0] == "vars":
                unfilled = with_value(unfilled, path, value, place)
        laid = document.with_unfilled(unfilled)
        for _, path, value, place in self.values:
            if path[0] != "vars":
                laid.root = with_value(laid.root, path, value, place)
        return laid

    def plain(self) -> dict[str, Any]:
        """The values without their places."""
        return {dotted: value.plain() for dotted, _, value, _ in self.values}


def written_variants(
    sweep: Node, root: Node, drafts: Sequence[BlockDraft], problems: list[Problem]
) -> list[WrittenVariant]:
    """Every combination of the sweep's values, the last path's changing first.

    Nothing where a path leads nowhere, or the combinations are fewer than two or too many.
    """
    over = sweep.get("over")
    if over is None or not over.is_mapping:
        return []
    choices = []
    for dotted, values in over.value.items():
        path = _checked_path(dotted, root, drafts, over.keys[dotted], problems)
        if path is not None and values.is_list and values.value:
            choices.append([(dotted, path, value, over.keys[dotted]) for value in values.value])
    if len(choices) < len(over.value):
        return []
    count = prod(map(len, choices))
    trainings = count * _seeds(sweep)
    if count < 2 or trainings > MOST_TRAININGS:
        size = {"variants": count, "trainings": trainings, "most": MOST_TRAININGS}
        problems.append(Problem("sweep-size", over.place, size))
        return []
    return [WrittenVariant(values) for values in product(*choices)]


def with_value(node: Node, path: Path, value: Node, place: Position) -> Node:
    """The document with a value at a path, whose last key stands at `place` from now on.

    Mappings on the way that are not there are made; a value of None takes the key away.
    """
    if not path:
        return value
    step, rest = path[0], path[1:]
    if node.is_list and isinstance(step, int):
        items = list(node.value)
        items[step] = with_value(items[step], rest, value, place)
        return Node(items, node.place)
    key = str(step)
    held = dict(node.value) if node.is_mapping else {}
    keys = dict(node.keys)
    if not rest and value.value is None:
        held.pop(key, None)
        keys.pop(key, None)
        return Node(held, node.place, keys)
    keys[key] = keys.get(key, place) if rest else place
    held[key] = with_value(held.get(key, Node({}, place)), rest, value, place)
    return Node(held, node.place, keys)


def variant_names(variants: Sequence[Mapping[str, Any]]) -> list[str]:
    """A name for each variant: its values, short, safe as a folder's name, all different.

    No commas: trainers take them to part several folders.
    """
    names: list[str] = []
    for values in variants:
        text = "__".join(f"{path}={_short_text(value)}" for path, value in values.items())
        name = _UNSAFE.sub("-", text).strip("-.")
        taken = {other.casefold() for other in names}
        if len(name) > _LONGEST_NAME or name.casefold() in taken:
            content = orjson.dumps(values, option=orjson.OPT_SORT_KEYS)
            mark = blake2b(content, digest_size=4).hexdigest()
            name = f"{name[: _LONGEST_NAME - 9]}-{mark}"
        names.append(name)
    return names


def _short_text(value: Any) -> str:
    if isinstance(value, dict):
        return "+".join(f"{key}-{_short_text(item)}" for key, item in value.items())
    if isinstance(value, list):
        return "+".join(_short_text(item) for item in value)
    if value is None:
        return "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _seeds(sweep: Node) -> int:
    seeds = sweep.get("seeds")
    return seeds.value if seeds and isinstance(seeds.value, int) else 1


def _checked_path(
    dotted: str, root: Node, drafts: Sequence[BlockDraft], place: Position, problems: list[Problem]
) -> Path | None:
    """The steps of a dotted path; None, and a problem, where it leads nowhere."""
    way = _PathWalk(dotted, root, drafts)
    try:
        return way.path()
    except _NoSuchStep as wrong:
        values = {"path": dotted, "step": wrong.step}
        problem = unknown("sweep-path", place, wrong.step, wrong.known, **values)
        if wrong.step == "evaluate":
            problem = replace(problem, hint="sweep-judges")
        problems.append(problem)
        return None


class _NoSuchStep(Exception):
    """A step that is not there."""

    def __init__(self, step: str, known: Sequence[str]) -> None:
        super().__init__(step)
        self.step = step
        self.known = known


class _PathWalk:
    """Follows a dotted path into a document."""

    def __init__(self, dotted: str, root: Node, drafts: Sequence[BlockDraft]) -> None:
        self._dotted = dotted
        self._root = root
        self._ids = {draft.path: draft.id for draft in drafts}

    def path(self) -> Path:
        """The path's keys and indices. Raises _NoSuchStep."""
        rest = self._dotted.split(".")
        if rest[0] not in SWEEPABLE:
            known = [name for name in RecipeShape.model_fields if name in SWEEPABLE]
            raise _NoSuchStep(rest[0], known)
        node: Node | None = self._root
        path: Path = ()
        while rest:
            used, step = self._step(path, node, rest)
            path, rest = (*path, step), rest[used:]
            node = node.child(step) if node else None
        return path

    def _step(self, path: Path, node: Node | None, rest: Sequence[str]) -> tuple[int, str | int]:
        """How many parts the next step takes, and its key or index: names may have dots."""
        if node is not None and node.is_list:
            by_id = {self._ids.get((*path, index)): index for index in range(len(node.value))}
            for used, name in _beginnings(rest):
                if name in by_id:
                    return used, by_id[name]
            raise _NoSuchStep(rest[0], self._known_steps(path, node))
        if node is not None and node.is_mapping:
            for used, name in _beginnings(rest):
                if name in node.value:
                    return used, name
        elif node is not None and node.value is not None:
            raise _NoSuchStep(rest[0], ())
        if path and path[0] in _NAMED and len(path) == 1:
            raise _NoSuchStep(rest[0], self._known_steps(path, node))
        return 1, rest[0]

    def _known_steps(self, path: Path, node: Node | None) -> list[str]:
        if node is not None and node.is_list:
            ids = (self._ids.get((*path, index)) for index in range(len(node.value)))
            return [name for name in ids if name]
        return list(node.value) if node is not None and node.is_mapping else []


def _beginnings(parts: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The longest beginning first."""
    for used in range(len(parts), 0, -1):
        yield used, ".".join(parts[:used])
