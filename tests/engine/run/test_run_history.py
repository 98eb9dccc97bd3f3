"""What a project keeps of every run: in what order, of killed ones too, and what gc takes."""

from __future__ import annotations

import errno
import json
import pickle
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.support.plain_runs import Plain

from sftrecipe.cli.main import cli
from sftrecipe.errors import Problem, RecipeError, UsageError
from sftrecipe.run.run_record import StepRecord
from sftrecipe.store.lock_files import LockFile, is_held

SHORT: dict[str, Any] = {"use": "length", "on": "rows", "with": {"field": "output", "min_chars": 3}}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plain:
    made = Plain(tmp_path / "project")
    monkeypatch.chdir(made.folder)
    made.rows(range(6))
    made.recipe(filter=[SHORT])
    return made


def run(status: int = 0) -> None:
    assert CliRunner().invoke(cli, ["run", "recipe.yaml", "-q"]).exit_code == status


def told(*words: str) -> Any:
    """What a command prints as JSON."""
    found = CliRunner().invoke(cli, [*words, "--json"])
    assert found.exit_code == 0, found.output
    return json.loads(found.stdout)


def history() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = told("history")
    return found


def test_runs_are_kept_in_their_order_with_what_changed(project: Plain) -> None:
    run()
    run()  # nothing was fresh: no entry
    project.recipe(filter=[{**SHORT, "with": {"field": "output", "min_chars": 4}}])
    run()
    first, second = history()
    assert (first["status"], first["rows"], first["changed"]) == ("done", 6, None)
    assert second["changed"] == ["filter/filter-length.min_chars"]
    assert first["id"] < second["id"]


