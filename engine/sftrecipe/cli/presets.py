"""`sftrecipe presets`: find presets, show one, fetch one from git, start a new one."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

import click

from sftrecipe.errors import UsageError
from sftrecipe.messages import message
from sftrecipe.recipe.presets.git_address import BadAddress, git_address
from sftrecipe.recipe.presets.preset_facts import all_presets, preset_facts, preset_named
from sftrecipe.report.text.preset_text import (
    added_json,
    added_text,
    new_preset_json,
    new_preset_text,
    preset_json,
    preset_text,
    presets_json,
    presets_text,
)


class _Presets(click.Group):
    """A word that is no command is one to search for."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] in self.commands or args[0].startswith("-"):
            return super().resolve_command(ctx, args)
        return "search", search_words, args


@click.group(cls=_Presets, invoke_without_command=True)
@click.option("--search", metavar="WORDS", help="Only presets that have these words.")
@click.option("--json", "as_json", is_flag=True, help="Print facts as JSON.")
@click.pass_context
def presets(context: click.Context, search: str | None, as_json: bool) -> None:
    """Find presets, recipes to extend or to start from; show one, fetch one from git."""
    if context.invoked_subcommand is None:
        context.exit(_listing((search or "").split(), as_json))


@click.command("search")
@click.argument("words", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print facts as JSON.")
@click.pass_context
def search_words(context: click.Context, words: tuple[str, ...], as_json: bool) -> None:
    """List presets that have these words."""
    outer = context.parent.params if context.parent else {}
    context.exit(_listing([*words], as_json or bool(outer.get("as_json"))))


@presets.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print facts as JSON.")
def show(name: str, as_json: bool) -> None:
    """Print a preset: purpose, needs, cost, papers, variables, profiles, files, its recipe."""
    facts = preset_facts(preset_named(name, Path.cwd()))
    command = f"sftrecipe init --from {quote(name)} {quote(facts.preset.name)}"
    click.echo(preset_json(facts) if as_json else preset_text(facts, command))


@presets.command()
@click.argument("url")
@click.option("--as", "name", metavar="NAME", help="Also as preset NAME of this project.")
@click.option("--json", "as_json", is_flag=True, help="Print facts as JSON.")
def add(url: str, name: str | None, as_json: bool) -> None:
    """Fetch a preset from git, and print the `extends` that is pinned to its commit.

    A branch or tag is taken at the commit that it stands for now. With --as NAME a file
    presets/NAME.yaml is written that extends it, so that recipes of the project can name it.
    """
    from sftrecipe.recipe.presets.git_fetch import fetch_preset  # noqa: PLC0415 - for this alone

    try:
        address = git_address(url)
    except BadAddress as error:
        raise UsageError(error.slug, "git-form", path=error.shown) from error
    file = _checked_file(name) if name else None
    pinned, preset = fetch_preset(address)
    if file is not None:
        file.parent.mkdir(exist_ok=True)
        with file.open("x", encoding="utf-8", newline="\n") as target:
            target.write(f"version: 1\nextends: {pinned}\n")
    if as_json:
        click.echo(added_json(pinned, preset, file))
        return
    click.echo(added_text(pinned))
    if file is not None:
        click.echo(message("presets-part", {"name": name}))


@presets.command()
@click.argument("name")
@click.option(
    "--to",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write; sftrecipe-NAME where it is left out.",
)
@click.option("--json", "as_json", is_flag=True, help="Print facts as JSON.")
def new(name: str, to: Path | None, as_json: bool) -> None:
    """Write a package that brings a preset, with a test that validates it."""
    from sftrecipe.recipe.presets.new_preset import new_preset  # noqa: PLC0415 - for this alone

    written = new_preset(name, to)
    click.echo(new_preset_json(written) if as_json else new_preset_text(written))


def _listing(words: list[str], as_json: bool) -> int:
    """Print the presets that have the words; the exit status."""
    known, broken = all_presets(Path.cwd())
    found = [facts for facts in map(preset_facts, known) if facts.matches(words)]
    found.sort(key=lambda facts: not facts.is_for(words))  # those made for it first
    if words and not found and not as_json:
        raise UsageError("presets-none", "presets-list", words=" ".join(words))
    click.echo(presets_json(found) if as_json else presets_text(found))
    for error in broken:
        click.echo(f"error: {error.problem.message()}", err=True)
    return 2 if broken else 0


def _checked_file(name: str) -> Path:
    """Where a preset of the project would be written. Raises UsageError."""
    from sftrecipe.recipe.presets.preset import NAME, PRESETS, preset_file  # noqa: PLC0415

    if not NAME.fullmatch(name):
        raise UsageError("preset-name", name=name)
    shelf = Path(PRESETS)
    if (taken := preset_file(shelf, name)) is not None:
        raise UsageError("preset-name-taken", "other-name", name=name, source=str(taken))
    return shelf / f"{name}.yaml"
