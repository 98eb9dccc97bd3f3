"""Trainings that a change has done anew: why, how long the last one took, where its model stays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sftrecipe.messages import Text, Word, own_text
from sftrecipe.plan.steps import Plan, Step
from sftrecipe.plugin.kept_models import KeptModel, kept_models, read_model_note
from sftrecipe.run.run_file import run_before
from sftrecipe.run.standing import standing_steps
from sftrecipe.run.steps.current_model import made_by, steps_behind
from sftrecipe.store.step_facts import StepFacts

_SHOWN = 5
_VALUE = 60
_OF_DATA = frozenset({"inputs"})


@dataclass(frozen=True)
class TrainedAnew:
    """A training whose model there is, and is another's now."""

    block: str
    changes: Sequence[Text]
    """What changed, as the user reads it."""
    certain: bool
    """False: it is found again where its data come out as they were."""
    seconds: float | None
    """How long it took last time."""
    stays: Path
    """Where the model so far stays."""

    def facts(self) -> dict[str, Any]:
        """The same as plain data."""
        return {
            "train": self.block,
            "changes": [str(each) for each in self.changes],
            "certain": self.certain,
            "seconds_last_time": self.seconds,
            "model_stays_in": str(self.stays),
        }


@dataclass(frozen=True)
class _Before:
    """The training so far of a block."""

    made_by: Mapping[str, Any]
    seconds: float | None
    folder: Path


def trained_anew(plan: Plan, out: Path) -> list[TrainedAnew]:
    """The trainings of a plan that will be done anew though a model of theirs is there.

    Those that were begun with just these settings and data go on, and are none of them.
    """
    if not any(step.block.section == "train" for step in plan.steps):
        return []
    standing = standing_steps(plan, out)
    found: dict[str, TrainedAnew] = {}
    for step in plan.steps:
        if step.block.section != "train" or standing[step.id].cached:
            continue
        before = _before(step, out)
        if before is None or _is_there(step, out):
            continue
        changes = list(_changes(plan, step, before.made_by, found))
        certain = (
            not changes
            or bool(_own_changes(step, before.made_by))
            or bool({*step.after} & {*found})
        )
        told = tuple(changes) or (own_text("anew-unknown"),)
        found[step.id] = TrainedAnew(step.id, told, certain, before.seconds, before.folder)
    return list(found.values())


def _before(step: Step, out: Path) -> _Before | None:
    """The model so far: the current one of the block, or what an earlier version left."""
    models = [each for each in kept_models(out) if each.note.made_by.get("block") == step.id]
    done = [each for each in models if each.note.done]
    if found := max(done, key=lambda kept: kept.current, default=None):
        return _Before(found.note.made_by, found.note.seconds or None, found.folder)
    run = run_before(out)
    record = next((each for each in run.steps if each.id == step.id), None)
    model = record.facts.model if record else None
    if record is None or model is None or not (out / model.folder).exists():
        return None
    made = {"parts": record.parts, "steps": dict(run.parts)}
    return _Before(made, _seconds(record.facts), _will_lie(out, Path(model.folder)))


def _will_lie(out: Path, folder: Path) -> Path:
    """Where an earlier version's model will lie once the next training is begun."""
    key = read_model_note(out / folder.parts[0]).fingerprint
    return KeptModel(out, key).folder if key else out / folder


def _seconds(facts: StepFacts) -> float | None:
    """Of an earlier version's training; one that was found, not done, took no time."""
    return (facts.model.seconds if facts.model else None) or facts.seconds or None


def _is_there(step: Step, out: Path) -> bool:
    """Whether it was begun, or done, with just these settings and data."""
    parts = dict(step.parts)
    return any(each.note.made_by.get("parts") == parts for each in kept_models(out))


def _own_changes(step: Step, before: Mapping[str, Any]) -> list[str]:
    """The parts of a step's own key that changed, but for what it reads."""
    return _changed(step.parts, before.get("parts") or {})


def _changed(now: Mapping[str, str], before: Mapping[str, str]) -> list[str]:
    return [name for name in now if name not in _OF_DATA and now[name] != before.get(name)]


def _changes(
    plan: Plan, step: Step, before: Mapping[str, Any], anew: Mapping[str, object]
) -> Iterator[Text]:
    own = _own_changes(step, before)
    written = made_by(plan, step)["options"]
    arguments = list(_arguments(before.get("options"), written)) if "options" in own else []
    yield from arguments[:_SHOWN]
    if len(arguments) > _SHOWN:
        yield own_text("anew-more", count=len(arguments) - _SHOWN)
    for part in own:
        if part != "options" or not arguments:
            yield own_text("anew-part", why=Word(f"changed-{part}"))
    of_data = list(_data_changes(plan, step, before.get("steps") or {}, anew))
    yield from of_data[:_SHOWN]
    if len(of_data) > _SHOWN:
        yield own_text("anew-more", count=len(of_data) - _SHOWN)
    if not of_data and step.parts.get("inputs") != (before.get("parts") or {}).get("inputs"):
        yield own_text("anew-data")


def _arguments(before: object, now: Mapping[str, Any]) -> Iterator[Text]:
    """The training arguments that differ."""
    if not isinstance(before, Mapping):
        return
    for name in (*now, *(name for name in before if name not in now)):
        old, new = _short(before.get(name)), _short(now.get(name))
        if name not in before:
            yield own_text("anew-argument-new", name=name, now=new)
        elif name not in now:
            yield own_text("anew-argument-gone", name=name, before=old)
        elif before[name] != now[name]:
            yield own_text("anew-argument", name=name, before=old, now=new)


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= _VALUE else f"{text[:_VALUE]} …"


def _data_changes(
    plan: Plan, step: Step, before: Mapping[str, Any], anew: Mapping[str, object]
) -> Iterator[Text]:
    """The steps behind it that changed themselves; those that only read others follow from them."""
    if not before:  # earlier versions did not note them
        return
    for each in steps_behind(plan, step):
        if each.id in anew:
            yield own_text("anew-base", block=each.id)
        elif each.id not in before:
            yield own_text("anew-step", step=each.id, why=Word("anew-new"))
        elif changed := _changed(each.parts, before[each.id]):
            why = Word(" / ".join(f"changed-{part}" for part in changed))
            yield own_text("anew-step", step=each.id, why=why)
    known = {each.id for each in plan.steps}
    for name in before:
        if name not in known:
            yield own_text("anew-step", step=name, why=Word("anew-gone"))
