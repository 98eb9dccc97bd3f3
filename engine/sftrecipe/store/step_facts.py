"""What a finished step says of itself, in its `step.json` and in `run.json`.

Both write the same JSON since the first version: what a section alone leaves stands under `notes`,
its fields beside those that a plugin noted. Whatever is missing there was not written yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Self, cast

from sftrecipe.plugin.data_notices import Told
from sftrecipe.plugin.plugin_kinds import DataSet
from sftrecipe.plugin.provider import ASKED_AGAIN
from sftrecipe.plugin.row_kinds import RowKind
from sftrecipe.store.json_fields import field_of, objects_of

FileState = Sequence[int] | None
"""Size and time of the last change; None where there was no such file."""
LossPoint = tuple[float, float]
"""A training's step, and the loss at it."""
_OF_TOLD = frozenset(each.name for each in fields(Told))


@dataclass(frozen=True)
class DataSetFacts:
    """A data set that an export wrote, with its files as they were."""

    name: str
    rows: int = 0
    role: Literal["train", "holdout"] = "train"
    entry: Mapping[str, Any] | None = None
    kind: RowKind | None = None
    files: Mapping[str, FileState] = field(default_factory=dict)
    contents: Mapping[str, str] = field(default_factory=dict)
    """Hashes of the files."""
    needs: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """What was written of it."""
        return cls(
            name=field_of(found, "name", ""),
            rows=field_of(found, "rows", 0),
            role="holdout" if found.get("role") == "holdout" else "train",
            entry=field_of(found, "entry", dict[str, Any]()) or None,
            kind=cast("RowKind | None", field_of(found, "kind", "") or None),
            files=field_of(found, "files", dict[str, FileState]()),
            contents=field_of(found, "contents", dict[str, str]()),
            needs=field_of(found, "needs", dict[str, Any]()),
        )

    def as_json(self) -> dict[str, Any]:
        """The same as plain data."""
        facts = asdict(self)
        return facts if self.needs else {key: facts[key] for key in facts if key != "needs"}

    def data_set(self) -> DataSet:
        """The data set as its exporter told it."""
        return DataSet(
            name=self.name,
            files=tuple(self.files),
            rows=self.rows,
            entry=self.entry,
            role=self.role,
            needs=self.needs,
            kind=self.kind,
        )


@dataclass(frozen=True)
class StreamShare:
    """A stream's part of the mix that an export writes, as it was drawn and as it was written."""

    drawn: int
    drawn_share: float
    rows: int
    share: float
    taken_share: float
    """Of the rows that are taken, before any is written as several."""
    held_out: int

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """What was written of it."""
        share = field_of(found, "share", 0.0)
        return cls(
            drawn=field_of(found, "drawn", 0),
            drawn_share=field_of(found, "drawn_share", 0.0),
            rows=field_of(found, "rows", 0),
            share=share,
            taken_share=field_of(found, "taken_share", share),
            held_out=field_of(found, "held_out", 0),
        )


@dataclass(frozen=True)
class ExportFacts:
    """What an export left in the output folder."""

    data_sets: Sequence[DataSetFacts] = ()
    shares: Mapping[str, StreamShare] = field(default_factory=dict)
    """By stream of the mix that it follows; empty where it follows none."""

    @classmethod
    def from_json(cls, notes: Mapping[str, Any]) -> Self | None:
        """What the notes say of an export; None where they are no export's."""
        if not isinstance(notes.get("data_sets"), list):
            return None
        shares = field_of(notes, "shares", dict[str, Any]())
        return cls(
            tuple(map(DataSetFacts.from_json, objects_of(notes, "data_sets"))),
            {name: StreamShare.from_json(each) for name, each in shares.items()},
        )

    def as_json(self) -> dict[str, Any]:
        """The same as plain data."""
        shares = {name: asdict(each) for name, each in self.shares.items()}
        return {
            "data_sets": [each.as_json() for each in self.data_sets],
            **({"shares": shares} if shares else {}),
        }


