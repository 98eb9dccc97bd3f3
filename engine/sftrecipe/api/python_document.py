"""A recipe that a Python program writes as a mapping, as the tree that a file's YAML becomes."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from numbers import Integral, Real
from pathlib import Path
from typing import Any, NoReturn

from sftrecipe.errors import KeyPlace, Problem, RecipeError
from sftrecipe.messages import message
from sftrecipe.recipe.reader.node import Node
from sftrecipe.recipe.reader.yaml_reader import MAX_DEPTH, MAX_DIGITS, MAX_VALUES
from sftrecipe.recipe.recipe import FROM_PYTHON


def python_document(document: Mapping[str, Any], folder: Path) -> Node:
    """The tree of a mapping, whose files lie in the folder; it does not change with the mapping.

    Raises RecipeError, with all values that a recipe cannot hold.
    """
    reading = _Reading(str(folder / FROM_PYTHON))
    root = reading.node(document, "")
    if reading.problems:
        raise RecipeError(reading.problems)
    return root


class _Reading:
    """Walks a mapping in its order."""

    def __init__(self, path: str) -> None:
        self.problems: list[Problem] = []
        self._path = path
        self._values = 0

    def node(self, value: Any, keys: str, depth: int = 0) -> Node:
        self._values += 1
        place = KeyPlace(self._path, self._values, 1, keys or "recipe")
        if depth > MAX_DEPTH:
            self._stop("python-deep", place, limit=MAX_DEPTH)
        if self._values > MAX_VALUES:
            self._stop("python-large", place, limit=MAX_VALUES)
        if isinstance(value, Mapping):
            return self._mapping(value, place, keys, depth)
        if isinstance(value, list | tuple):
            items = enumerate(value)
            return Node([self.node(each, f"{keys}[{n}]", depth + 1) for n, each in items], place)
        return Node(self._scalar(value, place), place)

    def _mapping(self, value: Mapping[Any, Any], place: KeyPlace, keys: str, depth: int) -> Node:
        items, places = {}, {}
        for key, item in value.items():
            name = str(self._scalar(key, place))
            found = self.node(item, f"{keys}.{name}" if keys else name, depth + 1)
            items[name], places[name] = found, found.place
        return Node(items, place, dict(places))

    def _scalar(self, value: Any, place: KeyPlace) -> Any:
        match value:
            case None | bool():
                return value
            case str():
                return self._text(str.__str__(value), place)  # an enum's text is not its name
            case os.PathLike():
                return self._text(str(os.fspath(value)), place)
            case Integral() if abs(int(value)) < 10**MAX_DIGITS:
                return int(value)
            case Real() if not isinstance(value, Integral) and math.isfinite(value):
                return float(value)
            case Real():
                self._refuse("python-number", place, value=_beginning(value))
            case _:
                self._refuse("python-value", place, "python-plain", found=type(value).__name__)
        return None

    def _text(self, text: str, place: KeyPlace) -> str:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            self._refuse("yaml", place, error=str(error.reason))
            return ""
        return text

    def _refuse(
        self, slug: str, place: KeyPlace, hint: str | None = None, **values: object
    ) -> None:
        self.problems.append(Problem(slug, place, values, hint))

    def _stop(self, slug: str, place: KeyPlace, **values: object) -> NoReturn:
        """What follows must not be read."""
        self._refuse(slug, place, None, **values)
        raise RecipeError(self.problems)


def _beginning(value: Real) -> str:
    """The beginning of a number; how long it is where Python does not write out so many digits."""
    try:
        return str(value)[:40]
    except ValueError:
        return f"{'-' if value < 0 else ''}2**{math.floor(math.log2(abs(value)))}"


def text_of_variable(name: str, value: object) -> str:
    """The value of a variable as `--set NAME=VALUE` has it. Raises TypeError."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return str.__str__(value)
        case os.PathLike():
            return str(os.fspath(value))
        case Integral() | Real():
            return str(value)
    found = {"found": type(value).__name__}
    raise TypeError(f"set[{name!r}]: {message('python-value', found, 'en')}")
