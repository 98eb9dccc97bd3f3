"""Who makes a stream, and who thins it: all that ask this, asked of random recipes, agree."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.estimates import Estimating

from sftrecipe.plan.steps import Plan, plan_recipe
from sftrecipe.recipe.load import check_recipe
from sftrecipe.recipe.recipe import CheckedRecipe
from sftrecipe.recipe.sweep.sweep_check import decided_by
from sftrecipe.run.run_file import read_run
from sftrecipe.run.run_record import RunRecord
from sftrecipe.store.artifacts import StepStore
from sftrecipe.store.project import project_of

RUNS = int(os.environ.get("SFTRECIPE_TEST_RUNS", "0"))
SOURCES = ("left", "right")
MODEL = {"use": "openai", "base_url": "http://127.0.0.1:1/v1", "model": "m", "api_key": ""}


@st.composite
def recipes(draw: st.DrawFn) -> dict[str, Any]:
    """A recipe that asks nobody for its data: chunks of chunks, filters, a mix, exports."""
    streams = list(SOURCES)
    generate = []
    for number in range(draw(st.integers(0, 3))):
        read = draw(st.sampled_from(streams))
        block = {"id": f"g{number}", "use": "chunk", "from": read}
        options = {"max": draw(st.integers(60, 200)), "min_paragraph": 0, "field": "instruction"}
        generate.append({**block, "with": options})
        streams.append(f"g{number}")
    filters = []
    for number in range(draw(st.integers(0, 3))):
        on = draw(st.lists(st.sampled_from(streams), min_size=1, max_size=2, unique=True))
        options = {"field": "instruction", "max_chars": draw(st.integers(150, 900))}
        filters.append({"id": f"f{number}", "use": "length", "on": on, "with": options})
    exports = []
    for number in range(draw(st.integers(1, 3))):
        options = {"name": f"set{number}", "holdout": draw(st.sampled_from([0, 1, 2, 0.3]))}
        block = {"id": f"e{number}", "use": "llamafactory", "with": options}
        if draw(st.booleans()):
            block["from"] = draw(st.lists(st.sampled_from(streams), min_size=1, unique=True))
        exports.append(block)
    recipe: dict[str, Any] = {
        "version": 1,
        "name": "estimating",
        "providers": {"m": MODEL},
        "sources": {name: {"use": "jsonl", "path": f"{name}.jsonl"} for name in SOURCES},
        "generate": generate,
        "filter": filters,
        "export": exports,
    }
    if draw(st.booleans()):
        mixed = draw(st.lists(st.sampled_from(streams), min_size=1, max_size=3, unique=True))
        recipe["mix"] = {"weights": dict.fromkeys(mixed, 1), "on_shortage": "scale"}
    if any(block["with"]["holdout"] for block in exports):
        judge = {"id": "near", "use": "reference", "with": {"models": ["m"]}}
        if draw(st.booleans()):
            judge["on"] = draw(st.sampled_from([*streams, "holdout"]))
        recipe["evaluate"] = [judge]
    return recipe


def changed(recipe: Mapping[str, Any], section: str, at: int) -> dict[str, Any]:
    """The recipe with another value in one of its blocks."""
    block = recipe[section][at]
    name, other = {
        "generate": ("max", 57),
        "filter": ("max_chars", 149),
        "export": ("holdout", 3),
    }[section]
    blocks = list(recipe[section])
    blocks[at] = {**block, "with": {**block["with"], name: other}}
    return {**recipe, section: blocks}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("random")
    for name in SOURCES:
        rows = (
            {
                "instruction": " ".join(
                    f"{name} sentence {n} of row {row}." for n in range(row + 2)
                ),
                "output": f"answer {row}",
            }
            for row in range(12)
        )
        (made / f"{name}.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return made


def checked(folder: Path, recipe: Mapping[str, Any]) -> CheckedRecipe:
    file = folder / "recipe.yaml"
    file.write_text(yaml.safe_dump(dict(recipe)))
    return check_recipe(file)


def planned(recipe: CheckedRecipe) -> Plan:
    return plan_recipe(recipe, project_of(recipe.path), "evaluate")


def questions_key(plan: Plan) -> str:
    """What the judge's questions are made from, as the plan sees it."""
    return next(step.parts["inputs"] for step in plan.steps if step.id == "near")


ODD = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much)


@settings(max_examples=RUNS or 12, deadline=None, suppress_health_check=ODD)
@given(recipes(), st.data())
def test_what_decides_a_judges_questions(
    folder: Path, recipe: dict[str, Any], data: st.DataObject
) -> None:
    """The sweep's check and the plan's keys tell the same of every change in every block."""
    if "evaluate" not in recipe or any(len(each["on"]) > 1 for each in recipe["filter"]):
        return  # a filter of two streams waits for both: it may come too late to decide one
    before = checked(folder, recipe)
    places = [
        (section, at)
        for section in ("generate", "filter", "export")
        for at in range(len(recipe[section]))
    ]
    section, at = data.draw(st.sampled_from(places))
    after = checked(folder, changed(recipe, section, at))
    found = [decided_by(each, "near")["questions"] for each in (before, after)]
    keys = [questions_key(planned(each)) for each in (before, after)]
    assert (found[0] != found[1]) == (keys[0] != keys[1]), (section, at)


@settings(max_examples=RUNS or 4, deadline=None, suppress_health_check=ODD)
@given(recipes())
def test_the_run_its_record_and_the_plan_see_the_same_streams(
    tmp_path_factory: pytest.TempPathFactory, folder: Path, recipe: dict[str, Any]
) -> None:
    place = tmp_path_factory.mktemp("run")
    for name in SOURCES:
        (place / f"{name}.jsonl").write_bytes((folder / f"{name}.jsonl").read_bytes())
    project = Estimating(place)
    recipe = {name: value for name, value in recipe.items() if name != "evaluate"}
    (place / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    foreseen = project.plan()
    if project.command("run", "recipe.yaml").returncode:
        return  # an empty stream, or all rows held out: another test's matter
    out = place / "runs" / "estimating"
    run, store = read_run(out), StepStore(project_of(place / "recipe.yaml").steps)
    assert run is not None
    streams = run.streams(store)
    assert set(streams) == {name for step in run.steps for name in step.makes}
    earlier = run.as_json()
    for step in earlier["steps"]:
        del step["makes"], step["thins"]
    before = RunRecord.from_json(earlier).streams(store)
    rows = {name: list(each.ids()) for name, each in streams.items()}
    # Earlier versions did not tell of a stream that an export held no row out to.
    assert {name: ids for name, ids in rows.items() if ids or name in before} == {
        name: list(each.ids()) for name, each in before.items()
    }
    for each in run.steps:
        least, most = foreseen[each.id]["rows"]
        count = each.facts.mix.written if each.facts.mix else each.facts.kept
        if each.section != "export":  # what an export rejects is not foreseen
            assert least <= count, each.id
            assert most is None or count <= most, each.id
