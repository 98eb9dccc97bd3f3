"""A reply that comes as a stream of events though none was asked for: put together, or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sftrecipe_registry.shared.reply_json import mapping_in, parse_json

_FIELDS = ("data:", "event:", "id:", "retry:", ":")
_BROKEN_OFF = "error"
_THOUGHTS = ("reasoning_content", "reasoning")


def put_together(content: bytes) -> dict[str, Any] | None:
    """The reply that the events (`data: {…}`) of a body are; None where it is none.

    A stream that tells no end was broken off. An event that is an error is the reply.
    """
    text = content.decode("utf-8-sig", "replace").replace("\r\n", "\n")
    if not text.lstrip().startswith(_FIELDS):
        return None
    written, thought, ending, usage, count = "", "", None, None, 0
    for event in _events(text):
        if event.get("error"):
            return event
        usage = event.get("usage") or usage
        choices = event.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, Mapping):
            continue
        delta = mapping_in(choice, "delta") or mapping_in(choice, "message")
        if delta.get("tool_calls"):
            return None  # they come in pieces of their own
        count += 1
        written += _text(delta.get("content")) or _text(choice.get("text"))
        thought += next((_text(delta[name]) for name in _THOUGHTS if delta.get(name)), "")
        ending = choice.get("finish_reason") or ending
    if not count:
        return None
    message = {"role": "assistant", "content": written, "reasoning_content": thought}
    whole = {"message": message, "text": written, "finish_reason": ending or _BROKEN_OFF}
    return {"choices": [whole], "usage": usage}


def _events(text: str) -> Iterator[dict[str, Any]]:
    for line in text.split("\n"):
        name, _, value = line.partition(":")
        parsed = parse_json(value.encode()) if name == "data" else None
        if parsed is not None and isinstance(parsed.value, dict):
            yield parsed.value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
