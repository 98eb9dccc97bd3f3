"""The blocks of a recipe and their plugins, as far as they can be made out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson
from pydantic import ValidationError

from sftrecipe.errors import PluginError, Position, Problem, unknown
from sftrecipe.messages import Word
from sftrecipe.plugin import discovery
from sftrecipe.plugin.base import Plugin
from sftrecipe.plugin.vendors.vendor_facts import vendor_named
from sftrecipe.recipe.checks.shape import shape_problems
from sftrecipe.recipe.language.sections import SECTIONS, Section
from sftrecipe.recipe.reader.node import Node, Path, place_of
from sftrecipe.recipe.recipe import providers_asked


@dataclass(eq=False)
class BlockDraft:
    """One block while it is being checked; what is wrong with it is None."""

    section: Section
    id: str
    path: Path
    node: Node
    use: str
    named: bool
    """Whether the recipe gives its id."""
    plugin: Plugin | None = None
    whole: bool = True
    """Whether the plugin has all its options; else the wrong ones are left out of it."""

    @property
    def options(self) -> Path:
        """Where the plugin's options stand."""
        return self.path if self.section.beside else (*self.path, "with")

    def place(self, root: Node, *path: str | int) -> Position:
        """Where one of its keys' values stands; the block itself where it has none."""
        return place_of(root, (*self.path, *path))

    @property
    def asks(self) -> Mapping[str, str]:
        """The providers that it asks, as far as can be told, as `Block.asks` has them."""
        if self.plugin is None:
            return {"": self.provider} if self.provider else {}
        return providers_asked(self.plugin, self.provider)

    @property
    def provider(self) -> str | None:
        """The provider that it names as its own."""
        return self.text("provider") if self.section.takes("provider") else None

    def text(self, key: str) -> str | None:
        """A key's value if it is a text."""
        return self.node.text(key)

    def streams(self) -> list[tuple[str, Path]] | None:
        """What it says that it reads, with the places; None where it says nothing."""
        key = self.section.reads
        written = self.node.get(key) if key else None
        if key is None or written is None or written.value is None:
            return None
        if isinstance(written.value, str):
            return [(written.value, (*self.path, key))]
        items = written.value if written.is_list else []
        return [
            (item.value, (*self.path, key, index))
            for index, item in enumerate(items)
            if isinstance(item.value, str)
        ]


def block_drafts(root: Node, problems: list[Problem]) -> list[BlockDraft]:
    """Every block of the recipe, in order, with its plugin where that can be built."""
    drafts: list[BlockDraft] = []
    taken: set[str] = set()
    for section in SECTIONS.values():
        for name, path, node in _nodes(root, section):
            use = _use_of(node, section)
            if use is None:
                continue
            explicit = name if section.form == "named" else node.text("id")
            alone = section.form in ("single", "either")
            unnamed = section.name if alone else f"{section.name}-{use}"
            draft = BlockDraft(
                section, explicit or _free_id(unnamed, taken), path, node, use, bool(explicit)
            )
            taken.add(draft.id)
            draft.plugin = _plugin_of(draft, root, problems)
            drafts.append(draft)
    return drafts


def of_section(drafts: Iterable[BlockDraft], name: str) -> list[BlockDraft]:
    """The blocks of one section."""
    return [draft for draft in drafts if draft.section.name == name]


def _nodes(root: Node, section: Section) -> Iterator[tuple[str, Path, Node]]:
    node = root.get(section.name)
    if node is None or node.value is None:
        return
    if section.form in ("single", "either") and node.is_mapping:
        yield "", (section.name,), node
    elif section.form == "named" and node.is_mapping:
        for name, item in node.value.items():
            if item.is_mapping:
                yield name, (section.name, name), item
    elif section.form in ("list", "either") and node.is_list:
        for index, item in enumerate(node.value):
            if item.is_mapping:
                yield "", (section.name, index), item


def _use_of(node: Node, section: Section) -> str | None:
    return node.text("use") or (section.default_use if node.get("use") is None else None)


def _free_id(name: str, taken: set[str]) -> str:
    """The name, numbered from 2 when it is taken."""
    number = 2
    free = name
    while free in taken:
        free, number = f"{name}-{number}", number + 1
    return free


def _plugin_of(draft: BlockDraft, root: Node, problems: list[Problem]) -> Plugin | None:
    plugin_class = _class_of(draft, root, problems)
    options = _options_of(draft)
    if plugin_class is None or options is None:
        return None
    try:
        return _build(plugin_class, options)
    except ValidationError as error:
        problems.extend(shape_problems(error, plugin_class, root, draft.options))
        wrong = {str(step) for detail in error.errors() for step in detail["loc"][:1]}
        draft.whole = False
        return _build_without(plugin_class, options, wrong)
    except Exception as error:  # a third party's validator must not end `validate`
        problems.append(crash_problem(draft, root, error))
    return None


def _build(plugin_class: type[Plugin], options: Mapping[str, Any]) -> Plugin:
    return plugin_class.model_validate_json(orjson.dumps(options), strict=True)


def _build_without(
    plugin_class: type[Plugin], options: Mapping[str, Any], wrong: set[str]
) -> Plugin | None:
    """The plugin without its wrong options, so that the others are checked too."""
    try:
        return _build(plugin_class, {k: v for k, v in options.items() if k not in wrong})
    except Exception:  # it cannot do without them
        return None


def crash_problem(draft: BlockDraft, root: Node, error: Exception) -> Problem:
    """The problem of a plugin that fails while it is checked."""
    values = {
        "kind": Word(draft.section.kind),
        "name": draft.use,
        "error": f"{type(error).__name__}: {error}",
    }
    return Problem("plugin-check-failed", draft.place(root, "use"), values)


def _class_of(draft: BlockDraft, root: Node, problems: list[Problem]) -> type[Plugin] | None:
    kind, place = draft.section.kind, draft.place(root, "use")
    try:
        known = discovery.plugins(kind)
        if draft.use in known:
            return discovery.plugin_class(kind, draft.use)
    except PluginError as error:
        problems.append(replace(error.problem, position=place))
        return None
    problems.append(_unknown_plugin(draft, place, known))
    return None


def _unknown_plugin(draft: BlockDraft, place: Position, known: Iterable[str]) -> Problem:
    """The problem of a `use` that no plugin has: of another kind, a vendor's name, or misspelt."""
    values: dict[str, object] = {"kind": Word(draft.section.kind), "name": draft.use}
    values["unchecked"] = Word("options-unchecked" if _options_of(draft) else "nothing-unchecked")
    for other in SECTIONS.values():
        if other is not draft.section and draft.use in discovery.plugins(other.kind):
            more = {"other": Word(other.kind), "section": other.name}
            return Problem("unknown-plugin", place, {**values, **more}, "other-section")
    vendor = draft.use.lower()
    if draft.section.name == "providers" and vendor_named(vendor):
        return Problem("unknown-plugin", place, {**values, "vendor": vendor}, "by-vendor")
    return unknown("unknown-plugin", place, draft.use, known, hint="install-plugin", **values)


def _options_of(draft: BlockDraft) -> Mapping[str, Any] | None:
    """The plugin's options as plain data; None where they are no mapping."""
    if draft.section.beside:
        return {key: item.plain() for key, item in draft.node.value.items() if key != "use"}
    node = draft.node.get("with")
    if node is None:
        return {}
    return node.plain() if node.is_mapping else None
