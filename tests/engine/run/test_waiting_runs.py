"""A run that waits for another one says so at once, and can be ended."""

from __future__ import annotations

import fcntl
import os
import platform
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.engine.run.asking import Asking
from tests.support.plain_runs import Plain
from tests.support.standin import StandIn, stand_in

from sftrecipe.calls.ledger.database import open_ledger


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with stand_in("--delay", 120) as running:
        yield running


def _line(process: subprocess.Popen[str], words: str) -> str:
    """The first line on stderr with these words."""
    assert process.stderr is not None
    watch = threading.Timer(100, process.kill)
    watch.start()
    for line in process.stderr:
        if words in line:
            watch.cancel()
            return line
    raise AssertionError(f"no line with {words!r}")


def _ended(process: subprocess.Popen[str]) -> float:
    """Seconds that the process takes to end at Ctrl-C."""
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    return time.monotonic() - began


def test_for_the_same_calls(tmp_path: Path, server: StandIn) -> None:
    project = Asking(tmp_path / "project", server.url, rows=2)
    first = project.start("run", "recipe.yaml")
    while server.requests() < 2:
        time.sleep(0.02)
    second = project.start("run", "recipe.yaml", "--out", "other")
    told = _line(second, "waiting for")
    assert f"process {first.pid} on {platform.node()}" in told
    assert _ended(second) < 15
    first.kill()
    first.communicate()


def test_for_the_ledger(tmp_path: Path, server: StandIn) -> None:
    project = Asking(tmp_path / "project", server.url, rows=2)
    open_ledger(project.ledger).close()
    with closing(sqlite3.connect(project.ledger, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        process = project.start("run", "recipe.yaml")
        told = _line(process, "waiting for")
        assert f"process {os.getpid()} on" in told
        assert _ended(process) < 15
        connection.execute("ROLLBACK")


def test_for_the_output_folder(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "project")
    plain.rows(range(3))
    plain.recipe()
    plain.out.mkdir(parents=True)
    handle = os.open(plain.out, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        process = plain.start("run", "recipe.yaml")
        told = _line(process, "waiting for")
        assert f"process {os.getpid()} on" in told
        assert _ended(process) < 15
        waiting = plain.start("run", "recipe.yaml")
        _line(waiting, "waiting for")
    finally:
        os.close(handle)
    waiting.communicate(timeout=60)
    assert waiting.returncode == 0
