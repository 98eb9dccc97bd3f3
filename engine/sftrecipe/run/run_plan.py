"""A whole run: execute the plan, then leave data sets, rejects, configuration and `run.json`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sftrecipe.calls.session import Session, open_session
from sftrecipe.errors import SftrecipeError
from sftrecipe.plan.estimate import Estimate
from sftrecipe.plan.steps import Plan, Step
from sftrecipe.run.comparison import compared
from sftrecipe.run.contexts import asked_providers, step_budgets
from sftrecipe.run.execution import Execution
from sftrecipe.run.nothing_left import NothingLeft
from sftrecipe.run.output_folder import OutputFolder
from sftrecipe.run.progress import Progress
from sftrecipe.run.requirements import refuse_lacking
from sftrecipe.run.run_end import end_facts
from sftrecipe.run.run_file import REJECTS_FILE, RUN_FILE, read_run, write_rejects, write_run
from sftrecipe.run.run_state import RunState
from sftrecipe.run.steps import catalogue
from sftrecipe.run.steps.evaluate_step import missed_gates
from sftrecipe.run.steps.export_step import outdated_data_sets, remove_outdated
from sftrecipe.run.steps.train_step import configure, training_target
from sftrecipe.store.artifacts import StepFacts
from sftrecipe.store.project import Project
from sftrecipe.store.waiting import TELL, WORK

DONE, PAUSED, FAILED, STOPPED = "done", "paused", "failed", "stopped"


@dataclass(frozen=True)
class Outcome:
    """What a run came to."""

    run: RunState
    out: Path
    rejected: int
    seconds: float
    usage: Mapping[str, Any]
    estimate: Sequence[Mapping[str, Any]]
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
    refuse_lacking(plan, out)
    TELL.set(progress.line)
    WORK.set(asyncio.current_task())
    clock, before = _Clock(), read_run(out)
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
            *(plan, plan.store, out, session, progress, concurrency),
            retry_failed=retry_failed,
            take_over=take_over,
        )
        try:
            await Execution(run).execute()
            fresh = not _all_there(run, before)
            if fresh:
                _configure_training(run)
        except BaseException as error:
            facts = clock.facts() | _spent(session, estimates)
            with suppress(SftrecipeError):  # a full disk: the first error is the one to tell
                _leave_unfinished(run, before, error, facts)
            raise
        spent = _spent(session, estimates)
        rejected = int(before.get("rejected", 0))
        if fresh:
            rejected = _leave_finished(run, before, clock, spent)
        else:
            with suppress(SftrecipeError):  # nothing is written that would need it
                run.folder.claim(RUN_FILE)  # the recipe may have a new name
        if missed := missed_gates(_judged(run)):
            raise missed
        return Outcome(run, out, rejected, clock.seconds(), **spent, fresh=fresh)


class _Clock:
    """When a run began, and how long it has taken."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._started = datetime.now(UTC)

    def seconds(self) -> float:
        return time.perf_counter() - self._began

    def facts(self) -> dict[str, Any]:
        return {"started": self._started.isoformat(timespec="seconds")}


def _spent(session: Session, estimates: Sequence[Estimate]) -> dict[str, Any]:
    """What the calls came to, and what was foreseen."""
    return {"usage": asdict(session.total()), "estimate": compared(estimates, session.usage)}


def _leave_finished(
    run: RunState, before: Mapping[str, Any], clock: _Clock, spent: Mapping[str, Any]
) -> int:
    """Leave everything that a run leaves; how many rows were rejected."""
    rejected = write_rejects(run)
    _register(run, before)
    facts = clock.facts() | {"seconds": round(clock.seconds(), 3), "rejected": rejected, **spent}
    missed = missed_gates(_judged(run))
    if missed:
        facts |= end_facts(missed)
    write_run(run, FAILED if missed else DONE, facts)
    return rejected


def _leave_unfinished(
    run: RunState, before: Mapping[str, Any], error: BaseException, facts: dict[str, Any]
) -> None:
    """How far the run came. Raises SftrecipeError where that cannot be written."""
    facts |= {"outdated": outdated_data_sets(before, run), **end_facts(error)}
    if isinstance(error, NothingLeft):
        facts["emptied"] = [loss.facts() for loss in error.losses]
    if isinstance(error, SftrecipeError):
        facts["rejected"] = write_rejects(run, whole=False)
    write_run(run, _status(error), facts)


def _status(error: BaseException) -> str:
    if isinstance(error, SftrecipeError):
        return PAUSED if error.exit_status == 3 else FAILED
    return FAILED if isinstance(error, Exception) else STOPPED


def _all_there(run: RunState, before: Mapping[str, Any]) -> bool:
    """Whether the run before left exactly this, so that nothing needs to be written."""
    keys = [done.step.key for done in run.done]
    document = run.plan.recipe.document
    return (
        before.get("status") == DONE
        and before.get("document") == document
        and [step["key"] for step in before["steps"]] == keys
        and all(done.cached for done in run.done)
        and (run.out / REJECTS_FILE).exists()
        and (
            (run.out / catalogue.NAME).exists()
            or not any(data_set.entry for data_set in run.data_sets)
        )
    )


def _register(run: RunState, before: Mapping[str, Any]) -> None:
    """Enter the data sets in the output folder's catalogue, and the project's when asked; those
    that are not made any more go."""
    out, asked = run.out, run.plan.recipe.register_in
    old = outdated_data_sets(before, run)
    gone = {noted["name"] for noted in old}
    remove_outdated(old, run)
    written = run.folder.written()
    catalogue.register(out / catalogue.NAME, run.data_sets, out, gone, written)
    if asked:
        catalogue.register(asked, run.data_sets, out, gone, written)


def _configure_training(run: RunState) -> None:
    """Leave the trainings' configurations, where none of them was executed."""
    if not run.models:
        configure(training_target(run))


def _judged(run: RunState) -> list[tuple[Step, StepFacts]]:
    return [(done.step, done.facts) for done in run.done]
