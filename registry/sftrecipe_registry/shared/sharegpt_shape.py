"""Rows of LLaMA-Factory's sharegpt and openai formats in the canonical columns."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sftrecipe_registry.shared.alpaca_shape import MEDIA, canonical, check_label, extras
from sftrecipe_registry.shared.catalogue_entry import Entry
from sftrecipe_registry.shared.found_rows import Misshapen, Shape

ROLES = {
    "user_tag": "user",
    "assistant_tag": "assistant",
    "observation_tag": "tool",
    "function_tag": "tool_call",
    "system_tag": "system",
}
_TURNS = (("user", "tool"), ("assistant", "tool_call"))
_BETWEEN_RESULTS = "\n</tool_response>\n<tool_response>\n"
"""What LLaMA-Factory puts between the results of several calls."""

Message = dict[str, str]


def sharegpt_shape(entry: Entry) -> Shape:
    """How a row of the entry becomes a row of canonical columns.

    As in LLaMA-Factory, a conversation whose turns do not alternate, or that does not end with an
    answer, is no row.
    """
    named = entry.columns
    column = named["messages"] or ""
    names = {"tools": named["tools"], **{name: named[name] for name in MEDIA}}
    if named["kto_tag"]:
        names["label"] = named["kto_tag"]
    pair = [(name, named[name]) for name in ("chosen", "rejected")] if entry.ranking else []
    used = frozenset(name for name in (*names.values(), *dict(pair).values()) if name)
    used |= {column, named["system"] or column}
    roles = roles_of(entry.tags)
    keys = (entry.tags["role_tag"] or "", entry.tags["content_tag"] or "")
    is_openai = entry.formatting == "openai"

    def shape(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
        found = _listed(row, column)
        if is_openai:
            found = _merged(found, entry.tags)
        messages = read_messages(found, keys, roles)
        _check_turns(messages, is_ranking=entry.ranking)
        if messages[0]["role"] != "system" and (system := row.get(named["system"] or "")):
            messages.insert(0, {"role": "system", "content": system})
        columns = {"messages": messages} | canonical(row, names)
        for name, old in pair:
            columns[name] = _answer(row.get(old or ""), name, keys, roles)
        if "label" in names:
            check_label(columns)
        yield columns | extras(row, used)

    return shape


def roles_of(tags: Mapping[str, str | None]) -> dict[str, str]:
    """The data set's roles → the canonical ones."""
    return {tag: role for name, role in ROLES.items() if (tag := tags[name])}


def read_messages(
    found: Sequence[Any], keys: tuple[str, str], roles: Mapping[str, str]
) -> list[Message]:
    """Messages with canonical roles. Raises Misshapen."""
    if not found:
        raise Misshapen("bad_messages", "there are none")
    return [
        _message(item, f"message {number}", keys, roles) for number, item in enumerate(found, 1)
    ]


def _listed(row: Mapping[str, Any], column: str) -> list[Any]:
    if column not in row:
        raise Misshapen("missing_column", column)
    if not isinstance(row[column], list):
        raise Misshapen("bad_messages", f"{column} is no list")
    return list(row[column])


def _message(item: Any, where: str, keys: tuple[str, str], roles: Mapping[str, str]) -> Message:
    if not isinstance(item, Mapping):
        raise Misshapen("bad_messages", f"{where} is no object")
    for key in keys:
        if not isinstance(item.get(key), str):
            raise Misshapen("bad_messages", f"{where}: '{key}' is no text")
    role, content = (item[key] for key in keys)
    if role not in roles:
        raise Misshapen("bad_role", f"{where}: '{role}' is none of {', '.join(roles)}")
    return {"role": roles[role], "content": content}


def _check_turns(messages: Sequence[Message], *, is_ranking: bool) -> None:
    first = 1 if messages[0]["role"] == "system" else 0
    turns = messages[first:]
    for number, turn in enumerate(turns):
        if turn["role"] not in _TURNS[number % 2]:
            where = f"message {number + first + 1}: '{turn['role']}'"
            raise Misshapen("roles_alternate", where)
    if len(turns) % 2 != is_ranking or not turns:
        raise Misshapen("roles_alternate", f"{len(turns)} turns")


def _answer(item: Any, name: str, keys: tuple[str, str], roles: Mapping[str, str]) -> Message:
    """The chosen or the rejected message."""
    if item is None:
        raise Misshapen("missing_column", name)
    message = _message(item, name, keys, roles)
    if message["role"] not in _TURNS[1]:
        raise Misshapen("bad_role", f"{name}: '{message['role']}' does not answer")
    return message


def _merged(found: Sequence[Any], tags: Mapping[str, str | None]) -> list[Any]:
    """OpenAI's form: calls as JSON in the content, results of several calls as one message."""
    role_key, content_key = tags["role_tag"] or "", tags["content_tag"] or ""
    answers = (tags["assistant_tag"], tags["function_tag"])
    merged: list[Any] = []
    results: list[str] = []
    for item in found:
        if not isinstance(item, Mapping):
            raise Misshapen("bad_messages", "a message is no object")
        role, content = item.get(role_key), item.get(content_key)
        if role == tags["observation_tag"] and role is not None:
            results.append(content if isinstance(content, str) else json.dumps(content))
            continue
        _flush(results, merged, tags)
        if role in answers and (calls := item.get("tool_calls")):
            role, content = tags["function_tag"] or "function_call", _calls(calls)
        merged.append({role_key: role, content_key: content})
    _flush(results, merged, tags)
    return merged


def _flush(results: list[str], merged: list[Any], tags: Mapping[str, str | None]) -> None:
    if results:
        content = _BETWEEN_RESULTS.join(results)
        merged.append({tags["role_tag"]: tags["observation_tag"], tags["content_tag"]: content})
        results.clear()


def _calls(calls: Any) -> str:
    try:
        return json.dumps([call["function"] for call in calls], ensure_ascii=False)
    except (TypeError, KeyError) as error:
        raise Misshapen("bad_tool_call", "tool_calls is no list of functions") from error
