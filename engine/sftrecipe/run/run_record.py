"""What a run says of itself, as `run.json` holds it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self

from sftrecipe.calls.usage import Usage
from sftrecipe.plan.estimate import UNKNOWN, Range
from sftrecipe.plugin.plugin_kinds import DataSet
from sftrecipe.recipe.language.sections import HELD_OUT, SECTIONS
from sftrecipe.run.gate_results import GateResult
from sftrecipe.run.run_end import RunEnd
from sftrecipe.store.artifacts import StepStore
from sftrecipe.store.json_fields import field_of, objects_of, texts_of
from sftrecipe.store.step_facts import DataSetFacts, StepFacts

if TYPE_CHECKING:
    from sftrecipe.store.streams import Stream


@dataclass(frozen=True)
class StepRecord:
    """A step that was done."""

    id: str
    section: str
    use: str
    key: str
    cached: bool
    """Whether its result was there before."""
    reads: Sequence[str]
    after: Sequence[str]
    makes: Sequence[str]
    thins: Sequence[str]
    facts: StepFacts
    gates: Sequence[GateResult]
    parts: Mapping[str, str]
    """Those of its key."""
    limits: Sequence[GateResult] = ()
    """What would spoil the judging, and whether it does; earlier versions did not tell."""

    @classmethod
    def from_json(
        cls, found: Mapping[str, Any], *, held_out: bool = False, strict: bool = True
    ) -> Self:
        """What was written of it; `held_out`: whether a step before it holds rows out.

        `strict`: raises TypeError where its rows are no numbers.
        """
        section, facts = field_of(found, "section", ""), StepFacts.from_json(found, strict=strict)
        reads, name = texts_of(found, "reads"), field_of(found, "id", "")
        makes, thins = texts_of(found, "makes"), texts_of(found, "thins")
        if "makes" not in found:  # earlier versions did not tell
            makes = _made_streams(name, section, facts, held_out=held_out)
        if "thins" not in found and section in SECTIONS and SECTIONS[section].thins:
            thins = reads
        return cls(
            id=name,
            section=section,
            use=field_of(found, "use", ""),
            key=field_of(found, "key", ""),
            cached=field_of(found, "cached", False),
            reads=reads,
            after=texts_of(found, "after"),
            makes=makes,
            thins=thins,
            facts=facts,
            gates=tuple(map(GateResult.from_json, objects_of(found, "gates"))),
            parts=field_of(found, "parts", dict[str, str]()),
            limits=tuple(map(GateResult.from_json, objects_of(found, "limits"))),
        )

    def as_json(self) -> dict[str, Any]:
        """The same as plain data."""
        facts = self.facts
        return {
            "id": self.id,
            "section": self.section,
            "use": self.use,
            "key": self.key,
            "cached": self.cached,
            "reads": list(self.reads),
            "after": list(self.after),
            "makes": list(self.makes),
            "thins": list(self.thins),
            "made": facts.made,
            "kept": facts.kept,
            "rejected": facts.rejected,
            "set_aside": facts.set_aside,
            "reasons": facts.reasons,
            **({"untagged": facts.untagged} if facts.untagged else {}),
            "counts": facts.counts,
            "notes": facts.notes_json(),
            **({"gates": [asdict(each) for each in self.gates]} if self.gates else {}),
            **({"limits": [asdict(each) for each in self.limits]} if self.limits else {}),
            "calls": facts.calls,
            "seconds": round(facts.seconds, 3),
            "parts": self.parts,
        }


def _made_streams(step: str, section: str, facts: StepFacts, *, held_out: bool) -> tuple[str, ...]:
    """The streams that a step of a section makes."""
    made = SECTIONS[section].stream_of(step) if section in SECTIONS else None
    if made == HELD_OUT and (held_out or all(each.role == "train" for each in facts.data_sets)):
        return ()  # an export that kept nothing apart, or not the first that did
    return () if made is None else (made,)


@dataclass(frozen=True)
class EstimateAndFact:
    """What was foreseen of a step that asks, or was to ask, and what came of it."""

    id: str
    estimate: Mapping[str, Any]
    """As plain data."""
    fact: Mapping[str, Usage]
    """By provider."""

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """What was written of it."""
        fact = field_of(found, "fact", dict[str, Any]())
        return cls(
            id=field_of(found, "id", ""),
            estimate=field_of(found, "estimate", dict[str, Any]()),
            fact={
                name: Usage.from_json(used)
                for name, used in fact.items()
                if isinstance(used, Mapping)
            },
        )

    @property
    def calls(self) -> Range:
        """Calls that were foreseen, those that the ledger answers included."""
        return self._range("calls")

    @property
    def asked(self) -> Range:
        """Calls that were foreseen to be made anew."""
        return self._range("asked")

    @property
    def tokens(self) -> Range:
        """Tokens that were foreseen."""
        return self._range("tokens")

    @property
    def cost(self) -> Mapping[str, tuple[float, float | None]]:
        """The cost that was foreseen, by currency."""
        return field_of(self.estimate, "cost", dict[str, tuple[float, float | None]]())

    def _range(self, name: str) -> Range:
        least, most = self.estimate.get(name) or UNKNOWN
        return least, most


@dataclass(frozen=True)
class RunRecord:
    """What a run says of itself; of one that did not end well, as far as it came."""

    name: str = ""
    status: str = ""
    """`done`, `paused`, `failed` or `stopped`."""
    recipe: str = ""
    """The recipe's path."""
    profile: str | None = None
    document: Mapping[str, Any] = field(default_factory=dict)
    """The recipe as it was run, its environment variables not filled in."""
    started: str = ""
    seconds: float | None = None
    """None where it did not come to its end."""
    rejected: int | None = None
    usage: Usage | None = None
    estimate: Sequence[EstimateAndFact] = ()
    outdated: Sequence[DataSetFacts] | None = None
    """Data sets of runs before it that it would have removed, had it come to its end."""
    end: RunEnd | None = None
    """How it ended, where it did not end well."""
    emptied: Sequence[Mapping[str, Any]] = ()
    """The steps that left nothing, where that is why."""
    planned: Sequence[str] = ()
    steps: Sequence[StepRecord] = ()
    """Those that were done, in order."""
    data_sets: Sequence[DataSet] = ()
    versions: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, found: Mapping[str, Any], *, strict: bool = True) -> Self:
        """What was written of it; `strict`: raises TypeError where a step's rows are no numbers."""
        usage = field_of(found, "usage", dict[str, Any]())
        outdated = map(DataSetFacts.from_json, objects_of(found, "outdated"))
        return cls(
            name=field_of(found, "name", ""),
            status=field_of(found, "status", ""),
            recipe=field_of(found, "recipe", ""),
            profile=field_of(found, "profile", "") or None,
            document=field_of(found, "document", dict[str, Any]()),
            started=field_of(found, "started", ""),
            seconds=field_of(found, "seconds", 0.0) if found.get("seconds") is not None else None,
            rejected=field_of(found, "rejected", 0) if "rejected" in found else None,
            usage=Usage.from_json(usage) if usage else None,
            estimate=tuple(map(EstimateAndFact.from_json, objects_of(found, "estimate"))),
            outdated=tuple(outdated) if "outdated" in found else None,
            end=RunEnd.from_json(found),
            emptied=tuple(objects_of(found, "emptied")),
            planned=texts_of(found, "planned"),
            steps=tuple(step_records(found, strict=strict)),
            data_sets=tuple(map(_data_set, objects_of(found, "data_sets"))),
            versions=field_of(found, "versions", dict[str, str]()),
        )

    def as_json(self) -> dict[str, Any]:
        """The same as plain data; what there is nothing to tell of is left out."""
        told = {
            "started": self.started,
            "seconds": self.seconds,
            "rejected": self.rejected,
            "usage": self.usage and asdict(self.usage),
            "estimate": [asdict(each) for each in self.estimate],
            "outdated": None if self.outdated is None else [o.as_json() for o in self.outdated],
            **(self.end.as_json() if self.end else {}),
            "emptied": list(self.emptied) or None,
        }
        return {
            "name": self.name,
            "status": self.status,
            "recipe": self.recipe,
            "profile": self.profile,
            "document": self.document,
            **{name: value for name, value in told.items() if value is not None},
            "planned": list(self.planned),
            "steps": [each.as_json() for each in self.steps],
            "data_sets": [data_set_json(each) for each in self.data_sets],
            "versions": self.versions,
        }

    @property
    def parts(self) -> dict[str, Mapping[str, str]]:
        """The parts of every step's key, by step."""
        return {step.id: step.parts for step in self.steps}

    def streams(self, store: StepStore) -> dict[str, Stream]:
        """The streams of the run, by name, after all of its filters."""
        from sftrecipe.run.steps.step_files import advance_streams  # noqa: PLC0415 - pyarrow

        streams: dict[str, Stream] = {}
        for step in self.steps:
            advance_streams(streams, step, store.path(step.key))
        return streams


def step_records(found: Mapping[str, Any], *, strict: bool = True) -> Iterator[StepRecord]:
    """The steps of a run as it was written; raises as `StepRecord.from_json` does."""
    held_out = False
    for each in objects_of(found, "steps"):
        step = StepRecord.from_json(each, held_out=held_out, strict=strict)
        held_out |= HELD_OUT in step.makes
        yield step


def _data_set(found: Mapping[str, Any]) -> DataSet:
    facts = DataSetFacts.from_json({**found, "files": dict.fromkeys(texts_of(found, "files"))})
    return facts.data_set()


def data_set_json(data_set: DataSet) -> dict[str, Any]:
    """A data set as plain data."""
    return {
        "name": data_set.name,
        "files": list(data_set.files),
        "rows": data_set.rows,
        "role": data_set.role,
        "kind": data_set.kind,
        **({"needs": data_set.needs} if data_set.needs else {}),
    }