@dataclass(frozen=True)
class MixedShare:
    """What a mixer noted of a stream: what was asked for, and what came of it."""

    asked_share: float | None
    share: float
    token_share: float | None
    """None where the mix does not go by tokens."""
    asked_rows: int
    rows: int
    available: int
    repeated: int
    asked_tokens: int | None
    tokens: int | None

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """What was noted of it."""
        return cls(
            asked_share=found.get("asked_share"),
            share=field_of(found, "share", 0.0),
            token_share=found.get("token_share"),
            asked_rows=field_of(found, "asked_rows", 0),
            rows=field_of(found, "rows", 0),
            available=field_of(found, "available", 0),
            repeated=field_of(found, "repeated", 0),
            asked_tokens=found.get("asked_tokens"),
            tokens=found.get("tokens"),
        )


@dataclass(frozen=True)
class MixFacts:
    """What a mix drew."""

    written: int
    """Rows; one that was drawn twice counts twice."""
    repeated: int
    drawn: Mapping[str, int] = field(default_factory=dict)
    """Rows written, by stream."""
    notes: Mapping[str, Any] = field(default_factory=dict)
    """What its mixer noted."""

    @classmethod
    def from_json(cls, notes: Mapping[str, Any]) -> Self | None:
        """What the notes say of a mix; None where they are no mix's."""
        written, repeated = notes.get("written"), notes.get("repeated")
        if not isinstance(written, int) or not isinstance(repeated, int):
            return None
        return cls(written, repeated, field_of(notes, "drawn", dict[str, int]()), notes)

    @property
    def streams(self) -> dict[str, MixedShare]:
        """What the mixer noted of every stream; empty where it noted none."""
        found = field_of(self.notes, "streams", dict[str, Any]())
        return {
            name: MixedShare.from_json(each)
            for name, each in found.items()
            if isinstance(each, Mapping)
        }

    @property
    def tokens_estimated(self) -> bool:
        """Whether its tokens are estimated from the texts."""
        return bool(self.notes.get("tokens_estimated"))

    def as_json(self) -> dict[str, Any]:
        """The same as plain data."""
        counts = {"written": self.written, "repeated": self.repeated, "drawn": dict(self.drawn)}
        return {**self.notes, **counts}


@dataclass(frozen=True)
class ModelFacts:
    """What a training left."""

    folder: str
    """The model's, from the output folder on."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    losses: Sequence[LossPoint] = ()
    held_out_losses: Sequence[LossPoint] = ()
    files: Mapping[str, FileState] = field(default_factory=dict)
    """Those of the model's folder."""
    seconds: float | None = None
    """How long it was trained, however often it was found since; None where nobody counted."""

    @classmethod
    def from_json(cls, notes: Mapping[str, Any]) -> Self | None:
        """What the notes say of a training; None where they are no training's."""
        told = isinstance(notes.get("model"), str) and isinstance(notes.get("files"), dict)
        if not told or "losses" not in notes:  # a judge may note a model, too
            return None
        return cls(
            notes["model"],
            field_of(notes, "metrics", dict[str, float]()),
            _curve(notes, "losses"),
            _curve(notes, "held_out_losses"),
            notes["files"],
            field_of(notes, "seconds", 0.0) or None,
        )

    def as_json(self) -> dict[str, Any]:
        """The same as plain data."""
        return {
            "model": self.folder,
            "metrics": dict(self.metrics),
            "losses": [list(point) for point in self.losses],
            "held_out_losses": [list(point) for point in self.held_out_losses],
            "files": dict(self.files),
            **({} if self.seconds is None else {"seconds": self.seconds}),
        }


@dataclass(frozen=True)
class JudgementFacts:
    """What a judge measured."""

    metrics: Mapping[str, float]
    notes: Mapping[str, Any] = field(default_factory=dict)
    """What it noted beside them."""

    @classmethod
    def from_json(cls, notes: Mapping[str, Any]) -> Self | None:
        """What the notes say of a judging; None where they are no judge's."""
        metrics = notes.get("metrics")
        return cls(metrics, notes) if isinstance(metrics, dict) else None

    def as_json(self) -> dict[str, Any]:
        """The same as plain data."""
        return {**self.notes, "metrics": dict(self.metrics)}


