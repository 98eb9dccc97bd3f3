"""Executing a sweep: every variant trained and judged, one after the other.

Each training of a variant is a run of its own into `sweep/VARIANT` of the output folder. Steps that
variants share are in the project's store, so that they are executed once; all runs are paid from
one account, so that the recipe's budget is that of the whole sweep.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

from sftrecipe.errors import Problem, SftrecipeError
from sftrecipe.messages import message
from sftrecipe.plan.steps import Plan, Step, plan_recipe
from sftrecipe.plan.stream_contents import StreamContents
from sftrecipe.plugin.provider import ASKED_AGAIN
from sftrecipe.recipe.recipe import CheckedRecipe, Sweep, Variant
from sftrecipe.run.output_folder import OutputFolder
from sftrecipe.run.progress import Progress
from sftrecipe.run.run_file import run_before
from sftrecipe.run.run_plan import run_plan
from sftrecipe.run.steps.evaluate_step import gate_results, missed
from sftrecipe.run.steps.step_files import ROWS
from sftrecipe.store.artifacts import StepStore
from sftrecipe.store.atomic_files import inside
from sftrecipe.store.project import Project
from sftrecipe.store.rows import read_rows
from sftrecipe.sweep.statistics import Row, Values

SWEEP_FOLDER = "sweep"
_DATA = ("sources", "generate", "filter", "mix")


@dataclass
class Trial:
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
class Swept:
    """What a sweep came to."""

    recipe: CheckedRecipe
    sweep: Sweep
    out: Path
    trials: tuple[Trial, ...]

    @property
    def failed(self) -> bool:
        """Whether any training failed, or missed a gate."""
        return any(trial.problem for trial in self.trials)

    def of(self, variant: Variant) -> list[Trial]:
        """The trainings of a variant."""
        return [trial for trial in self.trials if trial.variant is variant]


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


def sweep_trials(recipe: CheckedRecipe, project: Project, out: Path) -> list[Trial]:
    """Every training of every variant, each with its plan and folder."""
    assert recipe.sweep is not None  # noqa: S101 - the callers ask before
    trials = []
    for variant in recipe.sweep.variants:
        for number, each in enumerate(variant.trainings):
            name = variant.name if not number else f"{variant.name}__training={number + 1}"
            plan = plan_recipe(each, project, "evaluate")
            trials.append(Trial(variant, number, each, out / SWEEP_FOLDER / name, plan))
    return trials


async def run_sweep(recipe: CheckedRecipe, target: SweepTarget) -> Swept:
    """Execute what is missing of every variant.

    A variant that fails is told in the result, and the others go on. Raises SftrecipeError where
    none can go on: the budget is reached, a price is missing.
    """
    assert recipe.sweep is not None  # noqa: S101
    OutputFolder(target.out, recipe, take_over=target.take_over).check()
    store = StepStore(target.project.steps)
    trials = sweep_trials(recipe, target.project, target.out)
    failed: dict[str, Problem] = {}
    for place, trial in enumerate(trials, 1):
        values = {"number": place, "count": len(trials), "name": trial.out.name}
        target.progress.line(message("sweep-variant", values))
        trial.cached = is_judged(trial, store, target.retry_failed)
        if not trial.cached:
            await _execute(trial, target, store, failed)
        if trial.cached or is_judged(trial, store):
            _read(trial, recipe.sweep, store)
    return Swept(recipe, recipe.sweep, target.out, tuple(trials))


async def keep_only(best: str, swept: Swept, target: SweepTarget) -> None:
    """Delete the models of all variants but the best; that one is trained again where its model
    was deleted before.

    Nothing is deleted where a training failed: the others may still be needed.
    """
    if swept.failed:
        return
    store = StepStore(target.project.steps)
    for trial in swept.trials:
        if trial.variant.name == best:
            if not all(folder.exists() for folder in _models(trial, store)):
                await _run(trial, target)
            continue
        for folder in _models(trial, store):
            shutil.rmtree(folder, ignore_errors=True)


async def _execute(
    trial: Trial, target: SweepTarget, store: StepStore, failed: dict[str, Problem]
) -> None:
    """Execute a training's run; what fails is noted by the step that it failed at, and a step that
    failed for a variant before is not tried again."""
    ahead = _next_step(trial, store)
    if ahead is not None and ahead.key in failed:
        trial.problem = failed[ahead.key]
        return
    try:
        await _run(trial, target)
    except SftrecipeError as error:
        if error.exit_status != 1:
            raise
        trial.problem = error.problem
        if step := _next_step(trial, store):
            failed[step.key] = error.problem


async def _run(trial: Trial, target: SweepTarget) -> None:
    running = run_plan(
        trial.plan,
        target.project,
        trial.out,
        target.progress,
        target.concurrency,
        retry_failed=target.retry_failed,
        take_over=target.take_over,
    )
    try:
        await running
    except SftrecipeError:
        target.ended(trial.out)
        raise
    target.ended(trial.out)


def is_judged(trial: Trial, store: StepStore, retry_failed: bool = False) -> bool:
    """Whether a run has made and judged it: its model need not be there any more."""
    if run_before(trial.out).document != trial.recipe.document:
        return False
    contents = StreamContents(store)
    for step in trial.plan.steps:
        if not contents.stands(step):
            return False
        if retry_failed and not ASKED_AGAIN.isdisjoint(store.facts(step.key).reasons):
            return False
        contents.advance(step)
    return True


def _next_step(trial: Trial, store: StepStore) -> Step | None:
    """The first step of its data that is not made; None where all are."""
    contents = StreamContents(store)
    for step in trial.plan.steps:
        if step.block.section in _DATA and not contents.stands(step):
            return step
        contents.advance(step)
    return None


def _read(trial: Trial, sweep: Sweep, store: StepStore) -> None:
    """Take the figure, and the rows' own values, from the judge's step."""
    step = next(step for step in trial.plan.steps if step.id == sweep.judge)
    metrics = store.facts(step.key).metrics
    figure = metrics.get(sweep.figure)
    if figure is None or not isfinite(figure):
        values = {"step": step.id, "error": message("sweep-no-figure", {"metric": sweep.figure})}
        trial.problem = trial.problem or Problem("step-refused", None, values)
        return
    trial.figure = figure
    ends = metrics.get(f"{sweep.figure}_low"), metrics.get(f"{sweep.figure}_high")
    if ends[0] is not None and ends[1] is not None:
        trial.bounds = ends[0], ends[1]
    trial.values = dict(_values(store.path(step.key) / ROWS, sweep.figure))
    if trial.problem is None:
        trial.problem = _missed(trial, store)


def _missed(trial: Trial, store: StepStore) -> Problem | None:
    """The gates that a judged variant misses."""
    told = [
        f"{step.id}: {text}"
        for step in trial.plan.steps
        if step.block.gates
        for text in missed(gate_results(step.block, store.facts(step.key)))
    ]
    return Problem("gate-missed", None, {"missed": "; ".join(told)}) if told else None


def _values(path: Path, figure: str) -> Iterator[tuple[Row, tuple[float, float]]]:
    """Each judged row's value and weight, by the question that it was asked."""
    seen: Counter[str] = Counter()
    for row in read_rows(path):
        name = row.parents[0] if row.parents else row.id
        place = seen[name]
        seen[name] += 1
        value, weight = row.scores.get(figure), row.scores.get(f"{figure}_weight", 1.0)
        if value is not None and isfinite(value) and weight > 0:
            yield (name, place), (value, weight)


def _models(trial: Trial, store: StepStore) -> Iterator[Path]:
    """The folders that the trainings wrote their models into."""
    for step in trial.plan.steps:
        if model := store.facts(step.key).model:
            yield inside(trial.out, Path(model.folder).parts[0])