def test_steps_of_runs_are_not_read_for_the_list(
    project: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    monkeypatch.setattr(StepRecord, "from_json", lambda *_, **__: pytest.fail("a step was read"))
    assert len(history()) == 1


@pytest.mark.parametrize(
    "spoilt",
    [{"made": "6"}, {"notes": {"data_sets": [], "shares": {"rows": 1}}}],
    ids=["no number of rows", "no share"],
)
def test_a_run_whose_steps_cannot_be_told_is_none(project: Plain, spoilt: dict[str, Any]) -> None:
    run()
    (path,) = (project.folder / ".sftrecipe" / "history").glob("*.json")
    entry = json.loads(path.read_text("utf-8"))
    entry["run"]["steps"][0] |= spoilt
    path.write_text(json.dumps(entry), "utf-8")
    assert history() == []


def test_a_run_that_failed_is_kept_once(project: Plain) -> None:
    run()
    project.recipe(filter=[{**SHORT, "with": {"field": "output", "min_chars": 400}}])
    run(1)
    run(1)
    assert [each["status"] for each in history()] == ["done", "failed"]


def test_a_file_that_changed_is_named(project: Plain) -> None:
    run()
    project.rows(range(7))
    run()
    assert history()[1]["changed"] == ["rows.jsonl"]


def test_a_killed_run_is_entered_at_the_next_look(project: Plain) -> None:
    (project.folder / "slow.py").write_text(
        "import time\n"
        "from sftrecipe.run.steps import export_step\n"
        "export_step.ExportStep.execute = lambda *_: time.sleep(60)\n"
        "from sftrecipe.cli.main import main\n"
        "main()\n"
    )
    with subprocess.Popen(
        [sys.executable, "slow.py", "run", "recipe.yaml", "-q"], cwd=project.folder
    ) as process:
        while not list((project.folder / ".sftrecipe/steps").glob("*/*/verdicts-0.parquet")):
            time.sleep(0.05)
            assert process.poll() is None
        time.sleep(0.3)
        assert [each["status"] for each in history()] == ["running"]
        process.send_signal(signal.SIGKILL)
    (entry,) = history()
    assert entry["status"] == "killed"
    assert not list((project.folder / ".sftrecipe/history").glob("*.begun"))
    _check_difference_of_killed()


def _check_difference_of_killed() -> None:
    """What a killed run had not come to is in its recipe all the same, and no step of another."""
    run()
    for sides, side in ((("last~1", "last"), "was"), (("last", "last~1"), "now")):
        found = told("diff", *sides)
        ((slug, values),) = found["notes"]
        assert (slug, values["name"]) == ("note-unreached", found[side]["name"])
        assert values["steps"] == ["export-jsonl"]
        assert found["steps"] == []


def test_a_killed_run_has_no_step_that_the_next_one_did(project: Plain) -> None:
    """Though nobody looked at the history between them."""
    run()
    (entry,) = (project.folder / ".sftrecipe/history").glob("*.json")
    note = json.loads(entry.read_bytes())
    entry.unlink()
    note["plan"], note["run"]["steps"] = note["run"]["steps"], []
    entry.with_suffix(".begun").write_text(json.dumps(note))
    for folder in (project.folder / ".sftrecipe/steps").glob("*/*"):
        shutil.rmtree(folder)
    run()
    assert [each["status"] for each in history()] == ["killed", "done"]
    assert told("diff", "last~1", "last")["notes"][0][1]["steps"] == [
        *("rows", "filter-length", "export-jsonl")
    ]


def test_gc_keeps_the_last_runs_that_are_asked_for(project: Plain) -> None:
    for least in (3, 4, 5):
        project.recipe(filter=[{**SHORT, "with": {"field": "output", "min_chars": least}}])
        run()
    ids = [each["id"] for each in history()]
    assert told("gc")["runs_without_rows"] == ids[:2]
    assert told("gc", "--keep", "2")["runs_without_rows"] == ids[:1]
    assert told("gc", "--keep", "3")["unused"] == []
    assert told("gc", "--keep", "2", "--yes")["freed"]
    assert [each["rows_gone"] for each in history()] == [True, False, False]


def test_small_files_are_kept_once_and_read_back_only_as_what_they_are(project: Plain) -> None:
    run()
    project.rows(range(7))
    run()
    kept = sorted((project.folder / ".sftrecipe/history/files").iterdir())
    assert len(kept) == 2
    found = json.loads(CliRunner().invoke(cli, ["diff", "--json"]).stdout)
    assert any("Q 00006" in line for line in found["files"][0]["lines"])
    for each in kept:
        each.unlink()
        each.symlink_to("/etc/hostname")
    found = json.loads(CliRunner().invoke(cli, ["diff", "--json"]).stdout)
    assert found["files"][0]["lines"] == []


def test_a_run_does_not_fail_by_its_history(project: Plain) -> None:
    (project.folder / ".sftrecipe/history").write_text("in the way")
    run()
    assert len(project.data()) == 6
    assert history() == []


def test_what_is_no_entry_is_passed_over_and_odd_values_are_none(project: Plain) -> None:
    run()
    folder = project.folder / ".sftrecipe" / "history"
    [path] = folder.glob("*.json")
    entry = json.loads(path.read_text())
    used = {**entry["run"], "usage": {"cost": "x", "currency": "USD", "asked": "many"}}
    odd = {"id": "20200101-000000-0000000", "run": used, "contents": [1], "files": {"a": 5}}
    for name, content in {
        "20200101-000000-0000000": entry | odd,
        "copy": entry,
        "20200102-000000-0000000": entry,
        "<b>": entry | {"id": "20200101-000000-<b>"},
    }.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    (folder / "cut.json").write_bytes(path.read_bytes()[:200])
    assert [each["id"] for each in history()] == ["20200101-000000-0000000", path.stem]
    shown = CliRunner().invoke(cli, ["history"])
    assert shown.exit_code == 0, shown.output
    assert len(shown.stderr.splitlines()) == 1
    assert "left out here: 4" in shown.stderr
    told("diff", "20200101", "last")


def test_a_full_disk_makes_no_run_wait_for_itself(tmp_path: Path) -> None:
    def full(descriptor: int, content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "run.lock"
    with pytest.MonkeyPatch.context() as patch, pytest.raises(OSError, match="No space"):
        patch.setattr("os.write", full)
        LockFile(path)
    assert not path.exists()
    held = LockFile(path)  # waited for the first one before
    assert is_held(path)
    held.release()


def test_errors_go_from_process_to_process() -> None:
    problem = Problem("no-such-run", None, {"run": "a", "known": ""}, "known")
    wrong, missing = RecipeError([problem]), UsageError.of(problem)
    assert pickle.loads(pickle.dumps(wrong)).problems == [problem]
    again = pickle.loads(pickle.dumps(missing))
    assert (type(again), again.problem, str(again)) == (UsageError, problem, str(missing))
