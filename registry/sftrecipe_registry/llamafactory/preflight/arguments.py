"""The arguments of a finished `train.yaml`, against one another and LLaMA-Factory's table.

Follows llamafactory/hparams/parser.py of 0.9.5 where it refuses combinations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from sftrecipe.plugin import Finding
from sftrecipe_registry.llamafactory.arguments.table import (
    ArgumentTable,
    check_arguments,
    explained,
)
from sftrecipe_registry.llamafactory.training.output import listed

Settings = Mapping[str, Any]

_EVALUATES = ("do_eval", "do_predict", "predict_with_generate", "load_best_model_at_end")
_SFT_ALONE = ("predict_with_generate", "neat_packing", "train_on_prompt", "mask_history")


def argument_findings(settings: Settings, table: ArgumentTable) -> Iterator[Finding]:
    """Arguments that LLaMA-Factory refuses, fails on later, or ends well with untrained."""
    for problem in check_arguments(settings, table):
        message, advice = explained(problem, table)
        yield Finding("fault", "arguments", message, advice)
    if not settings.get("do_train"):
        text = "do_train is not true: LLaMA-Factory ends well, having trained nothing"
        yield Finding("fault", "arguments", text, "write do_train: true, or leave it out")
    yield from _dataset_findings(settings)
    yield from _evaluation_findings(settings)
    yield from _combinations(settings)


def _dataset_findings(settings: Settings) -> Iterator[Finding]:
    names = listed(settings.get("dataset"))
    if not names:
        yield Finding("fault", "arguments", "dataset names no data set", "name one as dataset")
    for name, count in Counter(names).items():
        if count > 1:
            text = f"data set '{name}' is named {count} times and counts once"
            advice = "set num_samples in its entry to take rows more than once"
            yield Finding("warning", "arguments", text, advice)


def _evaluation_findings(settings: Settings) -> Iterator[Finding]:
    eval_data, val_size = settings.get("eval_dataset"), settings.get("val_size")
    wanted = [name for name in _EVALUATES if settings.get(name) is True]
    if str(settings.get("eval_strategy", "no")) not in ("no", "False"):
        wanted.append("eval_strategy")
    if wanted and not eval_data and not val_size:
        text = f"{', '.join(wanted)} is set, and there is no data to evaluate on"
        yield Finding("fault", "evaluation", text, "set eval_dataset or val_size, or a holdout")
    if eval_data and val_size:
        text = "val_size and eval_dataset exclude one another"
        yield Finding("fault", "evaluation", text, "keep one of them")
    both = sorted(set(listed(eval_data)) & set(listed(settings.get("dataset"))))
    for name in both:
        text = f"data set '{name}' is trained on and evaluated on"
        yield Finding("warning", "evaluation", text, "evaluate on other rows")


def _combinations(settings: Settings) -> Iterator[Finding]:
    stage, method = settings.get("stage", "sft"), settings.get("finetuning_type", "lora")

    def refused(text: str, advice: str) -> Finding:
        return Finding("fault", "arguments", text, advice)

    if settings.get("adapter_name_or_path") and method != "lora":
        text = f"adapter_name_or_path goes with finetuning_type lora alone, not '{method}'"
        yield refused(text, "write finetuning_type: lora, or merge the adapter first")
    if settings.get("quantization_bit") is not None and method not in ("lora", "oft"):
        text = f"quantization_bit goes with finetuning_type lora or oft, not '{method}'"
        yield refused(text, "write finetuning_type: lora, or leave quantization_bit out")
    for name in _SFT_ALONE:
        if settings.get(name) is True and stage != "sft":
            yield refused(f"{name} goes with stage sft alone, not '{stage}'", f"leave {name} out")
    if settings.get("load_best_model_at_end") is True and stage in ("rm", "ppo"):
        yield refused(f"stage '{stage}' takes no load_best_model_at_end", "leave it out")
    if settings.get("mask_history") is True and settings.get("train_on_prompt") is True:
        yield refused("mask_history and train_on_prompt exclude one another", "keep one of them")
    if settings.get("bf16") is True and settings.get("fp16") is True:
        yield refused("bf16 and fp16 exclude one another", "keep one of them")


def val_size_findings(settings: Settings, rows: int) -> Iterator[Finding]:
    """A validation part that leaves nothing to train on, of as many rows as are read."""
    size = settings.get("val_size")
    if not rows or isinstance(size, bool) or not isinstance(size, int | float) or size <= 0:
        return
    is_share = isinstance(size, float) and size <= 1
    left = int((1 - size) * rows) if is_share else rows - int(size)
    if left < 1:
        text = f"val_size {size} leaves nothing of {rows} row{'s' * (rows != 1)} to train on"
        yield Finding("fault", "evaluation", text, "write a share such as 0.1, or fewer rows")
