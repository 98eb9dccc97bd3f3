"""A whole run: execute the plan, then leave data sets, rejects, configuration and `run.json`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from sftrecipe.calls.session import Session, open_session
from sftrecipe.calls.usage import Usage
from sftrecipe.errors import SftrecipeError
from sftrecipe.plan.estimate import Estimate
from sftrecipe.plan.steps import Plan
from sftrecipe.recipe.recipe import Budget
from sftrecipe.run import catalogue
from sftrecipe.run.contexts import asked_providers, step_budgets
from sftrecipe.run.execution.plan_execution import Execution
from sftrecipe.run.missed_gates import missed_gates
from sftrecipe.run.nothing_left import NothingLeft
from sftrecipe.run.output_folder import REJECTS_FILE, OutputFolder
from sftrecipe.run.progress import Progress, Spending
from sftrecipe.run.project_runs import noted_run
from sftrecipe.run.rejects_file import write_rejects
from sftrecipe.run.requirements import prepare
from sftrecipe.run.run_end import run_end
from sftrecipe.run.run_file import estimates_and_facts, record_of, run_before, write_run
from sftrecipe.run.run_history import KeptRun, keeping
from sftrecipe.run.run_record import EstimateAndFact, RunRecord
from sftrecipe.run.run_state import RunState
from sftrecipe.run.steps.export_step import outdated_data_sets, remove_outdated
from sftrecipe.run.steps.train_step import configure, training_target
from sftrecipe.store.project import RUN_FILE, Project
from sftrecipe.store.waiting import TELL, WORK

DONE, PAUSED, FAILED, STOPPED = "done", "paused", "failed", "stopped"


@dataclass(frozen=True)
class Outcome:
    """What a run came to."""

    run: RunState
    out: Path
    rejected: int
    seconds: float
    usage: Usage
    estimate: Sequence[EstimateAndFact]
    """The estimate beside the fact, step by step."""
    fresh: bool
    """Whether anything was executed; false: all of it was there already."""


async def run_plan(
    plan: Plan,
    project: Project,
    out: Path,
    progress: Progress,
    concurrency: int | None = None,
    *,
    retry_failed: bool = False,
    take_over: bool = False,
    estimates: Sequence[Estimate] = (),
) -> Outcome:
    """Execute a plan into the output folder; `retry_failed`: ask again for rows whose calls failed.

    The budget counts all that is spent under the recipe's name, whatever the output folder;
    `take_over`: what stands in the way there is replaced.
    `estimates` were made before, and are written into `run.json` beside what came of them.
    Raises UsageError, with nothing spent, where this machine lacks what a step needs;
    SftrecipeError when it fails or pauses; `run.json` then says how far it came.
    """
    OutputFolder(out, plan.recipe, take_over=take_over).check()
    await asyncio.to_thread(prepare, plan, out, progress.line)
    TELL.set(progress.line)
    WORK.set(asyncio.current_task())
    with noted_run(project, plan, out):
        return await _run(
            plan, project, out, progress, concurrency,
            retry_failed=retry_failed, take_over=take_over, estimates=estimates,
        )  # fmt: skip


async def _run(
    plan: Plan,
    project: Project,
    out: Path,
    progress: Progress,
    concurrency: int | None,
    *,
    retry_failed: bool,
    take_over: bool,
    estimates: Sequence[Estimate],
) -> Outcome:
    """Execute the plan, and leave what it leaves. Raises SftrecipeError."""
    clock, before = _Clock(), run_before(out)
    recipe = plan.recipe
    blocks = [step.block for step in plan.steps]
    async with open_session(
        asked_providers(recipe, blocks),
        project.ledger,
        run=recipe.name,
        budget=recipe.budget,
        step_budgets=step_budgets(recipe, blocks),
        concurrency=concurrency,
        progress=progress.line,
        retry_failed=retry_failed,
        recipe=recipe.in_commands,
    ) as session:
        run = RunState(
            *(plan, out, session, progress, concurrency),
            retry_failed=retry_failed,
            take_over=take_over,
        )
        progress.begun(len(plan.steps), partial(_spending, session, recipe.budget))
        with keeping(run, project, before) as kept:
            rejected = await _execute(run, before, estimates, clock, kept)
            return _left(run, before, estimates, clock, kept, rejected=rejected)


def _spending(session: Session, budget: Budget) -> Spending:
    """What this run paid; where its cost is bounded, what the account did and set aside."""
    total = session.total()
    if budget.max_cost is not None and total.requests:
        return Spending(session.spent().cost, budget.currency, budget.max_cost)
    return Spending(total.cost, total.currency)


async def _execute(
    run: RunState,
    before: RunRecord,
    estimates: Sequence[Estimate],
    clock: _Clock,
    kept: KeptRun,
) -> int | None:
    """Execute the steps; how many rows were rejected, None where there was nothing to do.

    A run that ends early leaves how far it came.
    """
    try:
        rejected = await Execution(run, kept.begin).execute(partial(_rejects_left, run, before))
        if rejected is not None:
            _configure_training(run)
    except BaseException as error:
        record = _record(run, estimates, clock)
        # A full disk, rows that another run replaces: the first error is the one to tell.
        with suppress(SftrecipeError, OSError, ValueError):
            _leave_unfinished(run, before, error, record, kept)
        raise
    return rejected


def _rejects_left(run: RunState, before: RunRecord) -> int | None:
    """How many rows are rejected, by the file that is left of them; None where all was there."""
    return None if _all_there(run, before) else write_rejects(run)


def _left(
    run: RunState,
    before: RunRecord,
    estimates: Sequence[Estimate],
    clock: _Clock,
    kept: KeptRun,
    *,
    rejected: int | None,
) -> Outcome:
    """Leave what a finished run leaves; what it came to.

    Raises SftrecipeError for a missed gate.
    """
    missed = missed_gates((done.step, done.facts) for done in run.done)
    if rejected is not None:
        record = replace(_record(run, estimates, clock), rejected=rejected)
        _leave_finished(run, before, clock, record, missed, kept=kept)
    else:
        with suppress(SftrecipeError):  # nothing is written that would need it
            run.folder.claim(RUN_FILE)  # the recipe may have a new name
    if missed:
        raise missed
    return Outcome(
        run=run,
        out=run.out,
        rejected=(before.rejected or 0) if rejected is None else rejected,
        seconds=clock.seconds(),
        usage=run.session.total(),
        estimate=estimates_and_facts(estimates, run.session.usage),
        fresh=rejected is not None,
    )


class _Clock:
    """When a run began, and how long it has taken."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._started = datetime.now(UTC)

    def seconds(self) -> float:
        return time.perf_counter() - self._began

    def started(self) -> str:
        return self._started.isoformat(timespec="seconds")


