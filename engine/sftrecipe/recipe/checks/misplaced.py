"""What a recipe says in the wrong place or by another word: told once, then read as it was meant.

So that the checks that follow find nothing wrong but what is wrong beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sftrecipe.errors import PluginError, Position, Problem, closest
from sftrecipe.messages import Word
from sftrecipe.plugin import discovery
from sftrecipe.plugin.base import Plugin
from sftrecipe.recipe.language.keys import RecipeShape
from sftrecipe.recipe.language.sections import SECTIONS, Section
from sftrecipe.recipe.reader.node import Node, kind_of

_USE = ("type", "plugin", "method", "kind", "class", "name")
_WITH = ("params", "options", "args", "arguments", "config", "parameters", "settings", "kwargs")
_READS = ("from", "on", "input", "inputs", "source", "sources", "stream", "streams")
_ID = ("name", "key")
_OF_OTHERS = {
    "models": "providers", "llm": "providers", "data": "sources", "datasets": "sources",
    "input": "sources", "inputs": "sources", "steps": "generate", "tasks": "generate",
    "output": "export", "outputs": "export", "blend": "mix", "finetune": "train",
}  # fmt: skip
"""What other tools call a section."""
_KEYS = [field.alias or name for name, field in RecipeShape.model_fields.items()]
_OF_MAPPINGS = ("vars", "budget", "sweep", "profiles")
_SHOWN = 60


def put_right(root: Node, problems: list[Problem]) -> Node:
    """The recipe as it was meant, and a problem for everything that is not as it must be."""
    root = _renamed_sections(root, problems)
    items: dict[str, Node] = {}
    for name, node in root.value.items():
        section = SECTIONS.get(name)
        if section is None or node.value is None:
            items[name] = node
            continue
        blocks = _in_form(name, section, node, problems)
        items[name] = _each_block(blocks, section, problems)
    return Node(items, root.place, root.keys)


def is_of_another_tool(root: Node) -> bool:
    """Whether a file is no recipe at all: it has keys, and none that makes a recipe."""
    own = {"version", "extends", *SECTIONS}
    return not own & root.value.keys() and bool(root.value.keys() - set(_KEYS))


def sections_by_name(root: Node) -> Node:
    """A recipe, as it is written, with its sections under their own names."""
    return _renamed_sections(root, [])


def has_unnamed_block(problems: Iterable[Problem], name: str) -> bool:
    """Whether the name of a section's block is not known, which was told."""
    return any(
        each.slug == "block-without-name" and each.values["section"] == name for each in problems
    )


def hides_a_section(root: Node, name: str) -> bool:
    """Whether a key that no recipe has may hold the blocks of a section that is not there."""
    unknown = [node for key, node in root.value.items() if key not in _KEYS]
    return name not in root.value and any(node.is_mapping or node.is_list for node in unknown)


def _renamed_sections(root: Node, problems: list[Problem]) -> Node:
    """The recipe with a section that has a wrong name under its own."""
    items, keys = dict(root.value), dict(root.keys)
    for name in [key for key in root.value if key not in _KEYS]:
        absent = [key for key in _KEYS if key not in items and _could_hold(key, items[name])]
        meant = _meant_section(name, items[name], absent)
        if meant is None:
            continue
        values = {"key": name, "suggestion": meant}
        problems.append(Problem("unknown-key", keys[name], values, "did-you-mean"))
        items[meant], keys[meant] = items.pop(name), keys.pop(name)
    return Node(items, root.place, keys)


def _meant_section(name: str, node: Node, absent: list[str]) -> str | None:
    fitting = _sections_of_plugins(node)
    if len(fitting) == 1:  # what it uses says more than what it is called
        return fitting[0] if fitting[0] in absent else None
    known = _OF_OTHERS.get(name.lower())
    if known in absent or (known := closest(name, absent)):
        return known
    return None


def _could_hold(key: str, node: Node) -> bool:
    """Whether a key of recipes takes a value of this kind, or one that is read as that."""
    if key in SECTIONS or not (node.is_mapping or node.is_list):
        return True
    return node.is_mapping and key in _OF_MAPPINGS


def _sections_of_plugins(node: Node) -> list[str]:
    """The sections whose plugins the blocks under a key use, as far as these are known."""
    blocks = node.value.values() if node.is_mapping else node.value if node.is_list else ()
    used = {text for each in blocks if (text := each.text("use"))} | {node.text("use") or ""} - {""}
    known = {name for name in used if any(name in _names(each) for each in SECTIONS.values())}
    fitting = [each for each in SECTIONS.values() if known and known <= _names(each)]
    is_named = node.is_mapping and node.get("use") is None
    by_form = [each for each in fitting if (each.form == "named") == is_named]
    return [each.name for each in by_form or fitting]


def _names(section: Section) -> set[str]:
    try:
        return set(discovery.plugins(section.kind))
    except PluginError:
        return set()


