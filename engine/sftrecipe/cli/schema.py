"""`sftrecipe schema`: the recipe language as JSON Schema, for editors."""

from __future__ import annotations

from pathlib import Path

import click

from sftrecipe.errors import UsageError, unknown
from sftrecipe.recipe.language.json_schema import RECIPE_FILE, schema_text, schemas


@click.command()
@click.option(
    "--write",
    type=click.Path(path_type=Path, file_okay=False),
    is_flag=False,
    flag_value="schemas",
    metavar="[DIR]",
    help="Write the schemas of sftrecipe and its own plugins, one file each (into schemas/).",
)
@click.argument("name", required=False)
def schema(name: str | None, write: Path | None) -> int:
    """Print the JSON Schema of a recipe, or of one plugin (NAME, as `filter.length`).

    It knows every installed plugin: let your editor read it.
    """
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


def write_schemas(folder: Path) -> list[str]:
    """Write the built-in schemas into a folder, remove those that are gone; what was done."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {name: schema_text(each) for name, each in schemas(built_in=True).items()}
    done = []
    for old in sorted(folder.glob("*.schema.json")):
        if old.name not in wanted:
            old.unlink()
            done.append(f"removed {old}")
    for name, text in wanted.items():
        file = folder / name
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
            done.append(f"written {file}")
    return done
