"""A recipe's steps in the order of execution, each with the key that names its result.

A key is a hash of everything that the result depends on: plugin, version, options, the content of
files, seed, language, the models asked, and the keys of what it reads (a Merkle chain).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson

from sftrecipe.plan.read_files import ReadFiles
from sftrecipe.plugin.option_types import trained_block
from sftrecipe.plugin.plugin_kinds import Exporter, Mixer
from sftrecipe.plugin.reasons import Reason, reason_of
from sftrecipe.plugin.trainer import Trainer
from sftrecipe.recipe.checks.trained_models import trained_models
from sftrecipe.recipe.language.sections import MIXED, SECTIONS, Reach
from sftrecipe.recipe.recipe import Block, CheckedRecipe
from sftrecipe.store.artifacts import StepStore
from sftrecipe.store.project import Project

STORE_FORMAT = 2
"""Raise it when artifacts written before can no longer be read."""


@dataclass(frozen=True)
class Step:
    """One block, ready to be executed."""

    block: Block
    key: str
    parts: Mapping[str, str]
    """What the key is made of, hashed part by part: tells why a result is stale."""
    reads: tuple[str, ...]
    """Streams, in order."""
    named: tuple[str, ...] = ()
    """Streams that its options name."""
    after: tuple[str, ...] = ()
    """Steps whose results it needs beside streams: exports, trainings."""
    makes: tuple[str, ...] = ()
    """Streams that begin with it."""
    thins: tuple[str, ...] = ()
    """Streams that have fewer rows after it."""
    exporters: tuple[Exporter, ...] = ()
    """Of a mix, those that tell row by row what they can write of it."""
    drawn_for: str | None = None
    """Of a mix, a hash of what these decide of its rows; empty: there are none."""

    @property
    def id(self) -> str:
        """The block's id."""
        return self.block.id

    @property
    def reach(self) -> Reach | None:
        """How far a run must go to come to it."""
        return SECTIONS[self.block.section].reach

    def reason(self, reason: str) -> Reason:
        """What a reason of its rejects means."""
        return reason_of(reason, *map(type, (self.block.plugin, *self.exporters)))


@dataclass(frozen=True)
class Plan:
    """What a run will do."""

    recipe: CheckedRecipe
    steps: tuple[Step, ...]
    files: ReadFiles
    """What the steps read, held to the content that the keys were made with."""
    store: StepStore
    """Where finished steps lie."""

    def read_files(self) -> dict[str, tuple[str, Path]]:
        """Content hash and place of every file that its steps read, by its name in the recipe."""
        blocks = (step.block for step in self.steps)
        return {name: each for block in blocks for name, each in self.files.planned(block).items()}


def plan_recipe(recipe: CheckedRecipe, project: Project, to: Reach | None = None) -> Plan:
    """The recipe's steps in their order: used sources, generators, filters, mix, exports, and, as
    far as `to` reaches, trainings and judges.

    Where `to` is left out: as far as the recipe's results need, all for one that judges, else its
    data. File hashes are remembered in the project.
    """
    reach = to or ("evaluate" if recipe.evaluate else "data")
    store = StepStore(project.steps)
    read = ReadFiles(recipe, store.hashes)
    return Plan(recipe, tuple(_Planner(recipe, read).steps(reach)), read, store)


