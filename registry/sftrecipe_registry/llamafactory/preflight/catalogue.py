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

from sftrecipe.plugin import Finding, Text, Texts, open_regular
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
from sftrecipe_registry.llamafactory.preflight.tally import of_data_set

texts = Texts(__package__)

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
            text = texts("byte-order-mark", catalogue=NAME)
            yield _fault(text, texts("save-without-mark"))
            content = content[3:]
        try:
            pairs = json.loads(content.decode(), object_pairs_hook=_Pairs)
        except (ValueError, RecursionError) as error:
            text = texts("catalogue-no-json", catalogue=NAME, folder=self.shown, cause=str(error))
            yield _fault(text, texts("repair-file"))
            return
        if not isinstance(pairs, _Pairs):
            text = texts("catalogue-no-object", catalogue=NAME, folder=self.shown)
            yield _fault(text, texts("repair-file"))
            return
        for name in sorted(pairs.twice):
            text = texts("data-set-stands-twice", name=name, catalogue=NAME)
            yield _fault(text, texts("remove-one"))
        self.entries = pairs

    def _missing(self) -> Finding:
        above = self.folder.parent
        near = [above, *sorted(self.folder.glob("*/"))[:50], *sorted(above.glob("*/"))[:50]]
        found = next((each for each in near if (each / NAME).is_file()), None)
        advice = texts("set-dataset-dir")
        if found is not None:
            advice = texts("set-dataset-dir-there", folder=found)
        return _fault(texts("no-catalogue", folder=self.shown, catalogue=NAME), advice)

    def look_up(self, name: str, stage: str) -> Iterator[Finding | Attributes]:
        """What is wrong with an entry, and its attributes where its rows can be looked at."""
        if name not in self.entries:
            text = texts("not-in-catalogue", name=name, catalogue=NAME)
            yield _fault(text, self._names_near(name))
            return
        raw = self.entries[name]
        if not isinstance(raw, dict):
            yield _fault(texts("entry-no-object", name=name, catalogue=NAME))
            return
        yield from _unknown_keys(name, raw)
        faults = list(_wrong_values(name, raw))
        yield from faults
        if not faults:
            yield from _stage_fit(name, raw, stage)
            yield from self._attributes(name, raw)

    def _names_near(self, name: str) -> Text:
        """Which of its data sets may be meant."""
        if near := get_close_matches(name, self.entries, n=1):
            return texts("did-you-mean", near=near[0])
        if not self.entries:
            return texts("it-has-none")
        return texts("it-has", known=", ".join(list(self.entries)[:10]))

    def _attributes(self, name: str, raw: Mapping[str, Any]) -> Iterator[Finding | Attributes]:
        elsewhere = next((key for key in _SOURCES if key in raw), None)
        if elsewhere is not None:
            slug = "taken-not-from-file" if "file_name" in raw else "taken-from-elsewhere"
            text = texts(slug, name=name, key=elsewhere, place=raw[elsewhere])
            yield Finding("warning", "catalogue", text, texts("name-local-file"))
            return
        path = self.folder / raw["file_name"]
        if not path.exists():
            text = texts("data-missing", file=raw["file_name"], name=name)
            yield _fault(text, texts("seen-from-dataset-dir", folder=self.shown))
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
                text = of_data_set(name, texts("old-tag-column", key=key))
                yield _fault(text, texts("write-as-tag", tag=OLD_TAGS[key]))
                continue
            near = get_close_matches(key, known, n=1, cutoff=_NEAR)
            yield _ignored(name, key, near, f"{part}.")


def _ignored(name: str, key: str, near: Sequence[str], part: str) -> Finding:
    text = of_data_set(name, texts("key-not-read", key=f"{part}{key}"))
    if near:
        return _fault(text, texts("did-you-mean", near=f"{part}{near[0]}"))
    advice = texts("change-unnoticed" if key == "file_sha1" else "remove-or-correct")
    return Finding("warning", "catalogue", text, advice)


def _wrong_values(name: str, raw: Mapping[str, Any]) -> Iterator[Finding]:
    """Values that LLaMA-Factory fails on."""
    for fault, advice in (*_wrong_place(raw), *_wrong_names(raw)):
        yield _fault(of_data_set(name, fault), advice)


def _wrong_place(raw: Mapping[str, Any]) -> Iterator[tuple[Text, Text | None]]:
    """What is wrong with where the data lie, and how much of them is taken."""
    for key in ("file_name", "subset", "split", "folder", *_SOURCES):
        if key in raw and not isinstance(raw[key], str | None):
            yield texts("must-be-text", key=key, value=raw[key]), None
    if not any(raw.get(key) for key in (*_SOURCES, "file_name")):
        yield texts("names-no-file"), texts("name-as-file-name")
    count = raw.get("num_samples")
    if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
        yield texts("must-be-above-zero", value=count), None
    split, is_file = raw.get("split"), not any(key in raw for key in _SOURCES)
    if is_file and isinstance(split, str) and not _SPLIT.fullmatch(split):
        yield texts("split-of-file", split=split), texts("leave-split-out")


def _wrong_names(raw: Mapping[str, Any]) -> Iterator[tuple[Text, Text | None]]:
    """What is wrong with how the rows are to be read."""
    formatting = raw.get("formatting", "alpaca")
    if formatting not in FORMATTINGS:
        near = get_close_matches(str(formatting), FORMATTINGS, n=1)
        advice = texts("one-of", known=", ".join(FORMATTINGS))
        if near:
            advice = texts("did-you-mean", near=near[0])
        yield texts("formatting-unknown", formatting=formatting), advice
    if not isinstance(raw.get("ranking", False), bool):
        yield texts("must-be-switch", value=raw["ranking"]), texts("write-switch")
    for part in ("columns", "tags"):
        given = raw.get(part, {})
        if not isinstance(given, Mapping):
            yield texts("part-no-object", part=part), None
            continue
        for key, value in given.items():
            if not isinstance(value, str | None):
                yield texts("must-be-name", part=part, key=key, value=value), None


def _stage_fit(name: str, raw: Mapping[str, Any], stage: str) -> Iterator[Finding]:
    """Data of another kind than the stage trains on: refused, or every row vanishes."""
    ranking = bool(raw.get("ranking", False))
    kto = isinstance(raw.get("columns"), Mapping) and raw["columns"].get("kto_tag")
    if ranking != fits_ranking(stage):
        wanted = "true" if fits_ranking(stage) else "false"
        has = str(ranking).lower()
        text = texts("ranking-unfit", stage=stage, ranking=has, name=name)
        yield Finding("fault", "stage", text, texts("choose-fitting", wanted=wanted))
    elif stage == "kto" and not kto:
        yield Finding("fault", "stage", texts("no-kto-tag", name=name), texts("name-kto-tag"))
    elif kto and stage == "sft":
        yield Finding("fault", "stage", texts("kto-tag-in-sft", name=name), texts("choose-kto"))


def _fault(message: Text, advice: Text | None = None) -> Finding:
    return Finding("fault", "catalogue", message, advice)
