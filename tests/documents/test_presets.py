"""The catalogue: headers of presets, their worlds and files, how little they ask as they stand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from sftrecipe.cli.main import cli
from sftrecipe.recipe.load import check_recipe
from sftrecipe.recipe.presets.preset_header import preset_header

SHELF = Path(__file__).parents[2] / "recipes" / "presets"
PROMPTS = Path(__file__).parents[2] / "registry"
"""Where the prompts lie that come along with plugins."""
NAMES = sorted(file.parent.name for file in SHELF.glob("*/recipe.yaml"))
PROFILES = ("ernie", "openai", "vllm", "deepseek", "qwen")
TOLD = [f"{key}{tongue}" for key in ("purpose", "needs", "cost") for tongue in ("", ".zh")]


def recipe(name: str) -> Path:
    return SHELF / name / "recipe.yaml"


def test_there_are_presets_for_what_people_come_for() -> None:
    assert len(NAMES) >= 16


@pytest.mark.parametrize("name", NAMES)
def test_header_is_complete_in_both_languages(name: str) -> None:
    header = preset_header(recipe(name))
    assert [key for key in TOLD if key not in header.told] == []
    assert header.papers
    assert "TODO" not in recipe(name).read_text("utf-8")
    for key in TOLD:
        has_chinese = any("\u4e00" <= letter <= "\u9fff" for letter in header.told[key])
        assert has_chinese == key.endswith(".zh"), key
    for key in ("cost", "cost.zh"):
        assert "2026-" in header.told[key]


@pytest.mark.parametrize("name", NAMES)
def test_it_holds_in_each_world_with_its_own_files_within_a_budget(name: str) -> None:
    folder = SHELF / name
    for profile in (None, *PROFILES):
        checked = check_recipe(recipe(name), profile=profile, keys_later=True)
        assert checked.name == name
        for block in [block for blocks in checked.sections.values() for block in blocks]:
            for path in block.files.paths.values():
                inside = Path(path).resolve()
                assert inside.is_relative_to(folder) or inside.is_relative_to(PROMPTS), path
        if profile:
            assert checked.budget.max_cost or (profile == "vllm" and checked.budget.max_calls)
            assert checked.sections["train"], "what its rows are for"


@pytest.mark.parametrize("name", NAMES)
def test_as_it_stands_it_asks_little(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SFTRECIPE_PROJECT", str(tmp_path))
    planned = CliRunner().invoke(cli, ["plan", str(recipe(name)), "--json"])
    assert planned.exit_code == 0, planned.stderr
    total = json.loads(planned.stdout)["total"]
    assert (total["likely"]["asked"] or total["calls"][0]) <= 60  # unknown: of questions in trees
