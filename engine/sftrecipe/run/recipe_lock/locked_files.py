"""Files, prompts, layers and presets as a lock holds them: by content, wherever they lie.

A file is named from the recipe's folder on, one of a preset from the preset's, a prompt that comes
with a plugin from its package on: the same on every machine.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sftrecipe.plan.steps import Plan, hashed
from sftrecipe.plugin.option_types import PromptMarker, marked
from sftrecipe.plugin.prompts.prompt import is_own
from sftrecipe.recipe.presets.preset import Preset
from sftrecipe.recipe.recipe import Block, CheckedRecipe
from sftrecipe.run.recipe_lock.lock_contents import FactPath

_MANY = 200
"""Files of one folder that are listed one by one; of more, one hash of all stands there."""
_Fact = tuple[FactPath, Any]


def file_facts(plan: Plan) -> Iterator[_Fact]:
    """What the steps read beside streams, by content."""
    for step in plan.steps:
        block = step.block
        prompts = {
            value for _, marker, value in marked(block.plugin) if isinstance(marker, PromptMarker)
        }
        found: dict[FactPath, str] = {}
        for written, (content, path) in plan.files.planned(block).items():
            section = "prompts" if written in prompts else "files"
            own = is_own(written)
            name = _own_name(block, path) if own else _file_name(plan.recipe, path, written)
            found[section, name] = f"blake2b:{content}"
        yield from _few(found).items()


def layer_facts(plan: Plan) -> Iterator[_Fact]:
    """The files and presets that the recipe is laid over, with their source and content."""
    recipe = plan.recipe
    for preset in recipe.presets:
        if preset.source:
            yield ("extends", preset.name, "source"), preset.source
        yield ("extends", preset.name, "content"), f"sha256:{preset.content}"
    of_presets = {preset.file.resolve() for preset in recipe.presets}
    for layer in recipe.layers:
        if layer not in of_presets:
            name = Path(os.path.relpath(layer, recipe.path.resolve().parent)).as_posix()
            yield ("extends", name, "content"), f"blake2b:{plan.store.hashes.of(layer)}"


def _few(found: Mapping[FactPath, str]) -> dict[FactPath, str]:
    """The same, folders with very many files as one fact."""
    folders: dict[FactPath, dict[str, str]] = {}
    for (section, name), content in found.items():
        folders.setdefault((section, name.rpartition("/")[0] or "."), {})[name] = content
    few: dict[FactPath, str] = {}
    for (section, folder), files in folders.items():
        if len(files) > _MANY:
            few[section, f"{folder}/"] = f"{len(files)} files, blake2b:{hashed(files)}"
        else:
            few |= {(section, name): content for name, content in files.items()}
    return few


def _own_name(block: Block, path: Path) -> str:
    """A prompt that comes with a plugin: its package, and its place in it."""
    *_, inner = path.as_posix().rpartition(f"/{block.package}/")
    return f"{block.package}/{inner}"


def _file_name(recipe: CheckedRecipe, path: Path, written: str) -> str:
    for preset in recipe.presets:
        if preset.kind != "folder" and (inner := _inside(path, preset)):
            return f"{preset.name}/{inner}"
    folder = Path(os.path.abspath(recipe.path)).parent  # noqa: PTH100 - keeps links
    for each in (folder, folder.resolve()):
        if path.is_relative_to(each):
            return path.relative_to(each).as_posix()
    return written


def _inside(path: Path, preset: Preset) -> str | None:
    for file, folder in ((path, preset.folder), (path.resolve(), preset.folder.resolve())):
        if file.is_relative_to(folder):
            return file.relative_to(folder).as_posix()
    return None
