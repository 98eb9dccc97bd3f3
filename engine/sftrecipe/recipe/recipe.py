"""A recipe that has been checked: what the layers above work on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from shlex import quote
from typing import Any, Literal

from sftrecipe.errors import Position, Problem
from sftrecipe.plugin.base import OptionFiles, Plugin
from sftrecipe.plugin.option_types import ProviderMarker, StreamMarker, values_of
from sftrecipe.plugin.plugin_kinds import Exporter
from sftrecipe.recipe.language.sections import REACHES, SECTIONS, Reach
from sftrecipe.recipe.presets.preset import Preset

_AMOUNT = re.compile(r"[0-9]+(?:\.[0-9]+)?")
FROM_PYTHON = "<python>"
"""The name of the file that a recipe has not which a program wrote."""
_YUAN = ("CNY", "RMB", "元", "¥", "￥")


@dataclass(frozen=True)
class Budget:
    """What a run, or a step of it, may spend; None: no limit. False when nothing is limited."""

    max_cost: float | None = None
    currency: str = "USD"
    max_calls: int | None = None
    max_tokens: int | None = None

    def __bool__(self) -> bool:
        return (self.max_cost, self.max_calls, self.max_tokens) != (None, None, None)


@dataclass(frozen=True)
class Gate:
    """What a figure must reach; None: no bound."""

    at_least: float | None = None
    at_most: float | None = None
    by: Literal["interval", "point"] = "interval"
    """Whether the figure's whole interval must keep the bounds, where it has one, or it alone."""


@dataclass(frozen=True)
class Block:
    """One block of the recipe: a plugin with its options, and what it reads."""

    section: str
    """providers, sources, generate, filter, mix, export, train or evaluate."""
    id: str
    """Its `id`; where a block needs none, its section and plugin (`filter-length`, numbered when
    repeated)."""
    use: str
    plugin: Plugin
    inputs: tuple[str, ...] = ()
    """Streams and sources that it reads, in the recipe's order; of a train block, exports."""
    provider: str | None = None
    files: OptionFiles = field(default_factory=lambda: OptionFiles({}))
    position: Position | None = None
    folder: Path | None = None
    """The folder of the preset that has the block from it; None: the recipe's."""
    raw: Mapping[str, Any] = field(default_factory=dict)
    """The block as it stands in the recipe, interpolated but with `${env:…}` unfilled."""
    budget: Budget = Budget()
    """What its step may spend of the recipe's budget."""
    gates: Mapping[str, Gate] = field(default_factory=dict)
    """What the figures of a judge must reach."""

    @cached_property
    def asks(self) -> Mapping[str, str]:
        """The providers that it asks, by the options that name them; its own stands under `""`."""
        return providers_asked(self.plugin, self.provider)

    @property
    def package(self) -> str:
        """The package that its plugin is imported from."""
        return type(self.plugin).__module__.partition(".")[0]

    @property
    def thins(self) -> tuple[str, ...]:
        """The streams that it leaves with fewer rows than it read."""
        return self.inputs if SECTIONS[self.section].thins else ()

    @cached_property
    def named_streams(self) -> tuple[str, ...]:
        """Streams that its options name, beside those that it reads."""
        return tuple(name for _, _, name in values_of(self.plugin, StreamMarker))


def providers_asked(plugin: Plugin, own: str | None) -> dict[str, str]:
    """The providers that a block asks: its own under `""`, then those that its options name."""
    named = {".".join(map(str, path)): name for path, _, name in values_of(plugin, ProviderMarker)}
    return ({"": own} if own else {}) | named


