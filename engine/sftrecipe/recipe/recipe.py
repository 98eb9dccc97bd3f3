"""A recipe that has been checked: what the layers above work on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from shlex import quote
from typing import Any, Literal

from sftrecipe.errors import Position, Problem
from sftrecipe.plugin.base import OptionFiles, Plugin
from sftrecipe.plugin.option_types import ProviderMarker, StreamMarker, values_of


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
    """Everything a run needs to know. Blocks are in the recipe's order."""

    name: str
    path: Path
    """The recipe file; paths in it are relative to its folder."""
    seed: int
    language: str
    document: Mapping[str, Any]
    """The whole recipe after `extends`, profile and vars; secrets unfilled."""
    providers: Mapping[str, Block]
    sources: Mapping[str, Block]
    generate: tuple[Block, ...] = ()
    filter: tuple[Block, ...] = ()
    mix: Block | None = None
    export: tuple[Block, ...] = ()
    train: tuple[Block, ...] = ()
    evaluate: tuple[Block, ...] = ()
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

    @property
    def in_commands(self) -> str:
        """The recipe as a command names it that goes on from here, for a shell to read."""
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
