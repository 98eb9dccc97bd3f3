"""Started servers and their workers as real processes: none is left, whatever happens."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from sftrecipe.calls.session import Session, open_session
from sftrecipe.errors import SftrecipeError
from sftrecipe.plugin.discovery import plugin_class
from sftrecipe.recipe.recipe import Block
from sftrecipe_registry.providers.vllm import server as vllm_server
from sftrecipe_registry.shared.processes import server_process
from sftrecipe_registry.shared.processes.process_group import Process, members, process_of
from sftrecipe_registry.shared.processes.server_log import telling_lines
from sftrecipe_registry.shared.processes.server_note import SUFFIX, ServerNote, own_note, read_note

REPOSITORY = Path(__file__).parents[3]
FAKE = Path(__file__).with_name("fake_server.py")
ASKED = [{"role": "user", "content": "a question"}]
DEADLY = [{"role": "user", "content": "[[die]]"}]
ENGINE = """
import asyncio, sys
from pathlib import Path
from tests.registry.providers.test_server_process import ASKED, asked
async def main():
    async with asked(Path(sys.argv[1])) as session:
        await session.model("p", "step").chat(ASKED)
        print("ready", flush=True)
        await asyncio.sleep(600)
asyncio.run(main())
"""


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment whose python is the fake server."""
    python = tmp_path / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -E "{FAKE}" "$@"\n')
    python.chmod(0o755)
    monkeypatch.setenv("SFTRECIPE_VLLM_ENV", str(tmp_path / "venv"))
    monkeypatch.setattr(server_process, "GRACE", 1.0)
    return tmp_path / "venv"


@asynccontextmanager
async def asked(
    folder: Path, said: list[str] | None = None, **serve: object
) -> AsyncIterator[Session]:
    plugin = plugin_class("provider", "vllm").model_validate({"model": "org/m", "serve": serve})
    block = Block("providers", "p", "vllm", plugin)
    progress = (said if said is not None else []).append
    ledger = folder / "project" / ".sftrecipe" / "ledger.sqlite"
    async with open_session({"p": block}, ledger, run="r", progress=progress) as session:
        yield session


def servers(folder: Path) -> Path:
    return folder / "project" / ".sftrecipe" / "providers" / "servers"


def note_of(folder: Path) -> ServerNote:
    """The note of the only server."""
    (path,) = servers(folder).glob(f"*{SUFFIX}")
    note = read_note(path)
    assert note is not None
    return note


