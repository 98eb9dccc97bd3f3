"""Executing a plan: step by step, each from the store where it is done already."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

from sftrecipe.errors import RecipeError, SftrecipeError, limit_reached
from sftrecipe.messages import error_text, message
from sftrecipe.plan.steps import Step
from sftrecipe.plan.stream_contents import StreamContents
from sftrecipe.plugin.plugin_kinds import PluginRefused
from sftrecipe.plugin.prompts.prompt import PromptFailed
from sftrecipe.plugin.trainer import Trainer
from sftrecipe.run.nothing_left import nothing_left
from sftrecipe.run.run_state import Broken, Done, RunState
from sftrecipe.run.steps.section_steps import STEPS
from sftrecipe.run.steps.step_files import REJECTS, advance_streams
from sftrecipe.run.steps.step_runner import StepRunner
from sftrecipe.store.artifacts import empty, files_in
from sftrecipe.store.atomic_files import UNWRITABLE, explained
from sftrecipe.store.step_facts import StepFacts

_READINGS = 3
"""How often a step is executed whose files are touched meanwhile."""
_PASSES = 3
"""How often a plan is gone through whose results other runs replace meanwhile."""
_OF_FILES = frozenset({"missing-file", "unreadable-file", "step-refused", "step-failed"})
"""Errors that a file which changes can cause."""


Left = TypeVar("Left")


class _Replaced(Exception):
    """Another run replaced the result of a step that this one rests on."""


class Execution:
    """Goes through a plan's steps."""

    def __init__(self, run: RunState, begins: Callable[[], None] = lambda: None) -> None:
        """`begins` is called before every step that is not done yet."""
        self.run = run
        self._begins = begins
        self._runners = {section: runner(run) for section, runner in STEPS.items()}
        self._contents = StreamContents(run.store)
        self._made: set[str] = set()

    async def execute(self, leave: Callable[[], Left]) -> Left:
        """Execute every step; what `leave` comes to, which is called at the end, and again where it
        read results that were being replaced.

        Where another run replaces results meanwhile, as one that asks again for lost rows does,
        what rests on the former ones is made again. Raises SftrecipeError; what was done until
        then is in the run's `done`.
        """
        error: BaseException | None = None
        for _ in range(_PASSES):
            try:
                return await self._pass(leave)
            except _Replaced as replaced:
                error = replaced.__cause__
                self.run.progress.line(message("step-replaced", {"step": str(replaced)}))
                self._start_over()
        raise error or SftrecipeError("steps-replaced", "steps-replaced")

    async def _pass(self, leave: Callable[[], Left]) -> Left:
        """Go through the plan. Raises _Replaced, SftrecipeError."""
        try:
            for step in self.run.plan.steps:
                await self._go_through(step)
            left = leave()
        except _Replaced:
            raise
        except Exception as error:
            if replaced := self._replaced(of_equal=True):  # rather than what came of it
                raise _Replaced(replaced) from error
            raise
        self._refuse_replaced()
        return left

    def _start_over(self) -> None:
        run = self.run
        for noted in (run.streams, run.done, run.exported, run.models):
            noted.clear()
        run.broken = None
        self._contents = StreamContents(run.store)

    def _replaced(self, *, of_equal: bool = False) -> str | None:
        """The first step whose result is another than the one that was gone on with; `of_equal`:
        also where it holds the same."""
        done = {each.step.key: each for each in self.run.done}
        seen = {key: each.facts for key, each in done.items()}
        replaced = self.run.store.replaced(seen, of_equal=of_equal)
        return None if replaced is None else done[replaced].step.id

    def _refuse_replaced(self) -> None:
        if replaced := self._replaced():
            raise _Replaced(replaced)

    async def _go_through(self, step: Step) -> None:
        """Execute a step unless it stands, and note what it left."""
        run, runner = self.run, self._runner(step)
        there = run.store.has(step.key)  # looked at once: another run may finish the step any time
        cached = there and self._stands(step)
        if not cached:
            self._begins()
            with explained(run.store.path(step.key), UNWRITABLE):
                await self._make(step, again=there)
        facts = run.store.facts(step.key)
        advance_streams(run.streams, step, run.store.path(step.key))
        self._contents.advance(step)
        runner.took_place(step, facts)
        self._made |= set() if cached else {step.id}
        cached = step.id not in self._made
        run.done.append(Done(step, facts, cached))
        run.progress.finished(step, facts, cached)
        runner.check_outcome(step, facts)

    def _runner(self, step: Step) -> StepRunner:
        return self._runners[step.block.section]

    def _stands(self, step: Step) -> bool:
        run = self.run
        if not self._contents.stands(step):
            return False
        facts = run.store.facts(step.key)
        if run.retry_failed and facts.has_failed_calls and step.id not in self._made:
            return False
        return self._runner(step).stands(facts, run.out, run.store.hashes)

    async def _make(self, step: Step, *, again: bool) -> None:
        """Execute a step into the store; `again`: its result is there, and does not stand."""
        run, store = self.run, self.run.store
        if damage := store.damage(step.key):
            run.progress.line(message("step-damaged", {"step": step.id, "damage": damage}))
        run.progress.started(step.id, self._runner(step).rows_to_see(step))
        began = time.perf_counter()
        with store.writing(step.key, again=again) as draft:
            try:
                facts = await self._steadily(step, draft)
            except SftrecipeError:
                if (draft / REJECTS).exists():  # open, it is there until it is written down
                    run.broken = Broken(step, (draft / REJECTS).open("rb"))
                raise
            files = files_in(draft)
            facts = replace(
                facts,
                seconds=time.perf_counter() - began,
                calls=self._usage(step.id),
                content=store.content(files, without=REJECTS),
                files=files,
                read=self._contents.read_by(step),
            )
            _check_account(step, facts)
            if not isinstance(step.block.plugin, Trainer):  # it read the files of the exports
                self._refuse_replaced()
            self._leave_rejects(step, draft, facts)
            store.finish(draft, facts)

    async def _steadily(self, step: Step, draft: Path) -> StepFacts:
        """Execute on files that hold what the step's key was made with, from beginning to end.

        One that was touched and holds the same now may have held something else in between: the
        step is executed again, its replies out of the ledger. Raises SftrecipeError where it holds
        something else.
        """
        files, block = self.run.plan.files, step.block
        for _ in range(_READINGS):
            before = files.states(block)
            self._check_files(step)
            try:
                facts = await self._explained(step, draft)
            except SftrecipeError as error:
                if error.problem.slug in _OF_FILES:
                    self._check_files(step)  # rather than what came of the change
                raise
            self._check_files(step)
            if isinstance(block.plugin, Trainer) or files.states(block) == before:
                return facts
            empty(draft)
        raise SftrecipeError("step-files-touched", "file-changed", step=step.id)

    def _check_files(self, step: Step) -> None:
        """Raises SftrecipeError where a file holds something else than the run was planned with."""
        if name := self.run.plan.files.altered(step.block):
            raise SftrecipeError("file-changed", "file-changed", path=name, step=step.id)

    def _leave_rejects(self, step: Step, draft: Path, facts: StepFacts) -> None:
        """Keep the rejects of a result that came out the same: servers word a failure anew."""
        store = self.run.store
        if not store.has(step.key):
            return
        before, rejects = store.facts(step.key), store.path(step.key) / REJECTS
        if (before.content, before.reasons) == (facts.content, facts.reasons):
            with suppress(FileNotFoundError):
                shutil.copyfile(rejects, draft / REJECTS)

    async def _explained(self, step: Step, draft: Path) -> StepFacts:
        """Execute, with a plugin's own exceptions told as the step's failure."""
        try:
            return await self._runner(step).execute(step, draft)
        except (SftrecipeError, RecipeError, asyncio.CancelledError):
            raise
        except (PluginRefused, PromptFailed) as refusal:
            if lost := nothing_left(self.run, step, of_each=self._runner(step).needs_each_stream):
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

    def _usage(self, step: str) -> dict[str, Any]:
        """What the step asked so far, by provider."""
        asked = self.run.session.usage.items()
        return {provider: asdict(usage) for (name, provider), usage in asked if name == step}


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
