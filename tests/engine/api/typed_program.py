"""A program that uses the API, for mypy's strict checks alone: `.ci/run` has it checked."""

from pathlib import Path
from typing import Any, assert_type

from sftrecipe import Problem, Recipe, RecipeError, Record, Run, SftrecipeError
from sftrecipe.api.progress_events import News, ProgressEvent, StepFinished


def heard(event: ProgressEvent) -> None:
    match event:
        case StepFinished(step=step, kept=kept):
            assert_type(step, str)
            assert_type(kept, int)
        case News(text=text):
            assert_type(text, str)


recipe = Recipe.load(Path("a.yaml"), profile="openai", set={"n": 3, "f": Path("x")}, allow="word")
written: Recipe = Recipe.load({"version": 1}, folder="recipes")
problems: list[Problem] = recipe.validate()
for planned in recipe.plan(to="train").steps:
    assert_type(planned.calls, tuple[int, int | None])
try:
    run = recipe.run(progress=heard, out="out", to="data", concurrency=4)
except RecipeError as error:
    assert_type(error.problems, list[Problem])
except SftrecipeError as error:
    assert_type(error.problem, Problem)
assert_type(run, Run)
rows: list[dict[str, Any]] = list(run.rows("ask"))
records: list[Record] = list(run.records())
assert_type(run.streams["ask"], int)
assert_type(run.usage.cost, float)
assert_type(run.report.path, Path)
assert_type(next(run.rejects()).reason, str)
assert_type(run.explain("x").row, Record)
assert_type(recipe.preview(2).records["ask"][0], Record)


async def beside() -> Run:
    return await recipe.arun(progress=True)


recipe.run(to="nowhere")  # type: ignore[arg-type]
recipe.run(progress="yes")  # type: ignore[arg-type]
Recipe.load(3)  # type: ignore[arg-type]
