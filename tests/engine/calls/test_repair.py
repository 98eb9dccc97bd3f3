"""`sftrecipe ledger repair`: real ledgers, damaged at several places."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sftrecipe.calls.ledger.counted_calls import verify
from sftrecipe.calls.ledger.engines import EngineLock
from sftrecipe.calls.ledger.repair import repair
from sftrecipe.errors import SftrecipeError

from ...support.asked_calls import say_all, session
from ...support.standin import StandIn, stand_in

LEDGER = Path(".sftrecipe/ledger.sqlite")
PAGE = 4096
CALLS = 400
TEXTS = [f"question {n} {'long ' * (n % 7) ** 4}" for n in range(CALLS)]


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with stand_in("--padding", 700) as running:
        yield running


@pytest.fixture(scope="module")
def filled(server: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose ledger holds some hundred calls, copied while in use: most are in its log."""
    folder = tmp_path_factory.mktemp("filled")
    copied = tmp_path_factory.mktemp("copied") / "project"

    async def fill() -> None:
        async with session(server.url, folder) as opened:
            await say_all(opened.model("teacher", "ask"), TEXTS[: CALLS // 2])
        async with session(server.url, folder) as opened:
            opened.ledger()._connection.execute("PRAGMA wal_autocheckpoint = 0")
            await say_all(opened.model("teacher", "ask"), TEXTS[CALLS // 2 :])
            shutil.copytree(folder, copied)

    asyncio.run(fill())
    shutil.rmtree(copied / LEDGER.parent / "engines")
    return copied


@pytest.fixture
def project(filled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(filled, tmp_path / "project"))


@pytest.fixture
def replies(filled: Path, tmp_path: Path) -> dict[str, tuple[str, str]]:
    """What the sound ledger holds."""
    copy = Path(shutil.copytree(filled, tmp_path / "sound"))
    return _replies(copy)


def _replies(project: Path) -> dict[str, tuple[str, str]]:
    with closing(sqlite3.connect(project / LEDGER)) as connection:
        rows = connection.execute("SELECT key, request, reply FROM calls WHERE state = 'done'")
        return {key: (request, reply) for key, request, reply in rows}


def _log(project: Path) -> Path:
    return project / f"{LEDGER}-wal"


def _checkpointed(project: Path) -> None:
    with closing(sqlite3.connect(project / LEDGER)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _overwrite(file: Path, places: list[int], size: int = PAGE) -> None:
    with file.open("r+b") as opened:
        for place in places:
            opened.seek(place)
            opened.write(random.Random(place).randbytes(size))


def _some_pages(project: Path, seed: int, count: int = 6) -> None:
    _checkpointed(project)
    file = project / LEDGER
    pages = random.Random(seed).sample(range(1, file.stat().st_size // PAGE), count)
    _overwrite(file, [page * PAGE for page in pages])


def _first_page(project: Path) -> None:
    _checkpointed(project)
    _overwrite(project / LEDGER, [0])


def _root_of_the_calls(project: Path) -> None:
    _checkpointed(project)
    with closing(sqlite3.connect(project / LEDGER)) as connection:
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'calls'"
        root = connection.execute(query).fetchone()[0]
    _overwrite(project / LEDGER, [(root - 1) * PAGE])


def _cut_short(project: Path) -> None:
    _checkpointed(project)
    file = project / LEDGER
    with file.open("r+b") as opened:
        opened.truncate(file.stat().st_size * 2 // 3 + 1234)


def _under_its_log(project: Path) -> None:
    size = (project / LEDGER).stat().st_size
    _overwrite(project / LEDGER, [0, 8 * PAGE, size // 2 // PAGE * PAGE])


def _log_cut_short(project: Path) -> None:
    _under_its_log(project)
    with _log(project).open("r+b") as opened:
        opened.truncate(_log(project).stat().st_size * 2 // 3)


@pytest.mark.parametrize(
    ("damage", "least"),
    [
        pytest.param(lambda project: _some_pages(project, 1), 0.9, id="six pages"),
        pytest.param(lambda project: _some_pages(project, 2), 0.9, id="six other pages"),
        pytest.param(lambda project: _some_pages(project, 3, 40), 0.5, id="forty pages"),
        pytest.param(_first_page, 1.0, id="the first page"),
        pytest.param(_root_of_the_calls, 1.0, id="the root of the table"),
        pytest.param(_cut_short, 0.5, id="cut short"),
        pytest.param(_under_its_log, 0.9, id="pages under the log"),
        pytest.param(_log_cut_short, 0.4, id="log cut short"),
    ],
)
def test_what_can_be_read_is_saved(
    project: Path,
    replies: dict[str, tuple[str, str]],
    damage: Callable[[Path], None],
    least: float,
) -> None:
    damage(project)
    damaged = {path.name: path.read_bytes() for path in (project / LEDGER).parent.glob("ledger*")}
    repaired = repair(project / LEDGER)
    saved = _replies(project)
    assert saved.items() <= replies.items()  # never a wrong reply
    assert len(saved) == repaired.replies >= least * CALLS
    assert repaired.saved + repaired.lost <= CALLS
    assert verify(project / LEDGER) == repaired.saved
    assert repaired.kept.read_bytes() == damaged[LEDGER.name]
    log = repaired.kept.with_name(repaired.kept.name + "-wal")
    assert (log.read_bytes() if log.exists() else None) == damaged.get(f"{LEDGER.name}-wal")
    names = {path.name for path in (project / LEDGER).parent.glob("ledger*")}
    assert not any("repaired" in name for name in names)


def test_lost_calls_are_counted_by_the_index(project: Path) -> None:
    _checkpointed(project)
    with closing(sqlite3.connect(project / LEDGER)) as connection:
        root = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'calls'"
        ).fetchone()[0]
    content = (project / LEDGER).read_bytes()
    leaves = [
        page
        for page in range(len(content) // PAGE)
        if content[page * PAGE] == 0x0D and page != root - 1 and page > 4
    ]
    _overwrite(project / LEDGER, [page * PAGE for page in leaves[3:9]])
    repaired = repair(project / LEDGER)
    assert repaired.lost > 0
    assert repaired.saved + repaired.lost == CALLS


async def test_what_was_saved_is_not_paid_again(server: StandIn, project: Path) -> None:
    _some_pages(project, 5)
    with pytest.raises(SftrecipeError) as caught:
        verify(project / LEDGER)
    assert "sftrecipe ledger repair" in str(caught.value.problem.advice("en"))
    assert "sftrecipe ledger repair" in str(caught.value.problem.advice("zh"))
    repaired = repair(project / LEDGER)
    server.forget()
    async with session(server.url, project) as opened:
        await say_all(opened.model("teacher", "ask"), TEXTS)
        assert opened.total().cached == repaired.replies
    assert server.requests() == CALLS - repaired.replies


def test_the_command_tells_what_it_did(project: Path) -> None:
    assert "sound" in _repaired(project).stdout
    assert json.loads(_repaired(project, "--json").stdout)["calls"] == CALLS
    _some_pages(project, 7)
    told = _repaired(project)
    assert "saved: " in told.stdout
    assert "damaged-" in told.stdout
    _some_pages(project, 8)
    assert json.loads(_repaired(project, "--json").stdout)["saved"] > 300
    (project / LEDGER).write_bytes(b"nothing of it is left" * 999)
    told = _repaired(project, status=1)
    assert "error[ledger-damaged]" in told.stderr
    assert "restore a copy" in told.stderr
    assert (project / LEDGER).read_bytes() == b"nothing of it is left" * 999


def test_a_request_that_cannot_be_read_is_damage(project: Path) -> None:
    with closing(sqlite3.connect(project / LEDGER)) as connection, connection:
        connection.execute("UPDATE calls SET request = '{spoilt' WHERE rowid = 7")
    with pytest.raises(SftrecipeError, match="is damaged"):
        verify(project / LEDGER)
    assert json.loads(_repaired(project, "--json").stdout)["saved"] == CALLS - 1
    assert verify(project / LEDGER) == CALLS - 1


def test_a_ledger_in_use_and_a_newer_one_are_left_alone(project: Path) -> None:
    lock = EngineLock((project / LEDGER).parent / "engines")
    with pytest.raises(SftrecipeError, match="in use"):
        repair(project / LEDGER)
    lock.release()
    with closing(sqlite3.connect(project / LEDGER)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(SftrecipeError, match="newer"):
        repair(project / LEDGER)


def _repaired(project: Path, *options: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sftrecipe.cli.main", "ledger", *options, "repair"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    return done
