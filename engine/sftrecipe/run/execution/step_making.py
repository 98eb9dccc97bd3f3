"""Making what steps leave: into the store, whole, out of files that hold still."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

from sftrecipe.errors import RecipeError, SftrecipeError, limit_reached
from sftrecipe.messages import error_text, message
from sftrecipe.plan.steps import Step
from sftrecipe.plugin.plugin_kinds import PluginRefused
from sftrecipe.plugin.prompts.prompt import PromptFailed
from sftrecipe.plugin.trainer import Trainer
from sftrecipe.run.execution.row_stage import Place, RowStage
from sftrecipe.run.nothing_left import nothing_left
from sftrecipe.run.run_state import Broken, RunState
from sftrecipe.run.steps.row_work import row_work
from sftrecipe.run.steps.section_steps import STEPS
from sftrecipe.run.steps.step_files import REJECTS
from sftrecipe.run.steps.step_runner import StepRunner
from sftrecipe.store.artifacts import empty, files_in
from sftrecipe.store.atomic_files import UNWRITABLE
from sftrecipe.store.step_facts import StepFacts

_READINGS = 3
"""How often a step is executed whose files are touched meanwhile."""
_OF_FILES = frozenset({"missing-file", "unreadable-file", "step-refused", "step-failed"})
"""Errors that a file which changes can cause."""


class _Executed(NamedTuple):
    """What came of steps: the facts of those that came to their end, and why the others did not."""

    facts: Mapping[str, StepFacts]
    error: SftrecipeError | None = None


class StepMaking:
    """Makes steps: one by itself, or several through which rows go on."""

    def __init__(self, run: RunState, check: Callable[[], None]) -> None:
        """`check` is called before a step takes its place; raises where it must not."""
        self._run = run
        self._check = check
        self._runners = {section: runner(run) for section, runner in STEPS.items()}

    def runner(self, step: Step) -> StepRunner:
        """What executes a step."""
        return self._runners[step.block.section]

    async def make(
        self,
        givers: Mapping[str, str],
        steps: Sequence[Step],
        read_by: Callable[[Step], Mapping[str, str]],
        made: Callable[[Step], None],
        *,
        again: bool,
    ) -> None:
        """Execute a step, and those after it whose rows it gives, into the store.

        `givers`: by step but the first, the one that gives it its rows. `read_by` tells what a step
        read, once those before it took their place, of which `made` is told. `again`: the first
        one's result is there, and does not stand.
        """
        run, store = self._run, self._run.store
        for step in steps:
            if damage := store.damage(step.key):
                run.progress.line(message("step-damaged", {"step": step.id, "damage": damage}))
            total = self.runner(step).rows_to_see(step) if step is steps[0] else None
            run.progress.started(step.id, total)
        began = time.perf_counter()
        with ExitStack() as writing:
            drafts, places = [], []
            for step in steps:
                places.append(writing.enter_context(ExitStack()))
                kept = store.writing(step.key, again=again and step is steps[0])
                drafts.append(places[-1].enter_context(kept))
            found = await self._steadily(givers, steps, drafts)
            seconds = time.perf_counter() - began
            for step, draft, place in zip(steps, drafts, places, strict=True):
                if (facts := found.facts.get(step.id)) is not None:
                    self._finish(step, draft, replace(facts, seconds=seconds, read=read_by(step)))
                    place.close()
                    made(step)
            if found.error is not None:
                run.broken = tuple(_broken(steps, drafts))
                raise found.error

    def _finish(self, step: Step, draft: Path, facts: StepFacts) -> None:
        """Write down what a step says of itself."""
        store, files = self._run.store, files_in(draft)
        content = store.content(files, without=REJECTS)
        facts = replace(facts, calls=self._usage(step.id), content=content, files=files)
        _check_account(step, facts)
        if not isinstance(step.block.plugin, Trainer):  # it read the files of the exports
            self._check()
        self._leave_rejects(step, draft, facts)
        store.finish(draft, facts)

    async def _steadily(
        self, givers: Mapping[str, str], steps: Sequence[Step], drafts: Sequence[Path]
    ) -> _Executed:
        """Execute on files that hold what the steps' keys were made with, from beginning to end.

        One that was touched and holds the same now may have held something else in between: all is
        executed again, its replies out of the ledger. Raises SftrecipeError where it holds
        something else.
        """
        files = self._run.plan.files
        for _ in range(_READINGS):
            before = [files.states(step.block) for step in steps]
            self._check_files(steps)
            found = await self._executed(givers, steps, drafts)
            if found.error is None or found.error.problem.slug in _OF_FILES:
                self._check_files(steps)  # rather than tell what came of the change
            still = [files.states(step.block) for step in steps] == before
            if found.error or still or isinstance(steps[0].block.plugin, Trainer):
                return found
            for draft in drafts:
                empty(draft)
        raise SftrecipeError("step-files-touched", "file-changed", step=steps[0].id)

    def _check_files(self, steps: Sequence[Step]) -> None:
        """Raises SftrecipeError where a file holds something else than the run was planned with."""
        for step in steps:
            if name := self._run.plan.files.altered(step.block):
                raise SftrecipeError("file-changed", "file-changed", path=name, step=step.id)

    async def _executed(
        self, givers: Mapping[str, str], steps: Sequence[Step], drafts: Sequence[Path]
    ) -> _Executed:
        first, kinds = steps[0], [row_work(step) for step in steps]
        if kinds[0] is None:
            try:
                with self._explained(first, read_whole=True):
                    facts = await self.runner(first).execute(first, drafts[0])
            except SftrecipeError as error:
                return _Executed({}, error)
            return _Executed({first.id: facts})
        places = {}
        with ExitStack() as open_files:
            for step, kind, draft in zip(steps, kinds, drafts, strict=True):
                assert kind is not None  # noqa: S101 - who put the steps together saw to it
                runner = self.runner(step)
                work = kind(step, runner.context_of(step), draft, runner.teller_of(step))
                open_files.callback(work.close)
                places[step.id] = Place(work)
                if step is not first:
                    places[givers[step.id]].after.append(places[step.id])
            return await self._gone_through(places)

    async def _gone_through(self, places: Mapping[str, Place]) -> _Executed:
        first = next(iter(places.values()))
        step = first.work.step
        try:
            with self._explained(step, read_whole=True):
                rows = self.runner(step).rows_of(step)
                await RowStage(first, self._explained).go_through(rows)
        except SftrecipeError as error:
            return _Executed({}, error)
        ended = {work.step.id: work.facts() for work in first.ended_well()}
        errors = (place.error for place in places.values() if place.error is not None)
        return _Executed(ended, next(errors, None))

    @contextmanager
    def _explained(self, step: Step, *, read_whole: bool = False) -> Iterator[None]:
        """Tell a plugin's own exceptions as the step's failure; `read_whole`: its streams are there
        to be looked at."""
        try:
            yield
        except (SftrecipeError, RecipeError, asyncio.CancelledError):
            raise
        except (PluginRefused, PromptFailed) as refusal:
            each = self.runner(step).needs_each_stream
            if read_whole and (lost := nothing_left(self._run, step, of_each=each)):
                raise lost from refusal
            raise SftrecipeError(
                "step-refused", step=step.id, error=error_text(refusal)
            ) from refusal
        except Exception as error:
            if isinstance(error, OSError) and error.errno in UNWRITABLE:
                raise
            if limit := limit_reached(error):
                raise limit from error
            raise SftrecipeError(
                "step-failed",
                "step-debug",
                step=step.id,
                use=step.block.use,
                error=f"{type(error).__name__}: {error}",
            ) from error

    def _leave_rejects(self, step: Step, draft: Path, facts: StepFacts) -> None:
        """Keep the rejects of a result that came out the same: servers word a failure anew."""
        store = self._run.store
        if not store.has(step.key):
            return
        before, rejects = store.facts(step.key), store.path(step.key) / REJECTS
        if (before.content, before.reasons) == (facts.content, facts.reasons):
            with suppress(FileNotFoundError):
                shutil.copyfile(rejects, draft / REJECTS)

    def _usage(self, step: str) -> dict[str, Any]:
        """What the step asked so far, by provider."""
        asked = self._run.session.usage.items()
        return {provider: asdict(usage) for (name, provider), usage in asked if name == step}


def _broken(steps: Sequence[Step], drafts: Sequence[Path]) -> Iterator[Broken]:
    """What the steps had lost until now; the files are open, and there until it is written down."""
    for step, draft in zip(steps, drafts, strict=True):
        if (draft / REJECTS).exists():
            yield Broken(step, (draft / REJECTS).open("rb"))


def _check_account(step: Step, facts: StepFacts) -> None:
    """No row vanishes: what came in is kept or rejected."""
    if facts.made != facts.kept + facts.rejected:
        raise SftrecipeError(
            "row-account",
            step=step.id,
            made=facts.made,
            kept=facts.kept,
            rejected=facts.rejected,
        )
