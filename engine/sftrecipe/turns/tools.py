"""Tools in the forms of Anthropic, Gemini, MCP and OpenAI's Responses API, as chats name them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_SCHEMAS = ("input_schema", "inputSchema", "parametersJsonSchema")
_GROUPS = ("functionDeclarations", "function_declarations")
_FOREIGN = re.compile(f'"(?:{"|".join((*_SCHEMAS, *_GROUPS))})"')
_WRAPPED, _FLAT = re.compile(r'"function"\s*:'), re.compile(r'"type"\s*:\s*"function"')
_TYPES = (None, "function", "custom")
_READ = frozenset({"type", "name", "description", "parameters", "strict", "cache_control"})
_KEPT = ("name", "description", "parameters", "strict")


def read_tools(found: Any) -> Any:
    """The tools as OpenAI's chats have them; what has none of the known forms stays as it is.

    The same object where nothing changed.
    """
    if isinstance(found, str):
        if not _FOREIGN.search(found) and (_WRAPPED.search(found) or not _FLAT.search(found)):
            return found
        try:
            parsed = json.loads(found)
        except (ValueError, RecursionError):
            return found
        return found if (read := read_tools(parsed)) is parsed else read
    if not isinstance(found, list | tuple):
        return found
    tools = [tool for each in found for tool in _unfolded(each)]
    read = [_read_tool(tool) for tool in tools]
    return found if read == list(found) else read


def _unfolded(tool: Any) -> Iterator[Any]:
    """Gemini's groups of functions, one by one."""
    if isinstance(tool, Mapping) and len(tool) == 1:
        for key in _GROUPS:
            if isinstance(group := tool.get(key), list | tuple):
                yield from (
                    ({"type": "function", **each} if isinstance(each, Mapping) else each)
                    for each in group
                )
                return
    yield tool


def _read_tool(tool: Any) -> Any:
    if not isinstance(tool, Mapping) or "function" in tool or tool.get("type") not in _TYPES:
        return tool
    given = [key for key in _SCHEMAS if key in tool]
    if len(given) + ("parameters" in tool) > 1 or tool.keys() - _READ - {*given}:
        return tool
    if not given and tool.get("type") != "function":
        return tool  # LLaMA-Factory's own short form
    whole = {**tool, **({"parameters": tool[given[0]]} if given else {})}
    return {"type": "function", "function": {key: whole[key] for key in _KEPT if key in whole}}
