"""What a shell offers for a value: recipes, profiles, plugins, presets, runs.

Only what lies in a few small files is looked at; nothing is checked, imported or asked.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from sftrecipe.store.project import Project

Values = Callable[[click.Context, str], Iterable["str | CompletionItem"]]
_KINDS = ("provider", "source", "generator", "filter", "mixer", "exporter", "trainer", "judge")
_LARGEST = 1 << 20
"""Bytes of a recipe that is read."""
_DEEPEST = 5


def offered(
    path: tuple[str, ...], name: str
) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]] | None:
    """What completes a parameter of a command; None: what its type says."""
    values = _VALUES.get((*path, name)) or _VALUES.get((path[0], name)) or _VALUES.get((name,))
    if values is None:
        return None

    def complete(context: click.Context, _: click.Parameter, typed: str) -> list[CompletionItem]:
        found = values(context, typed)
        items = [
            each if isinstance(each, CompletionItem) else CompletionItem(each) for each in found
        ]
        return [each for each in items if each.type != "plain" or each.value.startswith(typed)]

    return complete


def _recipes(context: click.Context, typed: str) -> Iterable[str | CompletionItem]:
    yield CompletionItem(typed, type="dir")
    folder, _, start = typed.rpartition("/")
    place = Path(folder + "/" if folder or typed[:1] == "/" else ".").expanduser()
    for entry in sorted(os.scandir(place), key=lambda found: found.name):
        hidden = entry.name.startswith(".") and not start
        if entry.name.endswith((".yaml", ".yml")) and entry.is_file() and not hidden:
            yield f"{folder}/{entry.name}" if "/" in typed else entry.name


def _profiles(context: click.Context, _: str) -> Iterable[str]:
    return _keys_of("profiles", context)


def _variables(context: click.Context, _: str) -> Iterable[str]:
    return [f"{name}=" for name in _keys_of("vars", context)]


def _train_blocks(context: click.Context, _: str) -> Iterable[str]:
    named = [Path(str(each)) for each in (context.params.get("run"), *context.args) if each]
    text = next((_text_of(each) for each in named if each.is_file()), "")
    return re.findall(r"(?m)^\s+-?\s*\{?\s*id:\s*([\w-]+).*\buse:\s*llamafactory", text)


def _keys_of(section: str, context: click.Context) -> list[str]:
    """The keys of a section of the recipe that was typed, and of what it extends."""
    named = context.params.get("recipe") or context.params.get("recipes")
    paths = named if isinstance(named, list | tuple) else [named]
    # Behind an option that still lacks its value, words are not parsed.
    files = [Path(str(path)) for path in (*paths, *context.args) if path]
    keys = (key for file in files if file.is_file() for key in _keys(section, file))
    return list(dict.fromkeys(keys))


def _keys(section: str, path: Path, depth: int = 0) -> Iterable[str]:
    recipe = _recipe(path)
    found = recipe.get(section)
    yield from map(str, found) if isinstance(found, Mapping) else ()
    base = recipe.get("extends")
    below = _extended(path, base) if isinstance(base, str) and depth < _DEEPEST else None
    if below is not None:
        yield from _keys(section, below, depth + 1)


def _extended(path: Path, base: str) -> Path | None:
    """The file that a recipe extends: a preset's, or the one at a path."""
    from sftrecipe.recipe.presets.preset import NAME  # noqa: PLC0415
    from sftrecipe.recipe.presets.preset_lookup import installed_preset, project_preset  # noqa: PLC0415

    folder = path.expanduser().parent
    named = NAME.fullmatch(base)
    preset = named and (project_preset(base, folder.resolve()) or installed_preset(base))
    file = preset.file if preset else folder / base
    return file if file.is_file() else None


def _recipe(path: Path) -> Mapping[str, Any]:
    """A recipe as it is written; of one that is being typed the keys of two sections."""
    import yaml  # noqa: PLC0415

    text = _text_of(path)
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        found = yaml.load(text, loader)  # noqa: S506 - it is a safe one
    except (yaml.YAMLError, ValueError, RecursionError):
        return {name: _indented_keys(text, name) for name in ("profiles", "vars")}
    return found if isinstance(found, Mapping) else {}


