"""`sftrecipe schema`: the recipe language as JSON Schema, for editors."""

from __future__ import annotations

from pathlib import Path

import click

from sftrecipe.errors import RecipeError, UsageError, unknown
from sftrecipe.messages import message
from sftrecipe.recipe.language.json_schema import (
    RECIPE_FILE,
    installed_recipe_schema,
    schema_text,
    schemas,
)
from sftrecipe.recipe.language.project_names import names_of
from sftrecipe.recipe.reader.yaml_reader import read_recipe_file


@click.command()
@click.option(
    "--write",
    type=click.Path(path_type=Path, file_okay=False),
    is_flag=False,
    flag_value="schemas",
    metavar="[DIR]",
    help="Write the schemas of sftrecipe and its own plugins, one file each (into schemas/).",
)
@click.option(
    "--project",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    is_flag=False,
    flag_value=".",
    metavar="[DIR]",
    help="Write the schema beside the recipes of a folder (here), with the names that they give.",
)
@click.argument("name", required=False)
def schema(name: str | None, write: Path | None, project: Path | None) -> int:
    """Print the JSON Schema of a recipe, or of one plugin (NAME, as `filter.length`).

    It knows every installed plugin: let your editor read it.
    """
    if project is not None:
        click.echo(message("schema-written", {"path": write_project_schema(Path(project))}))
        return 0
    if write:
        for line in write_schemas(Path(write)):
            click.echo(line)
        return 0
    found = schemas()
    file = f"{name}.schema.json" if name else RECIPE_FILE
    if file not in found:
        known = [each.removesuffix(".schema.json") for each in found]
        raise UsageError.of(unknown("no-such-schema", None, str(name), known, name=name))
    click.echo(schema_text(found[file]), nl=False)
    return 0


def write_project_schema(folder: Path) -> Path:
    """Write beside the recipes of a folder the schema that knows the names which they give."""
    documents = []
    for file in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
        try:
            documents.append(read_recipe_file(file).plain())
        except RecipeError:
            continue  # it is being written: what the others say is known
    recipes = [each for each in documents if "version" in each]
    target = folder / RECIPE_FILE
    names = names_of(recipes, _presets(folder))
    target.write_text(schema_text(installed_recipe_schema(names)), encoding="utf-8")
    return target


def _presets(folder: Path) -> list[str]:
    """What `extends` takes by name, and the addresses of presets that were fetched."""
    from sftrecipe.recipe.presets.git_address import is_remote  # noqa: PLC0415 - for this alone
    from sftrecipe.recipe.presets.preset_facts import all_presets  # noqa: PLC0415

    known, _ = all_presets(folder)
    return [each.source if is_remote(each.source) else each.name for each in known]


def write_schemas(folder: Path) -> list[str]:
    """Write the built-in schemas into a folder, remove those that are gone; what was done."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {name: schema_text(each) for name, each in schemas(built_in=True).items()}
    done = []
    for old in sorted(folder.glob("*.schema.json")):
        if old.name not in wanted:
            old.unlink()
            done.append(message("schema-removed", {"path": old}))
    for name, text in wanted.items():
        file = folder / name
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
            done.append(message("schema-written", {"path": file}))
    return done