def gone(note: ServerNote, within: float = 15.0) -> bool:
    until = time.monotonic() + within
    while members(note.group) or note.keeper.lives():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """An engine of its own process that has a server, and waits."""
    command = [sys.executable, "-c", ENGINE, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


async def test_a_server_ends_with_its_workers(tmp_path: Path) -> None:
    said: list[str] = []
    async with asked(tmp_path, said) as session:
        reply = await session.model("p", "step").chat(ASKED)
        assert reply.text == "an answer"
        async with asyncio.timeout(5):
            while len((note := note_of(tmp_path)).processes) < 2:  # noqa: ASYNC110 - another's
                await asyncio.sleep(0.05)
        assert note.engine == process_of(os.getpid())
    assert not members(note.group)
    assert not list(servers(tmp_path).glob(f"*{SUFFIX}"))
    assert said[0].startswith("starting vLLM with org/m on port")
    assert any(line.startswith("vLLM with org/m is ready") for line in said)


async def test_the_servers_own_error_when_it_dies_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLLM_FAKE_SERVER", "dies")
    with pytest.raises(SftrecipeError) as caught:
        async with asked(tmp_path) as session:
            await session.model("p", "step").chat(ASKED)
    message = caught.value.problem.message("en")
    assert message.endswith("(exit status 1): ValueError: the card is too small"), message
    (log,) = servers(tmp_path).glob("*.log")
    assert str(log) in (caught.value.problem.advice("en") or "")
    assert "Traceback" in log.read_text()


async def test_a_server_that_never_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_FAKE_SERVER", "never")
    monkeypatch.setattr(server_process, "_TELL", 0.5)
    said: list[str] = []
    with pytest.raises(SftrecipeError, match=r"within 2 s; the last line.*Loading weights"):
        async with asked(tmp_path, said, start_timeout=2.0) as session:
            await session.model("p", "step").chat(ASKED)
    assert any(line.endswith("s: Loading weights") for line in said), said
    assert not list(servers(tmp_path).glob(f"*{SUFFIX}"))


async def test_a_server_that_ignores_sigterm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLLM_FAKE_SERVER", "stubborn")
    async with asked(tmp_path) as session:
        await session.model("p", "step").chat(ASKED)
        note = note_of(tmp_path)
        started = time.monotonic()
    assert not members(note.group)
    assert time.monotonic() - started >= 1.0


async def test_a_server_that_dies_is_started_once_more(tmp_path: Path) -> None:
    said: list[str] = []
    async with asked(tmp_path, said) as session:
        model = session.model("p", "step")
        await model.chat(ASKED)
        first = note_of(tmp_path)
        os.kill(first.processes[0].pid, signal.SIGKILL)
        again = (model.chat([{"role": "user", "content": f"again {n}"}]) for n in range(20))
        assert {reply.text for reply in await asyncio.gather(*again)} == {"an answer"}
        second = note_of(tmp_path)
        assert not members(first.group)
    assert not members(second.group)
    assert sum("it is started once more" in line for line in said) == 1, said


async def test_a_server_that_dies_twice_while_it_is_asked(tmp_path: Path) -> None:
    with pytest.raises(SftrecipeError, match=r"ended while it was asked \(SIGKILL\)") as caught:
        async with asked(tmp_path) as session:
            await session.model("p", "step").chat(ASKED)
            note = note_of(tmp_path)
            await session.model("p", "step").chat(DEADLY)
    assert not members(note.group)
    assert not list(servers(tmp_path).glob(f"*{SUFFIX}"))
    assert "the whole log" in (caught.value.problem.advice("en") or "")
    assert len(list(servers(tmp_path).glob("*.log"))) == 2


async def test_a_server_that_does_not_start_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SftrecipeError, match="ended while it started"):
        async with asked(tmp_path) as session:
            await session.model("p", "step").chat(ASKED)
            monkeypatch.setenv("VLLM_FAKE_SERVER", "dies")
            await session.model("p", "step").chat(DEADLY)
    assert not list(servers(tmp_path).glob(f"*{SUFFIX}"))


async def test_a_port_that_is_taken_in_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose = vllm_server._free_port
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ports = iter([taken.getsockname()[1], choose()])
        monkeypatch.setattr(vllm_server, "_free_port", lambda: next(ports))
        async with asked(tmp_path) as session:
            assert (await session.model("p", "step").chat(ASKED)).text == "an answer"


def test_a_killed_engines_server_ends(tmp_path: Path, engine: subprocess.Popen[str]) -> None:
    note = note_of(tmp_path)
    assert members(note.group)
    engine.kill()
    assert gone(note)
    assert not list(servers(tmp_path).glob(f"*{SUFFIX}"))


def test_an_engine_that_is_interrupted_while_its_server_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLLM_FAKE_SERVER", "never")
    command = [sys.executable, "-c", ENGINE, str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=REPOSITORY) as process:
        until = time.monotonic() + 20
        while not list(servers(tmp_path).glob(f"*{SUFFIX}")) and time.monotonic() < until:
            time.sleep(0.05)
        note = note_of(tmp_path)
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(20) == -signal.SIGINT
        finally:
            process.kill()
    assert not members(note.group)
    assert not note.keeper.lives()


async def test_what_a_killed_engine_and_keeper_left_ends_at_the_next_start(
    tmp_path: Path, engine: subprocess.Popen[str]
) -> None:
    note = note_of(tmp_path)
    os.kill(note.keeper.pid, signal.SIGKILL)
    engine.kill()
    engine.wait()
    await asyncio.sleep(0.2)
    assert members(note.group)
    said: list[str] = []
    async with asked(tmp_path, said) as session:
        await session.model("p", "other step").chat([{"role": "user", "content": "new"}])
        assert not members(note.group)
    assert "stopped a server that a killed run left" in said[1] + said[0]


