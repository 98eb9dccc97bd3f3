"""Looks at the model and at all arguments with LLaMA-Factory's own code, for `worker.py`.

Runs in a process of the training environment. The model is built without its weights, on torch's
`meta` device: its modules have their names and sizes and take no memory.
"""

from __future__ import annotations

from typing import Any

import torch
from llamafactory.hparams.parser import (  # type: ignore[import-not-found]
    _parse_train_args,
    get_train_args,
)
from llamafactory.model import loader  # type: ignore[import-not-found]
from llamafactory.model.adapter import init_adapter  # type: ignore[import-not-found]
from transformers import set_seed

SEVERAL = ("launch distributed training", "FORCE_TORCHRUN")
"""What the parser refuses where its launcher would start a process a GPU."""
AUTO = ("AutoModelForImageTextToText", "AutoModelForSeq2SeqLM", "AutoModelForTextToWaveform")
"""Classes that are asked first, as in llamafactory/model/loader.py."""


def look(arguments: dict[str, Any], gpus: int) -> dict[str, Any]:
    """What it refuses of the arguments, and what the model has.

    `refused`: the parser's own words; `unfit`: those of the fine-tuning method on this model;
    `error`: why the model could not be built.
    """
    told: dict[str, Any] = {}
    parsed = refusal(arguments, gpus, told)
    if parsed is None:
        return told
    model_args, finetuning_args = parsed
    try:
        model = built(model_args)
    except Exception as error:  # the caller tells the user what it was
        told["error"] = words(error)
        return told
    told.update(modules(model))
    try:
        model = init_adapter(model.config, model, model_args, finetuning_args, True)
    except Exception as error:  # whatever it raises, the training would stop with
        told["unfit"] = words(error)
    counts = [(each.numel(), each.requires_grad) for each in model.parameters()]
    told["parameters"] = sum(size for size, _ in counts)
    told["trained_parameters"] = sum(size for size, is_trained in counts if is_trained)
    return told


def refusal(arguments: dict[str, Any], gpus: int, told: dict[str, Any]) -> tuple[Any, Any] | None:
    """The arguments of model and method, after LLaMA-Factory's own checks of all of them."""
    try:
        parsed = get_train_args(dict(arguments))
    except Exception as error:
        if gpus < 2 or not any(part in str(error) for part in SEVERAL):
            told["refused"] = words(error)
        try:
            parsed = _parse_train_args(dict(arguments))
        except Exception:
            return None
    finally:
        set_seed(0)
    return parsed[0], parsed[3]


def built(model_args: Any) -> Any:
    """The model, without its weights."""
    config = loader.load_config(model_args)
    kind = loader.AutoModelForCausalLM
    for name in AUTO:
        found = getattr(loader, name, None)
        if found is not None and type(config) in found._model_mapping:
            kind = found
            break
    with torch.device("meta"):
        model = kind.from_config(config, trust_remote_code=model_args.trust_remote_code)
    model.tie_weights()
    return model


def modules(model: Any) -> dict[str, Any]:
    """The names by which a method can choose parts of the model."""
    linear, named = {}, set()
    for name, module in model.named_modules():
        last = name.rpartition(".")[2]
        if last and not last.isdecimal():
            named.add(last)
            if isinstance(module, torch.nn.Linear) and last != "lm_head":
                linear[last] = True
    config = getattr(model.config, "text_config", model.config)
    in_layers, beside = freezable(model)
    return {
        "linear": list(linear),
        "modules": sorted(named),
        "in_layers": sorted(in_layers),
        "beside_layers": sorted(beside),
        "layers": getattr(config, "num_hidden_layers", None),
    }


def freezable(model: Any) -> tuple[set[str], set[str]]:
    """Parts of the first layers and parts beside them, as `freeze` names them in 0.9.5."""
    in_layers, beside = set(), set()
    for name, _ in model.named_parameters():
        for first in (".0.", ".1."):
            if first in name:
                in_layers.add(name.split(first)[-1].split(".")[0])
                break
        module = name.split(".")[:-1]
        if module and not any(part.isdecimal() for part in module[1:]):
            beside.add(module[-1])
    return in_layers, beside


def words(error: BaseException) -> str:
    """The first and the last line of what was said."""
    cause = error.__cause__ or error
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()] or ["?"]
    text = lines[0] if len(lines) == 1 else f"{lines[0]} … {lines[-1]}"
    return f"{type(cause).__name__}: {text}"[:400]
