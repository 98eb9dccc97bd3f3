"""The time that a training takes: by its last run, by measured steps, roughly on a known GPU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from sftrecipe_registry.llamafactory.estimate.device import Device
from sftrecipe_registry.llamafactory.estimate.training_setup import Settings, TrainingSetup

_TERAFLOPS: Mapping[str, float] = {
    **dict.fromkeys(("H200", "H100", "H800"), 989.0),
    **dict.fromkeys(("A100", "A800"), 312.0),
    **{"L40S": 362.0, "RTX 6000 Ada": 364.0, "L4": 121.0, "A10G": 70.0, "A10": 125.0},
    **{"RTX 4090": 165.0, "RTX 3090": 71.0, "A6000": 155.0, "V100": 125.0, "T4": 65.0},
}
"""Dense bf16 (V100, T4: fp16) by the makers' data sheets; a name holds its key."""
_USED = 0.35
"""Of that what training in this way reaches (PaLM, arXiv 2204.02311, table 3: 21 to 46 %)."""

SAME_PACE = frozenset(
    (
        *("learning_rate", "lr_scheduler_type", "lr_scheduler_kwargs", "warmup_steps"),
        *("warmup_ratio", "weight_decay", "max_grad_norm", "adam_beta1", "adam_beta2"),
        *("adam_epsilon", "lora_alpha", "seed", "data_seed", "num_train_epochs", "max_steps"),
        *("max_samples", "dataset", "output_dir", "run_name", "label_smoothing_factor"),
        *("neftune_noise_alpha", "pref_beta", "save_total_limit", "ddp_timeout"),
    )
)
"""Arguments of which none changes how many rows are trained on in a second."""

TimeBasis = Literal["probe", "last-run", "rough"]


class TrainingTime(NamedTuple):
    """Seconds, and what they rest on."""

    seconds: float
    basis: TimeBasis


def by_last_run(before: Mapping[str, float], examples: float) -> TrainingTime | None:
    """At the rate of the block's training before; `examples`: rows times epochs."""
    rate = before.get("train_samples_per_second", 0.0)
    return TrainingTime(examples / rate, "last-run") if rate > 0 else None


def by_gpu(
    setup: TrainingSetup, settings: Settings, device: Device, tokens: float
) -> TrainingTime | None:
    """Roughly: 6 operations a parameter and token (Kaplan et al. 2020, section 2.1), 4 where the
    model's own weights stay, 2 more where activations are computed twice."""
    name = next((key for key in _TERAFLOPS if key in device.name), None)
    if name is None:
        return None
    operations = (6 if setup.own else 4) + (2 if setup.checkpointing else 0)
    work = operations * setup.shape.parameters * tokens
    return TrainingTime(work / (_TERAFLOPS[name] * 1e12 * _USED * device.number), "rough")