def _record(run: RunState, estimates: Sequence[Estimate], clock: _Clock) -> RunRecord:
    """What the run came to so far, what its calls came to, and what was foreseen."""
    return replace(
        record_of(run),
        started=clock.started(),
        usage=run.session.total(),
        estimate=estimates_and_facts(estimates, run.session.usage),
    )


def _leave_finished(
    run: RunState,
    before: RunRecord,
    clock: _Clock,
    record: RunRecord,
    missed: SftrecipeError | None,
    *,
    kept: KeptRun,
) -> None:
    """Leave everything that a run leaves, its rejects aside."""
    _register(run, before)
    finished = replace(
        record,
        status=FAILED if missed else DONE,
        seconds=round(clock.seconds(), 3),
        end=run_end(missed) if missed else None,
    )
    write_run(run.folder, finished)
    kept.end(finished)


def _leave_unfinished(
    run: RunState,
    before: RunRecord,
    error: BaseException,
    record: RunRecord,
    kept: KeptRun,
) -> None:
    """How far the run came. Raises SftrecipeError where that cannot be written."""
    losses = error.losses if isinstance(error, NothingLeft) else ()
    told = isinstance(error, SftrecipeError)
    unfinished = replace(
        record,
        status=_status(error),
        rejected=write_rejects(run, whole=False) if told else None,
        outdated=outdated_data_sets(before, run),
        end=run_end(error),
        emptied=[loss.facts() for loss in losses],
    )
    kept.end(unfinished)
    write_run(run.folder, unfinished)


def _status(error: BaseException) -> str:
    if isinstance(error, SftrecipeError):
        return PAUSED if error.exit_status == 3 else FAILED
    return FAILED if isinstance(error, Exception) else STOPPED


def _all_there(run: RunState, before: RunRecord) -> bool:
    """Whether the run before left exactly this, so that nothing needs to be written."""
    keys = [done.step.key for done in run.done]
    document = run.plan.recipe.document
    return (
        before.status == DONE
        and before.document == document
        and [step.key for step in before.steps] == keys
        and all(done.cached for done in run.done)
        and (run.out / REJECTS_FILE).exists()
        and (
            (run.out / catalogue.NAME).exists()
            or not any(data_set.entry for data_set in run.data_sets)
        )
    )


def _register(run: RunState, before: RunRecord) -> None:
    """Enter the data sets in the output folder's catalogue, and the project's when asked; those
    that are not made any more go."""
    out, asked = run.out, run.plan.recipe.register_in
    old = outdated_data_sets(before, run)
    gone = {each.name for each in old}
    remove_outdated(old, run)
    written = run.folder.written()
    catalogue.register(out / catalogue.NAME, run.data_sets, out, gone, written)
    if asked:
        catalogue.register(asked, run.data_sets, out, gone, written)


def _configure_training(run: RunState) -> None:
    """Leave the trainings' configurations, where not all of them were executed now."""
    trained = {done.step.id for done in run.done if done.facts.model and not done.cached}
    if trained != {block.id for block in run.plan.recipe.train}:
        configure(training_target(run))
