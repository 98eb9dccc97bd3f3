"""The entry's columns and tags against the columns and keys that the rows have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from sftrecipe.plugin import Finding, Text, Texts
from sftrecipe_registry.llamafactory.formats.catalogue_entry import DEFAULT_COLUMNS
from sftrecipe_registry.llamafactory.preflight.catalogue import Attributes
from sftrecipe_registry.llamafactory.preflight.files import TableFile
from sftrecipe_registry.llamafactory.preflight.tally import of_data_set, shortened

texts = Texts(__package__)

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
_EVERY = "name-every-column"


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
            text = of_data_set(name, texts("mixed-column", column=column))
            yield Finding("fault", "types", text, texts("write-all-as-text"), examples[:3])


def column_findings(attributes: Attributes, stage: str, keys: KeysSeen) -> Iterator[Finding]:
    """Columns that the data lack, columns that are not read, and tags that are not named."""
    yield from _lacking(attributes, keys)
    if attributes.formatting == "alpaca":
        yield from _unread_alpaca(attributes, stage, keys)
    else:
        yield from _messages(attributes, keys)
    yield from _unread(attributes, keys)


def _fault(attributes: Attributes, check: str, text: Text, advice: Text) -> Finding:
    return Finding("fault", check, of_data_set(attributes.name, text), advice)


def _used(attributes: Attributes) -> tuple[str, ...]:
    return (*(_ALPACA if attributes.formatting == "alpaca" else _MESSAGES), *_BOTH)


def _lacking(attributes: Attributes, keys: KeysSeen) -> Iterator[Finding]:
    """Columns that the entry names and the data have not: a KeyError."""
    for column in _used(attributes):
        name = attributes.columns[column]
        if name is None or name in keys.kinds:
            continue
        if column in ("chosen", "rejected") and not attributes.ranking:
            continue
        slug = "no-such-column" if column in attributes.named else "no-default-column"
        text = texts(slug, name=name, column=column)
        yield _fault(attributes, "columns", text, _column_advice(attributes, column, name, keys))
    if other := _other_format(attributes, keys):
        text = texts("rows-look-like", formatting=attributes.formatting, other=other)
        advice = texts("set-sharegpt" if other == "sharegpt" else "set-alpaca")
        yield _fault(attributes, "formatting", text, advice)


def _column_advice(attributes: Attributes, column: str, name: str, keys: KeysSeen) -> Text:
    """What to write for a column that the data have not."""
    have = ", ".join(list(keys.kinds)[:8])
    if near := get_close_matches(name, keys.kinds, n=1):
        return texts("did-you-mean", near=near[0])
    if wrap := _wrapping(name, keys):
        return texts("write-inner-list", column=wrap)
    if column in attributes.named:
        return texts("column-must-be", column=column, have=have)
    if column == "query":
        return texts("name-without-query")
    return texts("name-columns", have=have)


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
        yield _fault(attributes, "columns", texts("no-prompt-named"), texts(_EVERY))
    if stage in ("sft", "kto") and not attributes.ranking and not columns["response"]:
        yield _fault(attributes, "columns", texts("no-response-named"), texts(_EVERY))
    if attributes.ranking:
        for column in ("chosen", "rejected"):
            if not columns[column]:
                text = texts("ranking-without-column", column=column)
                yield _fault(attributes, "pairs", text, texts("name-pair"))
    if stage == "pt" and columns["response"] in keys.filled:
        text = texts("response-not-learned", column=columns["response"])
        yield _fault(attributes, "stage", text, texts("choose-sft"))


def _messages(attributes: Attributes, keys: KeysSeen) -> Iterator[Finding]:
    columns, tags = attributes.columns, attributes.tags
    if not columns["messages"]:
        yield _fault(attributes, "columns", texts("no-messages-named"), texts(_EVERY))
    if attributes.ranking and not (columns["chosen"] and columns["rejected"]):
        yield _fault(attributes, "pairs", texts("ranking-without-pair"), texts(_EVERY))
    for tag in _NEEDED:
        if not tags[tag]:
            text = texts("no-tag-named", tag=tag)
            yield _fault(attributes, "tags", text, texts("write-all-tags"))
    for tag in ("role_tag", "content_tag"):
        key = tags[tag]
        if key and keys.message_keys and key not in keys.message_keys:
            have = ", ".join(sorted(keys.message_keys)[:6])
            text = texts("no-such-key", key=key, tag=tag, have=have)
            yield _fault(attributes, "tags", text, texts("name-right-key", tag=tag))
    if attributes.formatting == "openai":
        text = of_data_set(attributes.name, texts("openai-adds-words"))
        yield Finding("warning", "formatting", text, texts("write-sharegpt"))


def _unread(attributes: Attributes, keys: KeysSeen) -> Iterator[Finding]:
    """Columns with values, of the usual names, that the entry neither names nor sets to null."""
    used = set(attributes.columns.values())
    asks = attributes.columns["prompt"] or attributes.columns["query"]
    if attributes.formatting == "alpaca" and attributes.named and asks:
        for column in ("prompt", "query"):
            name = DEFAULT_COLUMNS[column]
            if name in keys.filled - used and column not in attributes.named:
                text = texts("column-left-out", name=name, column=column)
                advice = texts("write-column-or-null", name=name, column=column)
                yield _fault(attributes, "columns", text, advice)
    for column, name in _USUAL.items():
        if column == "history" and attributes.formatting != "alpaca":
            continue
        if name in keys.filled - used and column not in attributes.named:
            text = of_data_set(attributes.name, texts("column-not-read", name=name))
            advice = texts("name-it-or-null", every=texts(_EVERY), column=column)
            yield Finding("warning", "columns", text, advice)
