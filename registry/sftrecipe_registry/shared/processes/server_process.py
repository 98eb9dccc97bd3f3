"""A server that the engine starts for itself, and that never outlives it."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from uuid import uuid4

from sftrecipe.plugin import SftrecipeError
from sftrecipe_registry.shared.processes.server_log import last_line, telling_lines
from sftrecipe_registry.shared.processes.server_note import SUFFIX, read_note, stop_leftovers
from sftrecipe_registry.shared.processes.variables import process_variables

GRACE = 10.0
"""Seconds between asking a server to end and killing it."""
_LOOK = 0.25
_TELL = 10.0
_LOGS_KEPT = 10
_NAMES = ("HF_TOKEN", "PYTHONPATH")
_FAMILIES = ("VLLM_", "FLASHINFER_")
_KEEPER = "sftrecipe_registry.shared.processes.server_keeper"


@asynccontextmanager
async def server_process(
    name: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    progress: Callable[[str], None],
) -> AsyncIterator[ServerProcess]:
    """Run a command as a server, with all its workers, for as long as the block lasts.

    Servers that killed engines left in the folder are stopped first.
    """
    await asyncio.to_thread(stop_leftovers, folder, GRACE, progress)
    async with kept_process(name, command, environment, new_log(folder)) as server:
        yield server


@asynccontextmanager
async def kept_process(
    name: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    log: Path,
    folder: Path = Path("/"),
) -> AsyncIterator[ServerProcess]:
    """Run a command in the folder, with all its workers, for as long as the block lasts at most.

    The root folder, unless it must be another: a relative path would otherwise reach into the
    project, and Python would import from there.
    """
    note = log.with_suffix(SUFFIX)
    keeper = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", _KEEPER, str(log), str(note), str(GRACE), str(folder)),
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment,
        start_new_session=True,
    )
    server = ServerProcess(name, keeper, log, note)
    try:
        yield server
    finally:
        await server.stop()


class ServerProcess:
    """A running server, through the process that keeps it."""

    def __init__(
        self, name: str, keeper: asyncio.subprocess.Process, log: Path, note: Path
    ) -> None:
        self.log = log
        self._name = name
        self._keeper = keeper
        self._note = note

    @property
    def ended(self) -> bool:
        """Whether it ended by itself."""
        status = self._keeper.returncode
        if status is None or status >= 0:
            return status is not None
        note = read_note(self._note)  # the keeper was killed: the server may go on without it
        return note is None or not note.processes[0].lives()

    @property
    def status(self) -> str:
        """With what it ended, as a shell would say it."""
        return status_text(self._keeper.returncode or 0)

    async def ready(
        self,
        answers: Callable[[], Awaitable[bool]],
        within: float,
        progress: Callable[[str], None],
    ) -> None:
        """Wait until it answers. Raises SftrecipeError with its own words when it ends, or does
        not answer within so many seconds."""
        started = told = time.monotonic()
        while not await answers():
            if self.ended:
                raise self.error("server-start")
            now = time.monotonic()
            if now - started > within:
                raise SftrecipeError(
                    "server-slow",
                    "server-slow",
                    server=self._name,
                    seconds=f"{within:g}",
                    line=last_line(self.log),
                    log=self.log,
                )
            if now - told >= _TELL:
                told = now
                doing = last_line(self.log) or "nothing in its log yet"
                progress(f"{self._name} is starting, {now - started:.0f} s: {doing}")
            await asyncio.sleep(_LOOK)
        if self._keeper.stdin is not None:
            self._keeper.stdin.write(b"ready\n")
        progress(f"{self._name} is ready after {time.monotonic() - started:.0f} s")

    async def ended_within(self, seconds: float, answers: Callable[[], Awaitable[bool]]) -> bool:
        """Whether it ends, or has ended, before it answers again."""
        until = time.monotonic() + seconds
        while not self.ended:
            if time.monotonic() > until or await answers():
                return self.ended
            await asyncio.sleep(_LOOK)
        return True

    def error(self, slug: str) -> SftrecipeError:
        """That it ended: its status, what its log says, and where the log is."""
        error = telling_lines(self.log)
        return SftrecipeError(
            slug,
            "server-log",
            server=self._name,
            status=self.status,
            error=error or "-",
            log=self.log,
        )

    async def stop(self) -> None:
        """End it and its workers, and wait until they are gone."""
        if self._keeper.stdin is not None:
            self._keeper.stdin.close()
            with suppress(OSError):
                await self._keeper.stdin.wait_closed()
        await self._keeper.wait()
        if note := read_note(self._note):  # the keeper was killed
            await asyncio.to_thread(note.stop, GRACE)
            self._note.unlink(missing_ok=True)


def server_environment(python: Path, more: Mapping[str, str]) -> dict[str, str]:
    """The engine's environment variables for a program of another Python environment.

    The hub's token is among them: it loads models of the hub, and no code or address of a recipe's.
    """
    return {**process_variables(python, _NAMES, _FAMILIES), **more}


def status_text(code: int) -> str:
    """What a shell would say of an exit status: the signal's name above 128."""
    if code > 128:
        with suppress(ValueError):
            return signal.Signals(code - 128).name
    return f"exit status {code}"


def new_log(folder: Path) -> Path:
    """Where a new process's log goes; logs of long ago are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in sorted(folder.glob("*.log"))[:-_LOGS_KEPT]:
        old.unlink(missing_ok=True)
    return folder.resolve() / f"{time.strftime('%Y%m%d-%H%M%S')}-{uuid4().hex[:8]}.log"
