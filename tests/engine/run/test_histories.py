"""Whatever befell the runs before: the data comes out as if nothing had ever failed."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import runpy
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.support.odd_server import OddServer, Sent, fault, odd_server, told

RUNS = int(os.environ.get("SFTRECIPE_TEST_RUNS", "3"))
RECIPE = """\
version: 1
name: t
providers:
  p:
    use: openai
    model: m
    base_url: "{url}"
    api_key: ""
    limits: {{attempts: 2, timeout: 2, concurrency: {concurrency}, stop_after_failures: {most}}}
sources:
  s: {{use: jsonl, path: a.jsonl}}
generate:
  - {{id: g, use: respond, from: s, provider: p}}
export:
  - {{use: llamafactory}}
"""
TOO_LONG = "This model's maximum context length is 128 tokens. However, you requested 300 tokens."
CUT = b'{"choices": [{"message": {"content": "half of a re'
PASSING = (
    fault(500, "oops", code="internal_error"),
    fault(503, "busy"),
    fault(429, "slow down", {"Retry-After": "0"}),
    fault(429, "slow down", {"Retry-After": "-5"}),
    fault(429, "slow down", {"Retry-After": "nan"}),
    fault(429, "slow down", {"retry-after-ms": "30"}),
    fault(502, "gateway"),
    Sent(200, b'{"error": {"message": "internal", "code": "server_error"}}'),
    Sent(0),
)
UNREAD = (Sent(200, CUT), Sent(200, b""), Sent(200, b"<html>gateway</html>"), Sent(200, b"[1]"))
FOR_ALL = (
    fault(401, "wrong key", code="invalid_api_key"),
    fault(403, "no", code="permission_denied"),
    fault(429, "no money", code="insufficient_quota"),
    fault(404, "no such model", code="model_not_found"),
)


def _nature(said: str) -> Sent:
    """What a row comes to on a server that is well."""
    if "long" in said:
        return fault(400, TOO_LONG)
    if "unsafe" in said:
        return fault(400, "unsafe", code="content_filter")
    if "broken" in said:
        return fault(500, "this one breaks it", code="internal_error")
    if "aborted" in said:
        return told("half an ans", finish_reason="abort")
    return told(f"An answer to: {said}")


class Weather:
    """How a server behaves for a time: drawn for each request, the same in any order."""

    def __init__(self, seed: int) -> None:
        drawn = random.Random(seed)
        self._seed = seed
        self._share = drawn.choice((0.1, 0.4, 0.8, 1.0))
        self._kinds = drawn.sample(PASSING, 3) + drawn.choice(([], [], list(UNREAD)))
        self._latency = drawn.choice((0.0, 0.0, 0.02, 0.1))
        self._ends_after = drawn.choice((None, None, 3, 7, 15))
        self._end = drawn.choice(FOR_ALL)
        self._answered = 0

    def __call__(self, said: str, before: int) -> Sent:
        drawn = random.Random(f"{self._seed} {said} {before}")
        time.sleep(self._latency * drawn.random())
        if self._ends_after is not None and self._answered >= self._ends_after:
            return self._end
        if drawn.random() < self._share:
            return drawn.choice(self._kinds)
        self._answered += 1
        return _nature(said)


class Machine:
    """Runs the command: as a process of its own, or (many runs) as one forked after the imports."""

    def __init__(self) -> None:
        self._forking = None
        if RUNS > 50:
            self._forking = multiprocessing.get_context("forkserver")
            self._forking.set_forkserver_preload(
                ["sftrecipe.cli.main", "sftrecipe.run.run_plan", "aiohttp", "pyarrow.parquet",
                 "sftrecipe_registry.providers.openai.provider", "tenacity", "pytest",
                 "tests.support.odd_server"]
            )  # fmt: skip

    def run(self, folder: Path, *options: str, kill_after: float | None = None) -> int:
        """The exit status; -9 where it was killed."""
        words = ["run", "recipe.yaml", *options]
        if self._forking is not None:
            process: Any = self._forking.Process(target=forked, args=(folder, words))
            process.start()
            process.join(kill_after if kill_after is not None else 60)
            if process.is_alive():
                assert kill_after is not None, "it does not end"
                process.kill()
                process.join()
            return int(process.exitcode)
        command = [sys.executable, "-m", "sftrecipe.cli.main", *words]
        with (folder / "said.txt").open("w") as said:
            started = subprocess.Popen(command, cwd=folder, stdout=said, stderr=said)
            try:
                # A process takes a moment to start before there is anything to interrupt.
                started.wait(120 if kill_after is None else 0.8 + kill_after)
            except subprocess.TimeoutExpired:
                assert kill_after is not None, "it does not end"
                started.kill()
        return started.wait()


def forked(folder: Path, words: list[str]) -> None:
    """The command, in a process that was forked."""
    os.chdir(folder)
    said = os.open("said.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(said, 1)
    os.dup2(said, 2)
    sys.argv = ["sftrecipe", *words]
    sys.modules.pop("sftrecipe.cli.main", None)
    runpy.run_module("sftrecipe.cli.main", run_name="__main__")


def _project(folder: Path, url: str, drawn: random.Random) -> Path:
    (folder / ".sftrecipe").mkdir(parents=True)
    text = RECIPE.format(
        url=url, concurrency=drawn.choice((1, 2, 8)), most=drawn.choice((2, 5, 20))
    )
    (folder / "recipe.yaml").write_text(text)
    (folder / "said.txt").touch()
    return folder


def _rows(folder: Path, texts: list[str]) -> None:
    (folder / "a.jsonl").write_text("".join(f'{{"instruction": "{text}"}}\n' for text in texts))


def _left(folder: Path) -> tuple[list[str], list[tuple[str, str]]]:
    """The data, and which rows were lost why: in the order of the rows."""
    data = [json.dumps(row) for row in json.loads((folder / "runs/t/t.json").read_text())]
    lost = [json.loads(line) for line in (folder / "runs/t/rejects.jsonl").open()]
    return data, [(each["row"]["columns"]["instruction"], each["reason"]) for each in lost]


def _texts(drawn: random.Random) -> list[str]:
    kinds = ("good", "good", "good", "long", "unsafe", "broken", "aborted")
    texts = [f"{drawn.choice(kinds)} row {number}" for number in range(drawn.randint(3, 14))]
    return ["good row of all", *texts] if drawn.random() < 0.5 else [*texts, "good row of all"]


def _expected(texts: list[str]) -> list[tuple[str, str]]:
    reasons = {
        "long": "context_too_long", "unsafe": "refused", "broken": "call_failed",
        "aborted": "cut_off",
    }  # fmt: skip
    lost = [(text, text.partition(" ")[0]) for text in texts]
    return [(text, reasons[kind]) for text, kind in lost if kind in reasons]


def _suffer(machine: Machine, folder: Path, server: OddServer, drawn: random.Random) -> None:
    """A few runs in bad weather, some of them killed."""
    for _ in range(drawn.randint(1, 3)):
        server.answers = Weather(drawn.randrange(1 << 30))
        kill = drawn.uniform(0.05, 0.8) if drawn.random() < 0.3 else None
        options = ("--retry-failed",) if drawn.random() < 0.2 else ()
        assert machine.run(folder, *options, kill_after=kill) in (0, 1, -9)
        assert "Traceback" not in (folder / "said.txt").read_text()


@pytest.mark.parametrize("seed", range(RUNS))
def test_a_history_of_failures_leaves_no_trace(tmp_path: Path, seed: int) -> None:
    drawn, machine = random.Random(seed), Machine()
    texts = _texts(drawn)
    with odd_server(lambda said, before: _nature(said)) as server:
        folder = _project(tmp_path / "history", server.url, drawn)
        _rows(folder, texts[: drawn.randint(1, len(texts))])
        _suffer(machine, folder, server, drawn)
        _rows(folder, texts)
        server.answers = lambda said, before: _nature(said)
        assert machine.run(folder) == 0, (folder / "said.txt").read_text()
        assert machine.run(folder, "--retry-failed") == 0, (folder / "said.txt").read_text()
        data, lost = _left(folder)
        assert lost == _expected(texts)
        kept = [text for text in texts if text.startswith("good")]
        assert [json.loads(row)["output"] for row in data] == [
            f"An answer to: {text}" for text in kept
        ]
        asked = server.asked.copy()
        assert machine.run(folder) == 0
        assert server.asked == asked
        if seed % 10 == 0:  # the same rows without a history: to the last byte
            clean = _project(tmp_path / "clean", server.url, drawn)
            _rows(clean, texts)
            assert machine.run(clean) == 0
            assert (clean / "runs/t/t.json").read_bytes() == (folder / "runs/t/t.json").read_bytes()
