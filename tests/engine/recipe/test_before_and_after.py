"""Judges that ask `base` and `tuned`, which a train block makes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sftrecipe.errors import RecipeError
from sftrecipe.recipe.load import check_recipe

TRAIN = {
    "use": "llamafactory",
    "with": {"stage": "sft", "model_name_or_path": "org/model", "template": "qwen"},
}
JUDGE = {"use": "reference", "on": "exam", "with": {"models": ["tuned", "base"]}}


def told(folder: Path, train: dict[str, Any], judge: dict[str, Any]) -> list[tuple[str, str]]:
    """What is wrong with the recipe: slugs and hints."""
    (folder / "exam.jsonl").write_text(json.dumps({"instruction": "a", "output": "b"}))
    recipe = {
        "version": 1,
        "name": "judged",
        "sources": {"exam": {"use": "jsonl", "path": "exam.jsonl"}},
        "export": [{"use": "llamafactory"}],
        "train": train,
        "evaluate": [judge],
    }
    (folder / "recipe.yaml").write_text(json.dumps(recipe))
    try:
        check_recipe(folder / "recipe.yaml")
    except RecipeError as error:
        return [(each.slug, each.advice("en") or "") for each in error.problems]
    return []


def test_a_trainer_that_is_not_known_is_told_alone(tmp_path: Path) -> None:
    assert told(tmp_path, TRAIN, JUDGE) == []
    wrong = told(tmp_path, {**TRAIN, "use": "lamafactory"}, JUDGE)
    assert wrong == [("unknown-plugin", "did you mean 'llamafactory'?")]


@pytest.mark.parametrize(
    ("model", "slug"), [("trained:pt", "unknown-training"), ("trained", "trained-too-early")]
)
def test_a_base_that_nothing_trains_is_told_once(tmp_path: Path, model: str, slug: str) -> None:
    train = {**TRAIN, "with": {**TRAIN["with"], "model_name_or_path": model}}  # type: ignore[dict-item]
    assert [found for found, _ in told(tmp_path, train, JUDGE)] == [slug]


def test_a_reward_model_answers_nothing(tmp_path: Path) -> None:
    train = {**TRAIN, "with": {**TRAIN["with"], "stage": "rm"}}  # type: ignore[dict-item]
    hints = dict(told(tmp_path, train, JUDGE))
    assert hints.keys() == {"unknown-provider", "untaught"}
    assert "`tuned: {use: transformers, model: trained:ID}`" in hints["unknown-provider"]


def test_a_name_that_nearly_is_one_of_theirs(tmp_path: Path) -> None:
    judge = {**JUDGE, "with": {"models": ["tunde", "base"]}}
    assert told(tmp_path, TRAIN, judge) == [("unknown-provider", "did you mean 'tuned'?")]
