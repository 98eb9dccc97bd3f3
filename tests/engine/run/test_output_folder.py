"""An output folder belongs to one recipe; what its runs did not write is never written over."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.support.plain_runs import Plain


@pytest.fixture
def project(tmp_path: Path) -> Plain:
    plain = Plain(tmp_path / "project")
    plain.rows(range(3))
    plain.recipe()
    return plain


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_two_recipes_of_one_name_are_kept_apart(project: Plain) -> None:
    project.recipe("a.yaml", export=[{"use": "llamafactory", "with": {"name": "first"}}])
    project.recipe("b.yaml", export=[{"use": "llamafactory", "with": {"name": "second"}}])
    project.run("a.yaml")
    before = files(project.out)
    told = project.run("b.yaml", status=2)
    assert "error[output-taken]" in told
    assert "a.yaml'" in told
    assert "--out" in told
    assert files(project.out) == before
    project.run("b.yaml", "--out", "elsewhere")
    assert (project.folder / "elsewhere" / "second.json").exists()
    project.run("b.yaml", "--take-over")
    assert (project.out / "second.json").exists()
    assert "error[output-taken]" in project.run("a.yaml", status=2)


@pytest.mark.parametrize("name", ["plain.jsonl", "rejects.jsonl", "run.json", "report.html"])
@pytest.mark.parametrize("kind", ["file", "link", "folder"])
def test_what_stands_in_the_way_stays(project: Plain, name: str, kind: str) -> None:
    if kind != "file" and name not in ("plain.jsonl", "run.json"):
        pytest.skip("the same for all")
    project.out.mkdir(parents=True)
    theirs, other = project.out / name, project.folder / "theirs"
    if kind == "folder":
        theirs.mkdir()
        (theirs / "kept").write_text("theirs")
    else:
        (other if kind == "link" else theirs).write_text("theirs")
        if kind == "link":
            theirs.symlink_to(other)
    told = project.run(status=2)
    assert "error[output-in-the-way]" in told
    assert name in told
    assert (theirs / "kept" if kind == "folder" else theirs).read_text() == "theirs"
    assert theirs.is_symlink() == (kind == "link")
    if kind == "file":
        project.run("recipe.yaml", "--take-over")
        assert len(project.data()) == 3


def test_what_is_in_the_way_is_told_before_anything_is_made(project: Plain) -> None:
    twice = [{"id": "one", "use": "jsonl"}, {"id": "two", "use": "jsonl"}]
    project.recipe(export=twice)
    told = project.run(status=2)
    assert "error[catalogue-duplicate]" in told
    assert "rows: 3 rows" not in told
    project.recipe(export=[{"use": "llamafactory", "with": {"holdout": 1}}])
    project.out.mkdir(parents=True)
    for name in ("plain.json", "plain_holdout.json"):
        (project.out / name).write_text("theirs")
        told = project.run(status=2)
        assert f"{name}' was not written" in told
        assert "rows: 3 rows" not in told
        (project.out / name).unlink()
    train = {"use": "llamafactory", "with": {"model_name_or_path": "a/b", "template": "qwen"}}
    project.recipe(export=[{"use": "llamafactory"}], train=train)
    (project.out / "model").mkdir()
    assert "model' was not written" in project.run("recipe.yaml", "--to", "data", status=2)
    (project.out / "model").rmdir()
    project.run("recipe.yaml", "--to", "data")
    (project.out / "model").mkdir()  # trained by hand, as train.yaml says
    project.rows(range(4))
    project.run("recipe.yaml", "--to", "data")


def test_a_damaged_run_json_is_none(project: Plain) -> None:
    project.run()
    for content in ('{"name": "plain", "steps": 3}', '{"outdated": [3], "steps": [{"id": 1}]}'):
        (project.out / "run.json").write_text(content)
        project.run()
        assert json.loads((project.out / "run.json").read_bytes())["status"] == "done"


def test_the_projects_own_folder_as_output(project: Plain) -> None:
    (project.folder / "plain.jsonl").write_text("somebody's")
    before = files(project.folder)
    assert "error[output-in-the-way]" in project.run("recipe.yaml", "--out", ".", status=2)
    after = files(project.folder)
    assert {name: after[name] for name in before} == before


def test_a_folder_that_is_read_is_no_output(project: Plain) -> None:
    (project.folder / "docs").mkdir()
    (project.folder / "docs" / "a.md").write_text("# A\n\ntext")
    project.recipe(sources={"rows": {"use": "markdown", "path": "docs"}})
    for out in ("docs", "docs/out"):
        assert "error[output-in-input]" in project.run("recipe.yaml", "--out", out, status=2)
    assert [path.name for path in (project.folder / "docs").iterdir()] == ["a.md"]


def test_an_input_is_never_written_over_not_even_ones_own(project: Plain) -> None:
    project.run()
    project.recipe(sources={"rows": {"use": "jsonl", "path": "runs/plain/plain.jsonl"}})
    before = (project.out / "plain.jsonl").read_bytes()
    told = project.run(status=2)
    assert "error[output-is-input]" in told
    assert (project.out / "plain.jsonl").read_bytes() == before


def test_the_recipe_itself_is_no_output(project: Plain) -> None:
    for name in ("run.json", "plain.jsonl"):
        shutil.move(project.folder / "recipe.yaml", project.folder / name)
        before = files(project.folder)
        told = project.run(name, "--out", ".", status=2)
        assert "error[output-i" in told
        assert before.items() <= files(project.folder).items()
        shutil.move(project.folder / name, project.folder / "recipe.yaml")


def test_a_project_that_was_moved_copied_or_linked_goes_on(project: Plain, tmp_path: Path) -> None:
    project.run()
    copied = tmp_path / "copied"
    shutil.copytree(project.folder, copied)
    moved = project.folder.rename(tmp_path / "moved")
    (tmp_path / "linked").symlink_to(moved)
    for folder in (copied, moved, tmp_path / "linked"):
        project.folder = folder
        assert "done before" in project.run()
    project.rows(range(4))
    project.run()
    assert len(project.data()) == 4


def test_a_recipe_with_a_new_name_goes_on(project: Plain) -> None:
    project.run()
    (project.folder / "recipe.yaml").rename(project.folder / "renamed.yaml")
    project.run("renamed.yaml")
    (project.folder / "renamed.yaml").unlink()
    project.recipe("third.yaml", seed=3)  # edited too: nobody can tell that it is the same
    told = project.run("third.yaml", status=2)
    assert "--take-over" in told
    project.run("third.yaml", "--take-over")
    project.run("third.yaml")


def test_a_folder_of_an_earlier_version_goes_on(project: Plain) -> None:
    project.run()
    (project.out / ".sftrecipe.json").unlink()
    project.rows(range(5))
    project.run()
    assert len(project.data()) == 5


def test_an_entry_of_a_catalogue_that_is_somebody_elses_stays(project: Plain) -> None:
    project.recipe(export=[{"use": "llamafactory"}])
    project.out.mkdir(parents=True)
    theirs = {"plain": {"file_name": "theirs.json"}, "more": {"hf_hub_url": "a/b"}}
    (project.out / "dataset_info.json").write_text(json.dumps(theirs))
    told = project.run(status=1)
    assert "error[catalogue-taken]" in told
    assert json.loads((project.out / "dataset_info.json").read_bytes()) == theirs


@pytest.mark.parametrize(
    ("name", "exporter"),
    [("run", "llamafactory"), ("rejects", "jsonl"), ("Report.html", "datasets")],
)
def test_a_data_set_has_no_name_of_the_runs_own_files(
    project: Plain, name: str, exporter: str
) -> None:
    project.recipe(export=[{"use": exporter, "with": {"name": name}}])
    assert "error[data-set-named]" in project.run(status=2)
    assert not (project.folder / ".sftrecipe" / "steps").exists()


def test_an_output_folder_that_cannot_be_is_told_before_anything_is_done(project: Plain) -> None:
    (project.folder / "taken").write_text("theirs")
    told = project.run("recipe.yaml", "--out", "taken/below", status=1)
    assert "taken' is no folder" in told
    assert not (project.folder / ".sftrecipe" / "steps").exists()


def test_a_damaged_run_is_told_where_it_is_reported(project: Plain) -> None:
    project.run()
    run = json.loads((project.out / "run.json").read_text())
    run["steps"][0]["made"] = []
    (project.out / "run.json").write_text(json.dumps(run))
    told = project.run(str(project.out), command="report", status=1)
    assert "error[run-damaged]" in told
