"""How a model is asked to write: the options that generators and judges share."""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import Ge, Gt, Le

from sftrecipe.plugin.described import Described


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

    def sampling(self) -> dict[str, Any]:
        """What was set, for a `Model`'s call."""
        names = Sampling.model_fields
        chosen = {name: getattr(self, name) for name in names}
        chosen["stop"] = list(self.stop)
        return {name: value for name, value in chosen.items() if value not in (None, [])}
