"""A program of another Python environment that is waited for, for so long at most."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple


class Finished(NamedTuple):
    """What a program left."""

    returncode: int
    stdout: str
    stderr: str


def finished_process(
    command: Sequence[str],
    seconds: float,
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Finished | None:
    """Run the command to its end; None where it takes longer: it is killed, with all it started."""
    with subprocess.Popen(  # noqa: S603 - the user's own training environment
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,  # what it starts may hold its pipes open: the group is killed
    ) as process:
        try:
            stdout, stderr = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return Finished(process.returncode, stdout, stderr)
