"""The command `sftrecipe`."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from importlib import import_module

import click

INTERRUPTED = 130
_FEW_MEMORY = b"error[few-memory]: this process may have no more memory\n"
COMMANDS = (
    "run", "validate", "plan", "preview", "train", "evaluate", "sweep", "report", "explain", "init",
    "ledger", "doctor", "plugins", "schema", "env",
)  # fmt: skip


class _Commands(click.Group):
    """Imports a command when it is used, not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"sftrecipe.cli.{cmd_name}"), cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from sftrecipe.errors import closest  # noqa: PLC0415

        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = closest(args[0], COMMANDS)
            if near is None:
                raise
            text = f"{error.message} Did you mean '{near}'?"
            raise click.UsageError(text, ctx) from error


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
    from sftrecipe.cli.terminal import guard_streams  # noqa: PLC0415

    guard_streams()
    signal.signal(signal.SIGTERM, _end_in_order)
    try:
        status = cli(standalone_mode=False)
    except KeyboardInterrupt:
        _exit(_told(click.exceptions.Abort()))
    except Exception as error:
        if debug:
            raise
        _exit(_told_at_last(error))
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


def _told_at_last(error: Exception) -> int:
    """Tell the user about an error, also where there is no memory left to word it; the status."""
    try:
        return _told(error)
    except MemoryError:
        os.write(2, _FEW_MEMORY)
        return 1


def _told(error: Exception) -> int:
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
