"""A run of a recipe from its plan to its report."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from sftrecipe.errors import Problem, SftrecipeError, UsageError
from sftrecipe.forecast.forecast import QUICK, forecast, too_small
from sftrecipe.messages import message
from sftrecipe.plan.estimate import Estimate
from sftrecipe.plan.steps import Plan, plan_recipe
from sftrecipe.plugin.plugin_kinds import Mixer
from sftrecipe.recipe.language.sections import Reach
from sftrecipe.recipe.recipe import CheckedRecipe
from sftrecipe.report.text.plan_text import shortage_text
from sftrecipe.report.text.problem_text import render
from sftrecipe.report.text.training_text import anew_text, elsewhere_text
from sftrecipe.run.models_elsewhere import models_elsewhere
from sftrecipe.run.output_folder import REPORT_FILE, OutputFolder
from sftrecipe.run.progress import Progress
from sftrecipe.run.requirements import DataOnly, Lack, lacking, leaves_data
from sftrecipe.run.run_plan import Outcome, run_plan
from sftrecipe.run.trained_anew import trained_anew
from sftrecipe.store.project import RUN_FILE, Project, project_of

Loop = Callable[[Coroutine[Any, Any, Outcome]], Outcome]
"""What executes a run's coroutine to its end."""
Tell = Callable[[str], None]


@dataclass(frozen=True)
class RunTerms:
    """How a recipe is executed."""

    out: Path | None = None
    """Output folder; `runs/NAME` of the project where it is left out."""
    to: Reach | None = None
    """How far; where it is left out, as far as the recipe's results need."""
    concurrency: int | None = None
    """Calls in flight, for every model."""
    retry_failed: bool = False
    take_over: bool = False
    locked: bool = False
    """Whether the run must be as the recipe's lock says."""


class Notice(NamedTuple):
    """Something to know before a run begins."""

    text: str
    warns: bool
    """Whether it is told also to who wants to hear of errors only."""


@dataclass(frozen=True)
class PreparedRun:
    """A run that is planned and has not begun."""

    plan: Plan
    project: Project
    out: Path
    terms: RunTerms
    beyond: Sequence[Lack]
    """What trainings and judges lack here: the run ends at the data."""
    estimates: Sequence[Estimate]
    notices: Sequence[Notice]

    def execute(self, progress: Progress, loop: Loop, tell: Tell) -> Outcome:
        """Execute the plan and leave its report, also where it fails; what it came to.

        A report that cannot be written is only told. Raises SftrecipeError.
        """
        running = run_plan(
            self.plan, self.project, self.out, progress, self.terms.concurrency,
            retry_failed=self.terms.retry_failed, take_over=self.terms.take_over,
            estimates=self.estimates,
        )  # fmt: skip
        try:
            outcome = loop(running)
        except SftrecipeError:
            leave_report(self.out, self.project, tell)
            raise
        if outcome.fresh or not (self.out / REPORT_FILE).exists():
            leave_report(self.out, self.project, tell)
        return outcome

    def conclude(self, tell: Tell) -> None:
        """Hold the run, now ended, against its lock, and how far it came against its recipe.

        Raises UsageError where the data came out differently, DataOnly where it ended early.
        """
        if self.terms.locked:
            from sftrecipe.run.recipe_lock.locked_run import check_after_run  # noqa: PLC0415

            changed = check_after_run(self.plan.recipe, self.project, self.out)
            if changed:
                tell(render(changed))
        if self.beyond:
            raise DataOnly(self.plan, list(self.beyond))


def prepared_run(recipe: CheckedRecipe, terms: RunTerms) -> PreparedRun:
    """Plan the run. Raises SftrecipeError where it cannot be executed."""
    _check_reach(recipe, terms.to)
    project = project_of(recipe.path)
    plan = plan_recipe(recipe, project, terms.to)
    out = output_folder(recipe, project, terms.out)
    drifted = _drift(recipe, project) if terms.locked else []
    OutputFolder(out, recipe, take_over=terms.take_over).check()
    beyond = _beyond_this_machine(plan, out) if terms.to is None else []
    if beyond:
        plan = plan_recipe(recipe, project, "data")
    estimates = [] if terms.retry_failed else forecast(plan, project, out, QUICK)
    notices = [Notice(render(drifted), warns=True)] if drifted else []
    notices += _notices(plan, project, out, estimates)
    return PreparedRun(plan, project, out, terms, beyond, estimates, notices)


def output_folder(recipe: CheckedRecipe, project: Project, out: Path | None) -> Path:
    """Where a run leaves its results."""
    return (out or project.run_folder(recipe.name)).resolve()


def leave_report(out: Path, project: Project, tell: Tell) -> None:
    """Write the run's page. The data is there already, so a page that fails is only told."""
    from sftrecipe.report.pages.run.run_page import write_report  # noqa: PLC0415

    if not (out / RUN_FILE).exists():
        return  # it was refused before it began
    try:
        write_report(out, project)
    except Exception as error:
        tell(message("report-failed", {"error": error}))


def unfilled_mixes(estimates: Sequence[Estimate]) -> Iterator[str]:
    """A mix that cannot be filled, told before what stands before it is paid."""
    for each in estimates:
        if isinstance(each.step.block.plugin, Mixer) and each.rows == (0, 0):
            values = {"step": each.step.id, "place": each.step.block.position}
            yield message("mix-unfilled", values)


def _notices(
    plan: Plan, project: Project, out: Path, estimates: Sequence[Estimate]
) -> Iterator[Notice]:
    for text in unfilled_mixes(estimates):
        yield Notice(text, warns=True)
    for shortage in too_small(plan, project, estimates):
        yield Notice(shortage_text(shortage), warns=True)
    for training in trained_anew(plan, out):
        yield Notice(anew_text(training), warns=False)
    for block, model in models_elsewhere(plan, project, out):
        yield Notice(elsewhere_text(block, model), warns=False)


def _drift(recipe: CheckedRecipe, project: Project) -> list[Problem]:
    """What drifted from the recipe's lock and may. Raises SftrecipeError where it may not."""
    from sftrecipe.run.recipe_lock.locked_run import (  # noqa: PLC0415 - 70 ms, which most runs need not
        check_before_run,
    )

    return check_before_run(recipe, project)


def _beyond_this_machine(plan: Plan, out: Path) -> list[Lack]:
    """What trainings and judges lack here, where the data can be made all the same."""
    if all(step.reach == "data" for step in plan.steps):
        return []
    lacks = lacking(plan, out)
    return lacks if leaves_data(plan, lacks) else []


def _check_reach(recipe: CheckedRecipe, to: Reach | None) -> None:
    """Raises UsageError where the recipe does not go so far."""
    if to == "train" and not recipe.train:
        raise UsageError("nothing-to-train", name=recipe.name)
    if to == "evaluate" and not recipe.evaluate:
        raise UsageError("nothing-to-evaluate", name=recipe.name)
