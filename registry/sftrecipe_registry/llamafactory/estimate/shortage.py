"""Memory and disk that a training needs and this machine has not, with what would fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sftrecipe.plugin import Finding, Text, Texts, TrainingForecast

texts = Texts(__package__)

OWN_ERROR = 1.15
"""What an estimate may be wrong by (benchmarks/trainings/memory.py)."""
_NEAR = 0.92
_GB = 1e9


def shortage_findings(forecast: TrainingForecast, *, uncounted: bool) -> Iterator[Finding]:
    """A fault where even an estimate that is too high by its own error leaves it too large.

    It is a warning where the model's size or the rows' lengths are guessed, something that takes
    memory is `uncounted`, or it is near.
    """
    peak, has = (forecast.memory or {}).get("peak"), forecast.device_memory
    if peak is not None and has is not None and peak > has * _NEAR:
        known = forecast.shape != "name" and forecast.lengths != "cutoff" and not uncounted
        values = {"needed": peak / _GB, "has": has / _GB, "device": forecast.device}
        state = "fault" if known and peak > has * OWN_ERROR else "warning"
        text = texts("needs-more" if peak > has else "may-need-more", **values)
        yield Finding(state, "memory", text, _advice(forecast))  # type: ignore[arg-type]
    disk, free = forecast.disk, forecast.disk_free
    if disk is not None and free is not None and disk > free:
        text = texts("needs-disk", needed=disk / _GB, free=free / _GB)
        yield Finding("warning", "disk", text, texts("keep-fewer"))


def _advice(forecast: TrainingForecast) -> Text:
    if not forecast.fits:
        return texts("nothing-fits")
    told = tuple(
        texts("one-fit", settings=_yaml(change), needed=peak / _GB)
        for change, peak in forecast.fits
    )
    return texts("would-fit", settings=told)


def _yaml(settings: Mapping[str, object]) -> str:
    return ", ".join(
        f"{name}: {str(value).lower() if isinstance(value, bool) else value}"
        for name, value in settings.items()
    )
