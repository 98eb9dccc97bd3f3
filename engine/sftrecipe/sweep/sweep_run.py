"""Executing a sweep: every variant trained and judged, one after the other.

Each training of a variant is a run of its own into `sweep/VARIANT` of the output folder. Steps that
variants share are in the project's store, so that they are executed once; all runs are paid from
one account, so that the recipe's budget is that of the whole sweep.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from math import isfinite
from pathlib import Path

from sftrecipe.errors import Problem, SftrecipeError
from sftrecipe.messages import message
from sftrecipe.plan.steps import Plan, Step, plan_recipe
from sftrecipe.plan.stream_contents import StreamContents
from sftrecipe.plugin.kept_models import kept_model_of
from sftrecipe.plugin.trainer import Trainer
from sftrecipe.recipe.recipe import CheckedRecipe, Sweep, Variant
from sftrecipe.run.missed_gates import missed_gates
from sftrecipe.run.output_folder import OutputFolder
from sftrecipe.run.progress import Progress
from sftrecipe.run.run_file import run_before
from sftrecipe.run.run_plan import run_plan
from sftrecipe.run.steps.section_steps import runner_of
from sftrecipe.run.steps.step_files import ROWS
from sftrecipe.store.artifacts import StepStore
from sftrecipe.store.atomic_files import inside
from sftrecipe.store.project import Project
from sftrecipe.store.rows import read_rows
from sftrecipe.sweep.judged_rows import Row, Values

SWEEP_FOLDER = "sweep"


@dataclass
class SweepTraining:
    """One training of a variant, judged or failed."""

    variant: Variant
    number: int
    """Which of the variant's trainings, from 0."""
    recipe: CheckedRecipe
    out: Path
    plan: Plan
    figure: float | None = None
    bounds: tuple[float, float] | None = None
    """The ends of the figure's interval, where the judge gives them."""
    values: Values = field(default_factory=dict)
    """The judged rows' own values of the figure, where the judge gives them."""
    problem: Problem | None = None
    """Why it failed."""
    cached: bool = False
    """Whether all of it was there already."""


@dataclass(frozen=True)
class SweepOutcome:
    """What a sweep came to."""

    recipe: CheckedRecipe
    sweep: Sweep
    out: Path
    trainings: tuple[SweepTraining, ...]

    @property
    def failed(self) -> bool:
        """Whether any training failed, or missed a gate."""
        return any(training.problem for training in self.trainings)

    def of(self, variant: Variant) -> list[SweepTraining]:
        """The trainings of a variant."""
        return [training for training in self.trainings if training.variant is variant]


@dataclass(frozen=True)
class SweepTarget:
    """Where a sweep takes place, and how it executes."""

    project: Project
    out: Path
    progress: Progress
    concurrency: int | None = None
    retry_failed: bool = False
    take_over: bool = False
    ended: Callable[[Path], None] = lambda _: None
    """Told the folder of every run that ended, well or badly."""


def sweep_trainings(recipe: CheckedRecipe, project: Project, out: Path) -> list[SweepTraining]:
    """Every training of every variant, each with its plan and folder."""
    assert recipe.sweep is not None  # noqa: S101 - the callers ask before
    trainings, store = [], StepStore(project.steps)  # they share steps
    for variant in recipe.sweep.variants:
        for number, each in enumerate(variant.trainings):
            name = variant.name if not number else f"{variant.name}__training={number + 1}"
            plan = replace(plan_recipe(each, project, "evaluate"), store=store)
            trainings.append(SweepTraining(variant, number, each, out / SWEEP_FOLDER / name, plan))
    return trainings


async def run_sweep(recipe: CheckedRecipe, target: SweepTarget) -> SweepOutcome:
    """Execute what is missing of every variant.

    A variant that fails is told in the result, and the others go on. Raises SftrecipeError where
    none can go on: the budget is reached, a price is missing.
    """
    assert recipe.sweep is not None  # noqa: S101
    OutputFolder(target.out, recipe, take_over=target.take_over).check()
    trainings = sweep_trainings(recipe, target.project, target.out)
    failed: dict[str, Problem] = {}
    for place, training in enumerate(trainings, 1):
        values = {"number": place, "count": len(trainings), "name": training.out.name}
        target.progress.line(message("sweep-variant", values))
        training.cached = is_judged(training, target.retry_failed)
        if not training.cached:
            await _execute(training, target, failed)
        if training.cached or is_judged(training):
            _read(training, recipe.sweep)
    return SweepOutcome(recipe, recipe.sweep, target.out, tuple(trainings))


