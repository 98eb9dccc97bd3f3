"""`sftrecipe plugins`: list the plugins, show one, start a new one."""

from __future__ import annotations

from pathlib import Path

import click

from sftrecipe.installed_packages import declarations
from sftrecipe.messages import message, user_language
from sftrecipe.plugin.new_package import new_package
from sftrecipe.report.pages.plugin_page import plugin_page
from sftrecipe.report.text.plugin_descriptions import described_page
from sftrecipe.report.text.plugin_text import (
    listing_json,
    listing_text,
    new_package_json,
    new_package_text,
    pages_json,
    pages_text,
    plugin_lines,
    plugins_named,
)


@click.group(invoke_without_command=True)
@click.option("--kind", metavar="KIND", help="Only this kind: provider, source, generator …")
@click.option("--json", "as_json", is_flag=True, help="Print facts as JSON.")
@click.pass_context
def plugins(context: click.Context, kind: str | None, as_json: bool) -> None:
    """List the plugins that are installed; show one, or start a new one."""
    if context.invoked_subcommand:
        return
    lines = plugin_lines(kind, "en" if as_json else user_language())
    click.echo(listing_json(lines) if as_json else listing_text(lines))
    broken = [line.error for line in lines if line.error]
    for error in broken:
        click.echo(f"error: {error}", err=True)
    for package in declarations().unreadable:
        click.echo(f"warning: {message('package-unreadable', {'package': package})}", err=True)
    if broken:
        context.exit(2)


@plugins.command()
@click.argument("name")
@click.option("--kind", metavar="KIND", help="Where several kinds have the name.")
@click.option("--json", "as_json", is_flag=True, help="Print facts as JSON.")
def show(name: str, kind: str | None, as_json: bool) -> None:
    """Print a plugin's options, needs, source paper and an example."""
    page_of = plugin_page if as_json else described_page
    pages = [page_of(found) for found in plugins_named(name, kind)]
    click.echo(pages_json(pages) if as_json else pages_text(pages))


@plugins.command()
@click.argument("kind")
@click.argument("name")
@click.option(
    "--to",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write; sftrecipe-NAME where it is left out.",
)
@click.option("--json", "as_json", is_flag=True, help="Print facts as JSON.")
def new(kind: str, name: str, to: Path | None, as_json: bool) -> None:
    """Write a package with a working plugin and its test."""
    written = new_package(kind, name, to)
    click.echo(new_package_json(written) if as_json else new_package_text(written))
