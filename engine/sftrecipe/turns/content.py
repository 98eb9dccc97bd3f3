"""A turn's content, where it is a list of typed parts: OpenAI's, Anthropic's and Gemini's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sftrecipe.record import ToolCall, Turn
from sftrecipe.turns.faults import check_rest, is_empty, kind_of, unread_part
from sftrecipe.turns.media import PLACES, Medium, column_of, read_file, read_medium
from sftrecipe.turns.tool_calls import read_call

_TEXTS = {
    **dict.fromkeys(("text", "input_text", "output_text", "summary_text"), "text"),
    "refusal": "refusal",
}
_THOUGHTS = {
    "thinking": ("thinking", "text"),
    "reasoning": ("reasoning", "text", "summary"),
    "reasoning.text": ("text",),
    "reasoning.summary": ("summary",),
    "reasoning_text": ("text",),
    "thought": ("thought", "text"),
}
_BESIDE = frozenset({"type", "id", "index", "cache_control", "signature", "format"})
"""Parts of parts that say nothing to whoever learns from them."""
_RESULT = frozenset({"tool_use_id", "content", "is_error", "name"})
_UNTYPED = {
    "functionCall": "functionCall",
    "function_call": "functionCall",
    "functionResponse": "functionResponse",
    "function_response": "functionResponse",
    "inlineData": "file",
    "inline_data": "file",
    "fileData": "file",
    "file_data": "file",
    "thinking": "thinking",
    "image": "image",
    "image_url": "image_url",
    "video": "video",
    "audio": "audio",
    "text": "text",
}
"""What a part without a type is, by the key that it has."""
_GEMINI = frozenset({"thought", "thoughtSignature", "thought_signature"})


@dataclass
class Content:
    """What the parts of a content say."""

    text: str = ""
    thoughts: list[str] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    results: list[Turn] = field(default_factory=list)
    """Of tools, where they stand among what the user says."""
    media: list[Medium] = field(default_factory=list)
    ends_with_text: bool = False

    def say(self, text: str) -> None:
        """Add a text behind what is there."""
        self.text += f"\n{text}" if self.ends_with_text and text else text
        self.ends_with_text = self.ends_with_text or bool(text)

    def show(self, medium: Medium) -> None:
        """Add a picture, a film or a sound behind what is there."""
        self.media.append(medium)
        self.text += PLACES[medium.column]
        self.ends_with_text = False


def read_content(parts: list[Any] | tuple[Any, ...], where: str) -> Content:
    """What the parts say. Raises UnreadTurn for one that nobody reads."""
    content = Content()
    for found in parts:
        part = {"type": "text", "text": found} if isinstance(found, str) else found
        if not isinstance(part, Mapping):
            raise unread_part(where, f"content part that is {kind_of(part)}")
        kind = part.get("type") or _untyped(part, where)
        if not isinstance(kind, str):
            raise unread_part(where, f"content part whose type is {kind_of(kind)}")
        _check_order(content, kind, where)
        _read_part(content, part, kind, where)
    return content


def is_parts(found: Any) -> bool:
    """Whether a list is one of content parts, not a tool's result of another form."""
    known = {*_TEXTS, *_THOUGHTS, "tool_use", "tool_result"}
    return all(
        isinstance(part, Mapping)
        and isinstance(kind := part.get("type"), str)
        and (kind in known or column_of(kind) is not None)
        for part in found
    )


def result_text(found: Any, where: str) -> str:
    """What a tool gave back, as text: JSON, where it is no text.  Raises UnreadTurn."""
    if found is None or isinstance(found, str):
        return found or ""
    if isinstance(found, list | tuple) and found and is_parts(found):
        content = read_content(found, where)
        if content.media or content.thoughts or content.calls or content.results:
            raise unread_part(where, "tool_result with other parts than text")
        return content.text
    return json.dumps(found, ensure_ascii=False)


def _untyped(part: Mapping[str, Any], where: str) -> str:
    keys = [key for key in part if key not in _GEMINI and not is_empty(part[key])]
    known = [key for key in _UNTYPED if key in keys] or [key for key in _UNTYPED if key in part]
    if not known:
        raise unread_part(where, f"content part of {', '.join(map(str, part)) or 'nothing'}")
    return "thought" if part.get("thought") is True and known == ["text"] else _UNTYPED[known[0]]


