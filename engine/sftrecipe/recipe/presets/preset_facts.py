"""What there is to know of a preset before it is used: header, variables, profiles, files."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from sftrecipe.errors import PluginError, RecipeError, UsageError, unknown
from sftrecipe.recipe.presets.git_address import BadAddress, GitAddress, git_address, is_remote
from sftrecipe.recipe.presets.git_cache import ChangedCache, kept_preset, kept_presets
from sftrecipe.recipe.presets.preset import MOST_FILES, NAME, Preset
from sftrecipe.recipe.presets.preset_header import PresetHeader, preset_header
from sftrecipe.recipe.presets.preset_lookup import (
    installed_preset,
    installed_presets,
    project_preset,
    project_presets,
)
from sftrecipe.recipe.reader.node import Node
from sftrecipe.recipe.reader.yaml_reader import read_recipe_file


@dataclass
class PresetFacts:
    """A preset as lists and pages show it."""

    preset: Preset
    header: PresetHeader
    is_part: bool
    """Whether it has no `name`, so that only other recipes run it."""
    extends: str | None = None
    variables: dict[str, Any] = field(default_factory=dict)
    """What `--set` may change, with the values that hold otherwise."""
    profiles: list[str] = field(default_factory=list)
    files: list[tuple[str, int]] = field(default_factory=list)
    """Its files beside the recipe, with their bytes."""

    def summary(self) -> dict[str, object]:
        """The facts of a list, as plain data."""
        preset = self.preset
        return {
            "name": preset.name,
            "from": preset.kind,
            "source": preset.source,
            "file": str(preset.file),
            "is_part": self.is_part,
            **self.header.told,
            "papers": self.header.papers,
        }

    def matches(self, words: Sequence[str]) -> bool:
        """Whether every word stands in its name or in what it tells of itself."""
        told = (self.preset.name, *self.header.told.values(), *self.header.papers)
        return _holds("\n".join(told), words)

    def is_for(self, words: Sequence[str]) -> bool:
        """Whether every word stands in its name or purpose."""
        told = (self.preset.name, *(self.header.text("purpose", each) for each in ("en", "zh")))
        return _holds("\n".join(told), words)


def _holds(text: str, words: Sequence[str]) -> bool:
    return all(word.casefold() in text.casefold() for word in words)


def preset_facts(preset: Preset) -> PresetFacts:
    """The facts of a preset; what cannot be read of it is left out."""
    header, root = PresetHeader(), Node({}, None)  # type: ignore[arg-type]
    with suppress(OSError):
        header = preset_header(preset.file)
    with suppress(RecipeError):
        root = read_recipe_file(preset.file)
    declared, profiles = root.get("vars"), root.get("profiles")
    return PresetFacts(
        preset,
        header,
        is_part=root.get("name") is None,
        extends=root.text("extends"),
        variables=declared.plain() if declared and declared.is_mapping else {},
        profiles=list(profiles.value) if profiles and profiles.is_mapping else [],
        files=[(name, path.stat().st_size) for name, path in islice(preset.files(), MOST_FILES)],
    )


def all_presets(folder: Path) -> tuple[list[Preset], list[PluginError]]:
    """Every preset that a recipe in a folder may extend, and what is wrong with others.

    Those of the project, with sftrecipe, of packages, and from git, which were fetched.
    """
    installed = installed_presets()
    named = {**installed.presets, **project_presets(folder)}
    fetched = (preset for kept in kept_presets() if (preset := _unchanged(kept.address)))
    return [*(named[name] for name in sorted(named)), *fetched], installed.problems


def preset_named(name: str, folder: Path) -> Preset:
    """The preset of a name, or of an address that was fetched; its recipe can be read.

    Raises UsageError, with the nearest name, where there is none, PluginError where two packages
    have it, and RecipeError.
    """
    preset = _found(name, folder)
    read_recipe_file(preset.file)
    return preset


def _found(name: str, folder: Path) -> Preset:
    if is_remote(name):
        return _fetched(name)
    installed = installed_preset(name)
    local = project_preset(name, folder) if NAME.fullmatch(name) else None
    if (preset := local or installed) is not None:
        return preset
    same = [kept.address for kept in kept_presets() if kept.name == name]
    named = [preset for address in same if (preset := _unchanged(address))]
    if len(named) > 1:
        sources = ", ".join(preset.source for preset in named)
        raise UsageError("preset-several", "preset-by-address", name=name, sources=sources)
    if named:
        return named[0]
    names = [preset.name for preset in all_presets(folder)[0]]
    wrong = unknown("unknown-preset", None, name, names, hint="presets-list", name=name)
    raise UsageError.of(wrong)


def _fetched(written: str) -> Preset:
    """The preset of an address. Raises UsageError."""
    try:
        address = git_address(written)
    except BadAddress as error:
        raise UsageError(error.slug, "git-form", path=error.shown) from error
    preset = _unchanged(address) if address.is_pinned else None
    if preset is None:
        values = {"path": str(address), "command": f"sftrecipe presets add {address}"}
        raise UsageError("preset-not-fetched", "preset-fetch", **values)
    return preset


def _unchanged(address: GitAddress) -> Preset | None:
    """The preset of an address, if it is kept as it was fetched."""
    try:
        return kept_preset(address)
    except ChangedCache:
        return None
