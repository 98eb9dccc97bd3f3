"""`sftrecipe init`: start a project."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from shlex import quote

import click

from sftrecipe.errors import RecipeError, UsageError, unknown
from sftrecipe.messages import message, user_language
from sftrecipe.plan.steps import plan_recipe
from sftrecipe.plugin.environments import install_command
from sftrecipe.plugin.vendors.vendor_facts import Vendor, known_vendors, vendor_named
from sftrecipe.recipe.language.json_schema import RECIPE_FILE, installed_recipe_schema, schema_text
from sftrecipe.recipe.load import check_recipe
from sftrecipe.recipe.presets.preset_facts import preset_facts, preset_named
from sftrecipe.recipe.presets.preset_project import project_files
from sftrecipe.run.requirements import lacking
from sftrecipe.store.project import project_of

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_\u4e00-\u9fff-]")
_SHARED = {"dataset_info.json": "{}\n", ".gitignore": ".sftrecipe/\nruns/\n"}
"""Files that other tools keep too: where they stand already, they stay as they are."""

_DEFAULT = "qwen"
"""The vendor of a profile where nobody names one."""
_TOLD = {
    "recipe.yaml": "init-recipe",
    "faq.jsonl": "init-faq",
    "tasks.jsonl": "init-tasks",
    "texts.jsonl": "init-texts",
}


@click.command()
@click.argument("folder", required=False, type=click.Path(file_okay=False, path_type=Path))
@click.option("--from", "preset", metavar="NAME", help="A preset to start from: sftrecipe presets.")
@click.option(
    "--language",
    type=click.Choice(["en", "zh"]),
    help="Of data and comments; by default that of the folder's name, else yours.",
)
@click.option(
    "--provider",
    metavar="VENDOR",
    help="Whom a profile of the recipe asks: deepseek, glm, kimi, openai …; qwen by default.",
)
@click.pass_context
def init(
    context: click.Context,
    folder: Path | None,
    preset: str | None,
    language: str | None,
    provider: str | None,
) -> None:
    """Start a project: a recipe that runs, its small data, a catalogue.

    With --from NAME the recipe and the files of a preset, to be changed as you like; in a folder of
    its name, where none is given. Nothing that stands in the folder is touched.
    """
    if preset is not None:
        given = {"--language": language, "--provider": provider}
        for option in [name for name, value in given.items() if value is not None]:
            raise UsageError("init-from-alone", option=option)
        _init_from(preset, folder)
        return
    if folder is None:
        raise click.MissingParameter(ctx=context, param=context.command.params[0])
    vendor = _vendor(provider or _DEFAULT)
    files = _project_files(folder, language or _language(folder.resolve().name), vendor)
    _write(folder, files)
    _print_next(folder, files, vendor if provider else None)


def _init_from(name: str, folder: Path | None) -> None:
    """Write the project of a preset, and print what to do next."""
    found = preset_named(name, Path.cwd())
    target = folder or Path(found.name)
    files = project_files(found, RECIPE_FILE)
    _write(target, {**_SHARED, **files, RECIPE_FILE: schema_text(installed_recipe_schema())})
    click.echo(message("preset-ready", {"name": found.name, "folder": target}))
    for file in sorted(files, key=lambda name: (name != "recipe.yaml", name)):
        click.echo(f"  {' '.join(file.split())}")
    command = _print_commands(target / "recipe.yaml")
    for profile in preset_facts(found).profiles[:1]:
        click.echo(message("preset-profile", {"command": f"{command} --profile {profile}"}))


def _language(name: str) -> str:
    """The language that a folder's name is written in, else the user's."""
    return "zh" if _HAN.search(name) and not _KANA.search(name) else user_language()


def _vendor(name: str) -> Vendor:
    """The vendor of a name. Raises UsageError."""
    found = vendor_named(name)
    if found is not None and found.example:
        return found
    known = [each.id for each in known_vendors().values() if each.example]
    raise UsageError.of(unknown("no-such-vendor", None, name, known, name=name))


def _project_files(folder: Path, language: str, vendor: Vendor) -> Mapping[str, str]:
    """What a new project holds, by file name."""
    schema = {RECIPE_FILE: schema_text(installed_recipe_schema())}
    return {**_first_project(folder, language, vendor), **schema, **_SHARED}


def _first_project(folder: Path, language: str, vendor: Vendor | None = None) -> dict[str, str]:
    """The recipe and its data, by file name."""
    written = resources.files("sftrecipe.cli") / "first_project" / language
    texts = {each.name: each.read_text(encoding="utf-8") for each in written.iterdir()}
    named = _named_models(texts["recipe.yaml"], vendor or _vendor(_DEFAULT), language)
    filled = {"name": f'"{_recipe_name(folder)}"', **named}
    for place, value in filled.items():
        texts["recipe.yaml"] = texts["recipe.yaml"].replace(f"@{place}@", value)
    return dict(sorted(texts.items(), key=lambda item: (item[0] != "recipe.yaml", item[0])))


def _named_models(recipe: str, vendor: Vendor, language: str) -> dict[str, str]:
    """The current models of the vendors that a recipe names; a vendor that has a profile already
    leaves the other one as it is."""
    other = _vendor(_DEFAULT) if f"\n  {vendor.id}:\n" in recipe else vendor
    names = {each: _vendor(each).example for each in ("openai", "ernie")}
    return {**names, "vendor": other.id, "block": _provider_block(other, language)}


def _provider_block(vendor: Vendor, language: str) -> str:
    """A provider's block that asks a vendor."""
    model = f"{vendor.litellm}/{vendor.example}" if vendor.use == "litellm" else vendor.example
    parts = [f"use: {vendor.use}", f"model: {model}"]
    if vendor.use in ("openai", "vllm"):
        parts.insert(1, f"vendor: {vendor.id}")
    parts += [f'base_url: "{vendor.address}"'] if vendor.local else []
    comment = "# 先 export" if language == "zh" else "# export"
    key = f"   {comment} {vendor.keys[0]}=…" if vendor.keys else ""
    return f"{{{', '.join(parts)}}}{key}"


