"""What LLaMA-Factory tells of a training while it runs: `trainer_log.jsonl` in its folder."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from sftrecipe.plugin import TrainingState

NAME = "trainer_log.jsonl"

Curve = Sequence[tuple[int, float]]


class TrainingLog:
    """Reads what was added since it was read last."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._read = 0

    def news(self) -> Iterator[TrainingState]:
        """How far it got, line by line."""
        try:
            if self._path.stat().st_size < self._read:  # it was begun anew
                self._read = 0
            with self._path.open("rb") as file:
                file.seek(self._read)
                added = file.read()
        except FileNotFoundError:
            return
        whole = added[: added.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in _entries(whole):
            steps = int(line.get("total_steps", 0))
            step = int(line.get("current_steps", 0))
            yield TrainingState(step, steps, line.get("loss"), line.get("epoch"))


def curves(folder: Path) -> tuple[Curve, Curve]:
    """The losses on what it trains on and on what is held out, by step.

    Of a step that was done twice, before and after an interruption, the later one counts.
    """
    lines = log_entries(folder)
    return _curve(lines, "loss"), _curve(lines, "eval_loss")


def log_entries(folder: Path) -> list[dict[str, Any]]:
    """All lines of the folder's log; none where there is no log."""
    try:
        return list(_entries((folder / NAME).read_bytes()))
    except FileNotFoundError:
        return []


def mean_loss(losses: Curve) -> float:
    """The mean over all steps; each entry is the mean since the one before it."""
    steps = [0, *(step for step, _ in losses)]
    spans = [step - before for before, step in pairwise(steps)]
    return sum(loss * span for (_, loss), span in zip(losses, spans, strict=True)) / steps[-1]


def _curve(lines: Sequence[Mapping[str, Any]], name: str) -> Curve:
    found = {int(line["current_steps"]): float(line[name]) for line in lines if name in line}
    return tuple(sorted(found.items()))


def _entries(text: bytes) -> Iterator[dict[str, Any]]:
    """Its lines; one that a kill cut short is left out."""
    for line in text.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and "step" in entry:  # so v1 calls it
            entry["current_steps"] = entry["step"]
        if isinstance(entry, dict) and "current_steps" in entry:
            yield entry
