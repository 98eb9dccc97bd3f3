"""The real command among faults: a clear message, nothing lost, nothing paid twice."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.support.standin import StandIn, stand_in
from tests.support.standin_runs import Whole

OPTIONS = ("--delay", 0.05, "--jitter", 0.9)
KEY, NEW_KEY = "sk-first-key-0123456789", "sk-second-key-0123456789"
IN_FLIGHT = 8
RECIPE = """\
version: 1
name: whole
providers:
  teacher:
    use: openai
    base_url: "{url}"
    model: stand-in
    api_key: "{key}"
    limits: {{timeout: {timeout}, concurrency: 8}}
sources:
  seeds: {{use: jsonl, path: seeds.jsonl}}
generate:
  - {{id: answered, use: respond, from: seeds, provider: teacher, with: {{replace: true}}}}
export:
  - {{use: llamafactory, with: {{formatting: alpaca, holdout: 0.2}}}}
"""


def _project(folder: Path, url: str, rows: int = 60, *, key: str = "", timeout: float = 5) -> Whole:
    whole = Whole(folder, url)
    whole.write_seeds(range(rows))
    text = RECIPE.format(url=url, key=key, timeout=timeout)
    (whole.folder / "recipe.yaml").write_text(text)
    return whole


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What 60 rows come to where nothing fails."""
    with stand_in(*OPTIONS) as server:
        whole = _project(tmp_path_factory.mktemp("untouched"), server.url)
        whole.run()
        return whole.result()


@pytest.fixture
def server() -> Iterator[StandIn]:
    with stand_in(*OPTIONS) as running:
        yield running


@pytest.mark.parametrize(
    ("faults", "timeout"),
    [
        (("429=0.1", "500=0.1", "503=0.05"), 5),
        (("reset=0.15", "half=0.15"), 5),
        (("html=0.1", "garbage=0.1", "plain=0.2", "rate200=0.1"), 5),
        (("huge=0.05",), 60),
        (("drip=0.05", "slow=0.05"), 2),
    ],
    ids=lambda value: value[0].partition("=")[0] if isinstance(value, tuple) else "",
)
def test_every_row_is_answered_and_the_data_is_the_same(
    tmp_path: Path, expected: dict[str, str], faults: tuple[str, ...], timeout: float
) -> None:
    with stand_in(*OPTIONS, "--faults", *faults) as server:
        whole = _project(tmp_path, server.url, timeout=timeout)
        usage = whole.run()["usage"]
        assert usage["asked"] == 60
        # One that is cut off within milliseconds may pass for one that met a closed connection.
        assert 0 <= server.requests() - usage["requests"] <= ("reset" in faults[0]) * 5
    assert whole.result() == expected


def test_a_storm_of_429_is_waited_out(
    server: StandIn, tmp_path: Path, expected: dict[str, str]
) -> None:
    whole = _project(tmp_path, server.url)
    server.fail("429", after=10, seconds=3)
    outcome = whole.run()
    assert outcome["usage"]["asked"] == 60
    assert outcome["seconds"] >= 3
    assert server.requests() < 60 + 10 * IN_FLIGHT  # it did not hammer at the door
    assert whole.result() == expected


