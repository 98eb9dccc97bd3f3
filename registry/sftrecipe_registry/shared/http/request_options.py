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
    Text,
    Texts,
    Thinking,
    ThoughtBudget,
    closest,
)
from sftrecipe_registry.shared.http.endpoint import bearer
from sftrecipe_registry.shared.http.steering import OMITTABLE, SWITCHES, Api, Steering

texts = Texts(__package__)
_BY_BLOCKS = tuple(name for name in Sampling.model_fields if name not in ("extra", "omit"))
_OTHER_NAMES = {"max_completion_tokens": "max_tokens", "max_output_tokens": "max_tokens"}
_OWN: Mapping[str, str] = {
    **{name: "write-in-block" for name in (*_BY_BLOCKS, *_OTHER_NAMES) if name != "thinking"},
    **dict.fromkeys(("messages", "prompt", "input", "instructions"), "step-asks-it"),
    "model": "write-as-model",
    **dict.fromkeys(("stream", "stream_options"), "write-stream"),
    "service_tier": "write-tier",
    **dict.fromkeys(("response_format", "text"), "form-asked"),
    **dict.fromkeys(("n", "best_of"), "one-reply"),
    **dict.fromkeys(("tools", "functions"), "tools-of-rows"),
    **dict.fromkeys(("logprobs", "top_logprobs", "echo"), "steps-ask"),
}
"""Parameters that the engine sends itself, and the slug of what to do in their stead."""
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
        self, quirks: Callable[[], Quirks], server: Callable[[], str]
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
                yield OptionProblem(path, texts("no-header-name", name=name), at_key=True)
            elif plain in _OWN_HEADERS:
                told = texts("header-of-connection", name=name)
                yield OptionProblem(path, told, texts("remove-it"), at_key=True)
            elif plain == "authorization" and has_key:
                advice = texts("remove-or-no-key")
                yield OptionProblem(path, texts("header-holds-key"), advice, at_key=True)
            elif plain in seen:
                yield OptionProblem(path, texts("header-twice", name=name), at_key=True)
            elif not _VALUE.fullmatch(value):
                yield OptionProblem(path, texts("header-not-ascii", name=name))
            seen.add(plain)


def server_at(model: str, address: str) -> Text:
    """A model of a server, as messages name it."""
    return texts("server-at", model=model, address=address)


def plain_thinking(thinking: Thinking | None) -> Any:
    """As a request's sampling has it."""
    return {"budget": thinking.budget} if isinstance(thinking, ThoughtBudget) else thinking


def word_problems(
    written: Mapping[str, Any], quirks: Callable[[], Quirks], server: Callable[[], str]
) -> Iterator[OptionProblem]:
    """What is wrong with `extra`, `omit`, `thinking` and `reasoning_effort` for a server.

    `quirks` are read from a file, where they are asked for, and so is the `server`'s name.
    """
    extra, thinking = written.get("extra") or {}, written.get("thinking")
    for name in extra:
        if name in _OWN:
            told, advice = texts("extra-is-sent", name=name), _instead(name)
            yield OptionProblem(("extra", name), told, advice, at_key=True)
        elif thinking is not None and name in SWITCHES:
            told = texts("extra-and-thinking", name=name)
            yield OptionProblem(("extra", name), told, texts("remove-one"), at_key=True)
    for index, name in enumerate(written.get("omit") or ()):
        if name not in OMITTABLE:
            told = texts("not-omittable", name=name)
            yield OptionProblem(("omit", index), told, _omittable(name))
    if thinking is not None:
        yield from _thinking_problems(thinking, quirks(), server)
        effort = written.get("reasoning_effort")
        if thinking == "off" and effort not in (None, "none"):
            told = texts("thinking-and-effort", effort=effort)
            yield OptionProblem(("thinking",), told, texts("remove-one"))


def _instead(name: str) -> Text:
    """Where to write what `extra` may not hold."""
    slug = _OWN[name]
    return texts(slug, name=_OTHER_NAMES.get(name, name))


def _omittable(name: str) -> Text:
    """What can be left out, where `name` cannot."""
    if near := closest(name, OMITTABLE):
        return texts("omit-near", near=near)
    return texts("omit-known", known=", ".join(sorted(OMITTABLE)))


def _thinking_problems(
    thinking: Any, quirks: Quirks, server: Callable[[], str]
) -> Iterator[OptionProblem]:
    path = ("thinking",)
    if quirks.always_thinks and thinking == "off":
        yield OptionProblem(path, texts("always-thinks", server=server()), texts("remove-thinking"))
    elif quirks.thinking == "none" and not (quirks.always_thinks and thinking == "on"):
        told = texts("thinking-unknown", server=server())
        yield OptionProblem(path, told, texts("write-parameter"))
    elif isinstance(thinking, Mapping) and not quirks.budget:
        told = texts("no-thought-budget", server=server())
        yield OptionProblem(path, told, texts("limit-thought"))
