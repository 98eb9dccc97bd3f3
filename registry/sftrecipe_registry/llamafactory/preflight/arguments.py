"""The arguments of a finished `train.yaml`, against one another and LLaMA-Factory's table.

Follows llamafactory/hparams/parser.py of 0.9.5 where it refuses combinations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from sftrecipe.plugin import Finding, Text, Texts
from sftrecipe_registry.llamafactory.arguments.argument import ArgumentTable
from sftrecipe_registry.llamafactory.arguments.schedule import number
from sftrecipe_registry.llamafactory.arguments.table import check_arguments, explained
from sftrecipe_registry.llamafactory.training.output import listed

texts = Texts(__package__)
Settings = Mapping[str, Any]

_EVALUATES = ("do_eval", "do_predict", "predict_with_generate", "load_best_model_at_end")
_SFT_ALONE = ("predict_with_generate", "neat_packing", "train_on_prompt", "mask_history")


def argument_findings(settings: Settings, table: ArgumentTable) -> Iterator[Finding]:
    """Arguments that LLaMA-Factory refuses, fails on later, or ends well with untrained."""
    for problem in check_arguments(settings, table):
        message, advice = explained(problem, table)
        yield Finding("fault", "arguments", message, advice)
    if not settings.get("do_train"):
        yield Finding("fault", "arguments", texts("trains-nothing"), texts("write-do-train"))
    yield from _dataset_findings(settings)
    yield from _evaluation_findings(settings)
    yield from _combinations(settings)


def _dataset_findings(settings: Settings) -> Iterator[Finding]:
    names = listed(settings.get("dataset"))
    if not names:
        yield Finding("fault", "arguments", texts("no-data-set-named"), texts("name-data-set"))
    for name, count in Counter(names).items():
        if count > 1:
            text = texts("data-set-twice", name=name, count=count)
            yield Finding("warning", "arguments", text, texts("set-num-samples"))


def _evaluation_findings(settings: Settings) -> Iterator[Finding]:
    eval_data, val_size = settings.get("eval_dataset"), settings.get("val_size")
    wanted = [name for name in _EVALUATES if settings.get(name) is True]
    if str(settings.get("eval_strategy", "no")) not in ("no", "False"):
        wanted.append("eval_strategy")
    if wanted and not eval_data and not val_size:
        text = texts("nothing-to-evaluate-on", wanted=", ".join(wanted))
        yield Finding("fault", "evaluation", text, texts("set-eval-data"))
    if eval_data and val_size:
        yield Finding("fault", "evaluation", texts("two-evaluations"), texts("keep-one"))
    both = sorted(set(listed(eval_data)) & set(listed(settings.get("dataset"))))
    for name in both:
        text = texts("trained-and-evaluated", name=name)
        yield Finding("warning", "evaluation", text, texts("evaluate-on-others"))


def _combinations(settings: Settings) -> Iterator[Finding]:
    stage, method = settings.get("stage", "sft"), settings.get("finetuning_type", "lora")

    def refused(text: Text, advice: Text) -> Finding:
        return Finding("fault", "arguments", text, advice)

    if settings.get("adapter_name_or_path") and method != "lora":
        yield refused(texts("adapter-needs-lora", method=method), texts("write-lora-or-merge"))
    if settings.get("quantization_bit") is not None and method not in ("lora", "oft"):
        text = texts("quantization-needs-lora", method=method)
        yield refused(text, texts("write-lora-unquantized"))
    for name in _SFT_ALONE:
        if settings.get(name) is True and stage != "sft":
            yield refused(texts("sft-alone", name=name, stage=stage), texts("leave-out", name=name))
    if settings.get("load_best_model_at_end") is True and stage in ("rm", "ppo"):
        yield refused(texts("no-best-model", stage=stage), texts("leave-it-out"))
    if settings.get("mask_history") is True and settings.get("train_on_prompt") is True:
        yield refused(texts("history-and-prompt"), texts("keep-one"))
    if settings.get("bf16") is True and settings.get("fp16") is True:
        yield refused(texts("bf16-and-fp16"), texts("keep-one"))


def val_size_findings(settings: Settings, rows: int) -> Iterator[Finding]:
    """A validation part that leaves nothing to train on, of as many rows as are read."""
    size = settings.get("val_size")
    if not rows or not isinstance(size, int | float) or number(settings, "val_size", 0.0) <= 0:
        return
    is_share = isinstance(size, float) and size <= 1
    left = int((1 - size) * rows) if is_share else rows - int(size)
    if left < 1:
        one = texts("val-size-takes-one", size=size)
        text = one if rows == 1 else texts("val-size-takes-all", size=size, rows=rows)
        yield Finding("fault", "evaluation", text, texts("lower-val-size"))