class _Planner:
    """Walks the blocks and carries the keys of every stream's state."""

    def __init__(self, recipe: CheckedRecipe, read: ReadFiles) -> None:
        self._recipe = recipe
        self._read = read
        self._states: dict[str, str] = {}
        self._keys: dict[str, str] = {}
        self._waiting = list(recipe.filter)
        self._makers = recipe.stream_makers

    def steps(self, reach: Reach) -> Iterator[Step]:
        """The steps up to there: used sources, and each filter as soon as its streams are made."""
        recipe = self._recipe
        blocks = recipe.blocks_until(reach)
        readers = [block for block in blocks if block.id not in recipe.sources]
        used = {name for block in readers for name in (*block.inputs, *block.named_streams)}
        for block in blocks:
            is_unused = block.id in recipe.sources and block.id not in used
            if not (is_unused or SECTIONS[block.section].thins):
                yield self._noted(self._step_of(block))
                yield from self._ready_filters()

    def _step_of(self, block: Block) -> Step:
        match block.plugin:
            case Mixer():
                return self._mixed(block)
            case Trainer():
                return self._step(block, (), self._trained_after(block))
        return self._step(block, block.inputs, self._asked_after(block))

    def _mixed(self, block: Block) -> Step:
        """A mix, with the exporters that decide what it is drawn from.

        They are not in its key: a result stands while they are the same (`StreamContents`), and
        mostly they make no difference.
        """
        checking: list[Exporter] = []
        decided = []
        for each in self._recipe.export:
            plugin = each.plugin
            if MIXED not in each.inputs or not isinstance(plugin, Exporter):
                continue
            options = plugin.check_options()
            if options is not None:
                checking.append(plugin)
                decided.append((f"{each.package}.exporters.{each.use}", plugin.version, options))
        drawn_for = blake2b(repr(decided).encode(), digest_size=16).hexdigest() if decided else ""
        step = self._step(block, block.inputs)
        return replace(step, exporters=tuple(checking), drawn_for=drawn_for)

    def _trained_after(self, block: Block) -> tuple[str, ...]:
        """The exports that a training reads, and the training whose model it goes on from."""
        assert isinstance(block.plugin, Trainer)  # noqa: S101 - the section's blocks are
        base = trained_block(block.plugin.goes_on_from() or "")
        earlier = [each.id for each in self._recipe.train if each.id in self._keys]
        return (*block.inputs, *([] if base is None else [base or earlier[-1]]))

    def _asked_after(self, block: Block) -> tuple[str, ...]:
        """The trainings whose models a block asks."""
        found = {
            training or self._recipe.train[-1].id
            for name in block.asks.values()
            for _, training in trained_models(self._recipe.providers[name].plugin)
        }
        return tuple(sorted(found))

    def _ready_filters(self) -> Iterator[Step]:
        """Filters whose streams are all made, unless one before them waits for such a stream.

        A block that reads a stream reads it thinned: nobody pays for rows that are thrown away.
        """
        waiting: set[str] = set()
        for block in tuple(self._waiting):
            reads = {*block.inputs, *block.named_streams}
            if reads - set(self._states) or reads & waiting:
                waiting |= reads
                continue
            self._waiting.remove(block)
            yield self._noted(self._step_of(block))

    def _noted(self, step: Step) -> Step:
        """The step, once it is noted for those after it what it makes."""
        self._keys[step.id] = step.key
        for name in step.thins:
            self._states[name] = hashed([self._states[name], step.key])
        self._states |= dict.fromkeys(step.makes, step.key)
        return step

    def _step(self, block: Block, reads: tuple[str, ...], after: tuple[str, ...] = ()) -> Step:
        named = block.named_streams
        written = (block.package, block.section, block.use, block.plugin.version)
        source = self._read.source(block)
        parts = {
            "plugin": " ".join((*written, *([hashed(source)] if source else []))),
            "store": str(STORE_FORMAT),
            "options": hashed(block.plugin.identity()),
            "files": hashed(self._read.hashes(block)),
            "seed": f"{self._recipe.seed} {self._recipe.language}",
            "models": hashed([self._model(name) for name in block.asks.values()]),
            "inputs": hashed(
                [[name, self._states[name]] for name in (*reads, *named)]
                + [[name, self._keys[name]] for name in after]
            ),
        }
        if named_after := SECTIONS[block.section].result_named_after:
            parts["name"] = self._recipe.name if named_after == "recipe" else block.id
        makes = tuple(name for name, maker in self._makers.items() if maker is block)
        return Step(block, hashed(parts), parts, reads, named, after, makes, block.thins)

    def _model(self, name: str) -> list[object]:
        provider = self._recipe.providers[name]
        return [provider.use, provider.plugin.identity()]


def hashed(value: Any) -> str:
    """A short hash of plain data."""
    content = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return blake2b(content, digest_size=16).hexdigest()
