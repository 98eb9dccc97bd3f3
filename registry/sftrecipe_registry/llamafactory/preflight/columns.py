"""The entry's columns and tags against the columns and keys that the rows have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from sftrecipe.plugin import Finding
from sftrecipe_registry.llamafactory.formats.catalogue_entry import DEFAULT_COLUMNS
from sftrecipe_registry.llamafactory.preflight.catalogue import Attributes
from sftrecipe_registry.llamafactory.preflight.files import TableFile
from sftrecipe_registry.llamafactory.preflight.tally import shortened

_ALPACA = ("prompt", "query", "response", "history", "chosen", "rejected")
_MESSAGES = ("messages", "chosen", "rejected")
_BOTH = ("system", "tools", "images", "videos", "audios", "kto_tag")
_USUAL = {
    "history": "history",
    "system": "system",
    "tools": "tools",
    "images": "images",
    "videos": "videos",
    "audios": "audios",
}
"""Columns that are read only where the entry names them, by the names that most data give them."""
_NEEDED = ("role_tag", "content_tag", "user_tag", "assistant_tag")
_EVERY = "naming one column resets all others: name every column that is to be read"
_ALL_TAGS = "naming one tag resets all others: write all seven"


class KeysSeen:
    """The columns of the rows, the kinds of their values, and the keys of their messages."""

    def __init__(self, attributes: Attributes) -> None:
        self._messages = attributes.columns["messages"]
        if attributes.formatting == "alpaca":
            self._messages = None
        self._known = {name for name in attributes.columns.values() if name}
        self.kinds: dict[str, dict[type, tuple[str, Any]]] = {}
        """Column → kind of value → the first of the kind with its place."""
        self._inner: dict[str, dict[type, tuple[str, Any]]] = {}
        """The same by paths into columns that are not used, which the reader types as well."""
        self.filled: set[str] = set()
        """Columns with a value in some row."""
        self.message_keys: set[str] = set()
        self._message_tags = {attributes.tags["role_tag"], attributes.tags["content_tag"]}

    def see(self, table: TableFile, row: Mapping[str, Any]) -> None:
        """Take note of the row that the table gave last."""
        for name, value in row.items():
            kinds = self.kinds.get(name)
            if kinds is None:
                kinds = self.kinds[name] = {}
            kind = type(value)
            if kind not in kinds:
                kinds[kind] = (table.place, value)
            if value and name not in self.filled:
                self.filled.add(name)
            if kind in (list, dict) and name not in self._known:
                self._see_inside(table.place, name, value)
        if self._messages and not self.message_keys >= self._message_tags:
            for message in row.get(self._messages) or ():
                if isinstance(message, dict):
                    self.message_keys.update(message)

    def _see_inside(self, place: str, path: str, value: Any) -> None:
        items = value.items() if isinstance(value, dict) else (("[]", item) for item in value)
        for key, item in items:
            inner = f"{path}.{key}"
            self._inner.setdefault(inner, {}).setdefault(type(item), (place, item))
            if isinstance(item, list | dict):
                self._see_inside(place, inner, item)

    def mixed(self, name: str) -> Iterator[Finding]:
        """Columns whose values are of several kinds, on which the reader fails."""
        for column, kinds in (*self.kinds.items(), *self._inner.items()):
            found = {kind for kind in kinds if kind is not type(None)}
            if len(found) < 2 or found == {int, float}:
                continue
            examples = tuple(
                f"{place}: {shortened(value)}"
                for kind, (place, value) in kinds.items()
                if kind in found
            )
            text = f"data set '{name}': column '{column}' has values of several kinds"
            advice = "write all of them as text; also an unused column stops the training"
            yield Finding("fault", "types", text, advice, examples[:3])


def column_findings(attributes: Attributes, stage: str, keys: KeysSeen) -> Iterator[Finding]:
    """Columns that the data lack, columns that are not read, and tags that are not named."""
    yield from _lacking(attributes, keys)
    if attributes.formatting == "alpaca":
        yield from _unread_alpaca(attributes, stage, keys)
    else:
        yield from _messages(attributes, keys)
    yield from _unread(attributes, keys)


def _fault(attributes: Attributes, check: str, text: str, advice: str) -> Finding:
    return Finding("fault", check, f"data set '{attributes.name}': {text}", advice)


def _used(attributes: Attributes) -> tuple[str, ...]:
    return (*(_ALPACA if attributes.formatting == "alpaca" else _MESSAGES), *_BOTH)


def _lacking(attributes: Attributes, keys: KeysSeen) -> Iterator[Finding]:
    """Columns that the entry names and the data have not: a KeyError."""
    have = ", ".join(list(keys.kinds)[:8])
    for column in _used(attributes):
        name = attributes.columns[column]
        if name is None or name in keys.kinds:
            continue
        if column in ("chosen", "rejected") and not attributes.ranking:
            continue
        given = column in attributes.named
        advice = f"columns.{column} must be one of: {have}"
        if near := get_close_matches(name, keys.kinds, n=1):
            advice = f"did you mean '{near[0]}'?"
        elif wrap := _wrapping(name, keys):
            advice = f"the file is one object: write the list that stands in '{wrap}' alone"
        elif not given:
            advice = f"name the columns in the entry; the data have: {have}"
            if column == "query":
                advice = "name the columns in the entry, without query"
        source = f"columns.{column}" if given else f"{column}, which the entry leaves as it is"
        yield _fault(attributes, "columns", f"no row has the column '{name}' ({source})", advice)
    other = _other_format(attributes, keys)
    if other:
        text = f"formatting is '{attributes.formatting}', and the rows look like {other}"
        advice = f"set formatting to {other}"
        if other == "sharegpt":
            advice += ", with columns.messages and the tags of the messages' keys and roles"
        yield _fault(attributes, "formatting", text, advice)


def _wrapping(name: str, keys: KeysSeen) -> str | None:
    """The column in whose lists the rows stand."""
    for column, kinds in keys.kinds.items():
        _, value = kinds.get(list, ("", None))
        if value and isinstance(value[0], dict) and name in value[0]:
            return column
    return None


def _other_format(attributes: Attributes, keys: KeysSeen) -> str | None:
    if attributes.formatting == "alpaca":
        lacks = all(attributes.columns[each] not in keys.kinds for each in ("prompt", "query"))
        has = {"messages", "conversations"} & set(keys.kinds)
        return "sharegpt" if lacks and has else None
    lacks = attributes.columns["messages"] not in keys.kinds
    return "alpaca" if lacks and "instruction" in keys.kinds else None


def _unread_alpaca(attributes: Attributes, stage: str, keys: KeysSeen) -> Iterator[Finding]:
    columns = attributes.columns
    if not columns["prompt"] and not columns["query"]:
        yield _fault(attributes, "columns", "columns name no prompt", _EVERY)
    if stage in ("sft", "kto") and not attributes.ranking and not columns["response"]:
        yield _fault(attributes, "columns", "columns name no response: all rows vanish", _EVERY)
    if attributes.ranking:
        for column in ("chosen", "rejected"):
            if not columns[column]:
                text = f"ranking is true and columns name no {column}"
                advice = "name chosen and rejected; the old form, output as a list of two, is gone"
                yield _fault(attributes, "pairs", text, advice)
    if stage == "pt" and columns["response"] in keys.filled:
        text = f"stage 'pt' reads the prompt column alone: '{columns['response']}' is not learned"
        advice = "choose stage sft, or name the column of whole texts as prompt and no response"
        yield _fault(attributes, "stage", text, advice)


def _messages(attributes: Attributes, keys: KeysSeen) -> Iterator[Finding]:
    columns, tags = attributes.columns, attributes.tags
    if not columns["messages"]:
        yield _fault(attributes, "columns", "columns name no messages", _EVERY)
    if attributes.ranking and not (columns["chosen"] and columns["rejected"]):
        text = "ranking is true and columns name no chosen and rejected"
        yield _fault(attributes, "pairs", text, _EVERY)
    for tag in _NEEDED:
        if not tags[tag]:
            yield _fault(attributes, "tags", f"tags name no {tag}", _ALL_TAGS)
    for tag in ("role_tag", "content_tag"):
        key = tags[tag]
        if key and keys.message_keys and key not in keys.message_keys:
            have = ", ".join(sorted(keys.message_keys)[:6])
            text = f"no message has the key '{key}' ({tag}); they have: {have}"
            yield _fault(attributes, "tags", text, f"name the right key as tags.{tag}")
    if attributes.formatting == "openai":
        text = f"data set '{attributes.name}': formatting openai adds words to the system prompts"
        advice = (
            "LLaMA-Factory puts 'detailed thinking off' into every prompt without tools: write "
            "sharegpt, with role and content as tags"
        )
        yield Finding("warning", "formatting", text, advice)


def _unread(attributes: Attributes, keys: KeysSeen) -> Iterator[Finding]:
    """Columns with values, of the usual names, that the entry neither names nor sets to null."""
    used = set(attributes.columns.values())
    asks = attributes.columns["prompt"] or attributes.columns["query"]
    if attributes.formatting == "alpaca" and attributes.named and asks:
        for column in ("prompt", "query"):
            name = DEFAULT_COLUMNS[column]
            if name in keys.filled - used and column not in attributes.named:
                text = f"column '{name}' is not read: columns leave {column} out"
                advice = f"write {column}: {name}, or {column}: null if that is meant"
                yield _fault(attributes, "columns", text, advice)
    for column, name in _USUAL.items():
        if column == "history" and attributes.formatting != "alpaca":
            continue
        if name in keys.filled - used and column not in attributes.named:
            text = f"data set '{attributes.name}': column '{name}' of the rows is not read"
            advice = f"name it in the entry's columns ({_EVERY}), or set {column} to null"
            yield Finding("warning", "columns", text, advice)
