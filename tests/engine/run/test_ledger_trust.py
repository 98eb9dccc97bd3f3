"""A ledger is ours, whole, and where it was; file systems that cannot hold one are told."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.engine.run.asking import Asking
from tests.support.standin import StandIn, stand_in

FAULTY = """
import errno, fcntl, os
def refuse(number):
    def call(*args, **options):
        raise OSError(number, os.strerror(number))
    return call
for name in "{links}".split():
    os.link = refuse(getattr(errno, name))
for name in "{locks}".split():
    fcntl.flock = refuse(getattr(errno, name))
"""


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with stand_in("--delay", 0.1) as running:
        yield running


@pytest.mark.parametrize(
    "script",
    [
        "DROP TABLE accounts",
        "ALTER TABLE calls DROP COLUMN estimated",
        "PRAGMA user_version = -1",
        "PRAGMA user_version = 1",
    ],
)
def test_a_ledger_that_lacks_parts_is_damaged(tmp_path: Path, script: str) -> None:
    project = Asking(tmp_path / "project", "http://127.0.0.1:9/v1")
    project.run(status=1)
    with closing(sqlite3.connect(project.ledger)) as connection:
        connection.executescript(script)
    assert "error[ledger-damaged]" in project.run(status=1)


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("CREATE TRIGGER t AFTER INSERT ON calls BEGIN DELETE FROM calls; END", "trigger t"),
        ("CREATE VIEW v AS SELECT * FROM calls", "view v"),
        ("CREATE TABLE more (x)", "table more"),
        ("ALTER TABLE calls ADD COLUMN evil TEXT AS (upper(reply))", "table calls"),
        (
            "DROP INDEX calls_unanswered; CREATE INDEX calls_unanswered ON calls (step)",
            "index calls_unanswered",
        ),
        (
            "DROP TABLE engines; CREATE VIEW engines AS SELECT 1 AS id, '' AS token, 0 AS closed",
            "view engines",
        ),
        ("CREATE VIRTUAL TABLE texts USING fts5(x)", "table texts"),
    ],
)
def test_foreign_parts_are_refused(tmp_path: Path, script: str, found: str) -> None:
    project = Asking(tmp_path / "project", "http://127.0.0.1:9/v1")
    assert "provider" in project.run(status=1)
    with closing(sqlite3.connect(project.ledger)) as connection:
        connection.executescript(script)
    before = project.ledger.read_bytes()
    for command in (("run", "recipe.yaml"), ("ledger",))[: 2 if found == "view v" else 1]:
        told = project.run(*command[1:], command=command[0], status=1) if command[1:] else ""
        if not command[1:]:
            process = project.start(*command)
            told = process.communicate()[1]
        assert "error[ledger-altered]" in told
        assert found in told
    assert project.ledger.read_bytes() == before


@pytest.mark.parametrize("how", ["deleted", "replaced", "with its folder"])
def test_a_ledger_that_goes_while_a_run_works(tmp_path: Path, server: StandIn, how: str) -> None:
    project = Asking(tmp_path / "project", server.url, rows=60, concurrency=2)
    server.forget()
    process = project.start("run", "recipe.yaml")
    while server.requests() < 8:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    if how == "with its folder":
        shutil.rmtree(project.folder / ".sftrecipe", ignore_errors=True)
    else:
        project.ledger.unlink()
        if how == "replaced":
            project.ledger.write_bytes(b"")
    _, told = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "error[ledger-gone]" in told
    assert "Traceback" not in told
    asked = server.requests()
    if how == "replaced":
        (saved,) = project.folder.glob(".sftrecipe/ledger.sqlite.saved-*")
        assert saved.name in told
        saved.replace(project.ledger)
    assert project.answered() >= asked - 2 * 2
    project.run()
    assert server.requests() <= 60 + 2 * 2


@pytest.mark.parametrize("number", ["EPERM", "EXDEV", "ENOTSUP"])
def test_a_file_system_without_links(tmp_path: Path, server: StandIn, number: str) -> None:
    project = Asking(tmp_path / "project", server.url, rows=3)
    _faulty(project, links=number)
    project.run(PYTHONPATH=str(project.folder / "faulty"))
    assert project.answered() == 3


@pytest.mark.parametrize("number", ["ENOLCK", "EOPNOTSUPP"])
def test_a_file_system_without_locks(tmp_path: Path, server: StandIn, number: str) -> None:
    project = Asking(tmp_path / "project", server.url, rows=3)
    _faulty(project, locks=number)
    told = project.run(status=1, PYTHONPATH=str(project.folder / "faulty"))
    assert "error[no-locks]" in told
    assert "SFTRECIPE_PROJECT" in told


def _faulty(project: Asking, links: str = "", locks: str = "") -> None:
    """Have the command's own calls of the system fail, as on such a file system."""
    (project.folder / "faulty").mkdir()
    code = FAULTY.format(links=links, locks=locks)
    (project.folder / "faulty" / "sitecustomize.py").write_text(code)
