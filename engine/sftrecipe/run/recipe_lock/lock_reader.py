"""Reading a lock: what is wrong with its file is told at its line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from sftrecipe.errors import Position, Problem, RecipeError
from sftrecipe.plugin.regular_files import UnusualFile, open_regular
from sftrecipe.recipe.reader.node import Node
from sftrecipe.recipe.reader.yaml_reader import MAX_BYTES, parse_recipe
from sftrecipe.run.recipe_lock.lock_contents import FORMAT, FactPath, RecipeLock
from sftrecipe.run.recipe_lock.lock_writer import SEAL, seal_of

SUFFIX = ".lock"
_MARKER = re.compile(r"(?:<{7}|\|{7}|={7}|>{7})(?:\s|\Z)")
_HEAD = re.compile(r"lock:\s*(\d+)\s*")


def lock_path(recipe: Path, profile: str | None = None) -> Path:
    """Where the lock of a recipe lies: `NAME.lock` beside it, `NAME.PROFILE.lock` of a profile."""
    name = recipe.stem if profile is None else f"{recipe.stem}.{profile}"
    return recipe.with_name(f"{name}{SUFFIX}")


def read_lock(path: Path) -> RecipeLock:
    """The lock in a file.

    Raises RecipeError, with the line, for one that does not exist or is no lock, was changed by
    hand, broken off or merged halfway, or is of a later version of sftrecipe.
    """
    return parse_lock(_content(path), str(path), path)


def parse_lock(content: bytes, name: str, path: Path | None = None) -> RecipeLock:
    """The lock that bytes hold; `name` is what messages call them. Raises RecipeError."""
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        _refuse("lock-not-one", name, 1)
    _check(text, name)
    root = parse_recipe(text.encode(), name)
    facts, places = {}, {}
    for each, node, key in _leaves(root, ()):
        if each not in {("lock",), ("seal",)}:
            facts[each] = node.plain()
            places[each] = key
    for each, key in _keys(root, ()):
        places.setdefault(each, key)
    return RecipeLock(facts, path, places)


def _check(text: str, name: str) -> None:
    """Raises RecipeError where the text is no whole lock that this version reads."""
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if _MARKER.match(line):
            _refuse("lock-conflict", name, number)
    head = next((n for n, line in enumerate(lines) if line and not line.startswith("#")), 0)
    found = _HEAD.fullmatch(lines[head])
    if found is None:
        _refuse("lock-not-one", name, head + 1)
    if int(found[1]) > FORMAT:
        _refuse("lock-newer", name, head + 1, format=found[1], known=FORMAT)
    body, newline, last = text.rstrip("\n").rpartition("\n")
    if not last.startswith(SEAL):
        _refuse("lock-cut", name, len(text.rstrip("\n").split("\n")))
    if last.removeprefix(SEAL).strip() != seal_of(body + newline):
        _refuse("lock-edited", name, len(body.split("\n")) + 1)


def _content(path: Path) -> bytes:
    name = str(path)
    try:
        with open_regular(path) as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise RecipeError([Problem("lock-missing", None, {"path": name})]) from None
    except UnusualFile:
        _refuse("lock-not-one", name, 1)
    if len(content) > MAX_BYTES:
        _refuse("lock-not-one", name, 1)
    return content


def _refuse(slug: str, name: str, line: int, **values: object) -> NoReturn:
    hint = {"lock-newer": "lock-upgrade", "lock-not-one": "lock-other-file"}.get(slug, "lock-anew")
    place = Position(name, line, 1)
    raise RecipeError(
        [Problem(slug, place, {"path": name, "command": "sftrecipe lock RECIPE", **values}, hint)]
    ) from None


def _leaves(node: Node, path: FactPath) -> Iterator[tuple[FactPath, Node, Position]]:
    for name, item in node.value.items():
        if item.is_mapping:
            yield from _leaves(item, (*path, name))
        else:
            yield (*path, name), item, node.keys[name]


def _keys(node: Node, path: FactPath) -> Iterator[tuple[FactPath, Position]]:
    for name, item in node.value.items():
        if item.is_mapping:
            yield (*path, name), node.keys[name]
            yield from _keys(item, (*path, name))
