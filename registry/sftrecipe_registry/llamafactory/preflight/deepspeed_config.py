"""DeepSpeed's configuration: what it, transformers and the other arguments would stop at, or lose.

Follows transformers 5.6 (integrations/deepspeed.py), LLaMA-Factory 0.9.5 (hparams/parser.py) and
DeepSpeed 0.19 (runtime/config.py, runtime/zero/config.py). With one device LLaMA-Factory starts
DeepSpeed only under torchrun, which training/variables.py asks for.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from sftrecipe.plugin import Finding, Texts, Training
from sftrecipe_registry.llamafactory.arguments.schedule import number
from sftrecipe_registry.llamafactory.preflight.arguments import Settings
from sftrecipe_registry.llamafactory.training.variables import training_variables
from sftrecipe_registry.shared.processes.process_result import finished_process

texts = Texts(__package__)

_WORKER = Path(__file__).with_name("deepspeed_worker.py")
_SECONDS = 180.0
_TOP = frozenset(
    {
        *("train_batch_size", "train_micro_batch_size_per_gpu", "gradient_accumulation_steps"),
        *("managed_gradient_accumulation", "gradient_clipping", "optimizer", "scheduler", "fp16"),
        *("bf16", "bfloat16", "torch_autocast", "amp", "zero_optimization", "zero_stage"),
        *("zero_allow_untested_optimizer", "zero_force_ds_cpu_optimizer", "steps_per_print"),
        *("wall_clock_breakdown", "memory_breakdown", "dump_state", "prescale_gradients"),
        *("gradient_predivide_factor", "gradient_allreduce_op", "sparse_gradients"),
        *("communication_data_type", "seq_parallel_communication_data_type", "log_level"),
        *("disable_allgather", "disable_python_gc", "activation_checkpointing", "aio"),
        *("sparse_attention", "flops_profiler", "tensorboard", "wandb", "csv_monitor", "comet"),
        *("comms_logger", "autotuning", "checkpoint", "data_types", "data_efficiency", "timers"),
        *("curriculum_learning", "compression_training", "elasticity", "pipeline", "hybrid_engine"),
        *("dataloader_drop_last", "use_data_before_expert_parallelism", "eigenvalue", "compile"),
        *("weight_quantization", "tensor_parallel", "sequence_parallel_size", "monitor_config"),
        *("expert_parallel", "quantize_training", "progressive_layer_drop", "datastates_ckpt"),
    }
)
"""Keys that it reads; others it passes over without a word."""
_FILLED = frozenset(
    {
        *("train_batch_size", "train_micro_batch_size_per_gpu", "gradient_accumulation_steps"),
        *("gradient_clipping", "fp16.enabled", "bf16.enabled"),
        *(f"optimizer.params.{name}" for name in ("lr", "betas", "eps", "weight_decay")),
        *(f"scheduler.params.{name}" for name in ("warmup_min_lr", "warmup_max_lr")),
        *(f"scheduler.params.{name}" for name in ("warmup_num_steps", "total_num_steps")),
        *(
            f"zero_optimization.{name}"
            for name in (
                *("reduce_bucket_size", "stage3_prefetch_bucket_size"),
                *("stage3_param_persistence_threshold", "offload_optimizer.device"),
                *("offload_param.device", "offload_optimizer.nvme_path", "offload_param.nvme_path"),
                "stage3_gather_16bit_weights_on_model_save",
            )
        ),
        "data_types.keep_in_fp32_modules",
    }
)
"""Where `auto` is filled in."""
_MATCHED: Mapping[str, tuple[str, object]] = {
    "train_micro_batch_size_per_gpu": ("per_device_train_batch_size", 8),
    "gradient_accumulation_steps": ("gradient_accumulation_steps", 1),
    "gradient_clipping": ("max_grad_norm", 1.0),
    "optimizer.params.lr": ("learning_rate", 5e-5),
    "optimizer.params.eps": ("adam_epsilon", 1e-8),
    "optimizer.params.weight_decay": ("weight_decay", 0.0),
    "scheduler.params.warmup_max_lr": ("learning_rate", 5e-5),
    "fp16.enabled": ("fp16", False),
    "bf16.enabled": ("bf16", False),
}
"""Values that must be the argument's own, and its default."""
_NOT_AT_STAGE_3 = ("pure_bf16", "predict_with_generate", "pissa_init", "use_unsloth", "use_kt")
_NEVER = ("use_galore", "use_apollo")
_GATHER = "stage3_gather_16bit_weights_on_model_save"
_DEVICES = ("none", "cpu", "nvme", "auto")