@dataclass(frozen=True)
class StepFacts:
    """What a finished step says of itself."""

    made: int = 0
    """Rows that it read (filters, mix) or found (sources, generators)."""
    kept: int = 0
    rejected: int = 0
    set_aside: int = 0
    """Rows of a source that its `sample` did not draw."""
    seconds: float = 0.0
    reasons: Mapping[str, int] = field(default_factory=dict)
    """Rejected rows by reason."""
    untagged: Mapping[str, int] = field(default_factory=dict)
    """Rows that stay though a filter could not judge them, by reason."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """What the plugin counted."""
    told: Mapping[str, Told] = field(default_factory=dict)
    """What the plugin told of its data."""
    export: ExportFacts | None = None
    mix: MixFacts | None = None
    model: ModelFacts | None = None
    judgement: JudgementFacts | None = None
    calls: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Calls asked, cached, failed; tokens; cost; by provider."""
    content: str = ""
    """Hash of what it holds, rejects left out: what others read."""
    read: Mapping[str, str] = field(default_factory=dict)
    """What the streams held that it read, by name."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Hashes of all that it left, by name."""

    @property
    def has_failed_calls(self) -> bool:
        """Whether rows lack a reply that `--retry-failed` asks for again, lost or not."""
        return not ASKED_AGAIN.isdisjoint([*self.reasons, *self.untagged])

    @property
    def data_sets(self) -> Sequence[DataSetFacts]:
        """What an export wrote."""
        return self.export.data_sets if self.export else ()

    @property
    def metrics(self) -> Mapping[str, float]:
        """The figures of a training or a judge."""
        found = self.model or self.judgement
        return found.metrics if found else {}

    @classmethod
    def from_json(cls, found: Mapping[str, Any], *, strict: bool = True) -> Self:
        """What was written; `strict`: raises TypeError where rows are no numbers, for nobody
        counted so."""
        notes = field_of(found, "notes", dict[str, Any]())
        model = ModelFacts.from_json(notes)
        return cls(
            made=_rows(found, "made", strict=strict),
            kept=_rows(found, "kept", strict=strict),
            rejected=_rows(found, "rejected", strict=strict),
            set_aside=_rows(found, "set_aside", strict=strict),
            seconds=field_of(found, "seconds", 0.0),
            reasons=field_of(found, "reasons", dict[str, int]()),
            untagged=field_of(found, "untagged", dict[str, int]()),
            counts=field_of(found, "counts", dict[str, int]()),
            told=_told(notes),
            export=ExportFacts.from_json(notes),
            mix=MixFacts.from_json(notes),
            model=model,
            judgement=None if model else JudgementFacts.from_json(notes),
            calls=field_of(found, "calls", dict[str, Mapping[str, Any]]()),
            content=field_of(found, "content", ""),
            read=field_of(found, "read", dict[str, str]()),
            files=field_of(found, "files", dict[str, str]()),
        )

    def as_json(self) -> dict[str, Any]:
        """The same as plain data."""
        return {
            "made": self.made,
            "kept": self.kept,
            "rejected": self.rejected,
            "set_aside": self.set_aside,
            "seconds": self.seconds,
            "reasons": dict(self.reasons),
            **({"untagged": dict(self.untagged)} if self.untagged else {}),
            "counts": dict(self.counts),
            "notes": self.notes_json(),
            "calls": dict(self.calls),
            "content": self.content,
            "read": dict(self.read),
            "files": dict(self.files),
        }

    def notes_json(self) -> dict[str, Any]:
        """What its section alone leaves, and what its plugin told, as plain data."""
        notes: dict[str, Any] = {}
        for each in (self.export, self.mix, self.model, self.judgement):
            notes |= each.as_json() if each else {}
        told = {name: asdict(each) for name, each in self.told.items()}
        return notes | ({"told": told} if told else {})


def _rows(found: Mapping[str, Any], name: str, *, strict: bool) -> int:
    rows = found.get(name, 0)
    if not isinstance(rows, int):
        if not strict:
            return 0
        raise TypeError(f"`{name}` is {rows!r}, not a number of rows")
    return rows


def _curve(notes: Mapping[str, Any], name: str) -> tuple[LossPoint, ...]:
    points = (tuple(each) for each in field_of(notes, name, list[Any]()) if isinstance(each, list))
    return tuple(each for each in points if len(each) == 2)


def _told(notes: Mapping[str, Any]) -> dict[str, Told]:
    """What was told of data; a judge may have noted something else by that name."""
    told = field_of(notes, "told", dict[str, Any]())
    if not all(isinstance(each, dict) and each.keys() == _OF_TOLD for each in told.values()):
        return {}
    return {name: Told(**each) for name, each in told.items()}
