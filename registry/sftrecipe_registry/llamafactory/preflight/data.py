"""One pass over a data set's rows: its files, columns and rows, and what a tokenizer should see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import orjson

from sftrecipe.plugin import Finding, Texts, split_thought
from sftrecipe_registry.llamafactory.formats.conversation import MEDIA
from sftrecipe_registry.llamafactory.formats.rows import control_token
from sftrecipe_registry.llamafactory.preflight.catalogue import Attributes
from sftrecipe_registry.llamafactory.preflight.columns import KeysSeen, column_findings
from sftrecipe_registry.llamafactory.preflight.files import TableFile, data_files
from sftrecipe_registry.llamafactory.preflight.rows import Amiss, Talk, converter
from sftrecipe_registry.llamafactory.preflight.tally import Tally, Trouble

texts = Texts(__package__)

SPOOLED = 200_000
"""Rows of all data sets that are encoded; the others are like them."""
WITH_MEDIA = 2000
"""Of them those whose pictures, films and sounds are opened."""

_TEXTS = ("prompt", "query", "response", "chosen", "rejected", "system", "tools")
CONTROL_TOKEN = Trouble(
    "warning",
    "control_tokens",
    "holds-control-token",
    "rows-doubtful",
    "write-token-apart",
)
_NO_FILE = Trouble(
    "fault",
    "media",
    "no-media-file",
    "rows-stop-training",
    "seen-from-media-dir",
)
_PLACES = Trouble(
    "fault",
    "media",
    "media-places-differ",
    "rows-stop-training",
    "write-one-place-each",
)


class Spool:
    """A file of converted rows, for the process that has the tokenizer."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.path = path
        self._file = file
        self.rows = 0
        self.left_out = 0
        self._with_media = 0

    def write(self, name: str, place: str, talk: Talk, media: Sequence[Sequence[str]]) -> None:
        """Take one row."""
        if self.rows >= SPOOLED or (any(media) and self._with_media >= WITH_MEDIA):
            self.left_out += 1
            return
        self.rows += 1
        self._with_media += any(media)
        line = {
            "name": name,
            "place": place,
            "prompt": talk.prompt,
            "response": talk.response,
            "system": talk.system,
            "tools": talk.tools,
            "media": media,
            "thoughts": _thoughts([*talk.prompt, *talk.response]),
        }
        self._file.write(orjson.dumps(line) + b"\n")


class DataCheck:
    """Looks at one data set for a stage. `rows` and `good` are known when it is done."""

    def __init__(
        self, attributes: Attributes, stage: str, media: Path, spool: Spool | None
    ) -> None:
        self.attributes = attributes
        self.rows = 0
        self.good = 0
        """Rows that LLaMA-Factory makes an example of."""
        self._stage = stage
        self._media = media
        self._spool = spool
        self._keys = KeysSeen(attributes)
        self._tally = Tally(attributes.name)
        self._columns = [name for name in attributes.columns.values() if name]
        self._texts = [name for kind in _TEXTS if (name := attributes.columns[kind])]

    def findings(self) -> Iterator[Finding]:
        """Everything that is wrong with the data set's files and rows."""
        name, before = self.attributes.name, []
        for file in data_files(name, self.attributes.path):
            if isinstance(file, Finding):
                before.append(file)
                continue
            table = TableFile(file, self._columns, self._texts)
            self._look(table)
            before += table.findings(name, self._tally)
        self.rows = self._tally.rows
        if not self.rows and not before:
            before.append(Finding("fault", "file", texts("data-set-empty", name=name)))
        if self._keys.kinds:
            columns = [*column_findings(self.attributes, self._stage, self._keys)]
            if any(each.state == "fault" for each in columns):
                self._forget_what_all_rows_have()
            before += [*columns, *self._keys.mixed(name)]
        yield from before
        yield from self._tally.findings()

    def _look(self, table: TableFile) -> None:
        convert, see = converter(self.attributes, self._stage), self._keys.see
        media = [kind for kind in MEDIA if self.attributes.columns[kind]]
        for row in table.rows(self._tally):
            see(table, row)
            try:
                talk = convert(row)
            except Amiss as fault:
                self._tally.add(fault.trouble, table.place, fault.value)
                continue
            self.good += 1
            for trouble, value in talk.doubts:
                self._tally.add(trouble, table.place, value)
            paths = self._media_of(table.place, row, talk) if media else ((), (), ())
            if self._spool is None:
                self._look_for_tokens(table, talk)
            else:
                self._spool.write(self.attributes.name, table.place, talk, paths)

    def _look_for_tokens(self, table: TableFile, talk: Talk) -> None:
        said = [turn["content"] for turn in talk.prompt + talk.response]
        token = control_token("\n".join((talk.system, *said)))
        if token is not None:
            self._tally.add(CONTROL_TOKEN, table.place, token)

    def _media_of(self, place: str, row: Mapping[str, Any], talk: Talk) -> list[list[str]]:
        """Where the pictures, films and sounds of a row lie, which are then checked."""
        found = []
        for kind in MEDIA:
            name = self.attributes.columns[kind]
            value = row.get(name) if name else None
            given = [value] if isinstance(value, str) else value
            paths = [path for path in given if isinstance(path, str)] if given else []
            found.append([self._where(path) for path in paths])
            if not isinstance(given, list) or not given:
                continue
            turns = (*talk.prompt, *talk.response[:1])
            places = sum(turn["content"].count(f"<{kind[:-1]}>") for turn in turns)
            if places != len(given):
                self._tally.add(_PLACES, place, f"{len(given)} {kind}, {places} places")
            for path in paths:
                if not (self._media / path).is_file():
                    self._tally.add(_NO_FILE, place, path)
                    break
        return found

    def _where(self, path: str) -> str:
        """As LLaMA-Factory looks for it."""
        inside = self._media / path
        return str(inside) if inside.is_file() else path

    def _forget_what_all_rows_have(self) -> None:
        """Where the entry is wrong, all rows are; only what some rows have is told beside it."""
        counts = self._tally.counts
        for trouble in [each for each, count in counts.items() if count >= self._tally.rows]:
            del counts[trouble]


def _thoughts(turns: Sequence[Mapping[str, str]]) -> dict[str, int]:
    """Turns with a thought, and how far into their texts it reaches."""
    found = {}
    for at, turn in enumerate(turns):
        if turn["role"] in ("assistant", "function"):
            thought = split_thought(turn["content"])
            if thought.reasoning:
                before = turn["content"][: len(turn["content"]) - len(thought.answer)]
                found[str(at)] = len(before.rstrip())
    return found
