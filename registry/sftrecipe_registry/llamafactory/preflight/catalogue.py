"""`dataset_info.json` as LLaMA-Factory reads it, and what is wrong with it.

Follows llamafactory/data/parser.py of 0.9.5: what it ignores without a word is told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from sftrecipe.plugin import Finding, open_regular
from sftrecipe_registry.llamafactory.arguments.stages import fits_ranking
from sftrecipe_registry.llamafactory.formats.catalogue_entry import (
    COLUMNS,
    DEFAULT_COLUMNS,
    DEFAULT_TAGS,
    FORMATTINGS,
    NAME,
    OLD_TAGS,
    TAGS,
)

_KEYS = (
    *("hf_hub_url", "ms_hub_url", "om_hub_url", "script_url", "cloud_file_name", "file_name"),
    *("formatting", "ranking", "subset", "split", "folder", "num_samples", "columns", "tags"),
)
_SOURCES = _KEYS[:5]
"""Keys that come before `file_name`, in their order."""
_NEAR = 0.75
_SPLIT = re.compile(r"train(\[[\d:%-]*\])?")


@dataclass(frozen=True)
class Attributes:
    """A data set as LLaMA-Factory understands its entry."""

    name: str
    formatting: str
    ranking: bool
    columns: Mapping[str, str | None]
    tags: Mapping[str, str | None]
    path: Path
    named: frozenset[str]
    """The columns that the entry names, as null too."""
    num_samples: int | None = None


class Catalogue:
    """The data sets of one folder."""

    def __init__(self, folder: Path, shown: str) -> None:
        self.folder = folder
        self.shown = shown
        """The folder as the arguments name it."""
        self.entries: Mapping[str, Any] = {}

    def read(self) -> Iterator[Finding]:
        """Read the file; what keeps LLaMA-Factory from doing so."""
        path = self.folder / NAME
        if not path.is_file():
            yield self._missing()
            return
        with open_regular(path) as file:
            content = file.read()
        if content.startswith(b"\xef\xbb\xbf"):
            advice = "save it as UTF-8 without a byte order mark"
            yield _fault(f"{NAME} begins with a byte order mark: it is not read", advice)
            content = content[3:]
        try:
            pairs = json.loads(content.decode(), object_pairs_hook=_Pairs)
        except (ValueError, RecursionError) as error:
            yield _fault(f"{NAME} in '{self.shown}' is no JSON: {error}", "repair the file")
            return
        if not isinstance(pairs, _Pairs):
            yield _fault(f"{NAME} in '{self.shown}' is no object of data sets", "repair the file")
            return
        for name in sorted(pairs.twice):
            yield _fault(
                f"data set '{name}' stands twice in {NAME}: the last one counts", "remove one"
            )
        self.entries = pairs

    def _missing(self) -> Finding:
        above = self.folder.parent
        near = [above, *sorted(self.folder.glob("*/"))[:50], *sorted(above.glob("*/"))[:50]]
        found = next((each for each in near if (each / NAME).is_file()), None)
        advice = "set dataset_dir to the folder that has it"
        if found is not None:
            advice = f"there is one in '{found}': set dataset_dir to that folder"
        return _fault(f"dataset_dir '{self.shown}' has no {NAME}", advice)

    def look_up(self, name: str, stage: str) -> Iterator[Finding | Attributes]:
        """What is wrong with an entry, and its attributes where its rows can be looked at."""
        if name not in self.entries:
            near = get_close_matches(name, self.entries, n=1)
            known = ", ".join(list(self.entries)[:10]) or "none"
            advice = f"did you mean '{near[0]}'?" if near else f"it has: {known}"
            yield _fault(f"data set '{name}' is not in {NAME}", advice)
            return
        raw = self.entries[name]
        if not isinstance(raw, dict):
            yield _fault(f"entry '{name}' of {NAME} is no object")
            return
        yield from _unknown_keys(name, raw)
        faults = list(_wrong_values(name, raw))
        yield from faults
        if not faults:
            yield from _stage_fit(name, raw, stage)
            yield from self._attributes(name, raw)

    def _attributes(self, name: str, raw: Mapping[str, Any]) -> Iterator[Finding | Attributes]:
        elsewhere = next((key for key in _SOURCES if key in raw), None)
        if elsewhere is not None:
            also = " (its file_name is not read)" if "file_name" in raw else ""
            text = f"data set '{name}' is taken from {elsewhere} '{raw[elsewhere]}'{also}"
            advice = "name a local file as file_name alone to have its rows checked"
            yield Finding("warning", "catalogue", f"{text}: its rows are not checked", advice)
            return
        path = self.folder / raw["file_name"]
        if not path.exists():
            yield _fault(
                f"file '{raw['file_name']}' of data set '{name}' does not exist",
                f"file names are seen from dataset_dir, '{self.shown}'",
            )
            return
        given, tags = raw.get("columns"), raw.get("tags")
        yield Attributes(
            name=name,
            formatting=raw.get("formatting", "alpaca"),
            ranking=bool(raw.get("ranking", False)),
            columns={
                each: (DEFAULT_COLUMNS if given is None else given).get(each) for each in COLUMNS
            },
            tags={each: (DEFAULT_TAGS if tags is None else tags).get(each) for each in TAGS},
            path=path,
            named=frozenset(given or ()),
            num_samples=raw.get("num_samples"),
        )


class _Pairs(dict[str, Any]):
    """An object that knows which of its keys stood twice."""

    def __init__(self, pairs: Sequence[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        names = [name for name, _ in pairs]
        self.twice = (
            {name for name in names if names.count(name) > 1} if len(self) < len(names) else set()
        )


def _unknown_keys(name: str, raw: Mapping[str, Any]) -> Iterator[Finding]:
    """Keys that LLaMA-Factory passes over without a word."""
    for key in raw:
        if key not in _KEYS:
            yield _ignored(name, key, get_close_matches(key, _KEYS, n=1, cutoff=_NEAR), "")
    for part, known in (("columns", COLUMNS), ("tags", TAGS)):
        given = raw.get(part)
        for key in given if isinstance(given, Mapping) else ():
            if key in known:
                continue
            if part == "columns" and key in OLD_TAGS:
                advice = f"the old form: write it as tags.{OLD_TAGS[key]}, with all seven tags"
                yield _fault(f"data set '{name}': columns.{key} is not read", advice)
                continue
            near = get_close_matches(key, known, n=1, cutoff=_NEAR)
            yield _ignored(name, key, near, f"{part}.")


def _ignored(name: str, key: str, near: Sequence[str], part: str) -> Finding:
    message = f"data set '{name}': key '{part}{key}' is not read"
    if near:
        return _fault(message, f"did you mean '{part}{near[0]}'?")
    advice = "a changed file is not noticed" if key == "file_sha1" else "remove it, or correct it"
    return Finding("warning", "catalogue", message, advice)


def _wrong_values(name: str, raw: Mapping[str, Any]) -> Iterator[Finding]:
    """Values that LLaMA-Factory fails on."""
    for text, advice in (*_wrong_place(raw), *_wrong_names(raw)):
        yield _fault(f"data set '{name}': {text}", advice)


def _wrong_place(raw: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """What is wrong with where the data lie, and how much of them is taken."""
    for key in ("file_name", "subset", "split", "folder", *_SOURCES):
        if key in raw and not isinstance(raw[key], str | None):
            yield f"{key} is '{raw[key]}', must be a text", None
    if not any(raw.get(key) for key in (*_SOURCES, "file_name")):
        yield "names no file", "name it as file_name"
    count = raw.get("num_samples")
    if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
        yield f"num_samples is '{count}', must be a whole number above 0", None
    split, is_file = raw.get("split"), not any(key in raw for key in _SOURCES)
    if is_file and isinstance(split, str) and not _SPLIT.fullmatch(split):
        yield f"split is '{split}': a file has 'train' alone", "leave split out"


def _wrong_names(raw: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """What is wrong with how the rows are to be read."""
    formatting = raw.get("formatting", "alpaca")
    if formatting not in FORMATTINGS:
        near = get_close_matches(str(formatting), FORMATTINGS, n=1)
        advice = f"did you mean '{near[0]}'?" if near else f"one of {', '.join(FORMATTINGS)}"
        yield f"formatting '{formatting}' does not exist", advice
    if not isinstance(raw.get("ranking", False), bool):
        yield f"ranking is '{raw['ranking']}', must be true or false", "write true or false"
    for part in ("columns", "tags"):
        given = raw.get(part, {})
        if not isinstance(given, Mapping):
            yield f"{part} is no object", None
            continue
        for key, value in given.items():
            if not isinstance(value, str | None):
                yield f"{part}.{key} is '{value}', must be a name or null", None


def _stage_fit(name: str, raw: Mapping[str, Any], stage: str) -> Iterator[Finding]:
    """Data of another kind than the stage trains on: refused, or every row vanishes."""
    ranking = bool(raw.get("ranking", False))
    kto = isinstance(raw.get("columns"), Mapping) and raw["columns"].get("kto_tag")
    if ranking != fits_ranking(stage):
        wanted = "true" if fits_ranking(stage) else "false"
        text = f"stage '{stage}' takes no data set with ranking {str(ranking).lower()}: '{name}'"
        advice = f"choose a data set of pairs or another stage; ranking must be {wanted}"
        yield Finding("fault", "stage", text, advice)
    elif stage == "kto" and not kto:
        text = f"data set '{name}' names no kto_tag: in stage 'kto' every row vanishes"
        yield Finding("fault", "stage", text, "name the column of true and false as kto_tag")
    elif kto and stage == "sft":
        text = f"data set '{name}' has a kto_tag: in stage 'sft' every judged row vanishes"
        yield Finding("fault", "stage", text, "choose stage kto, or leave kto_tag out")


def _fault(message: str, advice: str | None = None) -> Finding:
    return Finding("fault", "catalogue", message, advice)
