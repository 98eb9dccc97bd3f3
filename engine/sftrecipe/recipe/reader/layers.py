"""A recipe put together: the files that it extends, its profile, its variables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sftrecipe.errors import Problem, RecipeError, unknown
from sftrecipe.recipe.reader.node import Node
from sftrecipe.recipe.reader.overlay import extending, laid_over, without
from sftrecipe.recipe.reader.paths import Roots
from sftrecipe.recipe.reader.variables import filled, set_variables
from sftrecipe.recipe.reader.yaml_reader import read_recipe_file

MAX_EXTENDS = 16

_REMOTE = re.compile(r"[a-z][a-z0-9+.-]*://|git[+@]", re.IGNORECASE)
_PRESET = re.compile(r"[A-Za-z0-9_-]+")


@dataclass
class Composed:
    """The whole document, before its shape is checked."""

    root: Node
    """Without `extends` and `profiles`, variables filled in."""
    written: Node
    """With its profiles, variables not filled in."""
    unfilled: Node
    """As `root`, variables not filled in."""
    variables: Mapping[str, str]
    """What the command line gives for them."""
    problems: list[Problem] = field(default_factory=list)

    def with_unfilled(self, unfilled: Node) -> Composed:
        """The same recipe with another document, its variables filled in."""
        return _filled(unfilled, self.written, self.variables, [])


def compose(
    path: Path, roots: Roots, *, profile: str | None, variables: Mapping[str, str]
) -> Composed:
    """Read a recipe and what it extends, lay its profile over it and fill its variables in.

    Raises RecipeError when the recipe's own file cannot be read.
    """
    layers = _Layers(roots)
    problems = layers.problems
    written = layers.extended(read_recipe_file(path), path)
    root = without(written, "profiles")
    if profile is not None:
        root = _with_profile(root, written.get("profiles"), profile, problems)
    return _filled(root, written, variables, problems)


def _filled(
    unfilled: Node, written: Node, variables: Mapping[str, str], problems: list[Problem]
) -> Composed:
    known = set_variables(unfilled.get("vars"), variables, problems)
    root = filled(unfilled, known, problems)
    return Composed(root, written, unfilled, variables, problems)


class _Layers:
    """The files that extend one another, from the recipe down."""

    def __init__(self, roots: Roots) -> None:
        self.problems: list[Problem] = []
        self._roots = roots
        self._chain: list[Path] = []

    def extended(self, node: Node, path: Path) -> Node:
        """A file's document laid over the one that it extends."""
        self._chain.append(path.resolve())
        wanted = node.get("extends")
        if wanted is None or wanted.value is None:
            return without(node, "extends")
        if not isinstance(wanted.value, str):
            return node
        below = self._below(wanted, wanted.value, path)
        upper = without(node, "extends")
        return extending(below, upper) if below else upper

    def _below(self, node: Node, value: str, path: Path) -> Node | None:
        """The document that is extended; None, and a problem, where there is none."""
        if _REMOTE.match(value):
            values = {"path": value}
            self.problems.append(Problem("extends-remote", node.place, values, "extends-download"))
            return None
        file = self._file(node, value, path)
        if file is None:
            return None
        if file.resolve() in self._chain or len(self._chain) > MAX_EXTENDS:
            names = " → ".join(step.name for step in (*self._chain, file))
            self.problems.append(Problem("extends-cycle", node.place, {"path": names}))
            return None
        try:
            below = read_recipe_file(file)
        except RecipeError as error:
            self.problems.extend(error.problems)
            return None
        return self.extended(below, file)

    def _file(self, node: Node, value: str, path: Path) -> Path | None:
        if _PRESET.fullmatch(value) and (preset := _preset(value, path)):
            self._roots.add(preset.parent)
            return preset
        return self._roots.checked(value, path.parent, node.place, self.problems, "extends-missing")


def _preset(name: str, path: Path) -> Path | None:
    """A preset of the project that the recipe belongs to."""
    folder = path.resolve().parent
    places = [folder / "presets", *(up / "recipes" / "presets" for up in (folder, *folder.parents))]
    return next((file for at in places if (file := at / f"{name}.yaml").is_file()), None)


def _with_profile(root: Node, profiles: Node | None, name: str, problems: list[Problem]) -> Node:
    known = profiles.value if profiles and profiles.is_mapping else {}
    if name in known:
        return laid_over(root, known[name]) if known[name].is_mapping else root
    problems.append(unknown("unknown-profile", root.place, name, known, profile=name))
    return root
