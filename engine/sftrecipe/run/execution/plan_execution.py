"""Executing a plan: each step from the store where it is done already, as soon as what it reads is
there; rows go on through the steps that look at one row each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from sftrecipe.errors import SftrecipeError
from sftrecipe.messages import message
from sftrecipe.plan.dependencies import dependencies
from sftrecipe.plan.steps import Step
from sftrecipe.plan.stream_contents import StreamContents
from sftrecipe.plugin.plugin_kinds import Filter, Generator, Source
from sftrecipe.run.execution.step_making import StepMaking
from sftrecipe.run.run_state import Done, RunState
from sftrecipe.run.steps.row_work import PlainVerdicts, row_work
from sftrecipe.run.steps.step_files import advance_streams
from sftrecipe.store.atomic_files import UNWRITABLE, explained

_PASSES = 3
"""How often a plan is gone through whose results other runs replace meanwhile."""

Left = TypeVar("Left")


class _Replaced(Exception):
    """Another run replaced the result of a step that this one rests on."""


class _Failed(NamedTuple):
    """A step that failed, by its place in the plan."""

    place: int
    error: BaseException


class Execution:
    """Goes through a plan's steps."""

    def __init__(self, run: RunState, begins: Callable[[], None] = lambda: None) -> None:
        """`begins` is called before every step that is not done yet."""
        self.run = run
        self._begins = begins
        self._making = StepMaking(run, self._refuse_replaced)
        self._needs = dependencies(run.plan.steps)
        self._places = {step.id: place for place, step in enumerate(run.plan.steps)}
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
            await self._go_through()
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
        run.broken = ()

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

    async def _go_through(self) -> None:
        """Execute every step as soon as it can be; those that ask models, beside one another.

        Where one fails, those that stand before it in the plan come to their end first.
        """
        waiting, cores = list(self.run.plan.steps), asyncio.Lock()
        at_work: dict[asyncio.Task[None], Sequence[Step]] = {}
        failed: _Failed | None = None
        try:
            while True:
                steps, again = self._next(waiting)
                if steps:
                    waiting = [step for step in waiting if step not in steps]
                    work = self._make(steps, cores, again=again)
                    at_work[asyncio.create_task(work)] = steps
                elif not at_work:
                    break
                elif found := await self._first_failed(at_work):
                    failed = min(failed or found, found, key=lambda each: each.place)
                    waiting = [each for each in waiting if self._places[each.id] < failed.place]
                    await _let_go(at_work, self._behind(failed, at_work))
        finally:
            await _let_go(at_work, [*at_work])
        if failed is not None:
            raise failed.error

    async def _first_failed(
        self, at_work: dict[asyncio.Task[None], Sequence[Step]]
    ) -> _Failed | None:
        """Wait until a work is done; what failed then, first in the plan."""
        done, _ = await asyncio.wait(at_work, return_when=asyncio.FIRST_COMPLETED)
        made = {each.step.id for each in self.run.done}
        failed = []
        for task in done:
            steps = at_work.pop(task)
            if error := task.exception():
                left = (self._places[step.id] for step in steps if step.id not in made)
                failed.append(_Failed(min(left, default=0), error))
        return min(failed, key=lambda each: each.place, default=None)

    def _behind(
        self, failed: _Failed, at_work: Mapping[asyncio.Task[None], Sequence[Step]]
    ) -> Sequence[asyncio.Task[None]]:
        """Works on steps that stand behind one that failed."""
        return [task for task, steps in at_work.items() if self._places[steps[0].id] > failed.place]

    def _next(self, waiting: list[Step]) -> tuple[Sequence[Step], bool]:
        """The next steps to make, and whether the first one's result is there and does not stand;
        none: all wait for others. Steps that stand are noted, and taken out of `waiting`."""
        while ready := next((step for step in waiting if self._is_ready(step, waiting)), None):
            there = self.run.store.has(ready.key)  # once: another run may finish it any time
            if not (there and self._stands(ready)):
                return self._together(ready, waiting), there
            waiting.remove(ready)
            self._note(ready, cached=True)
        return (), False

    def _is_ready(self, step: Step, waiting: Sequence[Step]) -> bool:
        """Whether all that it needs is done; what is written for others comes when all data is."""
        done = {each.step.id for each in self.run.done}
        if isinstance(step.block.plugin, Source | Generator | Filter):
            return done.issuperset(self._needs[step.id].all())
        return step is waiting[0] and len(done) + len(waiting) == len(self.run.plan.steps)

    def _together(self, first: Step, waiting: Sequence[Step]) -> Sequence[Step]:
        """A step, and those after it through which its rows can go on at once.

        Filters that compute alone go first through all rows: models are asked for what they leave.
        """
        kind, done = row_work(first), {each.step.id for each in self.run.done}
        if kind is None:
            return [first]
        found = {first.id: first}
        for step in waiting:
            needs, own = self._needs[step.id], row_work(step)
            if own is None or step is first or not found.keys() & needs.reads.values():
                continue
            fits = kind is not PlainVerdicts or own is PlainVerdicts
            if fits and done.issuperset(needs.others) and not self.run.store.has(step.key):
                found[step.id] = step
        return [*found.values()]

    async def _make(self, steps: Sequence[Step], cores: asyncio.Lock, *, again: bool) -> None:
        """Make steps; those that ask nobody, one after the other."""
        first, store = steps[0], self.run.store
        givers = {step.id: self._needs[step.id].reads[step.reads[0]] for step in steps[1:]}

        async def make() -> None:
            self._begins()
            with explained(store.path(first.key), UNWRITABLE):
                await self._making.make(givers, steps, self._read_by, self._note_made, again=again)

        if any(step.block.asks for step in steps):
            await make()
        else:
            async with cores:
                await make()

    def _note_made(self, step: Step) -> None:
        self._made.add(step.id)
        self._note(step, cached=False)

    def _note(self, step: Step, *, cached: bool) -> None:
        """Note what a step left."""
        run, runner = self.run, self._making.runner(step)
        facts = run.store.facts(step.key)
        advance_streams(run.streams, step, run.store.path(step.key))
        runner.took_place(step, facts)
        cached = cached and step.id not in self._made
        run.add_done(Done(step, facts, cached))
        run.progress.finished(step, facts, cached)
        runner.check_outcome(step, facts)

    def _stands(self, step: Step) -> bool:
        run = self.run
        if not self._contents_before(step).stands(step):
            return False
        facts = run.store.facts(step.key)
        if run.retry_failed and facts.has_failed_calls and step.id not in self._made:
            return False
        return self._making.runner(step).stands(facts, run.out, run.store.hashes)

    def _read_by(self, step: Step) -> Mapping[str, str]:
        return self._contents_before(step).read_by(step)

    def _contents_before(self, step: Step) -> StreamContents:
        """What the streams hold by the steps before it; one behind it may be done already."""
        contents = StreamContents(self.run.store)
        for done in self.run.done:
            if self._places[done.step.id] >= self._places[step.id]:
                break
            contents.advance(done.step)
        return contents


async def _let_go(
    at_work: dict[asyncio.Task[None], Sequence[Step]], going: Sequence[asyncio.Task[None]]
) -> None:
    """Cancel works, and wait until they have come to rest."""
    for task in going:
        del at_work[task]
        task.cancel()
    await asyncio.gather(*going, return_exceptions=True)
