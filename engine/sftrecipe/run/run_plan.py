"""A whole run: execute the plan, then leave data sets, rejects, configuration and `run.json`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from sftrecipe.calls.session import Session, open_session
from sftrecipe.calls.usage import Usage
from sftrecipe.errors import SftrecipeError
from sftrecipe.plan.estimate import Estimate
from sftrecipe.plan.steps import Plan
from sftrecipe.run.contexts import asked_providers, step_budgets
from sftrecipe.run.execution import Execution
from sftrecipe.run.nothing_left import NothingLeft
from sftrecipe.run.output_folder import REJECTS_FILE, RUN_FILE, OutputFolder
from sftrecipe.run.progress import Progress
from sftrecipe.run.rejects_file import write_rejects
from sftrecipe.run.requirements import refuse_lacking
from sftrecipe.run.run_end import run_end
from sftrecipe.run.run_file import estimates_and_facts, record_of, run_before, write_run
from sftrecipe.run.run_record import EstimateAndFact, RunRecord
from sftrecipe.run.steps import catalogue
from sftrecipe.run.steps.evaluate_step import gate_results, missed
from sftrecipe.run.steps.outdated import outdated, remove_outdated
from sftrecipe.run.steps.train_step import configure
from sftrecipe.store.artifacts import StepStore
from sftrecipe.store.project import Project
from sftrecipe.store.waiting import TELL, WORK

DONE, PAUSED, FAILED, STOPPED = "done", "paused", "failed", "stopped"


@dataclass(frozen=True)
class Outcome:
    """What a run came to."""

    execution: Execution
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
    refuse_lacking(plan, project, out)
    TELL.set(progress.line)
    WORK.set(asyncio.current_task())
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
        store = StepStore(project.steps)
        execution = Execution(
            *(plan, store, out, session, progress, concurrency),
            retry_failed=retry_failed,
            take_over=take_over,
        )
        try:
            await execution.run()
            fresh = not _all_there(execution, before)
            if fresh:
                _configure_training(execution)
        except BaseException as error:
            run = _record(execution, session, estimates, clock)
            with suppress(SftrecipeError):  # a full disk: the first error is the one to tell
                _leave_unfinished(execution, before, error, run)
            raise
        run = _record(execution, session, estimates, clock)
        rejected = before.rejected or 0
        if fresh:
            rejected = _leave_finished(execution, before, clock, run)
        else:
            with suppress(SftrecipeError):  # nothing is written that would need it
                execution.folder.claim(RUN_FILE)  # the recipe may have a new name
        if missed := missed_gates(execution):
            raise missed
        return Outcome(
            execution=execution,
            out=out,
            rejected=rejected,
            seconds=clock.seconds(),
            usage=session.total(),
            estimate=run.estimate,
            fresh=fresh,
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


def _record(
    execution: Execution, session: Session, estimates: Sequence[Estimate], clock: _Clock
) -> RunRecord:
    """What the run came to so far, what its calls came to, and what was foreseen."""
    return replace(
        record_of(execution),
        started=clock.started(),
        usage=session.total(),
        estimate=estimates_and_facts(estimates, session.usage),
    )


def _leave_finished(execution: Execution, before: RunRecord, clock: _Clock, run: RunRecord) -> int:
    """Leave everything that a run leaves; how many rows were rejected."""
    rejected = write_rejects(execution)
    _register(execution, before)
    missed = missed_gates(execution)
    finished = replace(
        run,
        status=FAILED if missed else DONE,
        seconds=round(clock.seconds(), 3),
        rejected=rejected,
        end=run_end(missed) if missed else None,
    )
    write_run(execution.folder, finished)
    return rejected


def _leave_unfinished(
    execution: Execution, before: RunRecord, error: BaseException, run: RunRecord
) -> None:
    """How far the run came. Raises SftrecipeError where that cannot be written."""
    emptied = isinstance(error, NothingLeft) and [loss.facts() for loss in error.losses]
    lost = isinstance(error, SftrecipeError)
    unfinished = replace(
        run,
        status=_status(error),
        rejected=write_rejects(execution, whole=False) if lost else None,
        outdated=outdated(before, execution),
        end=run_end(error),
        emptied=emptied or (),
    )
    write_run(execution.folder, unfinished)


def _status(error: BaseException) -> str:
    if isinstance(error, SftrecipeError):
        return PAUSED if error.exit_status == 3 else FAILED
    return FAILED if isinstance(error, Exception) else STOPPED


def _all_there(execution: Execution, before: RunRecord) -> bool:
    """Whether the run before left exactly this, so that nothing needs to be written."""
    keys = [done.step.key for done in execution.done]
    document = execution.plan.recipe.document
    return (
        before.status == DONE
        and before.document == document
        and [step.key for step in before.steps] == keys
        and all(done.cached for done in execution.done)
        and (execution.out / REJECTS_FILE).exists()
        and (
            (execution.out / catalogue.NAME).exists()
            or not any(data_set.entry for data_set in execution.data_sets)
        )
    )


def _register(execution: Execution, before: RunRecord) -> None:
    """Enter the data sets in the output folder's catalogue, and the project's when asked; those
    that are not made any more go."""
    out, asked = execution.out, execution.plan.recipe.register_in
    old = outdated(before, execution)
    gone = {each.name for each in old}
    remove_outdated(old, execution)
    written = execution.folder.written()
    catalogue.register(out / catalogue.NAME, execution.data_sets, out, gone, written)
    if asked:
        catalogue.register(asked, execution.data_sets, out, gone, written)


def _configure_training(execution: Execution) -> None:
    """Leave the trainings' configurations, where none of them was executed."""
    if not execution.models:
        configure(execution.training)


def missed_gates(execution: Execution) -> SftrecipeError | None:
    """The error of all figures that are worse than the recipe asks; None where none is."""
    told = [
        f"{done.step.id}: {text}"
        for done in execution.done
        if done.step.block.gates
        for text in missed(gate_results(done.step.block, done.facts))
    ]
    return SftrecipeError("gate-missed", missed="; ".join(told)) if told else None
