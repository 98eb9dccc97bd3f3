"""Notes of started servers, so that one whose engine and keeper were killed is found and stopped.

A note names its processes by number and start time, and the machine and boot where they mean
something: a number that was given to another process since is never touched.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from sftrecipe_registry.shared.processes.process_group import (
    Process,
    machine,
    members,
    process_of,
    stop_group,
)

SUFFIX = ".server.json"
_KEEPER_STOPS_WITHIN = 30.0
"""Seconds that a server may take to end after its engine did."""


@dataclass(frozen=True)
class ServerNote:
    """A server's processes, who keeps it and for whom."""

    machine: str
    engine: Process
    keeper: Process
    processes: tuple[Process, ...]
    """The group's members, the server itself first; its number is the group's."""

    @property
    def group(self) -> int:
        """The process group of the server and its workers."""
        return self.processes[0].pid

    def write(self, path: Path) -> None:
        """Write it whole, or not at all."""
        new = path.with_name(f"{path.name}.new")
        new.write_text(json.dumps(asdict(self)), encoding="utf-8")
        new.replace(path)

    def stop(self, grace: float) -> bool:
        """Stop what is left of the server; whether anything was."""
        # As long as one of its processes is in the group, the group's number cannot be another's.
        left = set(members(self.group)) & set(self.processes)
        if left:
            stop_group(self.group, grace)
        return bool(left)


def read_note(path: Path) -> ServerNote | None:
    """The note in a file; None where it is gone or spoilt."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        processes = tuple(Process(*process) for process in found["processes"])
        engine, keeper = Process(*found["engine"]), Process(*found["keeper"])
        return ServerNote(found["machine"], engine, keeper, processes) if processes else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def stop_leftovers(folder: Path, grace: float, progress: Callable[[str], None]) -> None:
    """Stop the servers in a folder whose engines are dead; those of live engines go on.

    Notes of another machine, container or boot are left as they are.
    """
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        note = read_note(path)
        if note is None or note.machine != machine() or note.engine.lives():
            continue
        if note.keeper.lives():
            progress(f"waiting for the end of a server that a killed run left ({note.group})")
            _wait_while(note.keeper.lives)
        if note.stop(grace):
            progress(f"stopped a server that a killed run left ({note.group})")
        path.unlink(missing_ok=True)


def own_note(engine: int, server: int) -> ServerNote:
    """A note of the calling keeper's server, with the workers that it has by now."""
    mine = _process(os.getpid())
    return ServerNote(machine(), _process(engine), mine, tuple(members(server)))


def _process(pid: int) -> Process:
    return process_of(pid) or Process(pid, "")


def _wait_while(true: Callable[[], bool]) -> None:
    until = time.monotonic() + _KEEPER_STOPS_WITHIN
    while true() and time.monotonic() < until:
        time.sleep(0.1)
