"""Small plugins of every kind, so that tests of the language do not change with the registry."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint
from typing import Annotated, Any, ClassVar, Literal

import pytest
from annotated_types import Ge, Gt, Le, Len, MultipleOf
from pydantic import ConfigDict, StringConstraints, field_validator

from sftrecipe import Context, Exporter, Filter, Generator, Judge, Mixer, Provider, Source, Trainer
from sftrecipe.plugin import (
    ANY_COLUMN,
    ColumnName,
    InputFile,
    ModelName,
    Pattern,
    PromptMarker,
    ProviderMarker,
    Sampling,
    StreamName,
    discovery,
)
from sftrecipe.plugin.base import Capability, Inputs, OptionFiles, OptionProblem
from sftrecipe.plugin.permission import Permission, Places, Risk
from sftrecipe.plugin.plugin_kinds import Mix
from sftrecipe.plugin.row_kinds import RowKind
from sftrecipe.record import new_record

_TURNS = frozenset({"turns", "count"})


class OpenAI(Provider):
    """A vendor's endpoint."""

    model: str
    """The model."""
    base_url: str = "https://api.openai.com/v1"
    """Where it listens."""
    api_key: str = "${env:OPENAI_API_KEY}"
    """The key."""
    revision: Annotated[str, Len(1, 8)] = "latest"
    """The model's revision."""
    service_tier: Annotated[str, StringConstraints(pattern="^[a-z]+$")] = "auto"
    """How soon it answers."""

    def capabilities(self) -> frozenset[Capability]:
        """Chat alone."""
        return frozenset({"chat"})

    def model_name(self) -> str:
        """The model."""
        return self.model

    def sends(self) -> Mapping[str, str]:
        """The key to the endpoint."""
        return {self.api_key: self.base_url}

    def connect(self, connecting: Any) -> Any:
        """Never done here."""


class Embedded(Provider):
    """A model on this machine."""

    model: ModelName = "small"
    """The model."""

    def capabilities(self) -> frozenset[Capability]:
        """All that a local model can do."""
        return frozenset({"chat", "complete", "logprobs"})

    def model_name(self) -> str:
        """The model."""
        return "small"

    def connect(self, connecting: Any) -> Any:
        """Never done here."""


class Jsonl(Source):
    """Rows of a JSON lines file."""

    path: InputFile
    """The file."""

    def read(self, ctx: Context) -> Iterator[Any]:
        """One row a line."""
        for other in ctx.path(self.path).parent.glob("*.html"):
            ctx.tell("passed_over", other.name)
        with ctx.path(self.path).open(encoding="utf-8") as file:
            for line in file:
                yield new_record(ctx.step, json.loads(line))


class SelfInstruct(Generator):
    """Writes new instructions after seeds."""

    needs: ClassVar[frozenset[Capability]] = frozenset({"chat"})
    template: Annotated[str, PromptMarker(variables=frozenset({"examples"}), columns=False)]
    """The prompt."""
    entities: dict[str, InputFile] = {}
    """Files of values."""
    rounds: Annotated[int, Gt(0), Le(1000)] = 20
    """Rounds of calls."""
    batch: Annotated[int, MultipleOf(4)] = 4
    """Items a call."""

    def columns(self, inputs: Inputs) -> Inputs:
        """What it writes."""
        return frozenset({"instruction", "output"})

    async def generate(self, rows: Any, ctx: Context) -> Any:
        """Never done here."""
        yield


class Respond(Generator):
    """Answers every row."""

    needs: ClassVar[frozenset[Capability]] = frozenset({"chat"})
    prompt: Annotated[str, PromptMarker(shows=(frozenset({ANY_COLUMN}),), beside="system")] = (
        "{{ instruction }}"
    )
    """The prompt."""
    system: Annotated[str, PromptMarker()] = ""
    """The system prompt."""
    following: Annotated[
        str, PromptMarker(variables=_TURNS, columns=False, shows=(frozenset({"turns"}),))
    ] = "{{ turns }}"
    """The prompt of the next turn."""

    async def generate(self, rows: Any, ctx: Context) -> Any:
        """Never done here."""
        yield


class Continue(Sampling, Respond):
    """Completes every row."""

    needs: ClassVar[frozenset[Capability]] = frozenset({"complete"})


class Length(Filter):
    """Drops rows by their length."""

    field: ColumnName = "output"
    """The column."""
    max_chars: Annotated[int, Ge(0)] | None = None
    """Most characters."""
    min_chars: Annotated[int, Ge(0)] | None = None
    """Fewest characters."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """Without a limit it does nothing."""
        if self.max_chars is None and self.min_chars is None:
            yield OptionProblem((), "filter 'length' has no limit", "give max_chars or min_chars")

    def judge(self, rows: Any, ctx: Context) -> Any:
        """Never done here."""


class Regex(Filter):
    """Drops rows by a pattern."""

    drop: tuple[Pattern, ...]
    """What is dropped."""

    def judge(self, rows: Any, ctx: Context) -> Any:
        """Never done here."""


class Near(Filter):
    """Drops rows that are near to another stream's."""

    to: StreamName
    """The other stream."""

    def judge(self, rows: Any, ctx: Context) -> Any:
        """Never done here."""