def deepspeed_findings(settings: Settings, training: Training) -> Iterator[Finding]:
    """What is wrong with the configuration that the argument `deepspeed` names, or is."""
    named = settings.get("deepspeed")
    if named in (None, ""):
        return
    config = named
    if isinstance(named, str):
        place = training.folder / named
        if not place.is_file():
            text = texts("no-deepspeed-file", name=named)
            yield Finding("fault", "packages", text, texts("name-deepspeed-file"))
            return
        try:
            config = json.loads(place.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            yield _fault(texts("deepspeed-no-json", name=named, cause=str(error)))
            return
    if not isinstance(config, dict):
        yield _fault(texts("deepspeed-no-object", name=Path(str(named)).name))
        return
    for name in _NEVER:
        if settings.get(name) is True:
            yield _fault(
                texts("deepspeed-excludes", name=name), texts("leave-one-of-both", name=name)
            )
    yield from _unknown_keys(config)
    yield from _unfilled(config)
    yield from _mismatches(config, settings)
    yield from _zero_findings(config, settings)


def refused_by_deepspeed(
    python: Path, settings: Settings, folder: Path, packages: Collection[str]
) -> Iterator[Finding]:
    """What its own reader refuses, where the training environment has it; `auto` is filled in."""
    named = settings.get("deepspeed")
    if not named or "deepspeed" not in packages:
        return
    text = named if isinstance(named, str) else json.dumps(named)
    done = finished_process(
        [str(python), str(_WORKER), text], _SECONDS, cwd=folder, env=training_variables(python, {})
    )
    said = done.stdout.strip().splitlines() if done and done.returncode == 0 else []
    if said and said[-1] != "null":
        yield _fault(texts("deepspeed-refuses", cause=json.loads(said[-1])))


def _fault(text: Any, advice: Any = None) -> Finding:
    return Finding("fault", "deepspeed", text, advice)


def _unknown_keys(config: Mapping[str, Any]) -> Iterator[Finding]:
    for name in config:
        if name not in _TOP:
            close = get_close_matches(name, sorted(_TOP), n=1)
            advice = texts("deepspeed-meant", meant=close[0]) if close else None
            yield Finding("warning", "deepspeed", texts("deepspeed-unknown", name=name), advice)


def _unfilled(config: Mapping[str, Any]) -> Iterator[Finding]:
    """`auto` where nobody fills it in: DeepSpeed takes it for the value."""
    for name, value in _leaves(config, ""):
        if value == "auto" and name not in _FILLED:
            yield _fault(texts("deepspeed-auto", name=name), texts("deepspeed-write-value"))
    if not config.keys() & {"train_batch_size", "train_micro_batch_size_per_gpu"}:
        advice = texts("deepspeed-write-auto", name="train_micro_batch_size_per_gpu")
        yield _fault(texts("deepspeed-no-batch"), advice)


def _leaves(config: Mapping[str, Any], before: str) -> Iterator[tuple[str, Any]]:
    for name, value in config.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def _mismatches(config: Mapping[str, Any], settings: Settings) -> Iterator[Finding]:
    """Numbers that say something else than the arguments: transformers stops at them."""
    values = dict(_leaves(config, ""))
    for name, (argument, default) in _MATCHED.items():
        found, wanted = values.get(name), settings.get(argument, default)
        if found not in (None, "auto") and wanted is not None and found != wanted:
            text = texts(
                "deepspeed-differs", name=name, value=found, argument=argument, wanted=wanted
            )
            yield _fault(text, texts("deepspeed-write-auto", name=name))
    batch = values.get("train_batch_size")
    one = max(1, int(number(settings, "per_device_train_batch_size")))
    one *= max(1, int(number(settings, "gradient_accumulation_steps")))
    if isinstance(batch, int) and (batch < one or batch % one):
        text = texts("deepspeed-batch", value=batch, one=one)
        yield _fault(text, texts("deepspeed-write-auto", name="train_batch_size"))
    if values.get("fp16.enabled") is True and values.get("bf16.enabled") is True:
        yield _fault(texts("deepspeed-both"), texts("deepspeed-write-auto", name="fp16.enabled"))


def _zero_findings(config: Mapping[str, Any], settings: Settings) -> Iterator[Finding]:
    zero = config.get("zero_optimization") or {}
    stage = zero.get("stage", 0) if isinstance(zero, Mapping) else None
    if stage not in (0, 1, 2, 3) or isinstance(stage, bool):
        yield _fault(texts("deepspeed-stage", value=stage), texts("deepspeed-stages"))
        return
    for name, least in (("offload_optimizer", 1), ("offload_param", 3)):
        offload = zero.get(name) or {}
        device = offload.get("device", "none") if isinstance(offload, Mapping) else offload
        if device not in _DEVICES:
            advice = texts("deepspeed-devices")
            yield _fault(texts("deepspeed-device", name=name, value=device), advice)
        elif device == "nvme" and not (isinstance(offload, Mapping) and offload.get("nvme_path")):
            yield _fault(texts("deepspeed-nvme", name=name), texts("deepspeed-nvme-path"))
        elif device != "none" and stage < least:
            text = texts("deepspeed-no-offload", name=name, stage=stage, least=least)
            yield Finding("warning", "deepspeed", text)
    if stage == 3:
        yield from _stage_3_findings(zero, settings)


def _stage_3_findings(zero: Mapping[str, Any], settings: Settings) -> Iterator[Finding]:
    for name in _NOT_AT_STAGE_3:
        if settings.get(name) is True:
            advice = texts("deepspeed-stage-2", name=name)
            yield _fault(texts("deepspeed-not-at-3", name=name), advice)
    if settings.get("quantization_bit") not in (None, 4):
        advice = texts("deepspeed-four-bits")
        yield _fault(texts("deepspeed-not-at-3", name="quantization_bit"), advice)
    if zero.get(_GATHER) not in (True, "auto"):
        yield _fault(texts("deepspeed-no-weights", name=_GATHER), texts("set-true", name=_GATHER))