def _recipe_name(folder: Path) -> str:
    """The folder's name as a recipe may be called."""
    return _NOT_IN_NAMES.sub("_", folder.resolve().name)[:64].lstrip("-") or "recipe"


def _write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write the files that are not shared and there already. Raises UsageError."""
    standing = {file for file in files if (folder / file).exists() or (folder / file).is_symlink()}
    if taken := sorted(standing - _SHARED.keys()):
        raise UsageError("init-taken", "init-folder", folder=str(folder), file=taken[0])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in files.keys() - standing:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            with (folder / file).open("xb") as target:
                held = files[file]
                target.write(held.encode() if isinstance(held, str) else held)
    except OSError as error:
        values = {"folder": str(folder), "error": error.strerror or str(error)}
        raise UsageError("folder-read-only", **values) from error


def _print_next(folder: Path, files: Mapping[str, str], vendor: Vendor | None) -> None:
    """Print what was written and what to do next."""
    click.echo(message("init-ready", {"folder": folder}))
    for file in [file for file in files if file in _TOLD]:
        click.echo(f"  {file:<14} {message(_TOLD[file], {})}")
    command = _print_commands(folder / "recipe.yaml")
    if vendor:
        key = f"export {vendor.keys[0]}=… && " if vendor.keys else ""
        asked = {"vendor": vendor.id, "command": f"{key}{command} --profile {vendor.id}"}
        click.echo(message("init-provider", asked))


def _print_commands(recipe: Path) -> str:
    """Print what this machine lacks for the recipe, and the command that runs it; that command."""
    for lacked in _commands_before(recipe):
        click.echo(message("init-first", {"command": lacked}))
    command = f"sftrecipe run {quote(str(recipe))}"
    click.echo(message("next-command", {"command": command}))
    return command


def _commands_before(recipe: Path) -> list[str]:
    """What to do on this machine before the new recipe can make its data."""
    project = project_of(recipe)
    try:
        found = check_recipe(recipe)
    except RecipeError as error:  # what else is wrong, a run tells
        advice = (problem.advice() or "" for problem in error.problems)
        return list(dict.fromkeys(each for each in advice if each.startswith(install_command())))
    plan = plan_recipe(found, project, "data")
    lacks = lacking(plan, project.run_folder(found.name))
    return list(dict.fromkeys(each.missing.advice or each.missing.found for each in lacks))
