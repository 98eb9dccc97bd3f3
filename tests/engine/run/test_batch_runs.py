"""Whole runs of the real command with `mode: batch`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.support.standin import StandIn, stand_in

_RECIPE = """\
version: 1
name: batched
providers:
  teacher:
    {{use: openai, base_url: "{url}", model: gpt-4o-mini, api_key: "", mode: {mode}, poll: 0.2}}
sources:
  questions: {{use: jsonl, path: questions.jsonl}}
generate:
  - {{id: answered, use: respond, from: questions, provider: teacher, with: {{max_tokens: 50}}}}
export:
  - {{use: jsonl}}
"""


class Batched:
    """A project whose questions are answered in batches."""

    def __init__(self, folder: Path, server: StandIn, rows: int, mode: str = "batch") -> None:
        self.folder = folder
        (folder / ".sftrecipe").mkdir(parents=True)
        (folder / "recipe.yaml").write_text(_RECIPE.format(url=server.url, mode=mode))
        with (folder / "questions.jsonl").open("w") as file:
            for number in range(rows):
                file.write(json.dumps({"instruction": f"Question {number}?"}) + "\n")

    def start(self, *options: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "sftrecipe.cli.main", "run", "recipe.yaml", *options]
        return subprocess.Popen(
            command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "SFTRECIPE_LANG": "en"},
        )  # fmt: skip

    def run(self, *options: str, status: int = 0) -> str:
        """What it tells on stderr."""
        process = self.start(*options)
        _, told = process.communicate(timeout=240)
        assert process.returncode == status, told
        return told

    def data(self) -> str:
        return (self.folder / "runs/batched/batched.jsonl").read_text()

    def usage(self) -> dict[str, float]:
        facts = json.loads((self.folder / "runs/batched/run.json").read_text())
        usage: dict[str, float] = facts["usage"]
        return usage


def _wait_for_look(server: StandIn) -> None:
    end = time.monotonic() + 60
    while server.batches()["begun"].get("look", 0) < 2:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_the_same_data_in_a_batch_as_online(tmp_path: Path) -> None:
    with stand_in() as server:
        online = Batched(tmp_path / "online", server, 60, mode="online")
        online.run()
        batch = Batched(tmp_path / "batch", server, 60)
        told = batch.run()
        assert batch.data() == online.data()
        assert "60 requests sent" in told
        assert "completed, 60 of 60 requests done" in told
        assert server.batches()["batches"] == [60]
        full, half = online.usage(), batch.usage()
        before = server.batches()
        batch.run()
        assert server.batches() == before
    assert full["asked"] == half["asked"] == 60
    assert half["cost"] == pytest.approx(full["cost"] / 2)


def test_a_server_without_batches_is_told_so(tmp_path: Path) -> None:
    with stand_in("--batch-faults", "upload=404") as server:
        told = Batched(tmp_path, server, 5).run(status=1)
    assert "the server takes no batches (`mode: batch`): HTTP 404" in told


def test_killed_and_interrupted_it_goes_on_where_it_was(tmp_path: Path) -> None:
    with stand_in("--batch-seconds", 12) as server:
        batch = Batched(tmp_path / "batch", server, 40)
        killed = batch.start()
        _wait_for_look(server)
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
        interrupted = batch.start()
        looks = server.batches()["begun"]["look"]
        while server.batches()["begun"]["look"] <= looks and interrupted.poll() is None:
            time.sleep(0.05)
        interrupted.send_signal(signal.SIGINT)
        _, told = interrupted.communicate(timeout=60)
        assert interrupted.returncode == 130, told
        assert "batch batch_0: sent by an earlier run, its replies are waited for" in told
        assert "batch batch_0 goes on without this run; the next run reads it" in told
        assert "run the same command again" in told
        batch.run()
        assert server.batches()["batches"] == [40]
    assert len(batch.data().splitlines()) == 40


def test_a_batch_that_fails_tells_why(tmp_path: Path) -> None:
    with stand_in("--batch-fails") as server:
        told = Batched(tmp_path / "batch", server, 3).run(status=1)
    assert "batch 'batch_0' failed: invalid_json_line: as told (line 1)" in told
    assert "hint: nothing of it is charged" in told


def test_the_budget_pauses_the_run(tmp_path: Path) -> None:
    with stand_in() as server:
        batch = Batched(tmp_path / "batch", server, 30)
        recipe = batch.folder / "recipe.yaml"
        text = recipe.read_text()
        recipe.write_text(f"{text}budget: {{max_calls: 10}}\n")
        assert "max_calls is 10, 10 are spent" in batch.run(status=3)
        assert server.batches()["batches"] == [10]
        recipe.write_text(f"{text}budget: {{max_calls: 30}}\n")
        batch.run()
        assert server.batches()["batches"] == [10, 20]


def test_a_preview_does_not_wait_for_a_batch(tmp_path: Path) -> None:
    with stand_in("--batch-seconds", 60) as server:
        batch = Batched(tmp_path / "batch", server, 5)
        command = [sys.executable, "-m", "sftrecipe.cli.main", "preview", "recipe.yaml"]
        subprocess.run(command, cwd=batch.folder, capture_output=True, timeout=40, check=True)
        assert server.batches()["batches"] == []
        assert server.requests() == 3


@pytest.mark.heavy
def test_ten_thousand_requests_are_one_batch(tmp_path: Path) -> None:
    with stand_in("--batch-seconds", 2) as server:
        batch = Batched(tmp_path / "batch", server, 10_000)
        measured = "import resource, subprocess, sys; " \
            "status = subprocess.call(sys.argv[1:]); " \
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024); " \
            "sys.exit(status)"  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", measured, sys.executable, "-m", "sftrecipe.cli.main", "run",
             "recipe.yaml", "-q"],
            cwd=batch.folder, capture_output=True, text=True, timeout=300, check=True,
        )  # fmt: skip
        assert server.batches()["batches"] == [10_000]
        assert server.batches()["most_batched"] == 1
    assert len(batch.data().splitlines()) == 10_000
    assert int(done.stdout) < 450  # MB
