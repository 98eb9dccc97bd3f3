"""Every recipe that the project ships validates and can be planned, in each of its worlds."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from sftrecipe import Context
from sftrecipe.cli.main import cli
from sftrecipe.recipe.checks.secrets import hosts_by_variable
from sftrecipe.recipe.load import check_recipe
from sftrecipe.recipe.reader.layers import compose
from sftrecipe.recipe.reader.paths import Roots
from sftrecipe.recipe.recipe import CheckedRecipe
from sftrecipe.record import Record
from sftrecipe_registry.filters.rules.length import Length
from sftrecipe_registry.filters.rules.regex import Regex

ROOT = Path(__file__).parents[2]


def worlds() -> Iterator[object]:
    for recipe in sorted((ROOT / "recipes").glob("*.yaml")):
        written = compose(recipe, Roots(recipe, ()), profile=None, variables={}).written
        profiles = written.get("profiles")
        for profile in (None, *(profiles.value if profiles else ())):
            yield pytest.param(recipe.name, profile, id=f"{recipe.stem}-{profile or 'plain'}")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "recipes", folder / "recipes")
    shutil.copy(ROOT / "dataset_info.json", folder)
    (folder / ".sftrecipe").mkdir()
    return folder


@pytest.mark.parametrize(("recipe", "profile"), list(worlds()))
def test_validates_and_plans(
    recipe: str, profile: str | None, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in hosts_by_variable():
        monkeypatch.setenv(key, "a-key")
    monkeypatch.setenv("SFTRECIPE_VLLM_ENV", sys.prefix)
    monkeypatch.setenv("SFTRECIPE_PROJECT", str(project))
    path = str(project / "recipes" / recipe)
    chosen = ["--profile", profile] if profile else []
    monkeypatch.setattr("sftrecipe.calls.limits.prices._price_map", dict)  # litellm is an extra
    validated = CliRunner().invoke(cli, ["validate", path, *chosen])
    assert validated.exit_code == 0, validated.stderr
    planned = CliRunner().invoke(cli, ["plan", path, *chosen, "--json"])
    assert planned.exit_code == 0, planned.stderr
    assert "budget-no-price" not in planned.stderr
    for step in json.loads(planned.stdout)["steps"]:
        for least, most in (step["rows"], step["calls"], step["tokens"]):
            assert most is None or 0 <= least <= most, step


def test_three_stages_make_their_data_where_nothing_can_be_trained(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SFTRECIPE_PROJECT", str(project))
    monkeypatch.setenv("SFTRECIPE_TRAIN_ENV", str(project / "absent"))
    monkeypatch.setenv("XDG_DATA_HOME", str(project / "data"))
    recipe = str(project / "recipes" / "three-stages.yaml")
    made = CliRunner().invoke(cli, ["run", recipe, "--to", "data", "--json"])
    assert made.exit_code == 0, made.stderr
    folder = project / "runs" / "three-stages"
    catalogue = json.loads((folder / "dataset_info.json").read_text("utf-8"))
    assert {name: entry.get("ranking", False) for name, entry in catalogue.items()} == {
        "documents": False,
        "answers": False,
        "ratings": True,
    }
    assert catalogue["documents"]["columns"]["prompt"] == "text"
    assert {f"train-{stage}.yaml" for stage in ("pt", "sft", "rm")} <= {
        path.name for path in folder.iterdir()
    }
    for stage in ("sft", "rm"):  # checked as if it started from the first one's own base
        assert "model_name_or_path: embedded" not in (folder / f"train-{stage}.yaml").read_text()


def own_questions(recipe: CheckedRecipe) -> Iterator[Record]:
    """The rows with an instruction of the sources that are files here, but not of other fields."""
    for name, source in recipe.sources.items():
        if name == "general":
            continue
        path = recipe.path.parent / str(source.raw.get("path"))
        for line in path.read_text("utf-8").splitlines() if path.suffix == ".jsonl" else ():
            columns = json.loads(line)
            if columns.get("instruction"):
                yield Record(name, columns, name)


@pytest.mark.parametrize(("recipe", "profile"), list(worlds()))
def test_its_own_questions_pass_its_filters_of_questions(recipe: str, profile: str | None) -> None:
    checked = check_recipe(ROOT / "recipes" / recipe, profile=profile, keys_later=True)
    for block in checked.filter:
        if not isinstance(block.plugin, Regex | Length) or block.plugin.field != "instruction":
            continue
        context = Context(block.id)
        for row in own_questions(checked):
            verdict = block.plugin.judge_row(row, context)
            assert verdict.keep, (block.id, verdict, row.columns["instruction"])
