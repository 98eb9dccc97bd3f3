"""`${vars.x}` filled in: a whole value keeps its type, inside a text it becomes text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sftrecipe.errors import Position, Problem, unknown
from sftrecipe.recipe.reader.node import Node, kind_of
from sftrecipe.recipe.reader.yaml_reader import TooManyDigits, plain_scalar

MAX_VALUES = 100_000
MAX_DEPTH = 64
MAX_TEXT = 1_000_000

_USE = re.compile(r"\$\{\s{0,20}vars\.([^}$]{0,100})\}")


def set_variables(
    declared: Node | None, given: Mapping[str, str], problems: list[Problem], recipe: Position
) -> dict[str, Node]:
    """The declared variables, with the values that the command line gives for them.

    What it gives is the user's own, as if it were written in his `recipe`, whoever declared it.
    """
    is_mapping = declared is not None and declared.is_mapping
    variables: dict[str, Node] = dict(declared.value) if declared and is_mapping else {}
    for name, text in given.items():
        if name not in variables:
            hint = "known" if variables else "no-variables"
            problems.append(
                unknown("unknown-variable", None, name, variables, hint=hint, variable=name)
            )
            continue
        was = variables[name]
        value: Any = text if isinstance(was.value, str) else _typed_value(text)
        variables[name] = Node(value, was.place, source=recipe)
    return variables


def fill_variables(
    root: Node,
    variables: Mapping[str, Node],
    problems: list[Problem],
    preset_of: Callable[[Position], object],
) -> Node:
    """The document with its variables filled in; what cannot be filled stays as it is.

    `preset_of`: the preset that something was written in, None for the recipe.
    """
    return _VariableFill(variables, problems, preset_of).node(root)


def _typed_value(text: str) -> Any:
    try:
        return plain_scalar(text)
    except TooManyDigits:
        return text


class _TooLarge(Exception):
    """The variables multiply beyond the limit."""


class _VariableFill:
    def __init__(
        self,
        variables: Mapping[str, Node],
        problems: list[Problem],
        preset_of: Callable[[Position], object],
    ) -> None:
        self._variables = variables
        self._problems = problems
        self._preset_of = preset_of
        self._done: dict[str, tuple[Node, int, int]] = {}
        self._depth = self._deepest = 0
        self._open: list[str] = []
        self._size = 0

    def node(self, root: Node) -> Node:
        try:
            return self._filled(root)
        except _TooLarge:
            values = {"limit": MAX_VALUES}
            self._problems.append(Problem("variables-too-large", root.place, values))
            return root

    def _filled(self, node: Node) -> Node:
        self._grow(1, 1)
        self._depth += 1
        if isinstance(node.value, dict):
            items = {key: self._filled(item) for key, item in node.value.items()}
            node = Node(items, node.place, node.keys)
        elif isinstance(node.value, list):
            node = Node([self._filled(item) for item in node.value], node.place)
        elif isinstance(node.value, str) and "${" in node.value:
            node = self._filled_text(node)
        self._depth -= 1
        return node

    def _grow(self, values: int, levels: int) -> None:
        self._size += values
        self._deepest = max(self._deepest, self._depth + levels)
        if self._size > MAX_VALUES or self._deepest > 2 * MAX_DEPTH:
            raise _TooLarge

    def _filled_text(self, node: Node) -> Node:
        whole = _USE.fullmatch(node.value)
        if whole:
            found = self._variable(whole[1].strip(), node)
            return Node(found.value, node.place, found.keys, found.written_at) if found else node
        text = _USE.sub(lambda use: self._as_text(use, node), node.value)
        if len(text) > MAX_TEXT:
            raise _TooLarge
        return Node(text, node.place, source=self._start(node, text))

    def _start(self, node: Node, text: str) -> Position | None:
        """Where the variable was written that a text begins with: a path is seen from its start.

        A preset's text that begins with another's variable goes on below what that names, and
        nowhere else: by `${vars.folder}/../` it would read what lies beside the user's folder.
        """
        first = _USE.match(node.value)
        found = self._done.get(first[1].strip()) if first else None
        if first is None or found is None:
            return None
        begun, preset = found[0], self._preset_of(node.written_at)
        if preset is None or preset == self._preset_of(begun.written_at):
            return begun.written_at
        folder = begun.value if isinstance(begun.value, str) else ""
        rest = text[len(folder) :]
        goes_below = folder.strip("/") and rest[:1] in ("", "/") and ".." not in rest.split("/")
        return begun.written_at if goes_below else node.source

    def _as_text(self, use: re.Match[str], node: Node) -> str:
        found = self._variable(use[1].strip(), node)
        if found is None:
            return use[0]
        if isinstance(found.value, (dict, list)):
            values = {"variable": use[1], "found": kind_of(found.value)}
            self._problems.append(Problem("variable-in-text", node.place, values))
            return use[0]
        if isinstance(found.value, bool):
            return str(found.value).lower()
        return "" if found.value is None else str(found.value)

    def _variable(self, name: str, node: Node) -> Node | None:
        if name in self._done:
            found, size, levels = self._done[name]
            self._grow(size, levels)
            return found
        if name in self._open:
            self._problems.append(Problem("variable-cycle", node.place, {"variable": name}))
            return None
        if name not in self._variables:
            self._problems.append(
                unknown("unknown-variable", node.place, name, self._variables, variable=name)
            )
            return None
        before, deepest = self._size, self._deepest
        self._open.append(name)
        self._deepest = self._depth
        found = self._filled(self._variables[name])
        self._open.pop()
        self._done[name] = found, self._size - before, self._deepest - self._depth
        self._deepest = max(deepest, self._deepest)
        return found
