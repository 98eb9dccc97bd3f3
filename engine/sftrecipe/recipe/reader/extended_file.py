"""The file that `extends` names: a preset by its name or its address in git, or a path."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from shlex import quote

from sftrecipe.errors import PluginError, Problem, closest
from sftrecipe.recipe.presets.git_address import BadAddress, GitAddress, git_address, is_remote
from sftrecipe.recipe.presets.git_cache import ChangedCache, kept_preset, kept_presets
from sftrecipe.recipe.presets.preset import NAME, RECIPE, Preset, preset_at, preset_file, presets_in
from sftrecipe.recipe.presets.preset_lookup import installed_preset, known_names, project_preset
from sftrecipe.recipe.reader.node import Node
from sftrecipe.recipe.reader.paths import Roots


def extended_file(
    value: str, node: Node, path: Path, roots: Roots, problems: list[Problem]
) -> Path | None:
    """The file that a value names in the recipe or preset at `path`; None, and a problem, where it
    is not there or may not be read.

    What is a preset, by its name, its address or the folder that it lies in, is confined to its own
    files in `roots`. Asks no network.
    """
    if is_remote(value):
        return _confined(_of_git(value, node, problems), node, roots, problems)
    if NAME.fullmatch(value):
        try:
            preset = _named(value, path, roots.preset_of(node.written_at))
        except PluginError as error:
            values, hint = error.problem.values, error.problem.hint
            problems.append(Problem(error.problem.slug, node.place, values, hint))
            return None
        if preset is not None or not (path.parent / value).exists():
            if preset is None:
                problems.append(_unknown(value, node, path, roots.preset_of(node.written_at)))
            return _confined(preset, node, roots, problems)
    before = len(problems)
    file = roots.checked(value, node.written_at, node.place, problems, "extends-missing")
    problems[before:] = [_with_near(each, value, path) for each in problems[before:]]
    if file is not None and (within := roots.preset_of(node.written_at)) is not None:
        roots.confine(file, within)
    elif file is not None and (preset := preset_at(file)) is not None:
        return _confined(preset, node, roots, problems)
    return file


def _confined(
    preset: Preset | None, node: Node, roots: Roots, problems: list[Problem]
) -> Path | None:
    """The file of a preset that is confined to its own files; None, and a problem, where what is
    called its own is a link that the user did not allow."""
    if preset is None:
        return None
    if (link := roots.forbidden_link(preset)) is not None:
        values = {"path": str(link), "preset": preset.name, "folder": str(link.resolve())}
        problems.append(Problem("preset-linked", node.place, values, "allow-path"))
        return None
    roots.confine(preset.file, preset)
    return preset.file


def _named(name: str, path: Path, within: Preset | None) -> Preset | None:
    """The preset of a name: beside the preset that names it, in the project, or installed.

    What is installed or fetched names nothing of the project: it means the same everywhere. Raises
    PluginError.
    """
    beside = within or preset_at(path)
    if beside is not None and beside.kind != "git":
        file = preset_file(beside.shelf, name)
        if file is not None:
            return Preset(name, file, beside.kind, beside.source)
    if within is None or within.kind == "folder":
        found = project_preset(name, path.resolve().parent)
        if found is not None:
            return replace(found, file=_seen_from(path, found.file))
    return installed_preset(name)


def _seen_from(recipe: Path, file: Path) -> Path:
    """A file's path as the recipe's own is written, where it lies below that."""
    folder = recipe.resolve().parent
    return recipe.parent / file.relative_to(folder) if file.is_relative_to(folder) else file


def _unknown(name: str, node: Node, path: Path, within: Preset | None) -> Problem:
    beside = within or preset_at(path)
    shelf = presets_in(beside.shelf, beside.kind) if beside is not None else []
    near = closest(name, [*(each.name for each in shelf), *known_names(path.resolve().parent)])
    values: dict[str, object] = {"name": name, "suggestion": near}
    hint = "did-you-mean" if near else "presets-list"
    return Problem("unknown-preset", node.place, values, hint)


def _with_near(problem: Problem, value: str, path: Path) -> Problem:
    """A path that is no file, with what was meant: a preset's name, or the recipe in a folder."""
    if problem.slug == "not-a-file" and (path.parent / value / RECIPE).is_file():
        meant = f"{value.rstrip('/')}/{RECIPE}"
    elif problem.slug == "extends-missing" and "/" not in value:
        meant = value.removesuffix(".yml").removesuffix(".yaml")
        meant = meant if meant in known_names(path.resolve().parent) else ""
    else:
        meant = ""
    if not meant:
        return problem
    return replace(problem, values={**problem.values, "suggestion": meant}, hint="did-you-mean")


def _of_git(value: str, node: Node, problems: list[Problem]) -> Preset | None:
    """The kept preset of an address; None, and a problem, where there is none."""
    try:
        address = git_address(value)
    except BadAddress as error:
        problems.append(Problem(error.slug, node.place, {"path": error.shown}, "git-form"))
        return None
    command = {"command": f"sftrecipe presets add {quote(str(address))}"}
    if not address.is_pinned:
        problems.append(_unpinned(address, node, command))
        return None
    values: dict[str, object] = {"path": str(address), **command}
    try:
        preset = kept_preset(address)
    except ChangedCache:
        problems.append(Problem("preset-changed", node.place, values, "preset-refetch"))
        return None
    if preset is None:
        problems.append(Problem("preset-not-fetched", node.place, values, "preset-fetch"))
    return preset


def _unpinned(address: GitAddress, node: Node, command: dict[str, str]) -> Problem:
    """The problem of a branch, a tag or a part of a commit, with the commit where that is known."""
    revision = address.revision or "HEAD"
    values: dict[str, object] = {"revision": revision, **command}
    for kept in kept_presets():
        at = kept.address.at(address.revision)
        begins = len(revision) >= 7 and kept.address.revision.startswith(revision)
        if kept.asked == address or (at == address and begins):
            values["pinned"] = str(kept.address)
            return Problem("preset-unpinned", node.place, values, "preset-pin")
    return Problem("preset-unpinned", node.place, values, "preset-resolve")
