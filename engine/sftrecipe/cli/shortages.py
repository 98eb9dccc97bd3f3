"""Warnings of what a run or a sweep will lack: money, and rows for its mix."""

from __future__ import annotations

from collections.abc import Sequence

import click

from sftrecipe.forecast.forecast import too_small
from sftrecipe.messages import message
from sftrecipe.plan.estimate import Estimate, Shortage
from sftrecipe.plan.steps import Plan
from sftrecipe.plugin.plugin_kinds import Mixer
from sftrecipe.recipe.recipe import CheckedRecipe
from sftrecipe.report.text.plan_text import shortage_text
from sftrecipe.store.project import Project
from sftrecipe.sweep.sweep_forecast import SweepPart, sweep_too_small


def warn_of_shortages(
    plan: Plan, project: Project, estimates: Sequence[Estimate]
) -> list[Shortage]:
    """Say on stderr which budgets are too small, and give them back; a mix that cannot be filled is
    told too, before what stands before it is paid."""
    for each in estimates:
        if isinstance(each.step.block.plugin, Mixer) and each.rows == (0, 0):
            values = {"step": each.step.id, "place": each.step.block.position}
            click.echo(message("mix-unfilled", values), err=True)
    found = too_small(plan, project, estimates)
    for shortage in found:
        click.echo(shortage_text(shortage), err=True)
    return found


def warn_of_sweep_shortages(
    parts: Sequence[SweepPart], recipe: CheckedRecipe, project: Project
) -> None:
    """Say on stderr where the recipe's budget is too small for the whole sweep."""
    for shortage in sweep_too_small(parts, recipe, project):
        click.echo(shortage_text(shortage, "sweep-budget-short"), err=True)
