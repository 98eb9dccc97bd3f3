"""A reply in its parts: the one place where thoughts and calls of tools are taken out of texts.

Adapters tell what a server sent apart; whatever a server left within the text is parted here,
before anything is kept, counted or read. Replies that earlier versions kept are parted when they
are read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from sftrecipe.plugin.endings import (
    AT_THE_LIMIT,
    BAD_TOOL_CALL,
    OPEN_THOUGHT,
    THOUGHT_ALONE,
    ending_of,
)
from sftrecipe.plugin.provider import Answer, RequestKind
from sftrecipe.plugin.reply_message import (
    message_parts,
    together,
    tool_call,
    with_thought_beside,
)
from sftrecipe.record import ToolCall
from sftrecipe.thoughts import ThoughtAndAnswer, split_completion, split_reply

_WRITTEN_CALL = re.compile(r"\s*<tool_call>\s*(\{.*?\})\s*</tool_call>\s*", re.DOTALL)
"""How Qwen, Hermes and others write calls where the server has no parser for them."""
_UNREAD_CALLS = (
    "<tool_call>", "<function=", "[TOOL_CALLS]", "<|python_tag|>", "<|tool_call_begin|>",
    "<｜tool▁call▁begin｜>", "<｜DSML｜", "<minimax:tool_call>", "<seed:tool_call>",
    "<function_call", "<tool_calls>", "<|tool_call>", "<|tool_call|>", "<|tool_call_start|>",
    "<TOOLCALL>", "<|action_start|>", "functools[", "<longcat_tool_call>",
)  # fmt: skip
"""Marks of calls that are left in a text whose request had tools: it is no answer."""
_BARE_CALL = frozenset({"type", "name", "parameters", "arguments"})
"""All that a call holds which is written alone."""
_IN_A_CHANNEL = " to=functions."
_CHANNEL_CALL = re.compile(
    rf"(?:<\|start\|>assistant)?(?:{_IN_A_CHANNEL}(?P<before>[\w-]+))?<\|channel\|>\w+"
    rf"(?:{_IN_A_CHANNEL}(?P<after>[\w-]+))?[^<]*(?:<\|constrain\|>\s*\w+)?<\|message\|>"
    r"(?P<arguments>.*?)(?:<\|call\|>|<\|end\|>|(?=<\|start\|>)|\Z)",
    re.DOTALL,
)
"""How gpt-oss does; nobody writes such a text for another reason."""


def in_parts(answer: Answer, kind: RequestKind, prompt: str = "", *, tools: bool = False) -> Answer:
    """The answer with its thought apart; with `tools`, with the calls that are written in its text.

    A raw completion is a text, and parted only where it begins with a thought: as it says, or as
    the prompt's last mark does.
    """
    if kind == "chat" and not answer.tool_calls and _IN_A_CHANNEL in answer.text:
        answer = _with_calls(answer, _CHANNEL_CALL, _channel_call)
    if kind == "chat":
        found = split_reply(answer.text, told_apart=bool(answer.reasoning))
    elif kind == "complete":
        found = split_completion(answer.text, prompt)
    else:
        return answer
    if found.answer is not answer.text:
        thought = together(answer.reasoning, found.reasoning)
        answer = answer._replace(text=found.answer, reasoning=thought)
    if tools and not answer.tool_calls:
        answer = _with_written_calls(answer)
    ending = _ending(answer, found)
    if (
        tools
        and ending_of(ending) == "whole"
        and any(each in answer.text for each in _UNREAD_CALLS)
    ):
        ending = BAD_TOOL_CALL
    return answer if ending == answer.finish_reason else answer._replace(finish_reason=ending)


def kept_in_parts(answer: Answer, kind: str, raw: str | None) -> Answer:
    """The same for a reply that an earlier version kept whole."""
    if kind != "chat":
        return in_parts(answer, "complete") if kind == "complete" else answer
    message = _message(raw)
    told = message_parts(message)
    if told.tool_calls and not told.text.strip():
        answer = answer._replace(text="")  # they were kept as JSON text
    answer = answer._replace(reasoning=told.reasoning, tool_calls=told.tool_calls)
    return in_parts(answer, "chat")


def calls_text(calls: tuple[ToolCall, ...]) -> str | None:
    """Calls of tools as the ledger keeps them; None for none."""
    return orjson.dumps(calls).decode() if calls else None


def calls_in(kept: str | None) -> tuple[ToolCall, ...]:
    """Calls of tools out of the ledger."""
    return tuple(orjson.loads(kept)) if kept else ()


def _ending(answer: Answer, found: ThoughtAndAnswer) -> str:
    """How a reply ended, its thought considered."""
    word = answer.finish_reason
    nothing = not answer.text.strip() and not answer.tool_calls
    if nothing and word.lower() in AT_THE_LIMIT and (answer.reasoning or found.is_open):
        return THOUGHT_ALONE
    open_ended = found.is_open and not answer.tool_calls
    return OPEN_THOUGHT if open_ended and ending_of(word) == "whole" else word


def _with_written_calls(answer: Answer) -> Answer:
    if "<tool_call>" in answer.text:
        return _with_calls(answer, _WRITTEN_CALL, _written_call)
    if answer.text[:1] == "{" and answer.text[-1:] == "}":  # Llama 3 writes the call alone
        try:
            told = orjson.loads(answer.text)
        except orjson.JSONDecodeError:
            return answer
        call = tool_call(told) if told.keys() <= _BARE_CALL and len(told) > 1 else None
        return answer._replace(text="", tool_calls=(call,)) if call else answer
    return answer


def _with_calls(
    answer: Answer, form: re.Pattern[str], read: Callable[[re.Match[str]], ToolCall | None]
) -> Answer:
    calls: list[ToolCall] = []

    def take(found: re.Match[str]) -> str:
        call = read(found)
        if call is None:
            return found[0]
        calls.append(call)
        return "\n"

    text = form.sub(take, answer.text).strip()
    return answer._replace(text=text, tool_calls=tuple(calls)) if calls else answer


def _written_call(found: re.Match[str]) -> ToolCall | None:
    try:
        return tool_call(orjson.loads(found[1]))
    except orjson.JSONDecodeError:
        return None


def _channel_call(found: re.Match[str]) -> ToolCall | None:
    name = found["before"] or found["after"]
    return tool_call({"name": name, "arguments": found["arguments"]}) if name else None


def _message(raw: str | None) -> Mapping[str, Any]:
    """The message in a reply's body; empty where there is none."""
    try:
        reply = orjson.loads(raw or "")
        choice = reply["choices"][0]
        message = choice["message"]
    except (ValueError, LookupError, TypeError):
        return {}
    return with_thought_beside(message, choice, reply) if isinstance(message, Mapping) else {}
