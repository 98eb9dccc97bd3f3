"""Keeps one server for an engine: `python -m …server_keeper LOG NOTE GRACE FOLDER COMMAND…`.

The engine holds the other end of its standard input. When that end closes, since the engine is done
or was killed, the server's whole process group is stopped; when the server ends by itself, its
workers are. A line on standard input says that the server is ready and has all its workers. Exits
with the server's status, 128 and the signal's number where a signal ended it.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

from sftrecipe_registry.shared.processes.process_group import stop_group
from sftrecipe_registry.shared.processes.server_note import own_note

_ENGINE = 0
_CANNOT_RUN = 127


def keep(log: Path, note: Path, grace: float, folder: str, command: list[str]) -> int:
    """Run the command in the folder until it ends or the engine goes."""
    engine = os.getppid()
    ended = _wake_on_signals()
    with log.open("ab") as output:
        try:
            server = subprocess.Popen(  # noqa: S603 - the engine's own command
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=folder,
                start_new_session=True,
            )
        except OSError as error:
            output.write(f"{type(error).__name__}: {error}\n".encode())
            return _CANNOT_RUN
    try:
        own_note(engine, server.pid).write(note)
        while server.poll() is None:
            ready, _, _ = select.select([_ENGINE, ended], [], [])
            if ended in ready and set(os.read(ended, 64)) - {signal.SIGCHLD}:
                break
            if _ENGINE in ready and not os.read(_ENGINE, 64):
                break
            if server.poll() is None:
                own_note(engine, server.pid).write(note)
    finally:
        stop_group(server.pid, grace)
        note.unlink(missing_ok=True)
    status = server.poll()
    if status is None:  # a driver holds it: not even SIGKILL ends it
        return 128 + signal.SIGKILL
    return status if status >= 0 else 128 - status


def _wake_on_signals() -> int:
    """A descriptor that can be read when a signal came: the server ended, or the keeper is to."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    return reading


if __name__ == "__main__":
    log, note, grace, folder, *command = sys.argv[1:]
    sys.exit(keep(Path(log), Path(note), float(grace), folder, command))
