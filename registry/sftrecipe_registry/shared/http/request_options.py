"""What a recipe may say of the requests to a server that speaks OpenAI's protocol."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field

from sftrecipe.plugin import (
    Connecting,
    Described,
    Effort,
    OptionProblem,
    Quirks,
    Sampling,
    Thinking,
    ThoughtBudget,
    closest,
)
from sftrecipe_registry.shared.http.endpoint import bearer
from sftrecipe_registry.shared.http.steering import OMITTABLE, SWITCHES, Api, Steering

_BY_BLOCKS = tuple(name for name in Sampling.model_fields if name not in ("extra", "omit"))
_OWN: Mapping[str, str] = {
    **{name: f"write {name} under the block's `with`" for name in _BY_BLOCKS if name != "thinking"},
    **dict.fromkeys(
        ("max_completion_tokens", "max_output_tokens"), "write max_tokens under the block's `with`"
    ),
    **dict.fromkeys(("messages", "prompt", "input", "instructions"), "it is what the step asks"),
    "model": "write it as the provider's model",
    "stream": "write stream: true beside the provider's model",
    "stream_options": "write stream: true beside the provider's model",
    "service_tier": "write service_tier beside the provider's model",
    "response_format": "steps that want a form ask for it; see `structured`",
    "text": "steps that want a form ask for it; see `structured`",
    **dict.fromkeys(("n", "best_of"), "only one reply is read; see the step's own options"),
    **dict.fromkeys(("tools", "functions"), "the step sends its rows' tools"),
    **dict.fromkeys(("logprobs", "top_logprobs", "echo"), "steps that want them ask for them"),
}
"""Parameters that the engine sends itself, and what to do in their stead."""
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,99}")
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,4000}[\x21-\x7e])?")
_VARIABLE = re.compile(r"\$\{env:[A-Za-z_][A-Za-z0-9_]*\}")
_OWN_HEADERS = frozenset(
    ("accept-encoding", "connection", "content-encoding", "content-length", "content-type",
     "cookie", "expect", "host", "keep-alive", "proxy-authorization", "proxy-connection", "te",
     "trailer", "transfer-encoding", "upgrade")
)  # fmt: skip
"""Headers that the connection sends itself, or not at all."""


class RequestOptions(Described):
    """Options of providers whose requests a recipe may steer."""

    extra: dict[str, Any] | None = None
    """Further parameters of every request, any JSON, as this server names them:
    `{top_k: 20, chat_template_kwargs: {enable_thinking: false}}`. Part of the ledger's key."""
    headers: dict[str, str] | None = None
    """Further headers of every request; a secret among them as `${env:NAME}`, the whole value. No
    part of the key: where one changes the replies, tell them apart by `revision`."""
    omit: tuple[str, ...] = ()
    """Parameters that are not sent since the server refuses them: `[temperature]`. What a vendor is
    known to refuse is left out by itself."""
    thinking: Thinking | None = None
    """Whether the model thinks before it answers: `on`, `off`, or `{budget: 2000}` tokens; told as
    the vendor wants it (`enable_thinking`, `thinking: {type}`, `chat_template_kwargs`,
    `reasoning_effort`). As the model does by itself where it is left out."""
    reasoning_effort: Effort | None = None
    """How hard a thinking model thinks."""
    service_tier: Annotated[str, Field(pattern="^[a-z_]{1,40}$")] | None = None
    """The vendor's tier: `flex` is cheaper and slower at OpenAI. No part of the key."""
    stream: bool | None = None
    """Ask for replies as streams of events: some models answer in no other way (those that are
    known to are asked so where it is left out), and with `limits: {first_byte_timeout: 60}` a reply
    that hangs is given up early. No part of the key."""

    def server_headers(self, connecting: Connecting, key: str) -> dict[str, str]:
        """Every header that the recipe gives, the key's among them, with variables filled in."""
        given = {name: connecting.secret(value) for name, value in (self.headers or {}).items()}
        return {**bearer(connecting.secret(key)), **given}

    def steering(self, quirks: Quirks, *, api: Api = "chat", batched: bool = False) -> Steering:
        """What its requests say; `batched`: replies come in files, not in streams."""
        return Steering(
            extra=self.extra or {},
            omit=frozenset(self.omit),
            thinking=plain_thinking(self.thinking),
            effort=self.reasoning_effort,
            service_tier=self.service_tier,
            stream=False if batched else self.stream,
            api=api,
            quirks=quirks,
        )

    def steering_identity(self) -> dict[str, object]:
        """What changes a reply, as far as the recipe writes it."""
        written = {
            "extra": self.extra,
            "omit": sorted(self.omit),
            "thinking": plain_thinking(self.thinking),
            "reasoning_effort": self.reasoning_effort,
        }
        return {name: value for name, value in written.items() if value}

    def header_secrets(self, address: str) -> dict[str, str]:
        """The headers' variables, and where they are sent."""
        values = (self.headers or {}).values()
        return {value: address for value in values if _VARIABLE.fullmatch(value)}

    def steering_problems(
        self, quirks: Callable[[], Quirks], server: str
    ) -> Iterator[OptionProblem]:
        """What is wrong with the provider's own word; `server` as messages name it."""
        yield from self._header_problems()
        written = {
            "extra": self.extra,
            "omit": list(self.omit),
            "thinking": plain_thinking(self.thinking),
            "reasoning_effort": self.reasoning_effort,
        }
        yield from word_problems(written, quirks, server)

    def _header_problems(self) -> Iterator[OptionProblem]:
        seen: set[str] = set()
        has_key = bool(getattr(self, "api_key", None))
        for name, value in (self.headers or {}).items():
            path, plain = ("headers", name), name.lower()
            if not _HEADER.fullmatch(name):
                yield OptionProblem(path, f"'{name}' is no header's name", at_key=True)
            elif plain in _OWN_HEADERS:
                told = f"header '{name}' is the connection's own"
                yield OptionProblem(path, told, "remove it", at_key=True)
            elif plain == "authorization" and has_key:
                told = "header 'Authorization' holds the api_key already"
                yield OptionProblem(path, told, 'remove it, or write api_key: ""', at_key=True)
            elif plain in seen:
                yield OptionProblem(path, f"header '{name}' is given twice", at_key=True)
            elif not _VALUE.fullmatch(value):
                told = f"the value of header '{name}' is not printable ASCII"
                yield OptionProblem(path, told)
            seen.add(plain)


