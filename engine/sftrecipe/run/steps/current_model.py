"""The model that a train block's folder points at: one of several that lie by key beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sftrecipe.messages import message
from sftrecipe.plan.steps import Plan, Step
from sftrecipe.plugin.kept_models import (
    KEPT,
    LINKLESS,
    KeptModel,
    kept_model_of,
    read_model_note,
)
from sftrecipe.run.written_blocks import written_block
from sftrecipe.store import atomic_files


@contextmanager
def training_alone(out: Path) -> Iterator[None]:
    """Hold the output folder's models against other trainings; those wait, and tell it."""
    models = out / KEPT
    with atomic_files.explained(models):
        models.mkdir(parents=True, exist_ok=True)
    with atomic_files.locked(models):
        yield


def made_by(plan: Plan, step: Step) -> Mapping[str, Any]:
    """What a trained model's note says of its step: enough to tell later why it is another's."""
    return {
        "recipe": plan.recipe.name,
        "block": step.id,
        "options": dict(written_block(plan.recipe.document, "train", step.id).get("with") or {}),
        "parts": dict(step.parts),
        "steps": {each.id: dict(each.parts) for each in steps_behind(plan, step)},
    }


def steps_behind(plan: Plan, step: Step) -> Sequence[Step]:
    """The steps that another one's result depends on, in their order."""
    streams = {*step.reads, *step.named}
    steps = {*step.after}
    found: list[Step] = []
    for each in reversed(plan.steps[: plan.steps.index(step)]):
        if each.id in steps or not streams.isdisjoint((*each.makes, *each.thins)):
            found.insert(0, each)
            streams |= {*each.reads, *each.named}
            steps |= {*each.after}
    return found


def point_at(model: Path, out: Path, say: Callable[[str], None]) -> None:
    """Let the block's link point at a model, where it is one that lies by key.

    Where that cannot be, it is told; whoever reads models goes by their own folders.
    """
    kept = kept_model_of(out, model)
    name = kept.note.name if kept else ""
    if kept is None or not name:
        return
    old = read_model_note(out / name).fingerprint
    try:
        if old and not (out / name).is_symlink():
            KeptModel(out, old).take_over(name)
        kept.point(name)
    except FileExistsError:
        say(message("model-not-linked", {"link": out / name, "model": model}))
    except OSError as error:
        if error.errno not in LINKLESS:
            raise
        say(message("model-linkless", {"link": out / name, "model": model}))


def shown_model(model: Path, out: Path) -> Path:
    """A model's folder as its link shows it, where that points at it."""
    kept = kept_model_of(out, model)
    return kept.shown(model) if kept else model