async def keep_only(best: str, swept: SweepOutcome, target: SweepTarget) -> None:
    """Delete the models of all variants but the best; that one is trained again where its model
    was deleted before.

    Nothing is deleted where a training failed: the others may still be needed.
    """
    if swept.failed:
        return
    for training in swept.trainings:
        if training.variant.name == best:
            if not all(folder.exists() for folder in _models(training)):
                await _run(training, target)
            continue
        for folder in _models(training):
            kept = kept_model_of(training.out, folder)
            if kept:
                kept.remove()
            else:
                shutil.rmtree(folder, ignore_errors=True)


async def _execute(
    training: SweepTraining, target: SweepTarget, failed: dict[str, Problem]
) -> None:
    """Execute a training's run; what fails is noted by the step that it failed at, and a step that
    failed for a variant before is not tried again."""
    ahead = _next_step(training)
    if ahead is not None and ahead.key in failed:
        training.problem = failed[ahead.key]
        return
    try:
        await _run(training, target)
    except SftrecipeError as error:
        if error.exit_status != 1:
            raise
        training.problem = error.problem
        if step := _next_step(training):
            failed[step.key] = error.problem


async def _run(training: SweepTraining, target: SweepTarget) -> None:
    running = run_plan(
        training.plan,
        target.project,
        training.out,
        target.progress,
        target.concurrency,
        retry_failed=target.retry_failed,
        take_over=target.take_over,
    )
    try:
        await running
    except SftrecipeError:
        target.ended(training.out)
        raise
    target.ended(training.out)


def is_judged(training: SweepTraining, retry_failed: bool = False) -> bool:
    """Whether a run has made and judged it: its model need not be there any more."""
    if run_before(training.out).document != training.recipe.document:
        return False
    store = training.plan.store
    contents = StreamContents(store)
    for step in training.plan.steps:
        if not contents.stands(step):
            return False
        if retry_failed and store.facts(step.key).has_failed_calls:
            return False
        contents.advance(step)
    return True


def _next_step(training: SweepTraining) -> Step | None:
    """The first step of its data that is not made; None where all are."""
    contents = StreamContents(training.plan.store)
    for step in training.plan.steps:
        makes_data = step.reach == "data" and not runner_of(step).always_written
        if makes_data and not contents.stands(step):
            return step
        contents.advance(step)
    return None


def _read(training: SweepTraining, sweep: Sweep) -> None:
    """Take the figure, and the rows' own values, from the judge's step."""
    store = training.plan.store
    step = next(step for step in training.plan.steps if step.id == sweep.judge)
    metrics = store.facts(step.key).metrics
    figure = metrics.get(sweep.figure)
    if figure is None or not isfinite(figure):
        values = {"step": step.id, "error": message("sweep-no-figure", {"metric": sweep.figure})}
        training.problem = training.problem or Problem("step-refused", None, values)
        return
    training.figure = figure
    ends = metrics.get(f"{sweep.figure}_low"), metrics.get(f"{sweep.figure}_high")
    if ends[0] is not None and ends[1] is not None:
        training.bounds = ends[0], ends[1]
    training.values = dict(figure_values(store.path(step.key) / ROWS, sweep.figure))
    if training.problem is None:
        judged = [(step, store.facts(step.key)) for step in training.plan.steps if step.block.gates]
        missed = missed_gates(judged)
        training.problem = missed.problem if missed else None


def figure_values(path: Path, figure: str) -> Iterator[tuple[Row, tuple[float, float]]]:
    """Each judged row's value and weight, by the question that it was asked."""
    seen: Counter[str] = Counter()
    for row in read_rows(path):
        name = row.parents[0] if row.parents else row.id
        place = seen[name]
        seen[name] += 1
        value, weight = row.scores.get(figure), row.scores.get(f"{figure}_weight", 1.0)
        if value is not None and isfinite(value) and weight > 0:
            yield (name, place), (value, weight)


def _models(training: SweepTraining) -> Iterator[Path]:
    """The folders that the trainings wrote their models into."""
    for step in training.plan.steps:
        if isinstance(step.block.plugin, Trainer):
            model = training.plan.store.facts(step.key).model
            if model is not None:
                kept = kept_model_of(training.out, training.out / model.folder)
                yield kept.folder if kept else inside(training.out, Path(model.folder).parts[0])
