"""The command `sftrecipe`."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from sftrecipe.api.terminal import guard_streams
from sftrecipe.cli.command_line.help_page import DOCUMENTATION, PageGroup, speak_users_language
from sftrecipe.installed_files import installed_folder
from sftrecipe.messages import user_language

INTERRUPTED = 130
_HELP = frozenset({"-h", "--help"})
_GARBAGE = (50_000, 20, 50)
"""Objects made between two looks for circles among them, and how seldom older ones are looked at:
Python's own 700 cost a run with many calls a fifth of its time, and find next to nothing."""
_FEW_MEMORY = b"error[few-memory]: this process may have no more memory\n"
COMMANDS = {
    "run": "Make the data of a recipe; where it has `evaluate` blocks, also train and judge.",
    "validate": "Check recipes: all their mistakes at once, without a call or a network.",
    "plan": "Print the steps of a recipe: cached or stale and why, calls, tokens, cost.",
    "preview": "Make a few rows with every generate and filter block, and print them.",
    "train": "Make the data of a recipe and train on it; what is done already is not done again.",
    "evaluate": "Judge a recipe's models; what they need, data and training, is made where it is "
    "missing.",
    "lock": "Write NAME.lock beside a recipe: versions, files, models, prices, what the data was.",
    "sweep": "Train and judge every variant that the recipe's `sweep` tells, and compare them.",
    "model": "Hand on a trained model: as GGUF, in other numbers, with a card, on a hub.",
    "report": "Write a run's report: one HTML page that needs no network and nothing beside it.",
    "explain": "Walk back from a row to its seeds, prompts, replies, scores and models.",
    "diff": "Tell what changed between two runs, recipes or locks: options, steps, rows, figures.",
    "history": "List the runs of a project, and what changed from one to the next.",
    "init": "Start a project: a recipe that runs, its small data, a catalogue.",
    "ledger": "Print calls, tokens and cost by provider, model and day.",
    "gc": "Tell what lies in the project that no recipe's run uses, and free it.",
    "doctor": "Check that a recipe can run here: providers, ledger, folders, packages, training.",
    "presets": "Find presets, recipes to extend or to start from; show one, fetch one from git.",
    "plugins": "List the plugins that are installed; show one, or start a new one.",
    "schema": "Print the JSON Schema of a recipe, or of one plugin (NAME, as `filter.length`).",
    "completion": "Print the script by which a shell completes commands, options, recipes, names.",
    "env": "Make what recipes need beside sftrecipe's own packages, once for all projects.",
}
"""The commands, each with the first sentence of its help: a list of them imports none."""


class _Commands(PageGroup):
    """Imports a command when it is called, not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Examples, and where the files are that recipes and pages name as `docs/NAME.md`."""
        super().format_epilog(ctx, formatter)
        formatter.write_paragraph()
        formatter.write_heading(DOCUMENTATION[user_language()])
        formatter.write(f"  {installed_folder('docs')}\n")

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """What lists show of a command: its name and one line."""
        line = COMMANDS.get(cmd_name)
        return None if line is None else click.Command(cmd_name, help=line)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command itself, by the name in front of its arguments."""
        from sftrecipe.errors import closest  # noqa: PLC0415 - a list of commands needs it not
        from sftrecipe.messages import hint  # noqa: PLC0415

        try:
            name, listed, rest = super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = closest(args[0], COMMANDS)
            if near is None:
                raise
            advice = hint("did-you-mean", {"suggestion": near})
            text = f"{error.message} {advice[:1].upper()}{advice[1:]}"
            raise click.UsageError(text, ctx) from error
        shows_page = ctx.resilient_parsing or not _HELP.isdisjoint(rest)
        return name, listed and (_page_of if shows_page else _command)(str(name), rest), rest


def _page_of(name: str, _: Sequence[str] = ()) -> click.Command:
    """A command that shows its help and can be completed; its module is not imported."""
    from sftrecipe.cli.command_line.command_facts import command_of, facts_of, known_commands  # noqa: PLC0415

    facts = known_commands().get(name) or facts_of(imported_command(name))
    return command_of(facts, (name,))


def _command(name: str, rest: Sequence[str]) -> click.Command:
    """The command itself; of several without another word, their page."""
    found = imported_command(name)
    is_page = isinstance(found, click.Group) and not (rest or found.invoke_without_command)
    return _page_of(name) if is_page else found


def imported_command(name: str) -> click.Command:
    """The command of a name, its module imported."""
    command: click.Command = getattr(import_module(f"sftrecipe.cli.{name}"), name)
    return command


def _print_versions(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:
        from sftrecipe.doctor.versions import versions  # noqa: PLC0415 - needed once

        click.echo("\n".join(versions()))
        ctx.exit()


@click.group(cls=_Commands, context_settings={"help_option_names": sorted(_HELP, key=len)})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_versions,
    help="Print the versions of sftrecipe, Python and what it works with, and end.",
)
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
    if os.environ.get("_SFTRECIPE_COMPLETE"):  # a shell asks
        from sftrecipe.cli.completion import answer_shell  # noqa: PLC0415

        sys.exit(answer_shell(cli))
    gc.set_threshold(*_GARBAGE)
    guard_streams()
    speak_users_language()
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
    from sftrecipe.cli.error_display import (  # noqa: PLC0415
        show_error,
        show_problems,
        show_usage_error,
    )
    from sftrecipe.errors import (  # noqa: PLC0415
        RecipeError,
        SftrecipeError,
        limit_reached,
        refused_by_system,
    )
    from sftrecipe.messages import message  # noqa: PLC0415

    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.ClickException):
        show_usage_error(error)
        return error.exit_code
    if isinstance(error, click.exceptions.Abort):  # Ctrl-C
        click.echo(message("interrupted", {}), err=True)
        return INTERRUPTED
    if isinstance(error, RecipeError):
        show_problems(error.problems)
        return error.exit_status
    known = error if isinstance(error, SftrecipeError) else limit_reached(error)
    known = known or refused_by_system(error)
    if known is not None:
        show_problems([known.problem])
        return known.exit_status
    name = type(error).__name__
    show_error(f"error[internal]: {name}: {error}\n  hint: run again with --debug")
    return 1


if __name__ == "__main__":
    main()