def test_a_key_that_expires(
    server: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    whole = _project(tmp_path, server.url, 300, key="${env:OPENAI_API_KEY}")
    server.fail("401", after=200)
    told = whole.run("--allow-key", _allowed(server), status=1)["error"]
    assert "error[provider-unusable]: provider 'teacher'" in told
    assert "HTTP 401 invalid_api_key: Incorrect API key provided: ***" in told
    assert "what was answered is kept" in told
    assert whole.facts()["status"] == "failed"
    answered = sum(server.count()["answered_by_prompt"].values())
    assert 200 <= answered < 200 + IN_FLIGHT
    assert server.requests() <= answered + IN_FLIGHT

    monkeypatch.setenv("OPENAI_API_KEY", NEW_KEY)
    server.fail("none")
    usage = whole.run("--allow-key", _allowed(server))["usage"]
    assert (usage["asked"], usage["cached"]) == (300 - answered, answered)
    assert set(server.count()["answered_by_prompt"].values()) == {1}
    assert _files_with(tmp_path, KEY) == _files_with(tmp_path, NEW_KEY) == []


def test_a_server_that_is_killed_and_comes_back(tmp_path: Path, expected: dict[str, str]) -> None:
    with stand_in(*OPTIONS) as first:
        whole = _project(tmp_path, first.url)
        process = whole.start("--json")
        _wait(lambda: first.requests() > 20)
        answered = first.count()["answered_by_prompt"]
        first.process.kill()
        time.sleep(2)
        with stand_in(*OPTIONS, "--port", first.root.rpartition(":")[2]) as second:
            out, error = process.communicate(timeout=60)
            assert process.returncode == 0, error
            again = second.count()["answered_by_prompt"]
    assert json.loads(out)["usage"]["asked"] == 60
    assert len(answered.keys() & again.keys()) <= IN_FLIGHT
    assert whole.result() == expected


def test_a_server_that_stays_away(tmp_path: Path, expected: dict[str, str]) -> None:
    with stand_in(*OPTIONS) as first:
        port = first.root.rpartition(":")[2]
        whole = _project(tmp_path, first.url)
        process = whole.start()
        _wait(lambda: first.requests() > 20)
        first.process.kill()
        _, error = process.communicate(timeout=110)
    assert process.returncode == 1
    assert "error[provider-failing]" in error
    assert f"127.0.0.1:{port}" in error
    assert "Traceback" not in error
    with stand_in(*OPTIONS, "--port", port) as second:
        usage = whole.run()["usage"]
        assert usage["asked"] == second.requests()
        assert usage["cached"] >= 20 - IN_FLIGHT
    assert whole.result() == expected


@pytest.mark.parametrize("host", ["no-such-host.invalid", "127.0.0.1:9"])
def test_nobody_at_the_address(tmp_path: Path, host: str) -> None:
    whole = _project(tmp_path, f"http://{host}/v1")
    began = time.monotonic()
    told = whole.run(status=1)["error"]
    assert time.monotonic() - began < 30
    assert "error[provider-unusable]" in told
    assert host in told
    assert "Traceback" not in told


def test_a_disk_that_is_full_while_the_ledger_writes(
    tmp_path: Path, expected: dict[str, str]
) -> None:
    with stand_in(*OPTIONS, "--padding", 20_000) as server:
        whole = _project(tmp_path, server.url)
        words = f"ulimit -f 600; exec {sys.executable} -m sftrecipe.cli.main run recipe.yaml"
        done = subprocess.run(
            ["bash", "-c", words], cwd=whole.folder, capture_output=True, text=True, check=False
        )  # no file may grow beyond 600 KiB
        assert done.returncode == 1, done.stderr
        assert "error[ledger-write]" in done.stderr
        assert "free some disk space" in done.stderr
        assert "Traceback" not in done.stderr
        before = server.requests()
        assert 0 < before < 60
        usage = whole.run()["usage"]
        assert usage["cached"] >= before - 2 * IN_FLIGHT
        assert server.requests() <= 60 + 2 * IN_FLIGHT
    assert whole.result() == expected


def test_a_ledger_that_cannot_be_used(server: StandIn, tmp_path: Path) -> None:
    whole = _project(tmp_path, server.url)
    whole.run()
    server.forget()
    ledger = whole.folder / ".sftrecipe/ledger.sqlite"
    with closing(sqlite3.connect(ledger)) as connection:
        connection.execute("PRAGMA user_version = 99")
    shutil.rmtree(whole.folder / ".sftrecipe/steps")
    assert "error[ledger-newer]" in whole.run(status=1)["error"]
    ledger.write_bytes(ledger.read_bytes()[:7000])
    told = whole.run(status=1)["error"]
    assert "error[ledger-newer]" in told or "error[ledger-damaged]" in told
    ledger.write_bytes(b"")
    told = whole.run(status=1)["error"]
    assert "error[ledger-damaged]" in told
    assert "sftrecipe ledger repair" in told
    assert server.requests() == 0


def test_a_project_that_cannot_be_written(server: StandIn, tmp_path: Path) -> None:
    # The superuser may write anywhere, unless that capability is taken away.
    bound = ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
    whole = _project(tmp_path / "project", server.url)
    shutil.rmtree(whole.folder / ".sftrecipe")
    whole.folder.chmod(0o555)
    command = [*bound, sys.executable, "-m", "sftrecipe.cli.main", "run", "recipe.yaml"]
    done = subprocess.run(
        command, cwd=whole.folder, capture_output=True, text=True, check=False,
        env={**os.environ, "SFTRECIPE_LANG": "en", "SFTRECIPE_PROJECT": str(whole.folder)},
    )  # fmt: skip
    whole.folder.chmod(0o755)
    assert done.returncode == 1
    assert "cannot be written: Permission denied" in done.stderr
    assert "Traceback" not in done.stderr
    assert server.requests() == 0


@pytest.mark.parametrize("fault", ["none", "401", "400"])
def test_no_secret_is_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with stand_in(*OPTIONS) as server:
        server.fail(fault, after=5)
        whole = _project(tmp_path, server.url, 30, key="${env:OPENAI_API_KEY}")
        allowed = ("--allow-key", _allowed(server))
        said = []
        for options in ((), ("--debug",), ("--json",)):
            process = whole.start(*allowed, *options)
            said += process.communicate(timeout=120)
        for command in (("plan", "recipe.yaml", *allowed), ("ledger",)):
            said.append(whole.told(*command))
    assert not any(KEY in text for text in said)
    assert any("Traceback" in text for text in said) == (fault == "401")
    assert _files_with(tmp_path, KEY) == []
    assert any(path.name == "ledger.sqlite" for path in tmp_path.rglob("*"))


def _allowed(server: StandIn) -> str:
    return f"OPENAI_API_KEY={server.root.removeprefix('http://')}"


def _files_with(folder: Path, text: str) -> list[Path]:
    content = text.encode()
    return [path for path in folder.rglob("*") if path.is_file() and content in path.read_bytes()]


def _wait(until: Any) -> None:
    while not until():
        time.sleep(0.02)
