"""Merging what was trained beside a model (LoRA, QLoRA, OFT) into the model: its `export`."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from sftrecipe.plugin import Texts, Training
from sftrecipe_registry.llamafactory.training.output import MERGED, Output, listed, model_stands
from sftrecipe_registry.llamafactory.training.process import failure, run_command
from sftrecipe_registry.llamafactory.training.watch import tell_merging
from sftrecipe_registry.llamafactory.v1.output import V1Output

texts = Texts(__package__)

_OF_THE_MODEL = (
    *("model_name_or_path", "model_revision", "cache_dir", "use_fast_tokenizer", "hf_hub_token"),
    *("ms_hub_token", "om_hub_token", "trust_remote_code", "flash_attn", "rope_scaling"),
    *("resize_vocab", "split_special_tokens", "add_tokens", "add_special_tokens"),
    *("new_special_tokens_config", "init_special_tokens", "adapter_folder", "infer_dtype"),
    *("low_cpu_mem_usage", "offload_folder", "mixture_of_depths"),
    *("export_size", "export_device", "export_legacy_format"),
    # of the other groups: which template the tokenizer keeps, and whether a value head goes along
    *("template", "default_system", "tool_format", "enable_thinking"),
    *("stage", "finetuning_type"),
)
"""The training arguments that also say how the model is to be loaded and saved; how it was
quantized for training is not among them, as nothing can be merged into a quantized model."""
_HEADS = ("value_head.safetensors", "value_head.bin")


def merged_model(output: Output) -> Path:
    """Where the whole model of a training's adapter lies."""
    return output.folder / MERGED


async def merge(training: Training, config: Path, output: Output) -> None:
    """Merge the adapter into its model; the folder appears when it is whole.

    A reward model's value head lies beside it, in a file of its own.
    Raises PluginRefused with LLaMA-Factory's own last words.
    """
    whole = merged_model(output)
    unfinished = whole.with_name(f"{MERGED}.unfinished")
    for leftover in (unfinished, whole):
        if leftover.exists():
            shutil.rmtree(leftover)
    name = config.name.replace("train", "merge", 1)
    command, settings = "export", merge_settings(output, training.folder, unfinished)
    if isinstance(output, V1Output):
        command, settings = "merge", output.merge_settings(training.folder, unfinished)
    with training.create(name) as file:
        file.write(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True).encode())
    log = (training.folder / name).with_suffix(".log")
    log.unlink(missing_ok=True)
    status = await run_command(
        [command, name],
        training.folder,
        log,
        settings={},  # it reports to no tracker
        allowed=training.allowed,
        look=tell_merging(training),
    )
    if not model_stands(unfinished) or not _head_came_along(output, unfinished):
        raise failure(texts("not-merged", status=status), log)
    unfinished.rename(whole)


def merge_settings(output: Output, folder: Path, target: Path) -> dict[str, Any]:
    """The arguments of `export`, its paths from the run's folder on."""
    adapter, whole = (str(each.relative_to(folder)) for each in (output.folder, target))
    return export_settings(output.settings, adapter, whole)


def export_settings(given: Mapping[str, Any], adapter: str, target: str) -> dict[str, Any]:
    """The arguments of `export`, which refuses those that are for training alone."""
    adapters = [*_merged_before(given), adapter]
    merged = {"adapter_name_or_path": ",".join(adapters), "export_dir": target}
    return {**of_the_model(given), **merged}


def of_the_model(given: Mapping[str, Any]) -> dict[str, Any]:
    """Of a training's arguments those that also say how its model is loaded and saved."""
    return {name: given[name] for name in _OF_THE_MODEL if name in given}


def _merged_before(given: Mapping[str, Any]) -> list[str]:
    """Earlier adapters that lie under the trained one: the last is what it went on from."""
    earlier = listed(given.get("adapter_name_or_path"))
    return earlier if given.get("create_new_adapter") else earlier[:-1]


def _head_came_along(output: Output, merged: Path) -> bool:
    return output.settings.get("stage") != "rm" or any((merged / name).exists() for name in _HEADS)
