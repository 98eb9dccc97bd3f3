"""What LLaMA-Factory is doing, by what it prints: `train.log`."""

from __future__ import annotations

import re
from pathlib import Path

from sftrecipe.plugin import TrainingPhase

_AT_MOST = 1 << 18
"""Bytes that are read at once; of more the end."""
_BAR = re.compile(r"(?:^|\s|\|) ?(\d+)/(\d+) \[")
_STEPS = re.compile(r"Total optimization steps = ([\d,]+)")
_PHASES = (
    (re.compile(r"Running tokenizer on dataset"), TrainingPhase("tokenising")),
    (
        re.compile(r"Converting format of dataset|Generating \w+ split|Loading dataset"),
        TrainingPhase("reading"),
    ),
    (
        re.compile(r"Loading weights|Loading checkpoint shards|loading weights file"),
        TrainingPhase("loading"),
    ),
    (re.compile(r"\*{5} Running training \*{5}"), TrainingPhase("training")),
    (re.compile(r"\*{5} Running (?:Evaluation|Prediction) \*{5}"), TrainingPhase("evaluating")),
    (re.compile(r"Saving model checkpoint|\*{5} train metrics \*{5}"), TrainingPhase("saving")),
)
"""How the lines begin that transformers, datasets and LLaMA-Factory write before each."""
_SAVED = re.compile(r"tokenizer config file saved in ")
"""After the weights of a checkpoint; the next step's bar comes when that is done."""


class ProgramLog:
    """Follows the log while it grows; what stands in it at first is of an earlier attempt."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._read = log.stat().st_size if log.exists() else 0
        self._rest = ""
        self.phase = TrainingPhase("starting")
        self.step = 0
        """The last step that its bar told."""
        self.steps: int | None = None

    def look(self) -> None:
        """Read what was added."""
        try:
            with self._log.open("rb") as file:
                size = file.seek(0, 2)
                file.seek(max(self._read if size >= self._read else 0, size - _AT_MOST))
                added = file.read()
                self._read = file.tell()
        except OSError:
            return
        # A bar writes over itself.
        *parts, self._rest = re.split(r"[\r\n]", self._rest + added.decode("utf-8", "replace"))
        for part in [*parts, self._rest]:
            self._take(part)

    def _take(self, line: str) -> None:
        if found := _STEPS.search(line):
            self.steps = int(found[1].replace(",", ""))
        bar = _BAR.search(line)
        done, total = (int(bar[1]), int(bar[2])) if bar else (None, None)
        if done is not None and total == self.steps and done > self.step:
            self.step, self.phase = done, TrainingPhase("training")
        if self.phase.doing == "saving" and self.step < (self.steps or 0) and _SAVED.search(line):
            self.phase = TrainingPhase("training")
        named = next((phase for sign, phase in _PHASES if sign.search(line)), None)
        if named:
            counted = named.doing in ("tokenising", "reading")
            self.phase = named._replace(done=done, total=total) if counted else named
        elif self.phase.doing == "evaluating" and total is not None and total != self.steps:
            self.phase = TrainingPhase("evaluating", done, total)
