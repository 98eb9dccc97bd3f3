"""`rejects.jsonl` tells of every lost row also where the run did not end, and is never emptied."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest
from tests.engine.run.halting import Halting
from tests.support.plain_runs import Plain


def rejects(project: Plain) -> dict[str, int]:
    """Lost rows by step."""
    found: dict[str, int] = {}
    for line in (project.out / "rejects.jsonl").read_text().splitlines():
        step = json.loads(line)["step"]
        found[step] = found.get(step, 0) + 1
    return found


@pytest.fixture
def project(tmp_path: Path) -> Plain:
    plain = Plain(tmp_path / "project")
    plain.rows(range(5))
    with (plain.folder / "rows.jsonl").open("a") as file:
        file.write('no JSON\n{"instruction": "no answer"}\n')
    plain.recipe(export=[{"use": "llamafactory"}])
    return plain


def test_a_run_that_fails_empties_nothing(project: Plain) -> None:
    project.run()
    whole = {"rows": 1, "export-llamafactory": 1}
    assert rejects(project) == whole
    unanswered = '{"instruction": "no answer", "output": null}\n'
    (project.folder / "rows.jsonl").write_text(unanswered * 3)
    project.run(status=1)
    assert rejects(project) == {"export-llamafactory": 3}
    project.recipe(
        export=[{"use": "llamafactory"}],
        mix={"total": 100, "weights": {"rows": 1}, "on_shortage": "error"},
    )
    told = project.run(status=1)
    assert "error[" in told
    assert rejects(project)["export-llamafactory"] == 3  # it did not come so far


def test_a_failed_export_keeps_its_rejects(project: Plain) -> None:
    (project.folder / "rows.jsonl").write_text('{"instruction": "a", "output": null}\n' * 2)
    told = project.run(status=1)
    assert "Traceback" not in told
    assert rejects(project) == {"export-llamafactory": 2}


def test_an_interrupted_run_leaves_them_as_they_are(tmp_path: Path) -> None:
    halting = Halting(tmp_path / "project")
    halting.rows(range(3))
    halting.use(path="rows.jsonl")
    halting.run()
    theirs = '{"step": "rows", "reason": "old"}\n'
    (halting.out / "rejects.jsonl").write_text(theirs)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        halting.rows(range(3_000), word=f"Q{number}")
        process = halting.halted()
        process.send_signal(number)
        (halting.folder / "go").touch()
        process.communicate(timeout=120)
        assert (halting.out / "rejects.jsonl").read_text() == theirs
        (halting.folder / "halted").unlink(missing_ok=True)


def test_data_catalogue_and_run_file_after_kills(tmp_path: Path) -> None:
    """Killed at any moment of an export: whole files or none, and the next run completes them."""
    plain = Plain(tmp_path / "project")
    plain.rows(range(30_000))
    holdout = {"use": "llamafactory", "with": {"holdout": 0.1}}
    plain.recipe(export=[holdout, {"use": "jsonl"}])
    plain.run()
    names = ("plain.json", "plain_holdout.json", "plain.jsonl", "dataset_info.json")
    before = {name: (plain.out / name).read_bytes() for name in names}
    for wait in (0.0, 0.2, 0.5):
        for name in names:
            (plain.out / name).unlink(missing_ok=True)
        process = plain.start("run", "recipe.yaml")
        while process.poll() is None and not list(plain.out.glob(".plain*.tmp")):
            time.sleep(0.005)
        time.sleep(wait)
        process.kill()
        process.communicate()
        for name in names:
            if (plain.out / name).exists() and name != "dataset_info.json":
                assert (plain.out / name).read_bytes() == before[name]
        plain.run()
        assert {name: (plain.out / name).read_bytes() for name in names} == before
