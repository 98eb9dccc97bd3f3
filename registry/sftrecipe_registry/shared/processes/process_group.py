"""Processes as they can be told apart and stopped for certain, a whole group at once (Linux)."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import NamedTuple

_LOOK = 0.05
_KILLED_WITHIN = 10.0
"""Seconds that the kernel may take to end what was sent SIGKILL."""
_STATE, _STARTED = 0, 19
"""Places in /proc/PID/stat, counted after the name (proc(5))."""


class Process(NamedTuple):
    """One process, and no later one of the same number."""

    pid: int
    started: str
    """Clock ticks from the machine's start to the process's."""

    def lives(self) -> bool:
        """Whether it still runs."""
        return process_of(self.pid) == self


def process_of(pid: int) -> Process | None:
    """The process that runs under a number now; None where there is none."""
    found = _stat(str(pid))
    return Process(pid, found[_STARTED]) if found else None


def members(group: int) -> list[Process]:
    """The processes of a group that run, its leader first."""
    found = []
    for entry in os.listdir("/proc"):  # noqa: PTH208 - thousands of names, looked at twenty times a second
        if entry.isdigit() and _group_of(int(entry)) == group and (stat := _stat(entry)):
            found.append(Process(int(entry), stat[_STARTED]))
    return sorted(found, key=lambda process: (process.pid != group, process.pid))


def stop_group(group: int, grace: float) -> None:
    """Ask every process of a group to end, and kill those that still run after `grace` seconds."""
    _signal(group, signal.SIGTERM)
    if not _ended(group, grace):
        _signal(group, signal.SIGKILL)
        _ended(group, _KILLED_WITHIN)


def machine() -> str:
    """What process numbers hold for: this boot of this machine, and this container."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{boot} {Path('/proc/self/ns/pid').readlink()}"


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)


def _ended(group: int, within: float) -> bool:
    until = time.monotonic() + within
    while members(group):
        if time.monotonic() >= until:
            return False
        time.sleep(_LOOK)
    return True


def _group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


def _stat(entry: str) -> list[str] | None:
    """The fields after a process's name; None where it is gone, or ended and not yet collected."""
    try:
        with open(f"/proc/{entry}/stat", "rb") as file:  # noqa: PTH123 - see members()
            text = file.read()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name stands in brackets and may hold anything, brackets and spaces too.
    fields = text[text.rindex(b")") + 2 :].decode("ascii").split()
    return None if fields[_STATE] in ("Z", "X") else fields
