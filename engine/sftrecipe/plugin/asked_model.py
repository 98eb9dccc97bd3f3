"""A provider's model as plugins ask it, and what it replies."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sftrecipe.plugin.endings import is_cut_off
from sftrecipe.plugin.provider import Request
from sftrecipe.record import ToolCall


class Reply(NamedTuple):
    """A model's reply, out of the ledger or fresh."""

    text: str
    """The answer: no thought is part of it."""
    key: str
    """Ledger key of the call."""
    finish_reason: str = "stop"
    """As the server says it: `stop`, `length` …; `cut_off` tells what it means."""
    logprobs: tuple[float, ...] = ()
    vector: tuple[float, ...] = ()
    input_tokens: int = 0
    output_tokens: int = 0
    reasoning: str = ""
    """The thought before the answer."""
    tool_calls: tuple[ToolCall, ...] = ()

    @property
    def cut_off(self) -> bool:
        """Whether the reply did not come to its own end."""
        return is_cut_off(self.finish_reason)

    @property
    def reward(self) -> float:
        """The reward, of a reply to `Model.reward`. Raises ValueError for any other."""
        return float(self.text)


class Model(ABC):
    """A provider's model, asked through the ledger: nothing is paid twice, limits hold.

    All methods raise CallFailed when the call fails for good. `sampling` takes OpenAI's names
    (temperature, top_p, min_p, max_tokens, stop, logprobs, …). Equal requests with an equal
    `sample` are one call; number the samples to get several replies.
    """

    @abstractmethod
    async def send(self, request: Request) -> Reply:
        """The reply to a request: what all other methods come to."""

    async def chat(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        sample: int = 0,
        schema: Mapping[str, Any] | None = None,
        sampling: Mapping[str, Any] | None = None,
        tools: Sequence[Mapping[str, Any]] = (),
    ) -> Reply:
        """The model's turn; with a schema, text that follows it."""
        request = Request(
            "chat",
            tuple(messages),
            sampling=sampling or {},
            schema=schema,
            tools=tuple(tools),
            sample=sample,
        )
        return await self.send(request)

    async def complete(
        self, prompt: str, *, sample: int = 0, sampling: Mapping[str, Any] | None = None
    ) -> Reply:
        """What the model writes after a text."""
        request = Request("complete", prompt=prompt, sampling=sampling or {}, sample=sample)
        return await self.send(request)

    async def embed(self, text: str) -> Reply:
        """The text's vector."""
        return await self.send(Request("embed", prompt=text))

    async def loglikelihood(self, prompt: str, answer: str) -> Reply:
        """The log-probabilities of a given answer's tokens."""
        return await self.send(Request("loglikelihood", prompt=prompt, answer=answer))

    async def reward(self, messages: Sequence[Mapping[str, Any]]) -> Reply:
        """A reward model's score of the last turn, an answer: the number as text."""
        return await self.send(Request("reward", tuple(messages)))