def _in_form(name: str, section: Section, node: Node, problems: list[Problem]) -> Node:
    """A section's blocks as a list or as a mapping of names, as the section wants them."""
    if section.form == "list" and node.is_mapping:
        return _as_list(name, node, problems)
    if section.form == "named" and node.is_list:
        return _as_named(name, node, problems)
    if section.form == "named" and node.is_mapping and node.text("use") in _names(section):
        return _under_a_name(name, node, problems)
    return node


def _as_list(name: str, node: Node, problems: list[Problem]) -> Node:
    values: dict[str, object] = {"key": name, "found": kind_of({}), "expected": Word("list")}
    if {"use", "id", "with"} & node.value.keys() or not _all_mappings(node.value.values()):
        problems.append(Problem("wrong-type", node.place, values, "list-items"))
        return Node([node], node.place)
    place = next(iter(node.keys.values()), node.place)
    if node.value and node.value.keys() <= _names(SECTIONS[name]):
        problems.append(Problem("wrong-type", place, values, "list-items"))
        return Node([_used(key, node) for key in node.value], node.place)
    values["first"] = next(iter(node.value), "")
    problems.append(Problem("wrong-type", place, values, "list-of-names"))
    blocks = [
        Node({"id": Node(key, node.keys[key]), **block.value}, block.place, block.keys)
        for key, block in node.value.items()
    ]
    return Node(blocks, node.place)


def _used(key: str, node: Node) -> Node:
    """The block that is meant by the name of its plugin above its options."""
    held: Node = node.value[key]
    place = node.keys[key]
    items, keys = {"use": Node(key, place)}, {"use": place}
    if not held.value:
        return Node(items, place, keys)
    if held.is_mapping and "use" in held.value:
        return held
    return Node({**items, "with": held}, place, {**keys, "with": place})


def _as_named(name: str, node: Node, problems: list[Problem]) -> Node:
    values: dict[str, object] = {"key": name, "found": kind_of([]), "expected": Word("mapping")}
    blocks, items, keys = list(node.value), {}, {}
    for block in blocks:
        key = next((each for each in ("id", *_ID) if block.text(each)), None)
        if key is None:
            continue
        label = str(block.text(key))
        rest = {other: item for other, item in block.value.items() if other != key}
        items[label] = Node(rest, block.place, block.keys)
        keys[label] = block.get(key).place
        values.setdefault("first", label)
        values.setdefault("given", key)
    if len(items) < len(blocks):
        return node
    problems.append(Problem("wrong-type", node.place, values, "names-of-list"))
    return Node(items, node.place, keys)


def _under_a_name(name: str, node: Node, problems: list[Problem]) -> Node:
    """The one block of a section, which was written without its name, under one."""
    label = name.removesuffix("s")
    place = next(iter(node.keys.values()), node.place)
    values = {"section": name, "first": label}
    problems.append(Problem("block-without-name", place, values, "name-above"))
    return Node({label: node}, node.place, {label: place})


def _all_mappings(nodes: Iterable[Node]) -> bool:
    return all(node.is_mapping for node in nodes)


def _each_block(node: Node, section: Section, problems: list[Problem]) -> Node:
    def put_right_block(block: Node) -> Node:
        return _put_right_block(block, section, problems) if block.is_mapping else block

    if node.is_list:
        return Node([put_right_block(each) for each in node.value], node.place)
    if section.form == "named" and node.is_mapping:
        named = {key: put_right_block(each) for key, each in node.value.items()}
        return Node(named, node.place, node.keys)
    return put_right_block(node)


def _put_right_block(node: Node, section: Section, problems: list[Problem]) -> Node:
    if len(node.value) == 1 and node.value.keys() <= _names(section) and not section.beside:
        key = next(iter(node.value))
        values = {"key": key, "suggestion": f"use: {key}"}
        problems.append(Problem("unknown-key", node.keys[key], values, "did-you-mean"))
        node = _used(key, node)
    block = _Block(node, section, problems)
    block.rename("use", _USE)
    block.rename_misspelt()
    if section.beside:
        block.unfold()
    else:
        block.rename("with", _WITH, mapping=True)
        if section.reads:
            block.rename(section.reads, _READS)
        if section.takes("id"):
            block.rename("id", _ID)
        block.move_options()
        block.move_keys()
    return block.node()


