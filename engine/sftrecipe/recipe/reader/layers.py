"""A recipe put together: the files that it extends, its profile, its variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from sftrecipe.errors import Problem, RecipeError, unknown
from sftrecipe.recipe.presets.preset import RECIPE, preset_at
from sftrecipe.recipe.reader.node import Node
from sftrecipe.recipe.reader.paths import Roots
from sftrecipe.recipe.reader.variables import fill_variables, set_variables
from sftrecipe.recipe.reader.yaml_reader import read_recipe_file

MAX_EXTENDS = 16


@dataclass
class RecipeDocument:
    """The whole document, before its shape is checked."""

    root: Node
    """Without `extends` and `profiles`, variables filled in."""
    written: Node
    """With its profiles, variables not filled in."""
    unfilled: Node
    """As `root`, variables not filled in."""
    variables: Mapping[str, str]
    """What the command line gives for them."""
    roots: Roots
    problems: list[Problem] = field(default_factory=list)
    layers: tuple[Path, ...] = ()
    """The files that the recipe's own is laid over, links followed; the one that it names first."""

    def with_unfilled(self, unfilled: Node) -> RecipeDocument:
        """The same recipe with another document, its variables filled in."""
        filled = _fill(unfilled, self.written, self.variables, self.roots, [])
        return replace(filled, layers=self.layers)


def compose(
    path: Path,
    roots: Roots,
    *,
    profile: str | None,
    variables: Mapping[str, str],
    written: Node | None = None,
) -> RecipeDocument:
    """Read a recipe and what it extends, lay its profile over it and fill its variables in.

    `written` is read in the file's place. Raises RecipeError when the recipe's own file, or one
    below it, cannot be read.
    """
    layers = _Layers(roots)
    problems = layers.problems
    written = layers.extended(written or read_recipe_file(path), path)
    if problems:  # of what is said to be missing, the most would lie below
        raise RecipeError(problems)
    root = without(written, "profiles")
    if profile is not None:
        root = _with_profile(root, written.get("profiles"), profile, problems)
    return replace(_fill(root, written, variables, roots, problems), layers=layers.below)


def _fill(
    unfilled: Node,
    written: Node,
    variables: Mapping[str, str],
    roots: Roots,
    problems: list[Problem],
) -> RecipeDocument:
    known = set_variables(unfilled.get("vars"), variables, problems, unfilled.place)
    root = fill_variables(unfilled, known, problems, roots.preset_of)
    return RecipeDocument(root, written, unfilled, variables, roots, problems)


class _Layers:
    """The files that extend one another, from the recipe down."""

    def __init__(self, roots: Roots) -> None:
        self.problems: list[Problem] = []
        self._roots = roots
        self._chain: list[Path] = []

    @property
    def below(self) -> tuple[Path, ...]:
        """The files that the recipe's own is laid over."""
        return tuple(self._chain[1:])

    def extended(self, node: Node, path: Path) -> Node:
        """A file's document laid over the one that it extends."""
        self._chain.append(path.resolve())
        wanted = node.get("extends")
        if wanted is None or wanted.value is None:
            return without(node, "extends")
        if not isinstance(wanted.value, str):
            return node
        below = self._document_below(wanted, wanted.value, path)
        upper = without(node, "extends")
        return extend_recipe(below, upper) if below else upper

    def _document_below(self, node: Node, value: str, path: Path) -> Node | None:
        """The document that is extended; None, and a problem, where there is none."""
        from sftrecipe.recipe.reader.extended_file import (  # noqa: PLC0415 - presets and git: 5 ms
            extended_file,
        )

        file = extended_file(value, node, path, self._roots, self.problems)
        if file is None:
            return None
        if file.resolve() in self._chain or len(self._chain) > MAX_EXTENDS:
            names = " → ".join(_short(step) for step in (*self._chain, file))
            self.problems.append(Problem("extends-cycle", node.place, {"path": names}))
            return None
        try:
            below = read_recipe_file(file)
        except RecipeError as error:
            self.problems.extend(error.problems)
            return None
        return self.extended(below, file)


