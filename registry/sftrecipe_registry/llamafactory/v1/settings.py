"""The recipe's arguments as v1 takes them: equal, renamed, put into a plugin's mapping, or refused.

An allow-list: what has no line here is refused by its name. Follows llamafactory/v1 of 0.9.5 and
its main branch of August 2026.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sftrecipe.plugin import Text, Texts
from sftrecipe_registry.llamafactory.arguments.argument import ArgumentTable

texts = Texts(__package__)

STAGES = ("sft", "dpo")
"""Not `rm`: its head is no file of its own, which reward judges read, and `merge` leaves it out."""
_EQUAL = frozenset(
    {
        *("bf16", "cutoff_len", "full_determinism", "learning_rate", "max_grad_norm", "output_dir"),
        *("save_total_limit", "seed", "trust_remote_code"),
    }
)
_OF_PAIRS = frozenset(
    {
        *("pref_loss", "pref_beta", "pref_ftx", "simpo_gamma", "dpo_label_smoothing", "ld_alpha"),
    }
)
"""Equal too, in versions that train on pairs."""
_RENAMED = {
    "model_name_or_path": "model",
    "per_device_train_batch_size": "micro_batch_size",
    "dataloader_num_workers": "batching_workers",
    "resume_from_checkpoint": "resume_from_checkpoint",
}
OWN = frozenset(
    {
        *("batching_strategy", "batching_workers", "enable_activation_checkpointing"),
        *("global_batch_size", "micro_batch_size", "save_ckpt_as_hf", "save_epochs"),
    }
)
"""v1's own names that a recipe may use beside: plain values, none names a file or a place."""
_WITHOUT_EFFECT = frozenset(
    {
        *("do_train", "overwrite_output_dir", "overwrite_cache", "dataset", "dataset_dir"),
        *("preprocessing_num_workers", "ddp_timeout", "use_cpu", "remove_unused_columns"),
        *("logging_first_step", "include_num_input_tokens_seen", "low_cpu_mem_usage"),
        *("per_device_eval_batch_size", "dataloader_pin_memory", "plot_loss", "do_eval"),
        "eval_dataset",
    }
)
"""What changes nothing that is learned, or is said in another way."""
_LORA = {
    "lora_rank": "r",
    "lora_alpha": "lora_alpha",
    "lora_dropout": "lora_dropout",
    "lora_target": "target_modules",
    "use_rslora": "use_rslora",
    "use_dora": "use_dora",
    "additional_target": "modules_to_save",
    "adapter_name_or_path": "adapter_name_or_path",
}
_FREEZE = ("freeze_trainable_layers", "freeze_trainable_modules", "freeze_extra_modules")
_QUANTIZATION = ("quantization_bit", "double_quantization", "quantization_type")
_ATTENTION = {
    "auto": "sdpa",
    "sdpa": "sdpa",
    "disabled": "eager",
    "fa2": "flash_attention_2",
}
_ELSEWHERE = frozenset(
    {
        *("stage", "template", "finetuning_type", "num_train_epochs", "max_steps", "flash_attn"),
        *("gradient_accumulation_steps", "logging_steps", "save_steps", "save_strategy"),
        *("disable_gradient_checkpointing", "enable_liger_kernel", "deepspeed"),
        *("quantization_method", *_LORA, *_FREEZE, *_QUANTIZATION),
    }
)
"""Translated below, one by one."""
_ADVICE = {
    "lr_scheduler_type": "keep-rate-constant",
    "warmup_ratio": "keep-rate-constant",
    "warmup_steps": "keep-rate-constant",
    "default_system": "system-in-rows",
    "mask_history": "mask-by-rows",
    "packing": "write-batching-strategy",
    "neat_packing": "write-batching-strategy",
    "max_samples": "limit-in-mix",
    "val_size": "holdout-in-export",
    "report_to": "trackers-unknown",
}


class Refused(NamedTuple):
    """An argument that v1 cannot be given."""

    name: str
    message: Text
    advice: Text


@dataclass
class Translation:
    """What v1 is given, what it cannot be given, and what is other than it was."""

    settings: dict[str, Any] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    told: list[Text] = field(default_factory=list)


def translated(
    given: Mapping[str, Any], own: ArgumentTable, old: ArgumentTable, processes: int = 1
) -> Translation:
    """Translate the arguments of a recipe.

    `own` is v1's table, `old` that of the version before, whose defaults are kept where v1's are
    others; `processes`: how many train together.
    """
    made = Translation()
    made.refused += _refused(given, own, old)
    settings = made.settings
    for name, value in given.items():
        if name in _EQUAL or name in OWN or (name in _OF_PAIRS and name in own.arguments):
            settings[name] = value
        elif name in _RENAMED and value not in (None, False):
            settings[_RENAMED[name]] = value
    settings.setdefault("learning_rate", 5e-5)
    settings.setdefault("micro_batch_size", 8)
    settings.setdefault("batching_workers", 0)
    _batches(given, made, processes)
    settings |= _duration(given)
    settings |= _model(given, own)
    if given.get("template") and "template" not in own.arguments:
        made.told.append(texts("other-template"))
    made.told.append(texts("rate-is-constant"))
    made.told.append(texts("decays"))
    return made


def steps_of(settings: Mapping[str, Any], rows: int, processes: int = 1) -> int:
    """Steps of a training on so many rows; 0: they do not fill one."""
    batch = settings["micro_batch_size"] * processes
    epoch = rows // int(settings.get("global_batch_size") or batch)
    most = settings.get("max_steps")
    return int(most or settings.get("num_train_epochs", 3) * epoch) if epoch else 0


