"""Trainings in words: how far one is, how long it takes, why one is done anew."""

from __future__ import annotations

from sftrecipe.messages import in_user_language, message
from sftrecipe.run.trained_anew import TrainedAnew

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


def anew_text(anew: TrainedAnew) -> str:
    """Why a training is done anew, what it took last time, where its model stays."""
    took = ""
    if anew.seconds:
        took = message("anew-took", {"time": duration_text(anew.seconds)})
    why = "; ".join(in_user_language(each) for each in anew.changes)
    slug = "anew" if anew.certain else "anew-maybe"
    line = message(slug, {"block": anew.block, "took": took, "why": why})
    return f"{line}\n{message('anew-stays', {'folder': anew.stays})}"
