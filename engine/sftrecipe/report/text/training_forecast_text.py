"""What trainings will take, as a terminal shows it, and as plain data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from sftrecipe.messages import in_user_language, message, word
from sftrecipe.plugin.trainer import TrainingForecast
from sftrecipe.report.text.training_text import duration_text

_PARTS = ("floor", "weights", "gradients", "optimizer", "activations", "logits", "heap")
_SMALL = 5_000_000


def forecast_text(block: str, forecast: TrainingForecast, path: str) -> str:
    """A few lines: steps and tokens, memory, time, disk; `path`: the recipe's, for commands."""
    head = message("foreseen-head", {"block": block, "model": forecast.model})
    return "\n".join([head, *_lines(forecast, path)])


def forecast_facts(forecast: TrainingForecast) -> dict[str, Any]:
    """The same as plain data; null: not known."""
    fits = [{"settings": dict(change), "peak": peak} for change, peak in forecast.fits]
    return {**asdict(forecast), "fits": fits, "notes": [str(each) for each in forecast.notes]}


def forecast_entry(forecast: TrainingForecast) -> dict[str, Any]:
    """The same in a list of findings, as one whose state is `forecast`."""
    return {"state": "forecast", "check": "forecast", "forecast": forecast_facts(forecast)}


def _lines(forecast: TrainingForecast, path: str) -> Iterator[str]:
    yield _steps(forecast)
    yield from _memory(forecast)
    if forecast.seconds is None:
        yield message("foreseen-no-time", {"path": path})
    else:
        basis = message(f"foreseen-by-{forecast.time_basis}", {})
        yield message("foreseen-time", {"time": duration_text(forecast.seconds), "basis": basis})
    if forecast.disk is not None:
        values = {"bytes": bytes_text(forecast.disk), "free": bytes_text(forecast.disk_free)}
        yield message("foreseen-disk", values)
    for note in forecast.notes:
        yield message("foreseen-note", {"note": in_user_language(note)})


def _steps(forecast: TrainingForecast) -> str:
    if forecast.steps is None or forecast.tokens is None:
        return message("foreseen-no-rows", {})
    most = forecast.lengths == "cutoff"
    counts = {"a_step": f"{forecast.tokens_a_step:,}", "all": f"{forecast.tokens:,}"}
    values = {
        "rows": f"{forecast.rows:,}",
        "epochs": f"{forecast.epochs:.3g}",
        "steps": f"{forecast.steps:,}",
        "batch": f"{forecast.rows_a_step:,}",
        "tokens": message("foreseen-tokens-most" if most else "foreseen-tokens", counts),
    }
    return message("foreseen-steps", values)


def _memory(forecast: TrainingForecast) -> Iterator[str]:
    memory = forecast.memory
    if memory is not None:
        told = [name for name in _PARTS if memory.get(name, 0) >= _SMALL]
        instead = memory.get("activations", 0) + memory.get("logits", 0)
        if memory.get("evaluation", 0) > (_SMALL if forecast.device == "CPU" else instead):
            told.append("evaluation")
        if memory.get("merging", 0) > memory.get("training", 0):
            told.append("merging")
        parts = [
            message(f"foreseen-part-{name}", {"bytes": bytes_text(memory[name])}) for name in told
        ]
        values = {
            "peak": bytes_text(memory["peak"]),
            "has": bytes_text(forecast.device_memory),
            "device": forecast.device,
            "parts": word("comma").join(parts),
        }
        rough = forecast.shape == "name"
        yield message("foreseen-memory-rough" if rough else "foreseen-memory", values)
        if forecast.device_memory is not None and memory["peak"] > forecast.device_memory:
            yield message("foreseen-too-much", {})
    if forecast.measured_memory is not None:
        yield message("foreseen-measured", {"peak": bytes_text(forecast.measured_memory)})
    if forecast.fits:
        fits = message("foreseen-or", {}).join(_fit(*fit) for fit in forecast.fits)
        yield message("foreseen-would-fit", {"settings": fits})


def _fit(settings: Mapping[str, Any], peak: int) -> str:
    told = ", ".join(f"{name}: {_yaml(value)}" for name, value in settings.items())
    return message("foreseen-fit", {"settings": told, "bytes": bytes_text(peak)})


def _yaml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def bytes_text(amount: int | None) -> str:
    """`310 MB`, `2.4 GB`, `31 GB`."""
    if amount is None:
        return message("foreseen-unknown", {})
    if amount < 1e9:
        return f"{amount / 1e6:.0f} MB"
    return f"{amount / 1e9:.1f} GB" if amount < 1e10 else f"{amount / 1e9:.0f} GB"
