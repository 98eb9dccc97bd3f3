"""The recipe language, version 1: which keys there are and what they hold."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag

from sftrecipe.plugin.option_types import Described

NAME = r"^[A-Za-z0-9_\u4e00-\u9fff][A-Za-z0-9_.\u4e00-\u9fff-]{0,63}$"
COST = r"^(?:[$¥￥] ?[0-9]+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)? ?(?:CNY|RMB|USD|元))$"
LANGUAGE = r"^[a-z]{2,3}(-[A-Za-z]{2,8})?$"

Name = Annotated[str, Field(pattern=NAME)]
Cost = Annotated[str, Field(pattern=COST)]
Options = dict[str, Any]
Streams = str | list[str]


class BudgetShape(Described):
    """What a run, or one step of it, may spend; at the wall the run pauses, resumable."""

    max_cost: Cost | None = None
    """Money, as `50 CNY` or `5 USD`."""
    max_calls: Annotated[int, Field(ge=0)] | None = None
    """Calls to models."""
    max_tokens: Annotated[int, Field(ge=0)] | None = None
    """Tokens, read and written."""


class BesideShape(Described):
    """A block whose plugin's options stand beside `use`."""

    model_config = ConfigDict(extra="allow")

    use: str
    """The plugin."""


class ProviderShape(BesideShape):
    """Who is asked: a vendor's endpoint, a local server, an embedded model."""


class SourceShape(BesideShape):
    """Where rows come from."""


class GenerateShape(Described):
    """Makes a stream of rows, named after its `id`."""

    id: Name
    """Name of the stream that it makes."""
    use: str
    """The generator."""
    from_: Annotated[Streams | None, Field(alias="from")] = None
    """Stream or source that it reads, or a list of them; they stand before the block."""
    provider: str | None = None
    """The provider that it asks."""
    budget: BudgetShape | None = None
    """What the step may spend, within the recipe's own budget."""
    with_: Annotated[Options, Field(alias="with")] = {}
    """The generator's own options."""


class FilterShape(Described):
    """Thins streams."""

    id: Name | None = None
    """Name of the step; `filter-` and the plugin where it is left out."""
    use: str
    """The filter."""
    on: Streams | None = None
    """Stream or source that it thins, or a list of them; all generated ones where it is left
    out."""
    provider: str | None = None
    """The provider that it asks."""
    budget: BudgetShape | None = None
    """What the step may spend, within the recipe's own budget."""
    with_: Annotated[Options, Field(alias="with")] = {}
    """The filter's own options."""


class MixShape(Described):
    """Draws the rows of the final set; the mixer's options stand beside `use`."""

    model_config = ConfigDict(extra="allow")

    use: str = "weights"
    """The mixer."""


class ExportShape(Described):
    """Writes the final set."""

    id: Name | None = None
    """Name of the step; `export-` and the plugin where it is left out."""
    use: str
    """The exporter."""
    from_: Annotated[Streams | None, Field(alias="from")] = None
    """Stream or source that it writes, or a list of them; the mix where it is left out, or else
    all that no block goes on from."""
    with_: Annotated[Options, Field(alias="with")] = {}
    """The exporter's own options."""


class TrainShape(Described):
    """Trains a model on what was exported."""

    id: Name | None = None
    """Name of the step; `train` where it is left out. Later blocks and providers name its model
    `trained:ID`."""
    use: str
    """The trainer."""
    on: Streams | None = None
    """Id of an export whose data sets it trains on, or a list of them; all where it is left
    out."""
    with_: Annotated[Options, Field(alias="with")] = {}
    """The trainer's own arguments, verbatim."""


class GateShape(Described):
    """What a figure must reach."""

    at_least: float | None = None
    """The run fails below it: of a figure with an interval, where the interval's lower end is."""
    at_most: float | None = None
    """The run fails above it: of a figure with an interval, where the interval's upper end is."""
    by: Literal["interval", "point"] = "interval"
    """`point`: the figure alone counts, however wide its interval is."""


