"""A pool that grows in the real command: killed in the middle, it goes on from the ledger."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.support.standin import StandIn, stand_in

RECIPE = """\
version: 1
name: grown
providers:
  teacher: {{use: openai, base_url: "{url}", model: stand-in, api_key: ""}}
sources:
  seeds: {{use: jsonl, path: seeds.jsonl}}
generate:
  - id: tasks
    use: self_instruct_bootstrap
    from: seeds
    provider: teacher
    with: {{ask: complete, count: {count}, min_new: 0, presence_penalty: 0}}
export: [{{use: jsonl}}]
"""
IN_FLIGHT = 2


def project(folder: Path, server: StandIn, count: int = 40) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / ".sftrecipe").mkdir(exist_ok=True)
    seeds = [{"instruction": f"Explain number {n} in plain words."} for n in range(10)]
    (folder / "seeds.jsonl").write_text("".join(json.dumps(row) + "\n" for row in seeds))
    (folder / "recipe.yaml").write_text(RECIPE.format(url=server.url, count=count))
    return folder


def started(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "sftrecipe.cli.main", "run", "recipe.yaml"]
    return subprocess.Popen(
        [*command, "--concurrency", str(IN_FLIGHT)],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def finished(folder: Path) -> str:
    process = started(folder)
    _, error = process.communicate(timeout=240)
    assert process.returncode == 0, error
    return hashlib.sha256((folder / "runs" / "grown" / "grown.jsonl").read_bytes()).hexdigest()


@pytest.mark.heavy
def test_everything_asked_comes_from_the_ledger(tmp_path: Path) -> None:
    with stand_in("--words", 12, "--delay", 0.05) as server:
        untouched = finished(project(tmp_path / "untouched", server))
        asked = server.count()["by_prompt"]
        server.forget()
        folder = project(tmp_path / "killed", server)
        kills = 0
        for wanted in (7, 23):
            process = started(folder)
            while process.poll() is None and server.requests() < wanted:
                time.sleep(0.01)
            kills += process.poll() is None
            process.kill()
            process.communicate()
        assert finished(folder) == untouched
        assert kills == 2
        again = server.count()["by_prompt"]
        assert set(again) == set(asked)
        assert sum(again.values()) - sum(asked.values()) <= kills * IN_FLIGHT
        server.forget()
        finished(project(folder, server, count=60))
        assert not set(server.count()["by_prompt"]) & set(asked), "a larger count only adds"