def _indented_keys(text: str, section: str) -> dict[str, None]:
    under = re.search(rf"(?m)^{section}:[^\n]*\n((?:[ \t]+[^\n]*\n|\s*\n)*)", text)
    found = re.findall(r"(?m)^( +)([\w-]+):", under[1] if under else "")
    return {name: None for margin, name in found if margin == found[0][0]}


def _text_of(path: Path) -> str:
    with path.expanduser().open("rb") as file:
        return file.read(_LARGEST).decode("utf-8-sig", "replace")


def _plugins(context: click.Context, _: str) -> Iterable[str]:
    asked = context.params.get("kind")
    return sorted({name for kind, name in _declared() if asked in (None, kind)})


def _schemas(_: click.Context, typed: str) -> Iterable[str]:
    return sorted(f"{kind}.{name}" for kind, name in _declared())


def _trainers(_: click.Context, typed: str) -> Iterable[str]:
    return sorted(name for kind, name in _declared() if kind == "trainer")


def _declared() -> Iterable[tuple[str, str]]:
    """Kind and name of every plugin."""
    from sftrecipe.installed_packages import declared  # noqa: PLC0415

    for kind in _KINDS:
        yield from ((kind, entry.name) for entry in declared(f"{kind}s"))


def _presets(_: click.Context, typed: str) -> Iterable[str]:
    from sftrecipe.recipe.presets.preset_lookup import known_names  # noqa: PLC0415

    return known_names(Path.cwd())


def _vendors(_: click.Context, typed: str) -> Iterable[str]:
    text = _text_of(Path(__file__).parents[2] / "plugin" / "vendors" / "vendors.yaml")
    return re.findall(r"(?m)^  ([a-z][\w-]*):$", text)


def _run_names(_: click.Context, typed: str) -> Iterable[str]:
    runs = _project().folder / "runs"
    return sorted(file.parent.name for file in runs.glob("*/run.json"))


def _runs(context: click.Context, typed: str) -> Iterable[str | CompletionItem]:
    """Names of runs; recipes where none fits, or a folder is typed."""
    yield from () if "/" in typed else _run_names(context, typed)
    yield from _recipes(context, typed)


def _run_folders(context: click.Context, typed: str) -> Iterable[str | CompletionItem]:
    yield CompletionItem(typed, type="dir")
    yield from (f"runs/{name}" for name in _run_names(context, typed))


def _past_runs(context: click.Context, typed: str) -> Iterable[str | CompletionItem]:
    """Ids of the history, the newest first, and recipes."""
    history = _project().history
    notes = sorted(history.glob("*.json"), key=lambda file: file.stat().st_mtime, reverse=True)
    yield from (file.stem for file in notes[:50])
    yield from _recipes(context, typed)


def _project() -> Project:
    """The project, as the engine finds it."""
    from sftrecipe.store.project import project_around  # noqa: PLC0415

    return project_around()


def _kinds(_: click.Context, typed: str) -> Iterable[str]:
    return _KINDS


_VALUES: Mapping[tuple[str, ...], Values] = {
    ("recipe",): _recipes,
    ("recipes",): _recipes,
    ("profile",): _profiles,
    ("variables",): _variables,
    ("kind",): _kinds,
    ("plugins", "show", "name"): _plugins,
    ("schema", "name"): _schemas,
    ("env", "use"): _trainers,
    ("init", "provider"): _vendors,
    ("init", "preset"): _presets,
    ("presets", "show", "name"): _presets,
    ("report", "run"): _runs,
    ("model", "run"): _runs,
    ("model", "train"): _train_blocks,
    ("explain", "out"): _run_folders,
    ("history", "recipe"): _runs,
    ("diff", "sides"): _past_runs,
}
"""By the parameter's name, where need be after its command's."""
