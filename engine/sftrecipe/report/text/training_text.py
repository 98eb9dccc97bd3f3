"""Trainings in words: how far one is, how long it takes, why one is done anew."""

from __future__ import annotations

from sftrecipe.messages import in_user_language, message
from sftrecipe.plugin.kept_models import KeptModel
from sftrecipe.plugin.trainer import TrainingPhase, TrainingState
from sftrecipe.run.trained_anew import TrainedAnew

_COUNTED = ("reading", "tokenising", "evaluating")
_FAST = 0.5
"""Seconds; of faster steps it is told how many there are in one."""
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def duration_text(seconds: float) -> str:
    """`42 s`, `9 min`, `2 h 10 min`, `3 d 4 h`."""
    whole = max(0, round(seconds))
    if whole < 100:
        return message("duration-seconds", {"seconds": whole})
    if whole < _HOUR:
        return message("duration-minutes", {"minutes": round(whole / _MINUTE)})
    if whole < 2 * _DAY:
        hours, minutes = divmod(round(whole / _MINUTE), 60)
        return message("duration-hours", {"hours": hours, "minutes": minutes})
    days, hours = divmod(round(whole / _HOUR), 24)
    return message("duration-days", {"days": days, "hours": hours})


def training_text(state: TrainingState | TrainingPhase) -> str:
    """How far a training is, or what it does beside its steps."""
    return _phase_text(state) if isinstance(state, TrainingPhase) else _state_text(state)


def _state_text(state: TrainingState) -> str:
    slug = "training-step" if state.steps else "training-step-alone"
    parts = [message(slug, {"step": f"{state.step:,}", "steps": f"{state.steps:,}"})]
    if state.loss is not None:
        parts.append(message("training-loss", {"loss": f"{state.loss:.4g}"}))
    if state.seconds_a_step:
        parts.append(_pace_text(state.seconds_a_step))
    if state.seconds_left:
        left = duration_text(state.seconds_left)
        parts.append(message("training-left", {"time": left}))
    if state.epoch is not None:
        parts.append(message("training-epoch", {"epoch": f"{state.epoch:.2f}"}))
    if state.resumed_from:
        parts.append(message("training-resumed", {"step": f"{state.resumed_from:,}"}))
    return message("training-comma", {}).join(parts)


def _pace_text(seconds: float) -> str:
    """`2.3 s a step`; of fast ones `25 steps a second`."""
    if seconds < _FAST:
        return message("training-pace-fast", {"steps": f"{1 / seconds:.2g}"})
    told = f"{seconds:.2g}" if seconds < 10 else f"{seconds:.0f}"
    return message("training-pace", {"seconds": told})


def _phase_text(phase: TrainingPhase) -> str:
    slug, counts = f"training-{phase.doing}", {}
    if phase.total and phase.doing in _COUNTED:
        slug, counts = f"{slug}-of", {"done": f"{phase.done or 0:,}", "total": f"{phase.total:,}"}
    text = message(slug, counts)
    if phase.seconds is None or phase.seconds < 1:
        return text
    time = duration_text(phase.seconds)
    return message("training-so-far", {"doing": text, "time": time})


def anew_text(anew: TrainedAnew) -> str:
    """Why a training is done anew, what it took last time, where its model stays."""
    took = ""
    if anew.seconds:
        took = message("anew-took", {"time": duration_text(anew.seconds)})
    why = "; ".join(in_user_language(each) for each in anew.changes)
    slug = "anew" if anew.certain else "anew-maybe"
    line = message(slug, {"block": anew.block, "took": took, "why": why})
    return f"{line}\n{message('anew-stays', {'folder': anew.stays})}"


def elsewhere_text(block: str, model: KeptModel) -> str:
    """Where the model of a training lies that is about to be done once more, and how to use it."""
    return message("model-elsewhere", {"block": block, "model": model.folder, "out": model.run})
