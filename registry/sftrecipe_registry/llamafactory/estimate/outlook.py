"""All that is foreseen of a training, put together from its arguments, data and machine."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sftrecipe.plugin import Finding, Texts, Training, TrainingForecast
from sftrecipe_registry.llamafactory.arguments.schedule import (
    Schedule,
    schedule,
    split_rows,
    training_processes,
)
from sftrecipe_registry.llamafactory.estimate.device import training_device
from sftrecipe_registry.llamafactory.estimate.disk import disk_bytes
from sftrecipe_registry.llamafactory.estimate.fitting import Fit, fits
from sftrecipe_registry.llamafactory.estimate.memory import (
    CPU_FLOOR,
    CUDA_LIBRARIES,
    MemoryEstimate,
    cutoff_of,
    divided,
    longest_rows,
    memory_estimate,
)
from sftrecipe_registry.llamafactory.estimate.model_shape import shape_of
from sftrecipe_registry.llamafactory.estimate.row_lengths import (
    RowLengths,
    counted_lengths,
    sampled_lengths,
)
from sftrecipe_registry.llamafactory.estimate.shortage import shortage_findings
from sftrecipe_registry.llamafactory.estimate.training_setup import (
    Settings,
    training_setup,
)
from sftrecipe_registry.llamafactory.estimate.training_time import (
    SAME_PACE,
    TrainingTime,
    by_gpu,
    by_last_run,
)
from sftrecipe_registry.llamafactory.training.environment import training_site_packages
from sftrecipe_registry.llamafactory.training.output import listed, read_json
from sftrecipe_registry.llamafactory.v1.version import speaks_v1
from sftrecipe_registry.shared.models.packaged_checkpoint import packaged_folder
from sftrecipe_registry.shared.models.packaged_models import PACKAGED

texts = Texts(__package__)

_SPARE = 0.92
"""Of a memory what a hint lets a training take."""
_ROUGH = (
    *("use_unsloth", "use_ray", "mixture_of_depths", "use_llama_pro", "fsdp", "deepspeed"),
    *("use_unsloth_gc", "shift_attn", "use_kt"),
)
"""Arguments that change memory in ways that are not counted, or not all of them."""


class Outlook:
    """What is known of a training: settings, model, device, rows."""

    def __init__(
        self,
        settings: Settings,
        training: Training,
    ) -> None:
        self.settings = settings
        self.model = str(settings.get("model_name_or_path") or "")
        self.device = training_device(use_cpu=settings.get("use_cpu") is True)
        self.shape = shape_of(self.model, training.folder, settings)
        cutoff = cutoff_of(settings)
        counted = counted_lengths(settings, training.folder)
        self.lengths: RowLengths = counted or sampled_lengths(
            settings, training.data, training.folder, cutoff
        )
        self._floor = libraries_floor()
        self._training = training
        self._stage = _zero_stage(settings, training.folder)

    @property
    def rows(self) -> int | None:
        """Rows that are trained on, as far as the data stands or is foreseen."""
        names = listed(self.settings.get("dataset"))
        found = [
            each.rows
            for each in self._training.data
            if each.role == "train" and (each.name in names or not names)
        ]
        total = sum(found) if found else self._training.rows
        most = self.settings.get("max_samples")
        if total is not None and isinstance(most, int) and not isinstance(most, bool):
            total = min(total, most * max(len(found), 1))
        return None if total is None else split_rows(self.settings, total)[0]

    def schedule(self) -> Schedule | None:
        """Its steps; None where nothing tells its rows."""
        rows = self.rows
        if rows is None:
            return None
        gpus = 0 if self.device.on_cpu else self.device.number
        if _packs(self.settings):  # as many blocks as the tokens fill
            rows = max(1, round(rows * self.lengths.mean / cutoff_of(self.settings)))
        return schedule(self.settings, rows, training_processes(gpus, self.settings))

    def memory(self, settings: Settings | None = None) -> MemoryEstimate | None:
        """What it takes, by its own settings or others; None where the model is not known."""
        if self.shape is None:
            return None
        given = self.settings if settings is None else settings
        setup = training_setup(given, self.shape, on_cpu=self.device.on_cpu)
        longest = min(longest_rows(given, self.lengths.padded()), cutoff_of(given))
        found = memory_estimate(given, setup, longest, self._floor)
        return divided(found, self._stage, self.device.number)

    def fits(self) -> list[Fit]:
        """Settings with which it fits where it does not."""
        memory, found = self.device.memory, self.memory()
        if memory is None or found is None or found.peak <= memory * _SPARE:
            return []

        def peak(settings: Settings) -> int:
            other = self.memory(settings)
            assert other is not None  # noqa: S101 - the same model
            return other.peak

        return fits(self.settings, self.lengths.longest, int(memory * _SPARE), peak)

    def forecast(self, measured: TrainingTime | None = None) -> TrainingForecast:
        """All of it."""
        memory, plan = self.memory(), self.schedule()
        mean = float(cutoff_of(self.settings)) if _packs(self.settings) else self.lengths.mean
        a_step = None if plan is None else round(plan.rows_a_step * mean)
        time = measured or self._time(plan, mean)
        return TrainingForecast(
            model=PACKAGED if self.model == str(packaged_folder()) else self.model,
            shape=None if self.shape is None else self.shape.basis,
            device=self.device.name,
            device_memory=self.device.memory,
            rows=self.rows,
            steps=None if plan is None else plan.steps,
            epochs=None if plan is None else plan.epochs,
            rows_a_step=None if plan is None else plan.rows_a_step,
            tokens_a_step=a_step,
            tokens=None if plan is None or a_step is None else a_step * plan.steps,
            lengths=self.lengths.basis,
            memory=None if memory is None else memory.facts(),
            fits=[(fit.settings, fit.peak) for fit in self.fits()],
            seconds=time and time.seconds,
            time_basis=time and time.basis,
            disk=self._disk(plan),
            disk_free=free_space(self._training.folder),
            notes=tuple(self._notes()),
        )

    def findings(self) -> Iterator[Finding]:
        """What this machine has too little of."""
        uncounted = any(True for _ in self._memory_notes())
        return shortage_findings(self.forecast(), uncounted=uncounted)

    async def probed(self, folder: Path) -> TrainingForecast:
        """The same after a few real steps in an empty folder. Raises PluginRefused."""
        from sftrecipe_registry.llamafactory.estimate.probe import (  # noqa: PLC0415 - asyncio's processes
            evaluated_rows,
            probe,
            probed_time,
        )

        if speaks_v1():
            told = self.forecast()
            return replace(told, notes=(*told.notes, texts("v1-not-probed")))
        plan = self.schedule()
        found = await probe(self._training, self.settings, folder, on_cpu=self.device.on_cpu)
        if plan is None:
            return replace(self.forecast(), measured_memory=found.memory)
        taken = split_rows(self.settings, self.rows or 0)[1]
        held_out = evaluated_rows(self._training, self.settings, taken)
        told = self.forecast(probed_time(found, self.settings, plan, held_out))
        return replace(told, measured_memory=found.memory)

    def _time(self, plan: Schedule | None, mean: float) -> TrainingTime | None:
        if plan is None:
            return None
        examples = plan.steps * plan.rows_a_step
        found = by_last_run(self._training.before, examples)
        if found and not self._paced_anew():
            return found
        if self.shape is None or self.device.on_cpu:
            return None
        setup = training_setup(self.settings, self.shape, on_cpu=False)
        return by_gpu(setup, self.settings, self.device, examples * mean)

    def _paced_anew(self) -> list[str]:
        """Arguments that changed since the training before, and may have changed its rate."""
        return sorted(self._training.changed - SAME_PACE)

    def _disk(self, plan: Schedule | None) -> int | None:
        if self.shape is None or plan is None:
            return None
        setup = training_setup(self.settings, self.shape, on_cpu=self.device.on_cpu)
        return disk_bytes(self.settings, setup, plan.steps)

    def _notes(self) -> Iterator[str]:
        if (names := self._paced_anew()) and "train_samples_per_second" in self._training.before:
            yield texts("paced-anew", names=", ".join(names))
        yield from self._memory_notes()

    def _memory_notes(self) -> Iterator[str]:
        """What makes memory and disk rougher than their own error."""
        if self.shape is None:
            yield texts("model-unknown", model=self.model)
            return
        if self.shape.basis == "name":
            yield texts("model-by-name", model=self.model)
        setup = training_setup(self.settings, self.shape, on_cpu=self.device.on_cpu)
        if setup.moments is None:
            yield texts("optimizer-unknown", name=self.settings.get("optim"))
        for name in _ROUGH:
            if self.settings.get(name) not in (None, False, ""):
                yield texts("not-counted", name=name)
        if self.settings.get("stage") == "ppo":
            yield texts("not-counted", name="stage: ppo")


def libraries_floor() -> int:
    """Bytes of the training's process before it has a model, by how its torch is built."""
    packages = training_site_packages()
    try:
        built = (packages / "torch" / "version.py").read_text(encoding="utf-8") if packages else ""
    except OSError:
        built = ""
    found = re.search(r"^cuda\b[^=]*=\s*(\S+)", built, re.MULTILINE)
    return CPU_FLOOR + (CUDA_LIBRARIES if found and found[1] != "None" else 0)


def free_space(folder: Path) -> int | None:
    """Bytes that are free where a folder lies, or will lie."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def _packs(settings: Settings) -> bool:
    packs = settings.get("packing", settings.get("stage") == "pt")
    return packs is True or settings.get("neat_packing") is True


def _zero_stage(settings: Settings, folder: Path) -> int:
    """Which states GPUs share; 0 where a configuration tells none."""
    if settings.get("fsdp"):
        return 3
    named = settings.get("deepspeed")
    config: Mapping[str, Any] = named if isinstance(named, Mapping) else {}
    if isinstance(named, str):
        config = read_json(folder / named)
    zero = config.get("zero_optimization")
    stage = zero.get("stage", 0) if isinstance(zero, Mapping) else 0
    return stage if stage in (1, 2, 3) else 0