def _short(file: Path) -> str:
    """A file's name; of a preset, which are all called alike, with its folder's."""
    return f"{file.parent.name}/{RECIPE}" if preset_at(file) and file.name == RECIPE else file.name


def _with_profile(root: Node, profiles: Node | None, name: str, problems: list[Problem]) -> Node:
    known = profiles.value if profiles and profiles.is_mapping else {}
    if name in known:
        return lay_over(root, known[name]) if known[name].is_mapping else root
    hint = "known" if known else "no-profiles"  # named on the command line: no place in the recipe
    problems.append(unknown("unknown-profile", None, name, known, hint=hint, profile=name))
    return root


def extend_recipe(base: Node, over: Node) -> Node:
    """A recipe laid over the one that it extends.

    Profiles merge as mappings do, but their empty keys stay, for what they will take away.
    """
    merged = lay_over(without(base, "profiles"), without(over, "profiles"))
    profiles = [node for layer in (base, over) if (node := layer.get("profiles"))]
    if not profiles:
        return merged
    joined = profiles[-1] if len(profiles) == 1 else _joined_profiles(*profiles)
    place = (over.keys if "profiles" in over.keys else base.keys)["profiles"]
    return Node(
        {**merged.value, "profiles": joined}, merged.place, {**merged.keys, "profiles": place}
    )


def lay_over(base: Node, over: Node, *, keep_empty: bool = False) -> Node:
    """The base with the upper one's changes.

    Mappings merge key by key; a key that is empty in the upper one is taken away, if it is there; a
    mapping with another `use` replaces the lower one whole, since options of one plugin mean
    nothing to another. Lists of blocks that all have an `id` merge by it, new ones at the end; any
    other list or value replaces what lies below. `keep_empty`: empty keys are not taken as changes.
    """
    if base.is_mapping and over.is_mapping:
        if _names_other_plugin(base, over):
            return over
        return _merged_mapping(base, over, keep_empty)
    if base.is_list and over.is_list and over.value and all(item.text("id") for item in over.value):
        return _merged_list(base, over, keep_empty)
    return over


def without(node: Node, *keys: str) -> Node:
    """A mapping without some of its keys."""
    kept = {key: item for key, item in node.value.items() if key not in keys}
    return Node(kept, node.place, {key: node.keys[key] for key in kept})


def _names_other_plugin(base: Node, over: Node) -> bool:
    lower, upper = base.get("use"), over.get("use")
    return lower is not None and upper is not None and lower.value != upper.value


def _joined_profiles(base: Node, over: Node) -> Node:
    if not base.is_mapping or not over.is_mapping:
        return over
    items, keys = dict(base.value), dict(base.keys)
    for name, profile in over.value.items():
        if profile.value is None:
            items.pop(name, None)
            keys.pop(name, None)
            continue
        below = items.get(name)
        items[name] = lay_over(below, profile, keep_empty=True) if below else profile
        keys[name] = over.keys[name]
    return Node(items, over.place, keys)


def _merged_mapping(base: Node, over: Node, keep_empty: bool) -> Node:
    items, keys = dict(base.value), dict(base.keys)
    for key, item in over.value.items():
        if item.value is None and not keep_empty:
            items.pop(key, None)
            keys.pop(key, None)
            continue
        below = items.get(key) or _nothing_below(item)
        items[key] = lay_over(below, item, keep_empty=keep_empty)
        keys[key] = over.keys[key]
    return Node(items, over.place, keys)


def _nothing_below(item: Node) -> Node:
    """What a new key is laid over; a whole plugin over itself, so that its empty options stay."""
    return Node({}, item.place) if item.is_mapping and item.get("use") is None else item


def _merged_list(base: Node, over: Node, keep_empty: bool) -> Node:
    changes = {item.text("id"): item for item in over.value}
    items = []
    for item in base.value:
        change = changes.pop(item.text("id"), None) if item.text("id") else None
        items.append(lay_over(item, change, keep_empty=keep_empty) if change else item)
    return Node([*items, *changes.values()], over.place)
