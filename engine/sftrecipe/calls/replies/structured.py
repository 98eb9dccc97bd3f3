"""Replies that follow a JSON Schema: asked for, parsed leniently, checked, repaired."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import orjson

from sftrecipe.messages import own_text
from sftrecipe.plugin.asked_model import Reply
from sftrecipe.plugin.provider import CallFailed, Request

REPAIRS = 2
"""Turns in which the model may correct itself; each is a call, counted and kept as any other."""

_FENCED = re.compile(r"```(?:json)?\s*\n?(.*?)```", re.DOTALL)

Ask = Callable[[Request], Awaitable[Reply]]


async def ask_structured(ask: Ask, request: Request, supported: bool) -> Reply:
    """A reply whose text is JSON that follows the request's schema.

    A server that takes schemas is sent it; another is told it in the prompt. Raises CallFailed when
    the last repair does not follow it either.
    """
    schema = request.schema or {}
    if not supported:
        request = replace(request, schema=None, messages=_told(request.messages, schema))
    reply = await ask(request)
    for _ in range(REPAIRS):
        text, fault = follow(reply.text, schema)
        if text is not None:
            return reply._replace(text=text)
        turns = (
            {"role": "assistant", "content": reply.text},
            {
                "role": "user",
                "content": f"That does not follow the JSON schema: {fault}. "
                "Reply again with the corrected JSON only.",
            },
        )
        reply = await ask(replace(request, messages=(*request.messages, *turns)))
    text, fault = follow(reply.text, schema)
    if text is None:
        raise CallFailed("final", own_text("reply-off-schema", fault=fault), key=reply.key)
    return reply._replace(text=text)


def follow(text: str, schema: Mapping[str, Any]) -> tuple[str | None, str]:
    """The JSON text in a reply that follows the schema, or None and what is wrong."""
    import jsonschema  # noqa: PLC0415 - 90 ms that few steps need

    validator = jsonschema.Draft202012Validator(schema)
    fault = "no JSON found"
    for candidate in _candidates(text):
        try:
            value = orjson.loads(candidate)
        except orjson.JSONDecodeError as error:
            fault = f"not JSON ({error})"
            continue
        wrong = jsonschema.exceptions.best_match(validator.iter_errors(value))
        if wrong is None:
            return candidate, ""
        fault = f"{wrong.json_path}: {wrong.message}"[:300]
    return None, fault


def _candidates(text: str) -> Iterator[str]:
    """Where JSON may stand in a reply: all of it, a fence, from the first bracket to the last."""
    whole = text.strip()
    if whole.startswith(("{", "[", '"')) or not whole:
        yield whole
    yield from (match.group(1).strip() for match in _FENCED.finditer(text))
    starts = sorted(
        (index, closing)
        for opening, closing in (("{", "}"), ("[", "]"))
        if (index := text.find(opening)) >= 0
    )
    for start, closing in starts:
        end = text.rfind(closing)
        if end > start:
            yield text[start : end + 1]


def _told(
    messages: tuple[Mapping[str, Any], ...], schema: Mapping[str, Any]
) -> tuple[Mapping[str, Any], ...]:
    told = (
        "\n\nReply with JSON only, following this JSON Schema:\n"
        f"{orjson.dumps(schema, option=orjson.OPT_SORT_KEYS).decode()}"
    )
    *before, last = messages
    return (*before, {**last, "content": f"{last['content']}{told}"})