@dataclass(frozen=True)
class CheckedRecipe:
    """Everything a run needs to know."""

    name: str
    path: Path
    """The recipe file; paths in it are relative to its folder."""
    seed: int
    language: str
    document: Mapping[str, Any]
    """The whole recipe after `extends`, profile and vars; secrets unfilled."""
    sections: Mapping[str, tuple[Block, ...]]
    """Its blocks by section, in the recipe's order."""
    budget: Budget = Budget()
    profile: str | None = None
    set_variables: Mapping[str, str] = field(default_factory=dict)
    """Those of `vars` that the command line replaced."""
    register_in: Path | None = None
    """The project's `dataset_info.json`, when the recipe asks to be registered there."""
    sweep: Sweep | None = None
    warnings: tuple[Problem, ...] = ()
    """What stands in the way of a run, though the recipe is right."""
    allowed: frozenset[str] = frozenset()
    """Words of permissions that the user gave for it."""
    readable: tuple[Path, ...] = ()
    """Folders that it may read, links followed."""
    presets: tuple[Preset, ...] = ()
    """The presets that it is laid over."""
    layers: tuple[Path, ...] = ()
    """The files that it is laid over, those of presets among them, links followed."""

    @cached_property
    def providers(self) -> Mapping[str, Block]:
        """The providers by name."""
        return {block.id: block for block in self.sections["providers"]}

    @cached_property
    def sources(self) -> Mapping[str, Block]:
        """The sources by name."""
        return {block.id: block for block in self.sections["sources"]}

    @property
    def generate(self) -> tuple[Block, ...]:
        """The generators."""
        return self.sections["generate"]

    @property
    def filter(self) -> tuple[Block, ...]:
        """The filters."""
        return self.sections["filter"]

    @property
    def mix(self) -> Block | None:
        """The mix, where there is one."""
        return next(iter(self.sections["mix"]), None)

    @property
    def export(self) -> tuple[Block, ...]:
        """The exports."""
        return self.sections["export"]

    @property
    def train(self) -> tuple[Block, ...]:
        """The trainings."""
        return self.sections["train"]

    @property
    def evaluate(self) -> tuple[Block, ...]:
        """The judges."""
        return self.sections["evaluate"]

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All blocks, in the order of the sections."""
        return tuple(block for name in SECTIONS for block in self.sections[name])

    def blocks_until(self, reach: Reach) -> tuple[Block, ...]:
        """The blocks that a run comes to that goes so far."""
        last = REACHES.index(reach)
        return tuple(
            block
            for block in self.blocks
            if (needed := SECTIONS[block.section].reach) and REACHES.index(needed) <= last
        )

    @cached_property
    def stream_makers(self) -> Mapping[str, Block]:
        """Every stream that it can make, with the block that makes it."""
        makers: dict[str, Block] = {}
        for block in self.blocks:
            stream = SECTIONS[block.section].stream_of(block.id)
            keeps_nothing = isinstance(block.plugin, Exporter) and not block.plugin.holds_out()
            if stream is not None and not keeps_nothing:
                makers.setdefault(stream, block)
        return makers

    @property
    def in_commands(self) -> str:
        """The recipe as a command names it that goes on from here, for a shell to read.

        One that a program wrote has no file to name.
        """
        if self.path.name == FROM_PYTHON:
            return "RECIPE"
        profile = () if self.profile is None else ("--profile", self.profile)
        pairs = (f"{name}={value}" for name, value in self.set_variables.items())
        words = (str(self.path), *profile, *(word for pair in pairs for word in ("--set", pair)))
        return " ".join(map(quote, words))


@dataclass(frozen=True)
class Variant:
    """A recipe with one of the values that a sweep tries at each of its paths."""

    name: str
    """Short and readable, fit for a folder."""
    values: Mapping[str, Any]
    """By path; None: the key is taken away."""
    trainings: tuple[CheckedRecipe, ...]
    """The variant's recipe, as often as it is trained, each with another seed of the training."""


@dataclass(frozen=True)
class Sweep:
    """Variants of a recipe, and the figure by which they are compared."""

    variants: tuple[Variant, ...]
    judge: str
    """Id of the `evaluate` block that finds the figure."""
    figure: str
    goal: Literal["lower", "higher"]
    keep_models: Literal["all", "best"]


def budget_of(written: Mapping[str, Any] | None) -> Budget:
    """The budget as a recipe whose shape is right writes it."""
    if not written:
        return Budget()
    cost = written.get("max_cost")
    amount = _AMOUNT.search(cost) if cost else None
    return Budget(
        max_cost=float(amount[0]) if amount else None,
        currency="CNY" if cost and any(sign in cost for sign in _YUAN) else "USD",
        max_calls=written.get("max_calls"),
        max_tokens=written.get("max_tokens"),
    )