def _refused(given: Mapping[str, Any], own: ArgumentTable, old: ArgumentTable) -> Iterator[Refused]:
    known = (
        _EQUAL
        | (_OF_PAIRS & own.arguments.keys())
        | _RENAMED.keys()
        | OWN
        | _WITHOUT_EFFECT
        | _ELSEWHERE
    )
    for name, value in given.items():
        if name not in old.arguments and name not in own.arguments:
            continue  # told as unknown
        if name in known:
            yield from _refused_value(name, value, given, own)
        elif not _is_neutral(name, value, old):
            slug = _ADVICE.get(name, "no-equal")
            yield Refused(name, texts("not-in-v1", name=name), texts(slug))


def _is_neutral(name: str, value: Any, old: ArgumentTable) -> bool:
    """Whether it says what v1 does anyway."""
    does = {"lr_scheduler_type": "constant", "report_to": "none", "optim": "adamw_torch"}
    if name in does:
        return value in (does[name], None)
    argument = old.arguments.get(name)
    return value is None or (argument is not None and value == argument.default)


def _refused_value(
    name: str, value: Any, given: Mapping[str, Any], own: ArgumentTable
) -> Iterator[Refused]:
    def refused(known: tuple[str, ...]) -> Refused:
        text = texts("value-not-in-v1", name=name, value=value)
        return Refused(name, text, texts("takes", known=", ".join(known)))

    if name == "stage" and value not in own_stages(own):
        yield refused(own_stages(own))
    elif name == "finetuning_type" and value not in ("full", "lora", "freeze"):
        yield refused(("full", "lora", "freeze"))
    elif name == "template" and "template" in own.arguments and value not in own.templates:
        yield refused(tuple(sorted(own.templates)))
    elif name == "flash_attn" and value not in _ATTENTION:
        yield refused(tuple(_ATTENTION))
    elif name == "save_strategy" and value not in ("no", "steps", "epoch"):
        yield refused(("no", "steps", "epoch"))
    elif name == "num_train_epochs" and isinstance(value, float) and value != int(value):
        yield Refused(name, texts("value-not-in-v1", name=name, value=value), texts("whole-epochs"))
    elif name in _QUANTIZATION[:1] and value not in (None, 4, 8):
        yield refused(("4", "8"))
    elif name == "quantization_method" and value not in ("bnb", "bitsandbytes"):
        yield refused(("bnb",))
    elif name == "adapter_name_or_path" and "," in str(value):
        yield Refused(name, texts("value-not-in-v1", name=name, value=value), texts("one-adapter"))
    elif name == "deepspeed" and not isinstance(value, str | None):
        yield Refused(name, texts("not-in-v1", name=name), texts("name-file"))


def own_stages(own: ArgumentTable) -> tuple[str, ...]:
    """The stages that this v1 trains: dpo came with its arguments."""
    return STAGES if "pref_loss" in own.arguments else STAGES[:1]


def _batches(given: Mapping[str, Any], made: Translation, processes: int) -> None:
    steps = given.get("gradient_accumulation_steps") or 1
    if "global_batch_size" not in given and steps != 1:
        micro = made.settings["micro_batch_size"]
        made.settings["global_batch_size"] = micro * steps * processes


def _duration(given: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if (epochs := given.get("num_train_epochs")) is not None:
        found["num_train_epochs"] = int(epochs)
    if (steps := given.get("max_steps")) is not None and steps > 0:
        found["max_steps"] = steps
    if isinstance(every := given.get("logging_steps"), int | float):
        found["logging_steps"] = max(int(every), 1)
    if given.get("save_strategy") == "epoch":
        found["save_epochs"] = 1.0
    elif given.get("save_strategy") != "no" and (every := given.get("save_steps")):
        found["save_steps"] = every
    if given.get("disable_gradient_checkpointing") is True:
        found["enable_activation_checkpointing"] = False
    return found


def _model(given: Mapping[str, Any], own: ArgumentTable) -> dict[str, Any]:
    """What says how the model is loaded and trained: v1's plugins."""
    found: dict[str, Any] = {}
    if "template" in own.arguments and given.get("template"):
        found["template"] = given["template"]
    if (attention := given.get("flash_attn")) in _ATTENTION:
        found["flash_attn"] = _ATTENTION[str(attention)]
    method = given.get("finetuning_type", "lora")
    if method == "lora":
        found["peft_config"] = _lora(given)
    elif method == "freeze":
        named = {name: given[name] for name in _FREEZE if given.get(name) is not None}
        found["peft_config"] = {"name": "freeze", **named}
    if given.get("quantization_bit") is not None:
        named = {name: given[name] for name in _QUANTIZATION if given.get(name) is not None}
        found["quant_config"] = {"name": "bnb", **named}
    if given.get("enable_liger_kernel") is True:
        found["kernel_config"] = {"name": "liger_kernel"}
    if given.get("deepspeed"):
        found["dist_config"] = {"name": "deepspeed", "config_file": given["deepspeed"]}
    return found


def _lora(given: Mapping[str, Any]) -> dict[str, Any]:
    """With the defaults of the version before: v1 drops 5 % out where nothing is said."""
    rank = given.get("lora_rank") or 8
    found = {"name": "lora", "r": rank, "lora_alpha": rank * 2, "lora_dropout": 0.0}
    found["target_modules"] = "all"
    for name, new in _LORA.items():
        if (value := given.get(name)) is None:
            continue
        splits = name in ("lora_target", "additional_target") and isinstance(value, str)
        parts = [part.strip() for part in str(value).split(",")] if splits else []
        found[new] = parts if len(parts) > 1 or (parts and name == "additional_target") else value
    return found