class _Block:
    """A block's keys and values while they are moved to where they belong."""

    def __init__(self, node: Node, section: Section, problems: list[Problem]) -> None:
        self._place = node.place
        self._section = section
        self._problems = problems
        self._items: dict[str, Node] = dict(node.value)
        self._keys: dict[str, Position] = dict(node.keys)
        fields = section.shape.model_fields
        self._known = [field.alias or name for name, field in fields.items()]

    def node(self) -> Node:
        return Node(self._items, self._place, self._keys)

    def rename(self, key: str, other_words: Iterable[str], *, mapping: bool = False) -> None:
        """Read another word for a key as the key, where it is none of the block's own."""
        if key in self._items:
            return
        fits = (lambda each: each.is_mapping) if mapping else _is_name
        for word in other_words:
            if word in self._known or word not in self._items or not fits(self._items[word]):
                continue
            if key != "use" and self._is_option(word):
                continue
            if key == "use" and self._items[word].value not in tuple(_names(self._section)):
                continue
            values = {"key": word, "suggestion": key}
            self._tell("unknown-key", self._keys[word], "did-you-mean", **values)
            self._items[key], self._keys[key] = self._items.pop(word), self._keys.pop(word)
            return

    def rename_misspelt(self) -> None:
        """Read a key that is nearly one of the block's own as that one."""
        for word in [each for each in self._items if each not in self._known]:
            absent = [key for key in self._known if key not in self._items]
            meant = closest(word, ["use"] if self._section.beside else absent)
            if meant is None or meant in self._items or self._is_option(word):
                continue
            if meant == "use" and not isinstance(self._items[word].value, str):
                continue
            values = {"key": word, "suggestion": meant}
            self._tell("unknown-key", self._keys[word], "did-you-mean", **values)
            self._items[meant], self._keys[meant] = self._items.pop(word), self._keys.pop(word)

    def move_options(self) -> None:
        """Options that stand beside `use`, into `with`."""
        strays = [
            key
            for key in self._items
            if key not in self._known and self._is_option(key) and key in self._keys
        ]
        held = self._items.get("with")
        if not strays or not (held is None or held.value is None or held.is_mapping):
            return
        written = ", ".join(f"{key}: {_short(self._items[key])}" for key in strays)
        below = held is not None and held.value is None
        values = {"options": ", ".join(f"'{key}'" for key in strays), "written": written}
        hint = "under-with" if held is None else "into-with"
        if below or len(written) > _SHOWN:
            hint = "indent-under-with"
        self._tell("option-beside-use", self._keys[strays[0]], hint, **self._named(), **values)
        options = dict(held.value or {}) if held else {}
        keys = dict(held.keys) if held else {}
        for key in strays:
            options[key], keys[key] = self._items.pop(key), self._keys.pop(key)
        place = keys[strays[0]] if held is None or below else held.place
        self._items["with"] = Node(options, place, keys)
        self._keys.setdefault("with", place)

    def move_keys(self) -> None:
        """The engine's own keys that stand under `with`, out of it."""
        held = self._items.get("with")
        if held is None or not held.is_mapping:
            return
        options, keys = dict(held.value), dict(held.keys)
        for key in [each for each in options if each in self._known and each != "with"]:
            if key in self._items or self._has_field(key):
                continue
            suggestion = f"{key}: {_short(options[key])}"
            values = {"key": key, "suggestion": suggestion}
            self._tell("key-under-with", keys[key], "beside-with", **self._named(), **values)
            self._items[key], self._keys[key] = options.pop(key), keys.pop(key)
        self._items["with"] = Node(options, held.place, keys)

    def unfold(self) -> None:
        """What stands under `with`, beside `use`."""
        for word in ("with", *_WITH):
            held = self._items.get(word)
            if held is None or not held.is_mapping or self._has_field(word):
                continue
            self._tell("with-not-taken", self._keys[word], "unfold-with", key=word)
            del self._items[word], self._keys[word]
            self._items = {**held.value, **self._items}
            self._keys = {**held.keys, **self._keys}

    def _tell(self, slug: str, place: Position, hint: str, /, **values: object) -> None:
        self._problems.append(Problem(slug, place, values, hint))

    def _named(self) -> Mapping[str, object]:
        use = self._items.get("use")
        return {"kind": Word(self._section.kind), "use": use.value if use else ""}

    def _plugin(self) -> type[Plugin] | None:
        use = self._items.get("use")
        name = use.value if use else self._section.default_use
        try:
            return discovery.plugin_class(self._section.kind, name)
        except (PluginError, KeyError, TypeError):
            return None

    def _has_field(self, key: str) -> bool:
        plugin = self._plugin()
        fields: Mapping[str, Any] = plugin.model_fields if plugin else {}
        return any(key in (name, field.alias) for name, field in fields.items())

    def _is_option(self, key: str) -> bool:
        """Whether the block's plugin takes it under `with`."""
        plugin = self._plugin()
        if plugin is None:
            return False
        return self._has_field(key) or (
            plugin.model_config.get("extra") == "allow" and not closest(key, self._known)
        )


def _is_name(node: Node) -> bool:
    return isinstance(node.value, str) or node.is_list


def _short(node: Node) -> str:
    """A value as one writes it, where it is short."""
    value = node.plain()
    if isinstance(value, bool):
        return str(value).lower()
    text = "…" if isinstance(value, dict | list) else str(value)
    return text if len(text) <= _SHOWN and "\n" not in text else "…"
