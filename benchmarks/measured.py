"""One process against the stand-in server: seconds, CPU-seconds, memory, its first request."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, NamedTuple

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests" / "support"))

from standin import StandIn  # noqa: E402

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # a user's modules are compiled once, not each time


class Run(NamedTuple):
    """One process, start-up included."""

    wall: float
    cpu: float
    """Seconds of all its processes."""
    megabytes: float
    """Of its largest process, at its largest."""
    first: float
    """Seconds from its start to the first request."""
    requests: int
    turned_away: int
    said: str
    """The last line that it wrote to stdout."""
    status: int
    """Its exit status; negative when it was stopped at the time limit."""
    last: float
    """Seconds from its last request to its end."""

    @property
    def answered(self) -> int:
        """The number that its last line begins with; 0 when it said none."""
        word = self.said.partition(" ")[0]
        return int(word) if self.status == 0 and word.isdigit() else 0


def measure(
    command: list[str], server: StandIn, *, seconds: float = 3600, log: IO[bytes] | None = None
) -> Run:
    """Run a command in a process group of its own, which is ended after so many seconds."""
    server.forget()
    began, started = time.monotonic(), time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        limit = threading.Timer(seconds, os.killpg, (process.pid, signal.SIGKILL))
        limit.start()
        said = process.stdout.read().strip().splitlines()
        _, status, used = os.wait4(process.pid, 0)
        limit.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - started
    counted = server.count()
    times = counted["times"]
    return Run(
        wall,
        used.ru_utime + used.ru_stime,
        used.ru_maxrss / 1024,
        times[0] - began if times else 0.0,
        counted["requests"],
        counted["turned_away"],
        said[-1] if said else "",
        process.returncode,
        began + wall - times[-1] if times else 0.0,
    )
