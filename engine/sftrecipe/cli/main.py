"""The command `sftrecipe`."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from importlib import import_module

import click

from sftrecipe.cli.terminal import guard_streams

INTERRUPTED = 130
_FEW_MEMORY = b"error[few-memory]: this process may have no more memory\n"
COMMANDS = {
    "run": "Make the data of a recipe; where it has `evaluate` blocks, also train and judge.",
    "validate": "Check recipes: all their mistakes at once, without a call or a network.",
    "plan": "Print the steps of a recipe: cached or stale and why, calls, tokens, cost.",
    "preview": "Make a few rows with every generate and filter block, and print them.",
    "train": "Make the data of a recipe and train on it; what is done already is not done again.",
    "evaluate": "Judge a recipe's models; what they need, data and training, is made where it is "
    "missing.",
    "sweep": "Train and judge every variant that the recipe's `sweep` tells, and compare them.",
    "model": "Hand on a trained model: as GGUF, in other numbers, with a card, on a hub.",
    "report": "Write a run's report: one HTML page that needs no network and nothing beside it.",
    "explain": "Walk back from a row to its seeds, prompts, replies, scores and models.",
    "init": "Start a project: a recipe that runs, its small data, a catalogue.",
    "ledger": "Print calls, tokens and cost by provider, model and day.",
    "gc": "Tell what lies in the project that no recipe's run uses, and free it.",
    "doctor": "Check that a recipe can run here: providers, ledger, folders, packages, training.",
    "plugins": "List the plugins that are installed; show one, or start a new one.",
    "schema": "Print the JSON Schema of a recipe, or of one plugin (NAME, as `filter.length`).",
    "env": "Make the Python environments that packages need which get on with no others.",
}
"""The commands, each with the first sentence of its help: a list of them imports none."""


class _Commands(click.Group):
    """Imports a command when it is called, not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """What lists show of a command: its name and one line."""
        line = COMMANDS.get(cmd_name)
        return None if line is None else click.Command(cmd_name, help=line)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command itself, by the name in front of its arguments."""
        from sftrecipe.errors import closest  # noqa: PLC0415 - a list of commands needs it not

        try:
            name, listed, rest = super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = closest(args[0], COMMANDS)
            if near is None:
                raise
            text = f"{error.message} Did you mean '{near}'?"
            raise click.UsageError(text, ctx) from error
        return name, listed and imported_command(str(name)), rest


def imported_command(name: str) -> click.Command:
    """The command of a name, its module imported."""
    command: click.Command = getattr(import_module(f"sftrecipe.cli.{name}"), name)
    return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sftrecipe")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """Make SFT data from a YAML recipe: checked first, nothing paid twice, every row explained."""
    ctx.obj = {"debug": debug}


def main() -> None:
    """Run the command line; errors of the user's making are told without a traceback."""
    debug = "--debug" in sys.argv or bool(os.environ.get("SFTRECIPE_DEBUG"))
    if "--debug" in sys.argv:  # accepted anywhere
        sys.argv.remove("--debug")
    guard_streams()
    signal.signal(signal.SIGTERM, _end_in_order)
    try:
        status = cli(standalone_mode=False)
    except KeyboardInterrupt:
        _exit(_report(click.exceptions.Abort()))
    except Exception as error:
        if debug:
            raise
        _exit(_report_at_any_rate(error))
    _exit(status if isinstance(status, int) else 0)


def _exit(status: int) -> None:
    """End; after an interrupt at once: threads may still compute, and Python dies of the signal
    where it came in the middle of an `exec`, whoever caught it."""
    if status == INTERRUPTED:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


def _end_in_order(*_: object) -> None:
    """End as on Ctrl-C: schedulers and containers send SIGTERM before they kill."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started in a shell's background
        raise KeyboardInterrupt
    signal.raise_signal(signal.SIGINT)


def _report_at_any_rate(error: Exception) -> int:
    """Tell the user about an error, also where there is no memory left to word it; the status."""
    try:
        return _report(error)
    except MemoryError:
        os.write(2, _FEW_MEMORY)
        return 1


def _report(error: Exception) -> int:
    """Tell the user about an error; the exit status."""
    from sftrecipe.errors import (  # noqa: PLC0415
        RecipeError,
        SftrecipeError,
        limit_reached,
        refused_by_system,
    )
    from sftrecipe.messages import message  # noqa: PLC0415
    from sftrecipe.report.text.problem_text import render  # noqa: PLC0415

    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.ClickException):
        error.show()
        return error.exit_code
    if isinstance(error, click.exceptions.Abort):  # Ctrl-C
        click.echo(message("interrupted", {}), err=True)
        return INTERRUPTED
    if isinstance(error, RecipeError):
        click.echo(render(error.problems), err=True)
        return error.exit_status
    known = error if isinstance(error, SftrecipeError) else limit_reached(error)
    known = known or refused_by_system(error)
    if known is not None:
        click.echo(render([known.problem]), err=True)
        return known.exit_status
    name = type(error).__name__
    click.echo(f"error[internal]: {name}: {error}\n  hint: run again with --debug", err=True)
    return 1


if __name__ == "__main__":
    main()
