"""The parts of a model's message in OpenAI's form: its answer, its thought, its calls of tools.

An allow-list: what stands in a message under another name, and is not empty, is told by its name.
Thoughts come as `reasoning_content` (DeepSeek, Qwen, GLM, Kimi, ERNIE), `reasoning` (vLLM since
0.33, OpenRouter), `reasoning_details` (OpenRouter), `thinking` (Ollama), `thinking_blocks`
(litellm), `reasoning_text` and others (gateways), and as parts of the content (Anthropic, Mistral,
Gemini's `thought: true`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from sftrecipe.record import ToolCall

THOUGHTS = (
    "reasoning_content", "reasoning", "reasoning_details", "thinking", "thinking_blocks",
    "reasoning_text", "thinking_content", "thoughts",
)  # fmt: skip
"""Names under which a message's thought comes."""
_READ = frozenset({
    *THOUGHTS, "content", "tool_calls", "function_call", "refusal", "provider_specific_fields",
    "role", "name", "id", "type", "index", "text",
})  # fmt: skip
_ORDINARY = frozenset({"role", "content"})
_BESIDE = frozenset({"reasoning_content", "reasoning"})
"""Names of a thought that stands beside the message."""
_TEXTS = frozenset({"text", "output_text", "markdown"})
"""Types of a content's parts that are the answer."""
_THINKS = frozenset({
    "thinking", "reasoning", "redacted_thinking", "reasoning.text", "reasoning.summary",
    "reasoning.encrypted", "reasoning_text", "summary_text", "summary", "think", "thought",
    "reasoning_content",
})  # fmt: skip
_HOLDS_TEXT = (
    "thinking", "text", "summary", "content", "reasoning", "think", "thought", "reasoning_content",
    "reasoningText",
)  # fmt: skip
_HOLDS_CIPHER = ("data", "signature", "encrypted_content")
_CALLS = frozenset({"tool_use", "tool_call", "function_call", "function"})
_EMPTY: tuple[Any, ...] = (None, "", (), [], {}, False)
_SHOWN = 80
_DEEPEST = 8


class MessageParts(NamedTuple):
    """What a message holds."""

    text: str
    """The answer, as it came: a thought may yet stand in it."""
    reasoning: str = ""
    """The thought that came apart."""
    tool_calls: tuple[ToolCall, ...] = ()
    bad_calls: tuple[str, ...] = ()
    """Calls whose arguments are no JSON object, or that name no tool, as they came."""
    left_out: tuple[str, ...] = ()
    """Names of what else is there."""


def message_parts(message: Mapping[str, Any]) -> MessageParts:
    """The parts of a message. Never raises."""
    content = message.get("content")
    if isinstance(content, str) and not any(
        message[name]
        for name in message.keys() - _ORDINARY  # most replies are an answer alone
    ):
        return MessageParts(content)
    found = _Found()
    found.content(content)
    more = message.get("provider_specific_fields")
    for told in (message, more if isinstance(more, Mapping) else {}):
        for name in THOUGHTS:
            found.thought(told.get(name), name)
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else [calls]:
        found.call(call)
    if not found.has(older := message.get("function_call")):
        found.call(older)
    if found.text.strip() and message.get("refusal") not in _EMPTY:
        found.leave_out("refusal")
    for name, value in message.items():
        if name not in _READ and value not in _EMPTY:
            found.leave_out(str(name))
    return MessageParts(
        found.text,
        found.reasoning,
        tuple(found.calls),
        tuple(found.bad_calls),
        tuple(dict.fromkeys(found.left_out)),
    )


def with_thought_beside(
    message: Mapping[str, Any], choice: Mapping[str, Any], reply: Mapping[str, Any]
) -> Mapping[str, Any]:
    """The message, with a thought that stands beside it."""
    beside = {
        name: told[name]
        for told in (reply, choice)
        for name in told.keys() & _BESIDE
        if isinstance(told[name], str) and told[name] and not message.get(name)
    }
    return {**message, **beside} if beside else message


def together(thought: str, other: str) -> str:
    """Two thoughts of one reply as one: servers send the same one under several names."""
    if not thought or not other:
        return thought or other
    one, two = ("".join(each.split()) for each in (thought, other))
    if two in one:
        return thought
    return other if one in two else f"{thought}\n\n{other}"


