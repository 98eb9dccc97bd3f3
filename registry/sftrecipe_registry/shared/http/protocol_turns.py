"""Chat turns as protocols have them: calls of tools, and the results that belong to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

_PLAIN = {"role", "content"}


def template_turns(turns: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The turns as Hugging Face's chat templates take them: as OpenAI's, with arguments as
    objects."""
    return [_with_objects(turn) if turn.get("tool_calls") else turn for turn in openai_turns(turns)]


def _with_objects(turn: Mapping[str, Any]) -> Mapping[str, Any]:
    calls = [
        {**call, "function": {**call["function"], "arguments": _object(call["function"])}}
        for call in turn["tool_calls"]
    ]
    return {**turn, "content": turn.get("content") or "", "tool_calls": calls}


def _object(function: Mapping[str, Any]) -> Any:
    try:
        return orjson.loads(function["arguments"])
    except orjson.JSONDecodeError:
        return function["arguments"]


def openai_turns(turns: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The turns as OpenAI's protocol has them; plain ones as they are.

    Every call gets an id, and every result the id of its call: of the one that it names, or of the
    first that has no result yet. Ids that are made have nine letters and digits, as Mistral wants.
    """
    if all(turn.keys() <= _PLAIN for turn in turns):
        return turns
    sent: list[Mapping[str, Any]] = []
    open_calls: list[tuple[str, str]] = []
    made = 0
    for turn in turns:
        if calls := turn.get("tool_calls"):
            written = []
            for call in calls:
                made += 1
                written.append(_call(call, f"call{made:05d}"))
            open_calls = [(each["id"], each["function"].get("name", "")) for each in written]
            sent.append({**turn, "content": turn.get("content") or None, "tool_calls": written})
        elif turn["role"] == "tool":
            identity = _answered(turn, open_calls)
            if not identity:
                made += 1
                identity = f"call{made:05d}"
            rest = {name: value for name, value in turn.items() if name != "name"}
            sent.append({**rest, "tool_call_id": identity})
        else:
            sent.append(turn)
    return sent


def _call(call: Mapping[str, Any], identity: str) -> dict[str, Any]:
    """A call in OpenAI's form, its arguments as a text."""
    inner = call.get("function")
    told = inner if isinstance(inner, Mapping) else call
    given = told.get("arguments", {})
    arguments = given if isinstance(given, str) else orjson.dumps(given).decode()
    function = {"name": told.get("name"), "arguments": arguments}
    return {"id": call.get("id") or identity, "type": "function", "function": function}


def _answered(turn: Mapping[str, Any], open_calls: list[tuple[str, str]]) -> str:
    """The id of the call that a result belongs to, which has its result now."""
    told, name = turn.get("tool_call_id"), turn.get("name")
    for place, (identity, called) in enumerate(open_calls):
        if identity == told or (not told and (not name or name == called)):
            del open_calls[place]
            return identity
    return told or ""
