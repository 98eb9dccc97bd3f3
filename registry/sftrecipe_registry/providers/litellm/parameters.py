"""What litellm is called with: its own names for what a recipe says of requests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sftrecipe.plugin import Request, message
from sftrecipe_registry.shared.http.steering import (
    OMITTABLE,
    Steering,
    chat_parameters,
    completion_parameters,
    merged,
    unsent,
)

_OWN = frozenset(
    {*OMITTABLE, "thinking", "logprobs", "top_logprobs", "n", "service_tier"}
    - {"min_p", "repetition_penalty", "stream_options", "max_completion_tokens"}
)
"""Parameters that litellm takes by these names and translates for each vendor."""


class LiteLLMParameters:
    """Makes the parameters of requests."""

    def __init__(self, steering: Steering, tell: Callable[[str], None]) -> None:
        self._steering = steering
        self._tell = tell
        self._told: set[str] = set()

    def parameters(self, request: Request) -> dict[str, Any]:
        """litellm's own names as they are, a server's further ones within the body."""
        steering = self.of(request)
        for name in unsent(request.sampling, steering):
            if name not in self._told:
                self._told.add(name)
                self._tell(message("not-sent", {"name": name}))
        written = chat_parameters if request.kind == "chat" else completion_parameters
        every = written(request.sampling, replace(steering, extra={}))
        own = {name: value for name, value in every.items() if name in _OWN}
        rest = {name: value for name, value in every.items() if name not in _OWN}
        extra = merged(rest, steering.extra)
        return {**own, "extra_body": extra} if extra else own

    def of(self, request: Request) -> Steering:
        """With what the request's block says."""
        return self._steering.of(request.sampling)