async def test_a_keeper_that_is_killed(tmp_path: Path) -> None:
    async with asked(tmp_path) as session:
        await session.model("p", "step").chat(ASKED)
        note = note_of(tmp_path)
        os.kill(note.keeper.pid, signal.SIGKILL)
        again = [{"role": "user", "content": "again"}]
        assert (await session.model("p", "step").chat(again)).text == "an answer"
    assert not members(note.group)


async def test_two_engines_leave_each_others_servers_alone(
    tmp_path: Path, engine: subprocess.Popen[str]
) -> None:
    theirs = note_of(tmp_path)
    async with asked(tmp_path) as session:
        await session.model("p", "step").chat([{"role": "user", "content": "mine"}])
        assert len(list(servers(tmp_path).glob(f"*{SUFFIX}"))) == 2
    assert members(theirs.group)


async def test_a_number_that_another_process_has_now_is_not_touched(tmp_path: Path) -> None:
    dead = Process(os.getpid(), "1")
    other = await asyncio.create_subprocess_exec("sleep", "600", start_new_session=True)
    try:
        mine = own_note(os.getpid(), other.pid)
        stale = Process(other.pid, str(int(mine.processes[0].started) - 5))
        servers(tmp_path).mkdir(parents=True)
        path = servers(tmp_path) / f"old{SUFFIX}"
        replace(mine, engine=dead, keeper=dead, processes=(stale,)).write(path)
        elsewhere = servers(tmp_path) / f"elsewhere{SUFFIX}"
        replace(mine, engine=dead, keeper=dead, machine="another").write(elsewhere)
        async with asked(tmp_path) as session:
            await session.model("p", "step").chat(ASKED)
        assert other.returncode is None
        assert not path.exists()
        assert elsewhere.exists()
    finally:
        other.kill()
        await other.wait()


def test_spoilt_notes_are_none(tmp_path: Path) -> None:
    path = tmp_path / f"x{SUFFIX}"
    for text in ("", "[]", "{}", json.dumps({"machine": "m", "processes": []}), "\0"):
        path.write_text(text)
        assert read_note(path) is None
    assert read_note(tmp_path / "absent") is None


@pytest.mark.parametrize(
    ("log", "told"),
    [
        (
            "(EngineCore pid=9) ERROR 11-21 08:16:49 [core.py:15] Traceback (most recent call):\n"
            '(EngineCore pid=9) ERROR 11-21 08:16:49 [core.py:15]   File "x.py", line 2\n'
            "(EngineCore pid=9) ERROR 11-21 08:16:49 [core.py:15] torch.OutOfMemoryError: CUDA\n"
            "RuntimeError: Worker failed with 'CUDA', check the stack trace above\n"
            "RuntimeError: Engine core initialization failed. See root cause above.\n",
            "torch.OutOfMemoryError: CUDA",
        ),
        (
            "pydantic_core.ValidationError: 1 validation error for ModelConfig\n"
            "  Value error, Invalid repository ID: 'x'\n    For further information\n",
            "pydantic_core.ValidationError: 1 validation error for ModelConfig Value error, "
            "Invalid repository ID: 'x' For further information",
        ),
        (
            "api_server.py: error: unrecognized arguments: --x\n",
            "api_server.py: error: unrecognized arguments: --x",
        ),
        (
            "/v/bin/python: Error while finding module specification for 'vllm.x'\n",
            "/v/bin/python: Error while finding module specification for 'vllm.x'",
        ),
        ("a/python3.11/b.py:1: FutureWarning: old\n0%\r50%\r100%\nlast\n", "*last"),
        (
            "[rank1]: Traceback (most recent call last):\n[rank1]: ValueError: no rows\n"
            "torch.distributed.elastic.multiprocessing.errors.ChildFailedError: \n"
            "subprocess.CalledProcessError: Command '['torchrun']' returned 1.\n",
            "ValueError: no rows",
        ),
        ("", ""),
    ],
)
def test_the_telling_lines_of_a_log(tmp_path: Path, log: str, told: str) -> None:
    path = tmp_path / "log"
    path.write_text(log, newline="")
    found = telling_lines(path)
    assert found.endswith(told[1:]) if told.startswith("*") else found == told