class Crashing(Filter):
    """A plugin with a bug."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """Fails."""
        raise KeyError("oops")

    def judge(self, rows: Any, ctx: Context) -> Any:
        """Never done here."""


class Weights(Mixer):
    """Draws by weight."""

    total: Annotated[int, Gt(0)]
    """Rows."""
    weights: dict[str, float]
    """Share of each stream."""

    @field_validator("weights")
    @classmethod
    def some_weight(cls, weights: dict[str, float]) -> dict[str, float]:
        """Refuse a mix of nothing."""
        if not any(weights.values()):
            raise ValueError("no stream has a weight")
        return weights

    def wanted(self) -> Mapping[str, float]:
        """The weights."""
        return self.weights

    def mix(self, streams: Any, ctx: Context) -> Mix:
        """Never done here."""
        return Mix([])


class LlamaFactory(Exporter):
    """Writes data sets."""

    formatting: Literal["alpaca", "sharegpt"] = "alpaca"
    """The format."""
    holdout: bool = False
    """Whether some rows are kept apart."""

    def holds_out(self) -> bool:
        """As asked."""
        return self.holdout

    def expected_holdout(self, least: int, most: int | None) -> tuple[int, int | None]:
        """Twenty rows, if any."""
        return (0, 20) if self.holdout else (0, 0)

    def can_export(self, columns: frozenset[str]) -> bool:
        """Whatever has none of these."""
        return columns.isdisjoint(("question", "问题", "x"))

    def row_kinds(self, inputs: Inputs) -> frozenset[RowKind]:
        """Never anything else."""
        return frozenset({"answers"})

    def export(self, rows: Any, to: Any) -> Any:
        """Never done here."""


class Train(Trainer):
    """Takes the trainer's own arguments."""

    model_config = ConfigDict(extra="allow")
    risks: ClassVar[Mapping[str, Risk]] = {
        **{"trust_remote_code": "code", "report_to": "network", "hub_token": "secret"},
        **{"deepspeed": "path", "accelerator_config": "unknown"},
    }

    def asks_permission(self, places: Places) -> Iterator[Permission]:
        """One argument of each risk."""
        for name, value in (self.model_extra or {}).items():
            if name in self.risks:
                yield Permission((name,), name, self.risks[name], str(value))

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """Arguments that do not exist."""
        for name in self.model_extra or {}:
            if name not in ("stage", "model_name_or_path", *self.risks):
                yield OptionProblem((name,), f"argument '{name}' does not exist", at_key=True)

    def takes(self) -> RowKind | None:
        """As one of the stages says."""
        return "pairs" if (self.model_extra or {}).get("stage") == "dpo" else None

    def goes_on_from(self) -> str | None:
        """The model that it starts from."""
        model: str | None = (self.model_extra or {}).get("model_name_or_path")
        return model

    def write_config(self, training: Any) -> Any:
        """Never done here."""


class Pairwise(Judge):
    """Compares two models."""

    models: tuple[Annotated[str, ProviderMarker(frozenset({"chat"}))], ...] = ()
    """The models."""

    def metrics(self) -> frozenset[str]:
        """Its figures."""
        return frozenset({"winning_score", "winning_score_low", "winning_score_high", "ties"})

    def ranges(self) -> Mapping[str, tuple[float, float]]:
        """What they can be."""
        return {"winning_score": (0.0, 2.0), "ties": (0.0, float("inf"))}

    def reachable(self, rows: int) -> Mapping[str, tuple[float, float]]:
        """The score comes as near to its ends as there are rows."""
        return {"winning_score": (2 - 2 / rows, 2 / rows), "ties": (rows, 0.0)}

    async def evaluate(self, rows: Any, ctx: Context) -> Any:
        """Never done here."""


class NotAFilter:
    """No plugin at all."""


PLUGINS: Mapping[str, Mapping[str, str]] = {
    "provider": {"openai": "OpenAI", "embedded": "Embedded"},
    "source": {"jsonl": "Jsonl"},
    "generator": {"self_instruct": "SelfInstruct", "respond": "Respond", "continue": "Continue"},
    "filter": {
        "length": "Length",
        "regex": "Regex",
        "near": "Near",
        "crashing": "Crashing",
        "wrong_class": "NotAFilter",
        "broken": "Missing",
    },
    "mixer": {"weights": "Weights"},
    "exporter": {"llamafactory": "LlamaFactory"},
    "trainer": {"llamafactory": "Train"},
    "judge": {"pairwise": "Pairwise"},
}


def install(monkeypatch: pytest.MonkeyPatch, *, twice: bool = False, broken: bool = True) -> None:
    """Let these be the only plugins; `twice`: a judge that two packages declare; `broken`: those
    that cannot be loaded too."""
    declared = {
        kind: tuple(
            EntryPoint(name, f"{__name__}:{found}", f"sftrecipe.{kind}s")
            for name, found in names.items()
            if broken or name not in ("wrong_class", "broken")
        )
        for kind, names in PLUGINS.items()
    }
    if twice:
        declared["judge"] += (EntryPoint("pairwise", "elsewhere:Pairwise", "sftrecipe.judges"),)
    _forget()
    monkeypatch.setattr(discovery, "declared", lambda group: declared[group.removesuffix("s")])


def forget() -> None:
    """Find the real plugins again."""
    _forget()


def _forget() -> None:
    discovery.plugins.cache_clear()
    discovery.plugin_class.cache_clear()