def plain_thinking(thinking: Thinking | None) -> Any:
    """As a request's sampling has it."""
    return {"budget": thinking.budget} if isinstance(thinking, ThoughtBudget) else thinking


def word_problems(
    written: Mapping[str, Any], quirks: Callable[[], Quirks], server: str
) -> Iterator[OptionProblem]:
    """What is wrong with `extra`, `omit`, `thinking` and `reasoning_effort` for a server.

    `quirks` are read from a file, where they are asked for.
    """
    extra, thinking = written.get("extra") or {}, written.get("thinking")
    for name in extra:
        if name in _OWN:
            told = f"extra may not hold '{name}', which the engine sends itself"
            yield OptionProblem(("extra", name), told, _OWN[name], at_key=True)
        elif thinking is not None and name in SWITCHES:
            told = f"extra.{name} and thinking say the same thing twice"
            yield OptionProblem(("extra", name), told, "remove one of them", at_key=True)
    for index, name in enumerate(written.get("omit") or ()):
        if name not in OMITTABLE:
            near = closest(name, OMITTABLE)
            advice = f"did you mean {near}?" if near else f"known: {', '.join(sorted(OMITTABLE))}"
            told = f"'{name}' is no parameter that can be left out"
            yield OptionProblem(("omit", index), told, advice)
    if thinking is not None:
        yield from _thinking_problems(thinking, quirks(), server)
        effort = written.get("reasoning_effort")
        if thinking == "off" and effort not in (None, "none"):
            told = f"thinking: off and reasoning_effort: {effort} contradict each other"
            yield OptionProblem(("thinking",), told, "remove one of them")


def _thinking_problems(thinking: Any, quirks: Quirks, server: str) -> Iterator[OptionProblem]:
    path = ("thinking",)
    if quirks.always_thinks and thinking == "off":
        yield OptionProblem(path, f"{server} cannot be told not to think", "remove thinking")
    elif quirks.thinking == "none" and not (quirks.always_thinks and thinking == "on"):
        advice = (
            "write the server's own parameter, such as extra: {enable_thinking: false}, or say "
            "whose server it is by `vendor`"
        )
        yield OptionProblem(path, f"it is not known how {server} is told to think or not", advice)
    elif isinstance(thinking, Mapping) and not quirks.budget:
        advice = "write thinking: on, with reasoning_effort or max_tokens as its limit"
        told = f"{server} has no parameter for the most tokens of a thought"
        yield OptionProblem(path, told, advice)
