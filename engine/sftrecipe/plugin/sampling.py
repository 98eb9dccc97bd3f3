"""How a model is asked to write: the options that generators and judges share."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le
from pydantic import SerializerFunctionWrapHandler, model_serializer

from sftrecipe.plugin.described import Described

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
"""How hard a model thinks, in the words that servers take."""
STEERING = ("extra", "thinking", "reasoning_effort", "omit")
"""Options that a server must understand; those that are not written are in no key."""


class ThoughtBudget(Described):
    """Thinking, for so long."""

    budget: Annotated[int, Gt(0)]
    """Tokens of a thought at most."""


Thinking = Literal["on", "off"] | ThoughtBudget


class Sampling(Described):
    """Mix into a plugin's class: its options then include these, in OpenAI's names."""

    temperature: Annotated[float, Ge(0), Le(2)] | None = None
    """Sampling temperature; the provider's default where it is left out."""
    top_p: Annotated[float, Gt(0), Le(1)] | None = None
    """Nucleus sampling: the share of probability to draw from."""
    min_p: Annotated[float, Ge(0), Le(1)] | None = None
    """Leave out tokens less likely than this share of the likeliest (vLLM, llama.cpp)."""
    max_tokens: Annotated[int, Gt(0)] | None = None
    """Tokens to write at most."""
    stop: tuple[str, ...] = ()
    """Texts at which writing ends; they are not part of the reply."""
    presence_penalty: Annotated[float, Ge(-2), Le(2)] | None = None
    """Penalty on tokens that were used already."""
    frequency_penalty: Annotated[float, Ge(-2), Le(2)] | None = None
    """Penalty on tokens by how often they were used."""
    repetition_penalty: Annotated[float, Gt(0), Le(2)] | None = None
    """Divide the odds of tokens in the text so far by this; 1: off (vLLM, llama.cpp)."""
    extra: dict[str, Any] | None = None
    """Further parameters of the request, any JSON, as this server names them: `{top_k: 20}`. They
    are merged into the request, over the provider's own `extra`."""
    thinking: Thinking | None = None
    """Whether the model thinks before it answers: `on`, `off`, or `{budget: 2000}` tokens; told as
    the provider's vendor wants it. The provider's own where it is left out."""
    reasoning_effort: Effort | None = None
    """How hard a thinking model thinks; the provider's own where it is left out."""
    omit: tuple[str, ...] = ()
    """Parameters that are not sent since the server refuses them: `[temperature]`; with those of
    the provider."""

    @model_serializer(mode="wrap")
    def _as_written(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        told: dict[str, Any] = handler(self)
        return {
            name: value
            for name, value in told.items()
            if name not in STEERING or value not in (None, (), [])
        }

    def sampling(self) -> dict[str, Any]:
        """What was set, for a `Model`'s call."""
        names = Sampling.model_fields
        chosen = {name: getattr(self, name) for name in names}
        chosen["stop"], chosen["omit"] = list(self.stop), list(self.omit)
        if isinstance(self.thinking, ThoughtBudget):
            chosen["thinking"] = {"budget": self.thinking.budget}
        return {name: value for name, value in chosen.items() if value not in (None, [])}
