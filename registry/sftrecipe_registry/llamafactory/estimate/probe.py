"""A few real steps of a training, in a folder of their own: seconds a step, and the most memory."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import yaml

from sftrecipe.plugin import PluginRefused, Texts, Training
from sftrecipe_registry.llamafactory.arguments.schedule import Schedule, interval, number
from sftrecipe_registry.llamafactory.estimate.row_lengths import json_rows
from sftrecipe_registry.llamafactory.estimate.training_setup import (
    Settings,
    evaluation_rows,
    train_rows,
)
from sftrecipe_registry.llamafactory.estimate.training_time import TrainingTime
from sftrecipe_registry.llamafactory.training.output import listed
from sftrecipe_registry.llamafactory.training.process import failure, run_command
from sftrecipe_registry.shared.processes.server_note import SUFFIX, read_note

texts = Texts(__package__)

STEPS = 5
"""The first warms up, the second has the longest rows, the others are timed."""
_NAME = "probe"
_LEFT_OUT = (
    *("eval_dataset", "eval_strategy", "eval_steps", "val_size", "do_eval", "warmup_steps"),
    *("load_best_model_at_end", "save_steps", "save_total_limit", "save_only_model", "plot_loss"),
    *(
        "resume_from_checkpoint",
        "num_train_epochs",
        "max_samples",
        "report_to",
        "metric_for_best_model",
    ),
    *("warmup_ratio", "do_predict", "predict_with_generate", "push_to_hub", "run_name"),
)
_PLACES = (
    *("model_name_or_path", "adapter_name_or_path", "deepspeed", "media_dir", "ref_model"),
    *("reward_model", "ref_model_adapters", "reward_model_adapters", "cache_dir"),
)
"""Arguments whose relative paths start at the run's folder."""
_FORWARD = 1 / 3
"""Of a step's time what an evaluation of as many rows takes: the way forward alone."""


class Probed(NamedTuple):
    """What was measured."""

    seconds_a_batch: float
    """Of one device's batch, on rows as they come."""
    before: float
    """Seconds from the start to the first step: imports, data, model."""
    memory: int | None
    """The most that a process held, or that a GPU had to give it; None: not seen."""


async def probe(training: Training, settings: Settings, folder: Path, *, on_cpu: bool) -> Probed:
    """Train a few steps into an empty folder.

    Raises PluginRefused where it fails, or the exported rows cannot be read here.
    """
    _write_rows(training, settings, folder)
    (folder / "train.yaml").write_text(yaml.safe_dump(_settings(training, settings)), "utf-8")
    log, watch = folder / "train.log", _Watch(folder)
    training.say(f"trying {STEPS} steps; log: {log}")
    status = await run_command(
        ["train", "train.yaml"],
        folder,
        log,
        settings={},
        allowed=training.allowed,
        look=watch.look,
        more={"RECORD_VRAM": "1"},
    )
    if len(watch.steps) < 2:
        raise failure(texts("probe-failed", status=status), log)
    return watch.probed(on_cpu=on_cpu)


def probed_time(probed: Probed, settings: Settings, plan: Schedule, held_out: int) -> TrainingTime:
    """Seconds of the whole training: its start, its steps, its evaluations, and a merge, which
    reads and writes the model once more; `held_out`: rows that it evaluates on."""
    accumulation = max(int(number(settings, "gradient_accumulation_steps")), 1)
    seconds = probed.before + plan.steps * accumulation * probed.seconds_a_batch
    if evaluation_rows(settings) and held_out:
        times = 1
        if str(settings.get("eval_strategy", "no")) == "steps":
            times += plan.steps // interval(settings, "eval_steps", plan.steps)
        elif settings.get("eval_strategy") == "epoch":
            times += round(plan.epochs)
        batches = held_out / train_rows(settings)
        seconds += times * batches * probed.seconds_a_batch * _FORWARD
    if settings.get("finetuning_type", "lora") in ("lora", "oft"):
        seconds += probed.before
    return TrainingTime(seconds, "probe")


class _Watch:
    """Looks at the process and its log while it trains."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "model" / "trainer_log.jsonl"
        self._note = (folder / "train.log").with_suffix(SUFFIX)
        self.steps: list[float] = []
        """Seconds from the start to the end of each step."""
        self._host = 0
        self._device = 0.0

    def look(self, seconds: float) -> None:
        note = read_note(self._note)
        for process in note.processes if note else ():
            self._host = max(self._host, _high_water(process.pid))
        lines = self._log.read_bytes().splitlines() if self._log.exists() else []
        for line in lines[len(self.steps) :]:
            try:
                entry = json.loads(line)
            except ValueError:
                return
            self._device = max(self._device, float(entry.get("vram_reserved") or 0.0))
            if len(self.steps) < STEPS:
                self.steps.append(seconds)

    def probed(self, *, on_cpu: bool) -> Probed:
        timed = self.steps[1:] if len(self.steps) > 2 else self.steps
        a_batch = (timed[-1] - timed[0]) / (len(timed) - 1)
        memory = self._host if on_cpu else round(self._device * (1 << 30))
        return Probed(a_batch, max(0.0, self.steps[0] - a_batch), memory or None)


def _settings(training: Training, settings: Settings) -> dict[str, Any]:
    """The training's own, but for what a few steps do without."""
    kept = {name: value for name, value in settings.items() if name not in _LEFT_OUT}
    for name in _PLACES:
        places = [training.folder / each for each in listed(kept.get(name))]
        if places and all(place.exists() for place in places):
            kept[name] = ",".join(str(place.resolve()) for place in places)
    return {
        **kept,
        "dataset": _NAME,
        "dataset_dir": ".",
        "output_dir": "model",
        "overwrite_output_dir": True,
        "do_train": True,
        "max_steps": STEPS,
        "gradient_accumulation_steps": 1,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "disable_shuffling": True,
    }


def _write_rows(training: Training, settings: Settings, folder: Path) -> None:
    """A data set of rows drawn evenly, the longest ones in the second batch."""
    names = listed(settings.get("dataset"))
    for data_set in training.data:
        if data_set.name not in names or data_set.entry is None:
            continue
        rows = [row for file in data_set.files for row in json_rows(training.folder / file)]
        if rows:
            chosen = _chosen(rows, train_rows(settings))
            content = b"[\n" + b",\n".join(chosen) + b"\n]\n"
            (folder / "probe.json").write_bytes(content)
            entry = {**data_set.entry, "file_name": "probe.json"}
            (folder / "dataset_info.json").write_bytes(orjson.dumps({_NAME: entry}))
            return
    raise PluginRefused(texts("probe-no-rows"))


def _chosen(rows: Sequence[bytes], batch: int) -> list[bytes]:
    count = batch * (STEPS - 1)
    even = [rows[at * len(rows) // count] for at in range(count)]
    longest = sorted(rows, key=len, reverse=True)[:batch]
    longest += longest[:1] * (batch - len(longest))
    return [*even[:batch], *longest, *even[batch:]]


def _high_water(pid: int) -> int:
    """The most that a process held so far, in bytes; 0 where the system does not say."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(found[0]) << 10 if found else 0


def evaluated_rows(training: Training, settings: Mapping[str, Any], of_training: int) -> int:
    """Rows that it evaluates on: of a holdout, or `val_size`'s."""
    names = listed(settings.get("eval_dataset"))
    return sum(each.rows for each in training.data if each.name in names) or of_training
