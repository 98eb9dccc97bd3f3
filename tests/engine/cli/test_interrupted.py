"""A run that is asked to end says how far it came, and goes on from there."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest
from tests.support.standin import StandIn, stand_in
from tests.support.standin_runs import Whole

ASKED = 20
"""Calls after which it is asked to end."""
IN_FLIGHT = 4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_end(number: signal.Signals, tmp_path: Path) -> None:
    with stand_in("--reply", "items", "--items", 3, "--delay", 0.1) as server:
        untouched = Whole(tmp_path / "untouched", server.url)
        untouched.run()
        needed = server.requests()
        server.forget()
        whole = Whole(tmp_path / "interrupted", server.url)
        process = whole.start("--concurrency", str(IN_FLIGHT))
        _wait_for_calls(process, server)
        process.send_signal(number)
        _, told = process.communicate(timeout=30)
        assert process.returncode == 130, told
        assert "interrupted; run the same command again to go on" in told
        assert whole.facts()["status"] == "stopped"
        whole.run()
        assert needed <= server.requests() <= needed + IN_FLIGHT
    assert whole.result() == untouched.result()


def _wait_for_calls(process: subprocess.Popen[str], server: StandIn) -> None:
    ends = time.monotonic() + 60
    while server.requests() < ASKED and process.poll() is None:
        assert time.monotonic() < ends, "it asked nothing"
        time.sleep(0.02)