class EvaluateShape(Described):
    """Judges models."""

    id: Name | None = None
    """Name of the step; `evaluate-` and the plugin where it is left out."""
    use: str
    """The judge."""
    on: Streams | None = None
    """Stream or source of questions, or a list of them; `holdout`, the rows that the exporter kept
    apart, where it is left out."""
    provider: str | None = None
    """The provider that judges."""
    budget: BudgetShape | None = None
    """What the step may spend, within the recipe's own budget."""
    gate: dict[str, GateShape] = {}
    """What figures must reach, by name: the run fails when one is worse. `rows`, how many rows have
    a verdict, is a figure of every judge."""
    with_: Annotated[Options, Field(alias="with")] = {}
    """The judge's own options."""


class SweepShape(Described):
    """Several variants of the recipe, each trained and judged: which values are best."""

    over: Annotated[dict[str, Annotated[list[Any], Field(min_length=1)]], Field(min_length=1)]
    """Dotted path into the recipe (`mix.weights`, `filter.novel.with.max`: blocks of a list by
    their id) → the values to try; an empty one takes the key away. Of several paths, all
    combinations are tried."""
    metric: str
    """The figure to compare: `BLOCK.FIGURE`, an `evaluate` block's id and a figure of its judge."""
    goal: Literal["lower", "higher"]
    """Which figures are better."""
    seeds: Annotated[int, Field(ge=1, le=20)] = 1
    """Trainings of each variant, by the trainer's `seed` and the ones after it: with one alone, how
    much a figure moves from training to training is not known."""
    keep_models: Literal["all", "best"] = "all"
    """`best`: once all variants are judged, the others' models are deleted."""


def _one_or_several(value: object) -> str:
    return "several blocks" if isinstance(value, list) else "one block"


TrainBlocks = Annotated[
    Annotated[TrainShape, Tag("one block")] | Annotated[list[TrainShape], Tag("several blocks")],
    Discriminator(_one_or_several),
]


class RecipeShape(Described):
    """A recipe: where the data comes from, who writes it, what is thrown away, in which ratio the
    rest is mixed, and how the model is trained on it."""

    version: Literal[1]
    """Version of the recipe language."""
    name: Name
    """Name of the recipe: its output folder and data sets are named after it."""
    description: str | None = None
    """What the recipe is for."""
    license: str | None = None
    """Licence of the model that it trains, as the model's card says it: `apache-2.0`."""
    language: Annotated[str, Field(pattern=LANGUAGE)] = "en"
    """Language of the data: default tokenizer, sentence splitter, blacklist."""
    seed: Annotated[int, Field(ge=0)] = 42
    """Seed of every sampler."""
    extends: str | None = None
    """The recipe below this one: a file, or the name of a preset."""
    vars: dict[Name, Any] = {}
    """Values for `${vars.name}` anywhere in the recipe; `--set name=value` changes them."""
    budget: BudgetShape | None = None
    """What a run may spend."""
    register_: Annotated[bool, Field(alias="register")] = False
    """Also enter the exported data sets in the project's `dataset_info.json`."""
    providers: dict[Name, ProviderShape] = {}
    """Who is asked, by name."""
    sources: dict[Name, SourceShape] = {}
    """Where rows come from, by name."""
    generate: list[GenerateShape] = []
    """Blocks that make rows, in this order."""
    filter: list[FilterShape] = []
    """Blocks that thin streams, in this order."""
    mix: MixShape | None = None
    """How the final set is drawn."""
    export: list[ExportShape] = []
    """How the final set is written."""
    train: TrainBlocks | None = None
    """How a model is trained on it; a list where one training goes on from another's model."""
    evaluate: list[EvaluateShape] = []
    """How the model is judged."""
    sweep: SweepShape | None = None
    """Variants of the recipe to compare, with `sftrecipe sweep`."""
    profiles: dict[Name, dict[str, Any]] = {}
    """Changes to the recipe by name, chosen with `--profile`."""
