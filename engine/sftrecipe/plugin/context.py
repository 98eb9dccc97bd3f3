"""What a running plugin is given: randomness, files, models, and ways to make rows."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
)
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from sftrecipe.plugin.asked_model import Model, Reply
from sftrecipe.plugin.base import OptionFiles
from sftrecipe.plugin.data_notices import Told
from sftrecipe.plugin.prompts.prompt import Prompt, compiled, is_own
from sftrecipe.plugin.provider import CallFailed
from sftrecipe.plugin.shown_media import work_on
from sftrecipe.record import Columns, Record, new_record

Item = TypeVar("Item")
Result = TypeVar("Result")
_HELD = 8192
"""Items whose results may wait for a slow one before them, where no more than that are at work."""


class Rows(Protocol):
    """A stream's rows: may be read again and again, in the same order, in bounded memory."""

    def __iter__(self) -> Iterator[Record]: ...

    def __len__(self) -> int: ...

    def ids(self) -> Iterator[str]:
        """The rows' ids alone, in the rows' order, without reading their columns."""


class Reject(NamedTuple):
    """Something that did not become, or stay, a row: with its why."""

    record: Record
    reason: str
    """A short name: `not_json`, `too_long`, `refused` …"""
    value: float | str | None = None
    """What was measured, or the detail."""


def _untold(done: int) -> None:
    """Progress that nobody watches."""


@dataclass
class Context:
    """State and services of one step. A plugin keeps none of its own."""

    step: str
    """The block's id: the stream of the rows it makes."""
    seed: int = 0
    """The recipe's seed."""
    language: str = "en"
    folder: Path = Path()
    """The recipe's folder."""
    files: OptionFiles = field(default_factory=lambda: OptionFiles({}))
    models: Mapping[str, Model] = field(default_factory=dict)
    """The block's provider under `""`, those that its options name under their names."""
    streams: Mapping[str, Rows] = field(default_factory=dict)
    """Rows of the streams that its options name."""
    concurrency: int = 16
    """How many items `map` works on at the same time."""
    counts: dict[str, int] = field(default_factory=dict)
    """What the plugin counted, for the report."""
    told: dict[str, Told] = field(default_factory=dict)
    """What the plugin told, by its short name."""
    progress: Callable[[int], None] = _untold
    """Tell how many items are done."""
    made: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """What `once` keeps."""

    @property
    def model(self) -> Model:
        """The block's provider. Raises LookupError for a plugin that declares no needs."""
        if "" not in self.models:
            raise LookupError(
                f"step '{self.step}' has no provider; its plugin must declare `needs`"
            )
        return self.models[""]

    def path(self, value: str) -> Path:
        """Where the file lies that an option names."""
        return Path(self.files.paths[value])

    def prompt(self, value: str) -> Prompt:
        """The compiled template of a prompt option: a file's, or the text itself.

        Raises LookupError for a plugin's own prompt without its file: a test lacks `own_files`.
        """
        if value not in self.files.paths:
            if is_own(value):
                raise LookupError(f"no file of {value}: Context(…, files=own_files(plugin))")
            return compiled(value)
        return self.once(f"prompt {value}", lambda: compiled(self.files.text(value)))

    def once(self, name: str, make: Callable[[], Result]) -> Result:
        """What `make` gives, made once for all rows of the step: word lists, patterns, indexes."""
        if name not in self.made:
            self.made[name] = make()
        made: Result = self.made[name]
        return made

    def detached(self) -> Context:
        """The context that another process can have: it connects models and streams of its own."""
        return replace(self, models={}, streams={}, counts={}, told={}, progress=_untold, made={})

    def random(self, *salt: object) -> random.Random:
        """A generator seeded by the recipe, the step and the salt, the same in every run."""
        return random.Random(self.number(*salt))  # noqa: S311 - sampling, not secrets

    def number(self, *salt: object) -> int:
        """A 64-bit number that depends on the recipe's seed, the step and the salt alone.

        Draw by the largest number (rendezvous hashing), and one more candidate changes only the
        draws that it wins.
        """
        text = repr((self.seed, self.step, *salt)).encode()
        return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")

    def count(self, name: str, by: int = 1) -> None:
        """Add to a counter of the step's report."""
        self.counts[name] = self.counts.get(name, 0) + by

    def tell(self, what: str, example: str) -> None:
        """Tell of something that happened to data and cost no row, by a short name and the place.

        Known are `passed_over`, `null_for_nan`, `number_as_text`, `delimiter`, `repaired`,
        `looks_damaged`, `joined_systems`, `unwritten_columns`, `unwritten_names`,
        `unwritten_turns`, `compared_alike`, `compared_empty`, `holdout_strata`, `holdout_parted`
        and `holdout_too_large`; any other name is shown as it is.
        """
        self.told.setdefault(what, Told()).add(example)

    def row(
        self,
        columns: Columns,
        *,
        parents: Iterable[Record] = (),
        replies: Iterable[Reply | CallFailed] = (),
        scores: Mapping[str, float] | None = None,
        tags: Mapping[str, str] | None = None,
        origin: str = "",
    ) -> Record:
        """A new row of this step, with its lineage: rows, and replies or failed calls."""
        return new_record(
            self.step,
            columns,
            origin=origin,
            parents=tuple(parent.id for parent in parents),
            calls=tuple(reply.key for reply in replies if reply.key),
            scores=scores or {},
            tags=tags or {},
        )

    def reject(
        self,
        columns: Columns,
        reason: str,
        value: float | str | None = None,
        *,
        parents: Iterable[Record] = (),
        replies: Iterable[Reply | CallFailed] = (),
    ) -> Reject:
        """Something that does not become a row, with its why and its lineage."""
        return Reject(self.row(columns, parents=parents, replies=replies), reason, value)

    async def map(
        self, function: Callable[[Item], Awaitable[Result]], items: Iterable[Item]
    ) -> AsyncIterator[tuple[Item, Result | CallFailed]]:
        """Run `function` on the items concurrently; results in the order of the items.

        At most twice `concurrency` items are at work. An item whose call failed for good comes
        back with its CallFailed: make a reject of it. Any other exception ends the step.
        """

        async def caught(item: Item) -> Result | CallFailed:
            work_on(item)
            try:
                return await function(item)
            except CallFailed as failure:
                return failure

        async for item, result in _in_order(caught, items, 2 * self.concurrency):
            yield item, result


async def _in_order(
    function: Callable[[Item], Awaitable[Result]], items: Iterable[Item], most: int
) -> AsyncIterator[tuple[Item, Result]]:
    """Every item with its result, `most` at work at the same time.

    A slow item holds up the results after it, but not the work on them. What `function` raises is
    raised at the item's turn; then, and when the caller goes away, the others are cancelled.
    """
    import asyncio  # noqa: PLC0415 - 60 ms that `validate` need not spend

    waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
    held = max(_HELD, most)
    working = 0
    somebody_ended = asyncio.Event()

    def ended(_: object) -> None:
        nonlocal working
        working -= 1
        somebody_ended.set()

    try:
        for item in items:
            while working >= most or len(waiting) >= held:
                if waiting[0][1].done():
                    first, task = waiting.popleft()
                    yield first, task.result()
                else:
                    somebody_ended.clear()
                    await somebody_ended.wait()
            task = asyncio.ensure_future(function(item))
            working += 1
            task.add_done_callback(ended)
            waiting.append((item, task))
        while waiting:
            first, task = waiting.popleft()
            yield first, await task
    finally:
        for _, task in waiting:
            task.cancel()
