"""A judge without rows is told before a training is paid for."""

from __future__ import annotations

from pathlib import Path

from ...support.sweep_runs import Sweeping


def test_an_empty_holdout_stops_before_the_training(tmp_path: Path) -> None:
    project = Sweeping(tmp_path)
    nearly_none = {"use": "llamafactory", "with": {"name": "toy", "holdout": 1e-12}}
    judge = {"id": "judged", "use": "toy", "provider": "tuned"}
    project.write(None, export=[nearly_none], evaluate=[judge])
    done = project.command("evaluate", "recipe.yaml")
    assert done.returncode == 1
    assert "judge 'judged' would have no rows: 'holdout' is empty" in done.stderr
    assert "holdout: 20" in done.stderr
    assert project.trainings() == []


def test_an_empty_source_stops_before_the_training(tmp_path: Path) -> None:
    project = Sweeping(tmp_path)
    (tmp_path / "exam.jsonl").write_text("")
    project.write(None)
    assert "'exam' is empty" in project.command("run", "recipe.yaml").stderr
    assert project.trainings() == []
    assert project.command("train", "recipe.yaml").returncode == 0
    assert len(project.trainings()) == 1


def test_a_share_that_holds_out_no_row_is_told(tmp_path: Path) -> None:
    project = Sweeping(tmp_path)
    for holdout, told in ((1e-12, True), (2, False)):
        export = {"use": "llamafactory", "with": {"name": "toy", "holdout": holdout}}
        project.write(None, export=[export])
        done = project.command("run", "recipe.yaml", "--to", "data")
        assert ("of 20 rows none is held out" in done.stdout) == told, done.stderr
