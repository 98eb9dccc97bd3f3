"""What a run of a recipe would do, and all that there is to know before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Self

from sftrecipe.api.prepared_run import output_folder, unfilled_mixes
from sftrecipe.errors import Problem
from sftrecipe.forecast.forecast import forecast, too_small
from sftrecipe.forecast.training_forecasts import planned_forecasts
from sftrecipe.messages import message
from sftrecipe.plan.estimate import Estimate, Range, Shortage, costs, total
from sftrecipe.plan.steps import plan_recipe
from sftrecipe.plugin.trainer import TrainingForecast
from sftrecipe.recipe.language.sections import Reach
from sftrecipe.recipe.recipe import CheckedRecipe
from sftrecipe.report.text.plan_text import (
    all_asks,
    budget_lines,
    plan_table,
    shortage_text,
    state_text,
)
from sftrecipe.report.text.problem_text import render
from sftrecipe.report.text.sweep_text import sweep_plan_text
from sftrecipe.report.text.table import table
from sftrecipe.report.text.training_forecast_text import forecast_text
from sftrecipe.report.text.training_text import anew_text, elsewhere_text
from sftrecipe.run.contexts import unheld_costs
from sftrecipe.run.models_elsewhere import models_elsewhere
from sftrecipe.run.requirements import Lack, lacking, leaves_data
from sftrecipe.run.trained_anew import TrainedAnew, trained_anew
from sftrecipe.store.project import project_of
from sftrecipe.sweep.sweep_forecast import SweepPart, sweep_forecast, sweep_too_small


@dataclass(frozen=True)
class PlannedStep:
    """What a step would do; of ranges, at least and at most, None: not known."""

    id: str
    section: str
    use: str
    """Its plugin."""
    cached: bool
    """Whether its result is there already."""
    state: str
    """The same in words, and why it is not."""
    rows: Range
    calls: Range
    """Calls, those that the ledger answers included."""
    asked: Range
    """Calls that will be made anew."""
    tokens: Range
    cost: Mapping[str, tuple[float, float | None]]
    """By currency; what has no price is not in it."""

    @classmethod
    def of(cls, estimate: Estimate) -> Self:
        """The step of an estimate."""
        standing, block = estimate.standing, estimate.step.block
        return cls(
            id=block.id,
            section=block.section,
            use=block.use,
            cached=bool(standing and standing.cached),
            state=state_text(estimate),
            rows=estimate.rows,
            calls=estimate.calls,
            asked=estimate.asked,
            tokens=estimate.tokens,
            cost=costs(estimate.asks),
        )


@dataclass(frozen=True, repr=False)
class PlannedRun:
    """The steps of a run with their estimates, and what stands in its way; shows itself as `plan`
    prints it."""

    recipe: CheckedRecipe
    out: Path
    estimates: Sequence[Estimate]
    shortages: Sequence[Shortage]
    """Budgets that are too small for what is still to be done."""
    sweep_shortages: Sequence[Shortage]
    lacks: Sequence[Lack]
    """What this machine lacks for steps that are still to be executed."""
    data_only: bool
    """Whether a run makes the data all the same, and ends there."""
    unheld: Sequence[Problem]
    """Budgets that a run would refuse."""
    anew: Sequence[TrainedAnew]
    elsewhere: Sequence[str]
    """Models of other output folders that a run would train once more, a text each."""
    trainings: Mapping[str, TrainingForecast]
    """What trainings will take, by block."""
    sweep: Sequence[SweepPart]

    @property
    def steps(self) -> tuple[PlannedStep, ...]:
        """The steps in their order."""
        return tuple(map(PlannedStep.of, self.estimates))

    @property
    def calls(self) -> Range:
        """Calls that will be made anew, at least and at most; None: not known."""
        return total([each.asked for each in self.estimates])

    @property
    def cost(self) -> Mapping[str, tuple[float, float | None]]:
        """What they will cost, by currency; what has no price is not in it."""
        return costs(all_asks(self.estimates))

    def __repr__(self) -> str:
        return "\n".join([table(*plan_table(self.estimates)), *self._told_below()])

    def _repr_html_(self) -> str:
        head, lines = plan_table(self.estimates)
        rows = [_html_row(head, "th"), *(_html_row(line, "td") for line in lines)]
        below = escape("\n".join([*self._told_below(), *self.warnings()]))
        return f"<table>{''.join(rows)}</table><pre>{below}</pre>"

    def _told_below(self) -> Iterator[str]:
        """What is told below the table of steps."""
        yield from budget_lines(self.estimates, self.recipe.budget)
        yield from map(anew_text, self.anew)
        for block, foreseen in self.trainings.items():
            yield forecast_text(block, foreseen, self.recipe.in_commands)
        if self.recipe.sweep:
            yield sweep_plan_text(self.sweep, self.recipe.sweep)

    def warnings(self) -> Iterator[str]:
        """What stands in the way of a run, a text each."""
        if self.recipe.warnings:
            yield render(self.recipe.warnings)
        yield from unfilled_mixes(self.estimates)
        yield from map(shortage_text, self.shortages)
        slug = "plan-lacks-data" if self.data_only else "plan-lacks"
        for step, missing in self.lacks:
            yield message(slug, {"step": step, "missing": missing.found})
            if missing.advice:
                yield message("plan-lacks-advice", {"advice": missing.advice})
        if self.unheld:
            yield render(self.unheld)
        for shortage in self.sweep_shortages:
            yield shortage_text(shortage, "sweep-budget-short")
        yield from self.elsewhere


def _html_row(cells: Sequence[str], name: str) -> str:
    return f"<tr>{''.join(f'<{name}>{escape(each)}</{name}>' for each in cells)}</tr>"


def planned_run(recipe: CheckedRecipe, to: Reach | None, out: Path | None) -> PlannedRun:
    """Plan a run as far as `to`, and foresee it. Asks no model."""
    project = project_of(recipe.path)
    plan = plan_recipe(recipe, project, to)
    target = output_folder(recipe, project, out)
    estimates = forecast(plan, project, target)
    lacks = lacking(plan, target)
    sweep = sweep_forecast(recipe, project, target) if recipe.sweep else []
    elsewhere = models_elsewhere(plan, project, target)
    unheld = unheld_costs(recipe, [step.block for step in plan.steps])
    return PlannedRun(
        recipe=recipe,
        out=target,
        estimates=estimates,
        shortages=too_small(plan, project, estimates),
        sweep_shortages=sweep_too_small(sweep, recipe, project) if sweep else (),
        lacks=lacks,
        data_only=bool(lacks) and to is None and leaves_data(plan, lacks),
        unheld=[error.problem for _, error in unheld],
        anew=list(trained_anew(plan, target)),
        elsewhere=[elsewhere_text(block, model) for block, model in elsewhere],
        trainings=planned_forecasts(plan, target, estimates),
        sweep=sweep,
    )
