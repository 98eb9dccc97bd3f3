"""Tool calls in the forms of OpenAI, Anthropic, Gemini, LangChain and LLaMA-Factory."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from sftrecipe.record import ToolCall
from sftrecipe.turns.faults import UnreadTurn, check_rest, kind_of

_ARGUMENTS = ("arguments", "parameters", "args", "input")
_TYPES = ("function", "tool_call", "tool_use", "functionCall")
_READ = frozenset({"name", *_ARGUMENTS})
_AROUND = frozenset({"id", "type", "index", "function", "cache_control"})
_BESIDE = re.compile(r"\n?<tool_call>(.*?)</tool_call>", re.DOTALL)
"""How LLaMA-Factory has calls beside a text."""
_FAR = 1 << 63
_SHOWN = 200


def called_beside(text: str) -> tuple[str, str]:
    """The JSON of the calls in a turn's text, and what else is said in it."""
    parts = _BESIDE.split(text)
    return (parts[1], parts[0] + parts[2]) if len(parts) == 3 else (text, "")


def read_calls(found: Any, where: str) -> list[ToolCall]:
    """The calls of a list, of one object, or of the JSON text of either.

    Raises UnreadTurn: `bad_tool_call` for what is no call, `unread_part` for a part of one.
    """
    if isinstance(found, str):
        found = _parsed(found, where, found)
    calls = list(found) if isinstance(found, list | tuple) else [found]
    if not calls:
        raise _bad(where, "there is no call", found)
    return [read_call(call, where) for call in calls]


def read_call(call: Any, where: str) -> ToolCall:
    """One call, with its arguments as an object. Raises UnreadTurn."""
    if not isinstance(call, Mapping):
        raise _bad(where, f"a call is {kind_of(call)}", call)
    inner = call.get("function")
    if isinstance(inner, Mapping):
        check_rest(call, _AROUND, where, "tool_calls.")
        check_rest(inner, _READ, where, "tool_calls.function.")
    else:
        check_rest(call, _AROUND | _READ, where, "tool_calls.")
        inner = call if inner is None else {**call, "name": inner}
    if call.get("type") not in (None, *_TYPES):
        raise _bad(where, f"its type is {call['type']!r}", call)
    name = inner.get("name")
    if not isinstance(name, str) or not name:
        raise _bad(where, "it has no name", call)
    read: ToolCall = {"name": name, "arguments": _arguments(inner, call, where)}
    if (number := call.get("id")) not in (None, ""):
        read["id"] = str(number)
    return read


def _arguments(inner: Mapping[str, Any], call: Any, where: str) -> dict[str, Any]:
    named = [inner[key] for key in _ARGUMENTS if key in inner]
    given = [value for value in named if value is not None and value != ""]
    if named and not given:
        return {}  # of a tool that takes none, as servers write it
    if len(given) != 1:
        raise _bad(where, "it has no arguments" if not given else "it has arguments twice", call)
    found = _parsed(given[0], where, call) if isinstance(given[0], str) else given[0]
    if not isinstance(found, Mapping):
        raise _bad(where, f"its arguments are {kind_of(found)}", call)
    return dict(found)


def _parsed(text: str, where: str, call: Any) -> Any:
    """What a JSON text says, nothing of it lost."""
    try:
        return json.loads(
            text, object_pairs_hook=_once, parse_constant=_no_number, parse_int=_whole
        )
    except (ValueError, RecursionError) as error:
        raise _bad(where, f"not JSON: {error}", call) from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands there twice")
    return found


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def _whole(text: str) -> int:
    number = int(text)
    if not -_FAR <= number < 2 * _FAR:
        raise ValueError(f"{text} is beyond 64 bits")
    return number


def _bad(where: str, why: str, call: Any) -> UnreadTurn:
    try:
        shown = call if isinstance(call, str) else json.dumps(call, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        shown = kind_of(call)
    return UnreadTurn("bad_tool_call", f"{where}: {why}: {shown[:_SHOWN]}")
