"""What a recipe does not export any more does not stay beside what it exports."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from sftrecipe.cli.main import cli

RECIPE = """
version: 1
name: held
register: true
sources:
  rows: {{use: jsonl, path: rows.jsonl}}
export:
  - {{use: llamafactory, from: rows, with: {{holdout: {holdout}}}}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / ".sftrecipe").mkdir()
    (tmp_path / "dataset_info.json").write_text('{"held_holdout_2": {"file_name": "other.json"}}')
    write_rows(tmp_path)
    return tmp_path


def write_rows(project: Path) -> None:
    rows = ({"instruction": f"How are {n}?", "output": f"Well, {n}."} for n in range(20))
    (project / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def run(project: Path, holdout: int, name: str = "recipe.yaml", out: str = "out") -> int:
    (project / name).write_text(RECIPE.format(holdout=holdout))
    command = ["run", str(project / name), "--out", str(project / out), "-q"]
    return CliRunner().invoke(cli, command).exit_code


def catalogue(folder: Path) -> set[str]:
    return set(json.loads((folder / "dataset_info.json").read_bytes()))


def test_a_holdout_that_is_not_kept_apart_any_more_goes(project: Path) -> None:
    assert run(project, 4) == 0
    assert (project / "out" / "held_holdout.json").exists()
    assert catalogue(project) == {"held", "held_holdout", "held_holdout_2"}
    assert run(project, 0) == 0
    assert not (project / "out" / "held_holdout.json").exists()
    assert len(json.loads((project / "out" / "held.json").read_bytes())) == 20
    assert catalogue(project / "out") == {"held"}
    assert catalogue(project) == {"held", "held_holdout_2"}


def test_it_goes_also_after_a_run_that_failed(project: Path) -> None:
    assert run(project, 4) == 0
    (project / "rows.jsonl").write_text("no JSON\n")
    assert run(project, 0) == 1
    assert (project / "out" / "held_holdout.json").exists()
    write_rows(project)
    assert run(project, 0) == 0
    assert not (project / "out" / "held_holdout.json").exists()
    assert catalogue(project / "out") == {"held"}


def test_a_file_that_somebody_changed_stays_out_of_the_catalogue_only(project: Path) -> None:
    assert run(project, 4) == 0
    (project / "out" / "held_holdout.json").write_text("[]  ")
    assert run(project, 0) == 0
    assert (project / "out" / "held_holdout.json").read_text() == "[]  "
    assert catalogue(project / "out") == {"held"}


def test_another_recipe_in_the_same_folder_is_refused_unless_it_is_to_take_over(
    project: Path,
) -> None:
    assert run(project, 4) == 0
    text = RECIPE.format(holdout=0).replace("name: held", "name: other")
    (project / "other.yaml").write_text(text)
    command = ["run", str(project / "other.yaml"), "--out", str(project / "out"), "-q"]
    before = {path.name: path.read_bytes() for path in (project / "out").iterdir()}
    assert CliRunner().invoke(cli, command).exit_code != 0
    assert {path.name: path.read_bytes() for path in (project / "out").iterdir()} == before
    assert CliRunner().invoke(cli, [*command, "--take-over"]).exit_code == 0
    assert (project / "out" / "held_holdout.json").exists()
    assert catalogue(project / "out") == {"held", "held_holdout", "other"}
