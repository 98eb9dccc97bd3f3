"""A checkpoint to resume from: whether it is whole, of this very training, and not at its end."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from sftrecipe.plugin import Finding, Text, Texts, Training, read_model_note
from sftrecipe_registry.llamafactory.arguments.schedule import Schedule, number
from sftrecipe_registry.llamafactory.preflight.adapter import (
    ADAPTER_CONFIG,
    base_findings,
    shape_findings,
)
from sftrecipe_registry.llamafactory.preflight.arguments import Settings
from sftrecipe_registry.llamafactory.training.output import (
    ADAPTERS,
    OPTIMIZERS,
    data_fingerprint,
    model_stands,
    read_json,
    step_of,
)

texts = Texts(__package__)

RESUME = "resume_from_checkpoint"
_STATE = "trainer_state.json"
_NEAR = 0.02
"""Two trainings whose epochs differ by more have not the same rows and batches."""
_SIZES = ("model_type", "hidden_size", "num_hidden_layers", "intermediate_size", "vocab_size")


def checkpoint_findings(settings: Settings, training: Training) -> Iterator[Finding]:
    """One that is missing, empty, broken, or of another model, adapter or data."""
    named = settings.get(RESUME)
    if not named:
        return
    place = checkpoint_place(settings, training)
    if place is None:
        yield _fault(texts("no-checkpoint-inside"), texts("leave-out", name=RESUME))
        return
    shown = str(named)
    if not place.is_dir():
        yield _fault(texts("no-checkpoint", checkpoint=shown), _those_beside(place))
        return
    wrong = list(_parts(settings, place, shown))
    yield from wrong
    if not wrong:
        yield from _model_findings(settings, training, place, shown)
        yield from _data_findings(settings, training, place, shown)


def checkpoint_place(settings: Settings, training: Training) -> Path | None:
    """The folder that is named; None: it is to be looked for."""
    named = settings.get(RESUME)
    return training.folder / Path(named).expanduser() if isinstance(named, str) else None


def progress_findings(settings: Settings, training: Training, plan: Schedule) -> Iterator[Finding]:
    """A checkpoint at the end of the training, or beyond it, or whose epochs have other steps."""
    place = checkpoint_place(settings, training) if settings.get(RESUME) else None
    state = read_json(place / _STATE) if place else {}
    step, epoch = state.get("global_step"), state.get("epoch")
    if place is None or not isinstance(step, int):
        return
    if plan.steps and step >= plan.steps:
        text = texts("checkpoint-at-end", checkpoint=place.name, step=step, steps=plan.steps)
        yield _fault(text, _more_steps(settings, plan, step))
    told = read_model_note(place.parent).made_by.get("data")
    if told or not isinstance(epoch, int | float) or not epoch or not plan.steps_an_epoch:
        return
    then = step / epoch
    if abs(then - plan.steps_an_epoch) > max(_NEAR * then, 0.5):
        text = texts("other-epochs", then=round(then), now=plan.steps_an_epoch)
        yield _fault(text, _other_data(place))


def _more_steps(settings: Settings, plan: Schedule, step: int) -> Text:
    if number(settings, "max_steps") > 0 or not plan.steps_an_epoch:
        return texts("write-this", name="max_steps", value=step + max(plan.steps, 1))
    epochs = math.ceil(step / plan.steps_an_epoch) + 1
    return texts("write-this", name="num_train_epochs", value=f"{epochs}.0")


def _parts(settings: Settings, place: Path, shown: str) -> Iterator[Finding]:
    """What it lacks, and whether it is of an adapter where an adapter is trained."""
    has_adapter = any((place / name).is_file() for name in ADAPTERS)
    has_model = model_stands(place) or any(place.glob("pytorch_model_fsdp*"))
    method = str(settings.get("finetuning_type", "lora"))
    if not (has_adapter or has_model):
        yield _fault(texts("checkpoint-empty", checkpoint=shown), _those_beside(place))
    elif has_adapter and method in ("full", "freeze"):
        text = texts("checkpoint-of-adapter", checkpoint=shown, method=method)
        yield _fault(text, texts("write-this", name="finetuning_type", value="lora"))
    elif not has_adapter and method not in ("full", "freeze"):
        text = texts("checkpoint-of-model", checkpoint=shown, method=method)
        yield _fault(text, texts("write-this", name="finetuning_type", value="full"))
    elif not isinstance(read_json(place / _STATE).get("global_step"), int):
        yield _fault(texts("checkpoint-without-state", checkpoint=shown), _as_model(has_adapter))
    elif not any(any(place.glob(pattern)) for pattern in OPTIMIZERS):
        text = texts("checkpoint-without-optimizer", checkpoint=shown)
        yield Finding("warning", "checkpoint", text, _as_model(has_adapter))


def _model_findings(
    settings: Settings, training: Training, place: Path, shown: str
) -> Iterator[Finding]:
    adapter = read_json(place / ADAPTER_CONFIG)
    if adapter:
        yield from base_findings(settings, training, adapter, RESUME, shown)
        yield from shape_findings(settings, adapter, RESUME, shown)
        return
    base = training.folder / str(settings.get("model_name_or_path"))
    then, now = read_json(place / "config.json"), read_json(base / "config.json")
    other = [name for name in _SIZES if name in now and then.get(name) != now[name]]
    if other:
        name = other[0]
        text = texts(
            "checkpoint-of-other-model",
            checkpoint=shown,
            name=name,
            then=then.get(name),
            now=now[name],
        )
        yield _fault(text, texts("name-its-model"))


def _data_findings(
    settings: Settings, training: Training, place: Path, shown: str
) -> Iterator[Finding]:
    """Other rows than those of its own training, which a recipe's training notes beside it."""
    told = read_model_note(place.parent).made_by.get("data")
    if not told:
        text = texts("checkpoint-data-unknown", checkpoint=shown)
        yield Finding("warning", "checkpoint", text, _other_data(place))
    elif not training.awaits and told != data_fingerprint(settings, training.folder):
        yield _fault(texts("checkpoint-of-other-data", checkpoint=shown), _other_data(place))


def _other_data(place: Path) -> Text:
    """How to train on from a model on other data."""
    return _as_model(any((place / name).is_file() for name in ADAPTERS))


def _as_model(is_adapter: bool) -> Text:
    name = "adapter_name_or_path" if is_adapter else "model_name_or_path"
    return texts("start-from-it", name=name)


def _those_beside(place: Path) -> Text:
    """The checkpoints that stand where this one was looked for."""
    beside = {each for folder in (place, place.parent) for each in folder.glob("checkpoint-*")}
    whole = [each for each in beside if each.is_dir() and any(each.iterdir())]
    if not whole:
        return texts("leave-out", name=RESUME)
    last = max(whole, key=step_of)
    return texts("write-this", name=RESUME, value=last)


def _fault(text: Text, advice: Text) -> Finding:
    return Finding("fault", "checkpoint", text, advice)
