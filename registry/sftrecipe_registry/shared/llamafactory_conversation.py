"""A record as the conversation that LLaMA-Factory trains on, or why it is none."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from sftrecipe.record import Columns

Preference = Literal["none", "ranking", "kto"]
MEDIA = ("images", "videos", "audios")

_ASKS = ("user", "tool")
_ANSWERS = ("assistant", "tool_call")
_ROLES = (*_ASKS, *_ANSWERS)
_THOUGHT = re.compile(r"<think>.*?</think>", re.DOTALL)


class Unusable(Exception):
    """A record that is no such conversation."""

    def __init__(self, reason: str, value: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.value = value


class Turn(NamedTuple):
    """One turn; its role is one of user, assistant, tool_call and tool."""

    role: str
    content: str


class Conversation(NamedTuple):
    """What is asked, and the answer or answers."""

    system: str
    tools: str
    """JSON text, or empty."""
    asked: Sequence[Turn]
    """All turns before the answer, in the order that LLaMA-Factory demands."""
    question: tuple[str, str]
    """The last of them as instruction and input."""
    answers: Sequence[Turn]
    """One, or the chosen and the rejected."""
    label: bool | None
    media: Mapping[str, Sequence[Any]]

    @property
    def contents(self) -> list[str]:
        """The texts of all turns."""
        return [turn.content for turn in (*self.asked, *self.answers)]


def conversation(columns: Columns, preference: Preference) -> Conversation:
    """The record as a conversation that LLaMA-Factory neither drops nor fails on.

    Raises Unusable.
    """
    system = _text(columns, "system")
    if columns.get("messages") is not None:
        first, turns = _turns(columns["messages"])
        system, question, written = first or system, None, None
    else:
        turns = _history(columns)
        question, written = _question(columns), _written(columns)
        turns.append(Turn("user", "\n".join(part for part in question if part)))
    if preference == "ranking":
        answers = [_preferred(columns, name) for name in ("chosen", "rejected")]
    else:
        answers = [_answer(turns, written, question is not None)]
    _check_order(turns, answers)
    return Conversation(
        system,
        check_tools(columns.get("tools")),
        turns,
        question or (turns[-1].content, ""),
        answers,
        _label(columns) if preference == "kto" else None,
        _media(columns, turns, answers) if any(name in columns for name in MEDIA) else {},
    )


def _text(columns: Columns, name: str) -> str:
    value = columns.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Unusable("not_text", name)
    return value


def _question(columns: Columns) -> tuple[str, str]:
    if columns.get("instruction") is None and columns.get("input") is None:
        raise Unusable("no_prompt")
    return _text(columns, "instruction"), _text(columns, "input")


def _written(columns: Columns) -> str | None:
    return None if columns.get("output") is None else _text(columns, "output")


def _history(columns: Columns) -> list[Turn]:
    pairs = columns.get("history")
    turns: list[Turn] = []
    if pairs is None:
        return turns
    if not isinstance(pairs, list | tuple):
        raise Unusable("bad_history", f"not a list of pairs: {type(pairs).__name__}")
    for number, pair in enumerate(pairs, 1):
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise Unusable("bad_history", f"item {number} is not a pair of texts")
        if not all(isinstance(text, str) for text in pair):
            raise Unusable("bad_history", f"item {number} is not a pair of texts")
        turns += [Turn("user", pair[0]), Turn("assistant", pair[1])]
    return turns


def _turns(messages: Any) -> tuple[str, list[Turn]]:
    """The system prompt and the turns of a message list."""
    if not isinstance(messages, list | tuple) or not messages:
        raise Unusable("bad_messages", "not a list of messages")
    turns = [_turn(message, f"message {number}") for number, message in enumerate(messages, 1)]
    if turns[0].role == "system":
        return turns[0].content, turns[1:]
    return "", turns


def _turn(message: Any, where: str) -> Turn:
    if not isinstance(message, Mapping):
        raise Unusable("bad_messages", f"{where} has no role and content")
    role, content = message.get("role"), message.get("content")
    if not isinstance(role, str) or not isinstance(content, str):
        missing = "role" if not isinstance(role, str) else "content"
        raise Unusable("bad_messages", f"{where}: {missing} is no text")
    return Turn(role, content)


def _answer(turns: list[Turn], written: str | None, is_asked: bool) -> Turn:
    if is_asked:
        if written is None:
            raise Unusable("no_answer")
        return Turn("assistant", written)
    if not turns or turns[-1].role not in _ANSWERS:
        raise Unusable("no_answer", f"{len(turns)} turns")
    return turns.pop()


def _preferred(columns: Columns, name: str) -> Turn:
    value = columns.get(name)
    if isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    if isinstance(value, str):
        return Turn("assistant", value)
    if not isinstance(value, Mapping):
        raise Unusable("not_a_pair", f"{name} is no answer")
    turn = _turn(value, name)
    if turn.role not in _ANSWERS:
        raise Unusable("not_a_pair", f"role of {name} is '{turn.role}'")
    return turn


def _label(columns: Columns) -> bool:
    if not isinstance(columns.get("label"), bool):
        raise Unusable("no_label")
    return bool(columns["label"])


def _check_order(turns: Sequence[Turn], answers: Sequence[Turn]) -> None:
    """User or tool, then assistant or tool call, and so on: LLaMA-Factory drops the others."""
    for number, turn in enumerate(turns):
        if turn.role not in (_ASKS, _ANSWERS)[number % 2]:
            known = turn.role in _ROLES or turn.role == "system"
            where = f"turn {number + 1}: '{turn.role}'"
            raise Unusable("roles_alternate" if known else "bad_role", where)
    if len(turns) % 2 == 0:
        raise Unusable("no_prompt" if not turns else "roles_alternate", f"{len(turns)} turns")
    for turn in (*turns, *answers):
        if turn.role == "tool_call":
            check_call(turn.content)


def check_call(content: str) -> None:
    """LLaMA-Factory stops at a call that is not JSON; thinking may stand before it.

    Raises Unusable.
    """
    try:
        calls = json.loads(_THOUGHT.sub("", content, count=1))
    except (ValueError, RecursionError) as error:
        raise Unusable("bad_tool_call", f"not JSON: {error}") from error
    for call in calls if isinstance(calls, list) else [calls]:
        named = isinstance(call, dict) and isinstance(call.get("name"), str)
        if not named or "arguments" not in call:
            raise Unusable("bad_tool_call", "no name and arguments")
    if calls == []:
        raise Unusable("bad_tool_call", "no call")


def check_tools(value: Any) -> str:
    """The tools as JSON text, in the form that every template of LLaMA-Factory can print.

    Raises Unusable.
    """
    if value is None or value in ("", []):
        return ""
    if not isinstance(value, str):
        value = json.dumps(value, ensure_ascii=False)
    try:
        tools = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise Unusable("bad_tools", f"not JSON: {error}") from error
    if not isinstance(tools, list):
        raise Unusable("bad_tools", "not a list of tools")
    for number, tool in enumerate(tools, 1):
        if not _is_tool(tool):
            raise Unusable("bad_tools", f"tool {number} lacks a name, or properties of parameters")
    return str(value)


def _is_tool(tool: Any) -> bool:
    if isinstance(tool, dict) and tool.get("type") == "function":
        tool = tool.get("function")
    if not isinstance(tool, dict) or not isinstance(tool.get("name"), str):
        return False
    parameters = tool.get("parameters")
    if not isinstance(parameters, dict) or not isinstance(parameters.get("required", []), list):
        return False
    properties = parameters.get("properties")
    if not isinstance(properties, dict):
        return False
    return all(_is_parameter(parameter) for parameter in properties.values())


def _is_parameter(parameter: Any) -> bool:
    if not isinstance(parameter, dict):
        return False
    choices, items = parameter.get("enum") or (), parameter.get("items") or {}
    return all(isinstance(choice, str) for choice in choices) and isinstance(items, dict)


def _media(
    columns: Columns, turns: Sequence[Turn], answers: Sequence[Turn]
) -> dict[str, Sequence[Any]]:
    """Paths of pictures, films and sounds, as many as the texts have places for."""
    media: dict[str, Sequence[Any]] = {}
    for name in MEDIA:
        value = columns.get(name)
        if not value:
            continue
        paths = [value] if isinstance(value, str) else value
        if not isinstance(paths, list | tuple) or not all(isinstance(path, str) for path in paths):
            raise Unusable("bad_media", f"{name} is not a list of paths")
        place = f"<{name[:-1]}>"
        asked = sum(turn.content.count(place) for turn in turns)
        for answer in answers:
            places = asked + answer.content.count(place)
            if places != len(paths):
                raise Unusable("media_count", f"{len(paths)} {name}, {places} times {place}")
        media[name] = paths
    return media
