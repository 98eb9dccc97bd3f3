"""The stand-in server for tests: a process of its own, asked over HTTP what it was asked."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

_SERVER = Path(__file__).with_name("standin_server.py")


class StandIn:
    """A running stand-in."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url
        """Its OpenAI-compatible address, up to and with `/v1`."""
        self.root = url.removesuffix("/v1")

    def count(self) -> dict[str, Any]:
        """What it was asked so far."""
        with urlopen(f"{self.root}/count?by_prompt&times", timeout=10) as reply:
            found: dict[str, Any] = json.load(reply)
        return found

    def batches(self) -> dict[str, Any]:
        """What became of the batches that it was sent."""
        with urlopen(f"{self.root}/batches", timeout=10) as reply:
            found: dict[str, Any] = json.load(reply)
        return found

    def requests(self) -> int:
        """How many requests came."""
        return int(self.count()["requests"])

    def forget(self) -> None:
        """Count anew."""
        urlopen(Request(f"{self.root}/forget", method="POST"), timeout=10).close()

    def fail(self, fault: str, *, after: int = 0, seconds: float = float("inf")) -> None:
        """Fail all requests from now on, once so many more were answered, for so long."""
        asked = f"{self.root}/fail?fault={fault}&after={after}&seconds={seconds}"
        urlopen(Request(asked, method="POST"), timeout=10).close()


@contextmanager
def stand_in(*options: object) -> Iterator[StandIn]:
    """A stand-in with options of its command line, stopped at the end."""
    command = [sys.executable, str(_SERVER), *(str(option) for option in options)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield StandIn(process, process.stdout.readline().strip())
        finally:
            process.kill()
