"""The example workflow for GitHub: what it may do, and that its commands are there and work."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.git_repository import git
from tests.support.plain_runs import COMMAND, Plain

from sftrecipe.cli.main import COMMANDS, imported_command

FILE = Path(__file__).parents[2] / "recipes/github-workflow.yml"


@pytest.fixture(scope="module")
def workflow() -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load(FILE.read_text("utf-8"))
    return found


def steps(workflow: dict[Any, Any]) -> list[dict[Any, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_it_may_do_no_more_than_it_needs(workflow: dict[Any, Any]) -> None:
    assert workflow["permissions"] == {"contents": "read"}
    assert list(workflow[True]) == ["pull_request"], "`on`, which YAML 1.1 reads as a truth"
    assert workflow["jobs"]["comment"]["permissions"] == {"pull-requests": "write"}
    assert "permissions" not in workflow["jobs"]["check"]
    assert "head.repo.full_name == github.repository" in workflow["jobs"]["comment"]["if"]
    assert "secrets." not in FILE.read_text("utf-8")


def test_actions_are_pinned_and_nothing_of_the_request_is_written_into_a_script(
    workflow: dict[Any, Any],
) -> None:
    for step in steps(workflow):
        assert re.fullmatch(r"actions/[a-z-]+@v\d+", step.get("uses", "actions/x@v1"))
        assert "${{" not in step.get("run", "")


def test_its_commands_and_their_options_exist(workflow: dict[Any, Any]) -> None:
    scripts = "\n".join(step.get("run", "") for step in steps(workflow))
    called = re.findall(r"sftrecipe (\w+)((?:[^\n;|>]*?)(?=$|;|\||>))", scripts, re.MULTILINE)
    assert {name for name, _ in called} == {"validate", "lock", "diff"} <= set(COMMANDS)
    for name, words in called:
        known = {option for each in imported_command(name).params for option in each.opts}
        assert set(re.findall(r"--[a-z-]+", words)) <= known


def test_its_comment_tells_what_a_commit_changes(
    workflow: dict[Any, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Plain(tmp_path / "project")
    recipes = project.folder / "recipes"
    recipes.mkdir()

    def commit(seed: int) -> None:
        project.recipe("recipes/clinic one.yaml", seed=seed)
        project.rows(range(4), "recipes/rows.jsonl")
        git(project.folder, "add", "recipes")
        git(project.folder, "commit", "-qm", ".")

    git(project.folder, "init", "-q")
    commit(1)
    commit(2)
    command = tmp_path / "bin" / "sftrecipe"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {" ".join(COMMAND)} "$@"\n')
    command.chmod(0o755)
    (script,) = (step["run"] for step in steps(workflow) if step.get("name") == "What changed")
    subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=project.folder,
        check=True,
        env={
            **os.environ,
            "PATH": f"{command.parent}:{os.environ['PATH']}",
            "SFTRECIPE_LANG": "en",
            "BASE": "HEAD~1",
            "RECIPES": "recipes",
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        },
    )
    comment = (project.folder / "comment.md").read_text()
    assert "| seed | changed | 1 | 2 |" in comment
    assert (tmp_path / "summary").read_text() == comment
