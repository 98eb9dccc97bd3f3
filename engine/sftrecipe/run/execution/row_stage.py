"""A stage: steps that look at one row each, through which every row goes at its own pace."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from sftrecipe.errors import SftrecipeError
from sftrecipe.plan.steps import Step
from sftrecipe.record import Record
from sftrecipe.run.steps.row_work import PlainVerdicts, RowWork
from sftrecipe.run.steps.step_files import breathing


@dataclass
class Place:
    """A step in a stage, and those that read what it leaves."""

    work: RowWork
    after: list[Place] = field(default_factory=list)
    error: SftrecipeError | None = None
    """What ended its work: no row goes through it any more."""

    def __post_init__(self) -> None:
        self.free = asyncio.Semaphore(2 * self.work.ctx.concurrency)

    def ended_well(self) -> Iterator[RowWork]:
        """Its work, and that of those after it, as far as all rows went through."""
        if self.error is None:
            yield self.work
            for place in self.after:
                yield from place.ended_well()


class _Way(NamedTuple):
    """What became of a row at a place, and of what went on at the places after it."""

    place: Place
    left: Any
    onward: Sequence[_Way]


Explained = Callable[[Step], AbstractContextManager[None]]
"""Tells whose failure it is that a step's work raises: a SftrecipeError."""


class RowStage:
    """Goes through rows, each of which goes on as soon as it is done; what is written is in the
    rows' order.

    A step that fails holds up none of those before it: they come to their end, as they would have
    if it had waited for that.
    """

    def __init__(self, first: Place, explained: Explained) -> None:
        """The first place reads rows, the others what one before them leaves."""
        self._first = first
        self._explained = explained

    async def go_through(self, rows: Iterable[Record]) -> None:
        """Take every row through. Raises what the first step raises; what ended another stands at
        its place."""
        first, places = self._first, list(_all_from(self._first))
        if not any(place.work.asks for place in places):
            async for row in breathing(iter(rows)):
                if way := self._at_once(first, row):
                    self._write(way)
                else:
                    break
        else:
            at_work = sum(place.work.ctx.concurrency for place in places)
            ctx = replace(first.work.ctx, concurrency=at_work)
            async for _, found in ctx.map(lambda row: self._way(first, row), rows):
                if not isinstance(found, _Way):
                    break
                self._write(found)
        if first.error is not None:
            raise first.error

    async def _way(self, place: Place, row: Record) -> _Way | None:
        await place.free.acquire()
        return await self._admitted(place, row)

    async def _admitted(self, place: Place, row: Record) -> _Way | None:
        """The way of a row that has a place, which it leaves as soon as it goes on; None where the
        place's work has ended."""
        try:
            if place.error is not None:
                return None
            with self._explained(place.work.step):
                left, onward = await place.work.passed(row)
        except SftrecipeError as error:
            place.error = place.error or error
            return None
        finally:
            place.free.release()
        ways = [(after, each) for after in place.after for each in onward]
        if len(ways) < 2:
            found: Sequence[_Way | None] = [await self._way(*way) for way in ways]
        else:
            found = await self._beside_one_another(ways)
        return _Way(place, left, [way for way in found if way])

    async def _beside_one_another(
        self, ways: Sequence[tuple[Place, Record]]
    ) -> Sequence[_Way | None]:
        tasks = []
        try:
            for place, row in ways:
                await place.free.acquire()
                tasks.append(asyncio.create_task(self._admitted(place, row)))
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    def _at_once(self, place: Place, row: Record) -> _Way | None:
        assert isinstance(place.work, PlainVerdicts)  # noqa: S101 - nothing here asks
        if place.error is not None:
            return None
        try:
            with self._explained(place.work.step):
                left, onward = place.work.passed_at_once(row)
        except SftrecipeError as error:
            place.error = error
            return None
        found = [self._at_once(after, each) for after in place.after for each in onward]
        return _Way(place, left, [way for way in found if way])

    def _write(self, way: _Way) -> None:
        way.place.work.take(way.left)
        for onward in way.onward:
            self._write(onward)


def _all_from(place: Place) -> Iterator[Place]:
    yield place
    for after in place.after:
        yield from _all_from(after)