def tool_call(value: Any) -> ToolCall | None:
    """A call of a tool in OpenAI's form, the older one, Anthropic's, or as models write it; None
    where it names no tool or its arguments are no object."""
    # Not by `turns.tool_calls`: that refuses what it does not know, since data can be mended; what
    # a model wrote is paid for, and taken as it is meant.
    if not isinstance(value, Mapping):
        return None
    inner = value.get("function")
    told = inner if isinstance(inner, Mapping) else value
    name = told.get("name")
    given = next((told[key] for key in ("arguments", "input", "parameters") if key in told), None)
    arguments = _object(given)
    if not isinstance(name, str) or not name or arguments is None:
        return None
    call: ToolCall = {"name": name, "arguments": arguments}
    identity = value.get("id")
    if isinstance(identity, str) and identity:
        call["id"] = identity
    return call


class _Found:
    """What was found in a message so far."""

    def __init__(self) -> None:
        self.text = ""
        self.reasoning = ""
        self.calls: list[ToolCall] = []
        self.bad_calls: list[str] = []
        self.left_out: list[str] = []

    def leave_out(self, name: str) -> None:
        self.left_out.append(name[:_SHOWN])

    def content(self, value: Any) -> None:
        if isinstance(value, str):
            self.text += value
        elif isinstance(value, Sequence):
            for part in value:
                self._part(part)
        elif isinstance(value, Mapping):
            self._part(value)
        elif value not in _EMPTY:
            self.leave_out(f"content ({type(value).__name__})")

    def _part(self, part: Any) -> None:
        if isinstance(part, str):
            self.text += part
            return
        if not isinstance(part, Mapping):
            if part is not None:
                self.leave_out(f"content ({type(part).__name__})")
            return
        kind = part.get("type") or "text"
        if part.get("thought") is True:
            self.thought([part], "content (thought)")
        elif "reasoningContent" in part:  # Bedrock
            self.thought([part["reasoningContent"]], "content (reasoningContent)")
        elif kind in _TEXTS:
            text = part.get("text")
            text = text.get("value") if isinstance(text, Mapping) else text
            if isinstance(text, str):
                self.text += text
            elif part.keys() - {"type"}:
                self.leave_out("content (text)")
        elif kind in _THINKS:
            self.thought([part], f"content ({kind})")
        elif kind in _CALLS:
            self.call(part)
        else:
            self.leave_out(f"content ({kind})")

    def thought(self, value: Any, name: str) -> None:
        """A thought in any of its shapes."""
        texts: list[str] = []
        hidden = _gather(value, texts, 0)
        self.reasoning = together(self.reasoning, "\n\n".join(text.strip() for text in texts))
        if hidden:
            self.leave_out(f"{name} ({hidden})")

    def has(self, value: Any) -> bool:
        """Whether the call is known: some servers send one under both its names."""
        call = tool_call(value)
        parts = [(each["name"], each["arguments"]) for each in self.calls]
        return call is not None and (call["name"], call["arguments"]) in parts

    def call(self, value: Any) -> None:
        if value in _EMPTY:
            return
        call = tool_call(value)
        if call is not None:
            self.calls.append(call)
        else:
            self.bad_calls.append(_shown(value))


def _gather(value: Any, texts: list[str], depth: int) -> str:
    """Put a thought's texts into the list; what cannot be read of it."""
    if isinstance(value, str) or value in _EMPTY:
        texts.extend([value] if isinstance(value, str) and value.strip() else [])
        return ""
    if depth > _DEEPEST:
        return "too deep"
    if isinstance(value, list):
        pieces: list[str] = []
        hidden = [_gather(each, pieces, depth + 1) for each in value]
        # Within a block, they are pieces of one text.
        texts.extend(["".join(pieces)] if pieces and depth else pieces)
        return next(filter(None, hidden), "")
    return _gather_object(value, texts, depth) if isinstance(value, dict) else type(value).__name__


def _gather_object(value: dict[str, Any], texts: list[str], depth: int) -> str:
    for name in _HOLDS_TEXT:
        if value.get(name) not in _EMPTY:
            return _gather(value[name], texts, depth + 1)
    if any(value.get(name) not in _EMPTY for name in _HOLDS_CIPHER):
        return "encrypted"
    return "" if all(each in _EMPTY or key == "type" for key, each in value.items()) else "object"


def _object(value: Any) -> dict[str, Any] | None:
    """Arguments as an object; models also write none at all, and JSON within JSON."""
    for _ in range(2):
        if isinstance(value, str):
            value = _parsed(value)
    if value in (None, "", []):
        return {}
    if not isinstance(value, dict):
        return None
    try:
        orjson.dumps(value)
    except TypeError:  # too deep, a number too large, half a character
        return None
    return value


def _parsed(text: str) -> Any:
    """The value of a JSON text; `False` for what is none."""
    if not text.strip():
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(text, strict=False)  # models break lines within texts
    except (ValueError, RecursionError):
        return False


def _shown(value: Any) -> str:
    try:
        return orjson.dumps(value).decode()[:_SHOWN]
    except TypeError:
        return str(value)[:_SHOWN]
