"""A preset as the files of a new project, which from then on are its owner's."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from sftrecipe.errors import RecipeError, UsageError
from sftrecipe.recipe.presets.preset import (
    MOST_BYTES,
    MOST_FILES,
    NAME,
    PRESETS,
    RECIPE,
    Preset,
    preset_file,
)
from sftrecipe.recipe.reader.yaml_reader import read_recipe_file

_SCHEMA_LINE = re.compile(r"\A# yaml-language-server:[^\n]*\n")
_DEEPEST = 16


def project_files(preset: Preset, schema: str) -> dict[str, bytes]:
    """The files of a project from a preset, by their paths; `schema`: the file of the schema.

    The recipe comes with its comments, its first line naming the schema that lies beside it, and
    with the parts that it extends by name where they do not come with sftrecipe itself. Hidden
    files are left out: what they set lies outside of a recipe. Raises UsageError for a part of a
    recipe, and where there is too much.
    """
    if preset.file.name != RECIPE:
        raise UsageError("preset-is-part", "preset-extend", name=preset.name)
    files = _files_of(preset)
    files[RECIPE] = _with_schema(preset.file.read_bytes(), schema)
    for _ in range(_DEEPEST):
        below = _part_below(preset)
        if below is None:
            break
        before = f"{PRESETS}/{below.name}"
        whole = below.file.name == RECIPE
        named = f"{before}/{RECIPE}" if whole else f"{before}.yaml"
        if named in files:
            break
        files |= {f"{before}/{name}": held for name, held in _files_of(below).items()}
        files[named] = below.file.read_bytes()
        preset = below
    return files


def _files_of(preset: Preset) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    size = 0
    for name, path in preset.files():
        if any(part.startswith(".") for part in PurePosixPath(name).parts):
            continue
        size += path.stat().st_size
        if len(files) >= MOST_FILES or size > MOST_BYTES:
            limit = f"{MOST_BYTES // 1_000_000} MB"
            raise UsageError("preset-too-large", name=preset.name, files=MOST_FILES, limit=limit)
        files[name] = path.read_bytes()
    return files


def _part_below(preset: Preset) -> Preset | None:
    """The preset beside this one that it extends by name; None where it comes with sftrecipe."""
    try:
        name = read_recipe_file(preset.file).text("extends")
    except RecipeError:
        return None
    if name is None or not NAME.fullmatch(name) or preset.kind in ("wheel", "git"):
        return None
    file: Path | None = preset_file(preset.shelf, name)
    return None if file is None else Preset(name, file, preset.kind, preset.source)


def _with_schema(recipe: bytes, schema: str) -> bytes:
    text = recipe.decode("utf-8-sig")
    line = f"# yaml-language-server: $schema={schema}\n"
    return (line + _SCHEMA_LINE.sub("", text)).encode()
