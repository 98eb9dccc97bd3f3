"""How requests to a server differ from the plain ones: by the recipe's word, and by its vendor's.

A block's own word comes before the provider's, and `extra` before all that is made here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sftrecipe.plugin import STEERING, Quirks, Sampling

Api = Literal["chat", "responses"]
OMITTABLE = frozenset(
    {*Sampling.model_fields, "seed", "stream_options", "max_completion_tokens"}
    - {"extra", "omit", "thinking"}
)
"""Parameters that the engine sends, and a request can do without."""
SWITCHES = ("enable_thinking", "thinking", "thinking_budget", "chat_template_kwargs", "reasoning")
"""Parameters of `extra` by which servers are told to think."""
DEFAULT_EFFORT = "medium"
"""What `thinking: on` is for servers that are told an effort."""


@dataclass(frozen=True)
class Steering:
    """What a provider says of its requests."""

    extra: Mapping[str, Any] = field(default_factory=dict)
    omit: frozenset[str] = frozenset()
    thinking: Any = None
    """`on`, `off`, `{budget: tokens}`; None: as the server does by itself."""
    effort: str | None = None
    service_tier: str | None = None
    stream: bool | None = None
    """None: where the server answers in no other way."""
    api: Api = "chat"
    quirks: Quirks = field(default_factory=Quirks)
    names: Mapping[str, str] = field(default_factory=dict)
    """Parameters that have another name there, in completions too; the quirks' are chat's."""

    def of(self, sampling: Mapping[str, Any]) -> Steering:
        """With what a block says."""
        own = {name: sampling[name] for name in STEERING if name in sampling}
        if not own:
            return self
        effort, thinking = own.get("reasoning_effort"), own.get("thinking")
        thought = thinking or self.thinking
        return replace(
            self,
            extra=merged(self._extra_beside(thinking), own.get("extra") or {}),
            omit=self.omit | frozenset(own.get("omit") or ()),
            # What a block writes of the two is not undone by the provider's other one.
            thinking=None if effort and self.thinking == "off" and not thinking else thought,
            effort=effort or (None if thinking else self.effort),
        )

    def _extra_beside(self, thinking: Any) -> Mapping[str, Any]:
        """The provider's `extra`, without what a block's `thinking` says anew."""
        if thinking is None:
            return self.extra
        said = (*SWITCHES, self.quirks.budget)
        found = {name: value for name, value in self.extra.items() if name not in said}
        kept = self.extra.get("chat_template_kwargs")
        if isinstance(kept, Mapping):
            rest = {name: value for name, value in kept.items() if name != self.quirks.switch}
            found["chat_template_kwargs"] = rest
        return found

    @property
    def thinks(self) -> bool:
        """Whether the model thinks, by all that is known."""
        if self.thinking is not None:
            return bool(self.thinking != "off")
        if self.effort is not None:
            return self.effort != "none"
        return self.quirks.thinks_by_default

    @property
    def streams(self) -> bool:
        """Whether replies are asked for as streams."""
        if self.stream is not None:
            return self.stream
        # DashScope's open models think in streams alone.
        kept_from_it = self.quirks.fixed.get("enable_thinking") is False
        return self.quirks.streams_only or (kept_from_it and self.thinking not in (None, "off"))

    @property
    def refused(self) -> frozenset[str]:
        """Parameters that the vendor's model does not take."""
        more = self.quirks.omit_when_thinking if self.thinks else frozenset[str]()
        return self.quirks.omit | more

    def switch(self) -> dict[str, Any]:
        """The parameters by which the server is told to think, or not to."""
        told: dict[str, Any] = {}
        if self.effort is not None:
            told["reasoning_effort"] = self.effort
        if self.thinking is None:
            return told
        on, quirks = self.thinking != "off", self.quirks
        if not isinstance(self.thinking, str) and quirks.budget:
            told[quirks.budget] = self.thinking["budget"]
        if quirks.thinking == "enable_thinking":
            told["enable_thinking"] = on
        elif quirks.thinking == "thinking_type":
            told["thinking"] = {"type": "enabled" if on else "disabled"}
        elif quirks.thinking == "chat_template_kwargs":
            told["chat_template_kwargs"] = {quirks.switch: on}
        elif quirks.thinking == "reasoning_effort":
            told["reasoning_effort"] = (self.effort or DEFAULT_EFFORT) if on else "none"
        return told


def merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Two objects in one; objects under one name likewise, of anything else the second's."""
    found = dict(under)
    for name, value in over.items():
        known = found.get(name)
        if isinstance(known, Mapping) and isinstance(value, Mapping):
            found[name] = merged(known, value)
        else:
            found[name] = value
    return found


def unsent(sampling: Mapping[str, Any], steering: Steering) -> list[str]:
    """Parameters that a block writes, and the vendor's model does not take."""
    return [name for name in sampling if name in steering.refused]


def chat_parameters(sampling: Mapping[str, Any], steering: Steering) -> dict[str, Any]:
    """What a chat's body says beside the turns; `steering`: with the block's word."""
    quirks = steering.quirks
    asked = {name: value for name, value in sampling.items() if name not in STEERING}
    body = {**quirks.fixed, **asked, **steering.switch()}
    if steering.service_tier is not None:
        body["service_tier"] = steering.service_tier
    return _named(body, steering, {**steering.names, **quirks.rename})


def completion_parameters(sampling: Mapping[str, Any], steering: Steering) -> dict[str, Any]:
    """What a completion's body says beside the text."""
    asked = {name: value for name, value in sampling.items() if name not in STEERING}
    return _named(asked, steering, steering.names)


def _named(body: dict[str, Any], steering: Steering, names: Mapping[str, str]) -> dict[str, Any]:
    left_out = steering.omit | steering.refused
    body = {
        names.get(name, name): value
        for name, value in body.items()
        if name not in left_out and names.get(name, name) not in left_out
    }
    return merged(body, steering.extra) if steering.extra else body
