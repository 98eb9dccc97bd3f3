"""An entry of `dataset_info.json`, as LLaMA-Factory understands it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import orjson

from sftrecipe.plugin import Text, Texts, open_regular
from sftrecipe_registry.shared.readers.hugging_face import is_hub_name

texts = Texts(__package__)

NAME = "dataset_info.json"
FORMATTINGS = ("alpaca", "sharegpt", "openai")

_COMMON = ("system", "tools", "images", "videos", "audios", "chosen", "rejected", "kto_tag")
COLUMNS = ("prompt", "query", "response", "history", "messages", *_COMMON)
TAGS = (
    *("role_tag", "content_tag", "user_tag", "assistant_tag"),
    *("observation_tag", "function_tag", "system_tag"),
)
DEFAULT_COLUMNS = {
    "prompt": "instruction",
    "query": "input",
    "response": "output",
    "messages": "conversations",
}
DEFAULT_TAGS = dict(
    zip(
        TAGS,
        ("from", "value", "human", "gpt", "observation", "function_call", "system"),
        strict=True,
    )
)
_OPENAI_TAGS = dict(
    zip(
        TAGS,
        ("role", "content", "user", "assistant", "tool", "function_call", "system"),
        strict=True,
    )
)
OLD_TAGS = {"role": "role_tag", "content": "content_tag"}
"""Where the first versions had them: among the columns."""
_AT_MOST = 1 << 26
"""Bytes of a catalogue."""
_HUBS = {"ms_hub_url": "ModelScope", "om_hub_url": "OpenMind"}


class BadCatalogue(Exception):
    """A catalogue or an entry that cannot be used; the message says why."""


@dataclass(frozen=True)
class Entry:
    """Where a data set lies and what its columns mean."""

    name: str
    formatting: str
    ranking: bool
    columns: Mapping[str, str | None]
    """LLaMA-Factory's names of columns → the data set's; None: not used."""
    tags: Mapping[str, str | None]
    file_name: str | None
    hub: str | None
    """Name on the Hugging Face hub."""
    subset: str | None
    split: str
    folder: str | None
    num_samples: int | None


def find_catalogue(folder: Path) -> Path:
    """The project's catalogue: in a folder or above it, not beyond its repository.

    Raises BadCatalogue.
    """
    start = folder.resolve()
    for up in (start, *start.parents):
        if (up / NAME).is_file():
            return up / NAME
        if (up / ".git").exists():
            break
    raise BadCatalogue(texts("no-catalogue", name=NAME))


def read_entry(catalogue: Path, name: str) -> Entry:
    """An entry of a catalogue. Raises BadCatalogue, OSError."""
    entries = _entries(catalogue)
    if name not in entries:
        text = texts("not-in-catalogue", name=name, catalogue=catalogue.name)
        for near in difflib.get_close_matches(name, entries, n=1):
            text = texts("not-in-catalogue-near", name=name, catalogue=catalogue.name, near=near)
        raise BadCatalogue(text)
    raw = entries[name]
    if not isinstance(raw, dict):
        raise BadCatalogue(texts("entry-no-object", name=name, catalogue=catalogue.name))
    entry = _entry(name, raw)
    if fault := next(_faults(entry, raw), None):
        text = texts("entry-faulty", name=name, catalogue=catalogue.name, fault=fault)
        raise BadCatalogue(text)
    return entry


def data_path(catalogue: Path, entry: Entry) -> Path:
    """Where the entry's file or folder lies, inside of the catalogue's folder.

    Raises BadCatalogue where it lies outside, by its name or by a link.
    """
    name = entry.file_name or ""
    parts = (*PurePosixPath(name).parts, *PureWindowsPath(name).parts)
    is_elsewhere = PurePosixPath(name).is_absolute() or PureWindowsPath(name).drive
    path = catalogue.parent / name
    if (
        ".." in parts
        or is_elsewhere
        or not path.resolve().is_relative_to(catalogue.parent.resolve())
    ):
        raise BadCatalogue(texts("outside-catalogue", file=name, name=entry.name))
    return path


def _entries(catalogue: Path) -> dict[str, Any]:
    try:
        with open_regular(catalogue) as file:
            content = file.read(_AT_MOST + 1)
    except OSError as error:
        text = texts("catalogue-unreadable", catalogue=catalogue.name, cause=error.strerror)
        raise BadCatalogue(text) from error
    if len(content) > _AT_MOST:
        limit = _AT_MOST >> 20
        raise BadCatalogue(texts("catalogue-too-large", catalogue=catalogue.name, limit=limit))
    try:
        entries = orjson.loads(content.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        text = texts("catalogue-no-json", catalogue=catalogue.name, cause=str(error))
        raise BadCatalogue(text) from error
    if not isinstance(entries, dict):
        raise BadCatalogue(texts("catalogue-no-object", catalogue=catalogue.name))
    return entries


def _entry(name: str, raw: Mapping[str, Any]) -> Entry:
    formatting = raw.get("formatting", "alpaca")
    return Entry(
        name=name,
        formatting=formatting,
        ranking=bool(raw.get("ranking", False)),
        columns=_columns(raw, formatting),
        tags=_tags(raw, formatting),
        file_name=raw.get("file_name"),
        hub=raw.get("hf_hub_url"),
        subset=raw.get("subset"),
        split=raw.get("split") or "train",
        folder=raw.get("folder"),
        num_samples=raw.get("num_samples"),
    )


def _columns(raw: Mapping[str, Any], formatting: str) -> dict[str, str | None]:
    """The columns; naming one resets all that are not named."""
    given = raw.get("columns")
    if isinstance(given, Mapping):
        return {name: given.get(name) for name in COLUMNS}
    default = DEFAULT_COLUMNS | ({"messages": "messages"} if formatting == "openai" else {})
    return {name: default.get(name) for name in COLUMNS}


def _tags(raw: Mapping[str, Any], formatting: str) -> dict[str, str | None]:
    """The tags; naming one resets all that are not named."""
    given, columns = raw.get("tags"), raw.get("columns")
    if isinstance(given, Mapping):
        return {name: given.get(name) for name in TAGS}
    default = _OPENAI_TAGS if formatting == "openai" else DEFAULT_TAGS
    old = columns if isinstance(columns, Mapping) else {}
    return {**default, **{tag: old[name] for name, tag in OLD_TAGS.items() if old.get(name)}}


def _faults(entry: Entry, raw: Mapping[str, Any]) -> Iterator[Text]:
    """What LLaMA-Factory fails on, or reads nothing of."""
    yield from _wrong_types(raw)
    if entry.formatting not in FORMATTINGS:
        known = ", ".join(FORMATTINGS)
        yield texts("formatting-unknown", formatting=entry.formatting, known=known)
    yield from _wrong_place(entry, raw)
    yield from _unknown(raw.get("columns"), (*COLUMNS, *OLD_TAGS), "columns")
    yield from _unknown(raw.get("tags"), TAGS, "tags")
    columns = entry.columns
    if entry.formatting == "alpaca":
        if not (columns["prompt"] or columns["query"]):
            yield texts("no-prompt-named")
    else:
        if not columns["messages"]:
            yield texts("no-messages-named")
        for tag in TAGS[:4]:
            if not entry.tags[tag]:
                yield texts("no-tag-named", tag=tag)
    pair = bool(columns["chosen"] and columns["rejected"])
    if entry.ranking and not pair and (entry.formatting != "alpaca" or not columns["response"]):
        yield texts("no-pair-named")


def _wrong_types(raw: Mapping[str, Any]) -> Iterator[Text]:
    for key in ("file_name", "hf_hub_url", "subset", "split", "folder", "formatting"):
        if not isinstance(raw.get(key), str | None):
            yield texts("key-no-text", key=key)
    for key in ("columns", "tags"):
        named = raw.get(key)
        if not isinstance(named, Mapping | None):
            yield texts("key-no-object", key=key)
        elif named and not all(isinstance(value, str | None) for value in named.values()):
            yield texts("key-names-no-text", key=key)
    count = raw.get("num_samples")
    if count is not None and (not isinstance(count, int) or isinstance(count, bool) or count < 1):
        yield texts("num-samples-wrong", count=count)


def _wrong_place(entry: Entry, raw: Mapping[str, Any]) -> Iterator[Text]:
    if entry.hub:
        if not is_hub_name(entry.hub):
            yield texts("no-hub-name", name=entry.hub)
        return
    for key, hub in _HUBS.items():
        if key in raw:
            yield texts("on-other-hub", hub=hub)
    if "script_url" in raw:
        yield texts("made-by-script")
    if "cloud_file_name" in raw:
        yield texts("in-cloud-store")
    if not entry.file_name:
        yield texts("names-nothing")
    if entry.split != "train":
        yield texts("split-of-file", split=entry.split)


def _unknown(named: Any, known: tuple[str, ...], part: str) -> Iterator[Text]:
    for key in named if isinstance(named, Mapping) else ():
        if key in known:
            continue
        if near := difflib.get_close_matches(key, known, n=1):
            yield texts("unknown-key-near", part=part, key=key, near=near[0])
        else:
            yield texts("unknown-key", part=part, key=key)