def _check_order(content: Content, kind: str, where: str) -> None:
    """A turn has its thought first, then what it says, then its calls: another order is lost."""
    is_thought = kind in _THOUGHTS
    if content.calls and (is_thought or kind in _TEXTS or column_of(kind)):
        raise unread_part(where, f"{kind} behind a call")
    if is_thought and content.text:
        raise unread_part(where, f"{kind} behind a text")
    if kind == "tool_result" and content.text:
        raise unread_part(where, "tool_result behind a text")


def _read_part(content: Content, part: Mapping[str, Any], kind: str, where: str) -> None:
    if kind in _TEXTS:
        check_rest(part, _BESIDE | _GEMINI | {_TEXTS[kind]}, where, f"{kind}.")
        content.say(_said(part.get(_TEXTS[kind]), where, kind))
    elif kind in _THOUGHTS:
        content.thoughts.append(_thought(part, kind, where))
    elif column := column_of(kind):
        content.show(read_medium(part, column, where))
    elif kind == "file" and "type" not in part:
        [key] = [key for key in part if not is_empty(part[key])][:1] or ["file"]
        check_rest(part, {key}, where, f"{key}.")
        content.show(read_file(part.get(key), where, key))
    elif kind in ("tool_use", "tool_call"):
        content.calls.append(read_call(part, where))
    elif kind == "functionCall":
        _read_gemini_call(content, part, where)
    elif kind == "functionResponse":
        content.results.append(_gemini_result(part, where))
    elif kind == "tool_result":
        content.results.append(_result(part, where))
    else:
        raise unread_part(where, f"content part '{kind}'")


def _thought(part: Mapping[str, Any], kind: str, where: str) -> str:
    keys = _THOUGHTS[kind]
    check_rest(part, {*_BESIDE, *keys, *_GEMINI}, where, f"{kind}.")
    given = [part[key] for key in keys if not is_empty(part.get(key)) and part[key] is not True]
    if len(given) > 1:
        raise unread_part(where, f"{kind} that stands there twice")
    found = given[0] if given else ""
    if isinstance(found, list | tuple):
        inner = read_content(found, where)
        if inner.media or inner.calls or inner.results or inner.thoughts:
            raise unread_part(where, f"{kind} with other parts than text")
        return inner.text
    return _said(found, where, kind)


def _said(found: Any, where: str, kind: str) -> str:
    if not isinstance(found, str | None):
        raise unread_part(where, f"{kind} that is {kind_of(found)}")
    return found or ""


def _result(part: Mapping[str, Any], where: str) -> Turn:
    check_rest(part, _BESIDE | _RESULT, where, "tool_result.")
    if part.get("is_error"):
        raise unread_part(where, "tool_result.is_error")
    turn: Turn = {"role": "tool", "content": result_text(part.get("content"), where)}
    if part.get("tool_use_id"):
        turn["tool_call_id"] = str(part["tool_use_id"])
    if part.get("name"):
        turn["name"] = str(part["name"])
    return turn


def _read_gemini_call(content: Content, part: Mapping[str, Any], where: str) -> None:
    key = "functionCall" if "functionCall" in part else "function_call"
    check_rest(part, _GEMINI | {key, "type"}, where, f"{key}.")
    content.calls.append(read_call(part[key], where))


def _gemini_result(part: Mapping[str, Any], where: str) -> Turn:
    key = "functionResponse" if "functionResponse" in part else "function_response"
    check_rest(part, {key, "type"}, where, f"{key}.")
    found = part[key]
    if not isinstance(found, Mapping):
        raise unread_part(where, key)
    check_rest(found, {"id", "name", "response"}, where, f"{key}.")
    turn: Turn = {"role": "tool", "content": result_text(found.get("response"), where)}
    if found.get("id"):
        turn["tool_call_id"] = str(found["id"])
    if found.get("name"):
        turn["name"] = str(found["name"])
    return turn
