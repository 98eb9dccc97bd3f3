"""One run of a LLaMA-Factory command, from its start to its end, however that comes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from sftrecipe.plugin import PluginRefused, Text, Texts, unfinished_environment
from sftrecipe_registry.llamafactory.training.environment import training_command, training_python
from sftrecipe_registry.llamafactory.training.variables import training_variables
from sftrecipe_registry.shared.processes.process_group import machine
from sftrecipe_registry.shared.processes.python_environment import (
    TRAINING_ENVIRONMENT,
    half_made,
)
from sftrecipe_registry.shared.processes.server_log import telling_lines
from sftrecipe_registry.shared.processes.server_note import SUFFIX, read_note, stop_leftovers
from sftrecipe_registry.shared.processes.server_process import GRACE, kept_process

texts = Texts(__package__)

NAME = "LLaMA-Factory"
_LOOK = 0.25


async def run_command(
    arguments: list[str],
    folder: Path,
    log: Path,
    *,
    settings: Mapping[str, object],
    allowed: Collection[str],
    look: Callable[[float], None],
    more: Mapping[str, str] | None = None,
    program: tuple[str, ...] = (),
) -> str:
    """Run a command of LLaMA-Factory's in a folder until it ends; what it ended with.

    `allowed`: the user's words, by which it gets a hub's token; `more`: variables beside its own.
    `look` is called again and again, with the seconds since it was started. With the block's end,
    by Ctrl-C too, the command and all its workers are gone.
    """
    command = training_command()
    if command is None:
        half = unfinished_environment(TRAINING_ENVIRONMENT)
        missing = half_made(half) if half else texts("not-found", variable=TRAINING_ENVIRONMENT)
        raise PluginRefused(missing)
    python = training_python() or Path(command[0])
    if program:
        command = [str(python), *program]
    started = time.monotonic()
    variables = {**training_variables(python, settings, allowed), **(more or {})}
    async with kept_process(NAME, [*command, *arguments], variables, log, folder) as process:
        while not process.ended:
            look(time.monotonic() - started)
            await asyncio.sleep(_LOOK)
        look(time.monotonic() - started)
    return process.status


def failure(did: Text, log: Path) -> PluginRefused:
    """That it failed, in its own last words."""
    own = telling_lines(log) or texts("wrote-nothing")
    return PluginRefused(texts("last-words", did=did, own=own, log=log))


def end_leftovers(folder: Path, say: Callable[[str], None]) -> None:
    """Stop what a killed run left in its folder. Raises PluginRefused where another run works."""
    for path in folder.glob(f"*{SUFFIX}"):
        note = read_note(path)
        if note is not None and note.machine == machine() and note.engine.lives():
            raise PluginRefused(texts("trains-already", pid=note.engine.pid, folder=folder))
    stop_leftovers(folder, GRACE, say)
