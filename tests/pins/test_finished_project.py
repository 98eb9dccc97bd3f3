"""A project as an earlier version left it: its steps stand, and its run can be read.

`finished/` was made by `sftrecipe run recipe.yaml` before version 1.0, and stays as it is: `steps`
is its `.sftrecipe/steps`, `out` its `runs/finished` without the report.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LEFT = Path(__file__).parent / "finished"
OUT = Path("runs/finished")
MEANING = """\
Steps that an earlier version finished are executed again: their results are not found, or are no
longer read. Users pay their calls anew. Where that is meant, raise STORE_FORMAT (or the plugin's
`version`), tell it in CHANGELOG.md, and replace tests/pins/finished by what is left now."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(LEFT, tmp_path / "project")
    (tmp_path / "project" / ".sftrecipe").mkdir()
    (tmp_path / "project" / "runs").mkdir()
    (tmp_path / "project" / "steps").rename(tmp_path / "project" / ".sftrecipe" / "steps")
    (tmp_path / "project" / "out").rename(tmp_path / "project" / OUT)
    return tmp_path / "project"


def told(project: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "sftrecipe.cli.main", *words],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SFTRECIPE_LANG": "en"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_its_steps_are_cached(project: Path) -> None:
    steps = json.loads(told(project, "plan", "recipe.yaml", "--json"))["steps"]
    states = {step["id"]: step["cached"] for step in steps if step["section"] != "export"}
    assert len(states) == 7
    assert all(states.values()), f"{MEANING}\n{states}"


def test_there_is_nothing_to_do(project: Path) -> None:
    before = (project / OUT / "run.json").read_bytes()
    assert "nothing to do" in told(project, "run", "recipe.yaml"), MEANING
    assert (project / OUT / "run.json").read_bytes() == before


def test_run_elsewhere_it_leaves_the_same(project: Path) -> None:
    told(project, "run", "recipe.yaml", "--out", "again")
    steps = json.loads((project / "again" / "run.json").read_text())["steps"]
    states = {step["id"]: step["cached"] for step in steps if step["section"] != "export"}
    assert len(states) == 7
    assert all(states.values()), f"{MEANING}\n{states}"
    for file in sorted((LEFT / "out").glob("[!.]*.json*")):
        if file.name != "run.json":
            assert (project / "again" / file.name).read_bytes() == file.read_bytes(), file.name


def test_its_run_can_be_read(project: Path) -> None:
    row = json.loads((project / OUT / "rejects.jsonl").read_text().splitlines()[0])["row"]["id"]
    assert "seeds" in told(project, "explain", row, "--run", str(OUT))
    told(project, "report", str(OUT))
    assert "not_the_exam" in (project / OUT / "report.html").read_text()
