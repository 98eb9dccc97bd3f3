"""Packages and a GPU that the arguments ask for, in the environment that will train."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sftrecipe.plugin import Finding, Text, Texts
from sftrecipe_registry.llamafactory.preflight.arguments import Settings
from sftrecipe_registry.llamafactory.preflight.unsloth_arguments import knows_cpus
from sftrecipe_registry.llamafactory.training.environment import training_site_packages
from sftrecipe_registry.llamafactory.training.output import listed
from sftrecipe_registry.llamafactory.training.trackers import TRACKERS

texts = Texts(__package__)
_SWITCHES: Mapping[str, tuple[str, ...]] = {
    "use_unsloth": ("unsloth",),
    "enable_liger_kernel": ("liger-kernel",),
    "use_galore": ("galore-torch",),
    "use_apollo": ("apollo-torch",),
    "use_badam": ("badam",),
    "use_adam_mini": ("adam-mini",),
    "use_swanlab": ("swanlab",),
    "plot_loss": ("matplotlib",),
    "predict_with_generate": ("jieba", "nltk", "rouge-chinese"),
}
"""Arguments that ask for packages when they are true."""
_BITS = "bitsandbytes"
_FOR_GPUS = {
    "use_unsloth": "fault",
    "fsdp": "fault",
    "tf32": "fault",
    "quantization_bit": "warning",
    "deepspeed": "warning",
}
"""Arguments for a GPU, and how bad it is without one: some packages know a CPU."""


def package_findings(settings: Settings, installed: Iterable[str]) -> Iterator[Finding]:
    """Packages that LLaMA-Factory will miss, some of them only after the model is loaded."""
    have = {re.sub("[-_.]+", "-", name).lower() for name in installed}
    for argument, wanted in _asked(settings):
        if not have & set(wanted):
            text = texts("package-missing", package=wanted[0], argument=argument)
            advice = texts("install-or-leave-out", argument=argument)
            yield Finding("fault", "packages", text, advice)
    if settings.get("flash_attn") in ("fa2", "fa3") and not have & {"flash-attn", "flash-attn-3"}:
        text = texts("no-flash-attn", value=settings["flash_attn"])
        yield Finding("warning", "packages", text, texts("install-flash-attn"))


def _asked(settings: Settings) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Arguments, and packages of which each wants one."""
    for argument, packages in _SWITCHES.items():
        if settings.get(argument) is True:
            yield from ((argument, (package,)) for package in packages)
    if settings.get("deepspeed"):
        yield "deepspeed", ("deepspeed",)
    if settings.get("quantization_bit") is not None:
        method = str(settings.get("quantization_method", _BITS)).lower()
        if method in (_BITS, "bnb"):
            yield "quantization_bit", (_BITS,)
        elif method in ("hqq", "eetq"):
            yield "quantization_bit", (method,)
    if re.search("8bit|paged", str(settings.get("optim", ""))):
        yield "optim", (_BITS,)
    for tracker in listed(settings.get("report_to")):
        if tracker in TRACKERS and (packages := TRACKERS[tracker].packages):
            yield f"report_to '{tracker}'", packages


def gpu_findings(settings: Settings, machine: Mapping[str, Any]) -> Iterator[Finding]:
    """Arguments for a GPU that is not there, or that it lacks."""
    gpus = machine["gpus"]
    on_cpu = not gpus or settings.get("use_cpu") is True
    for name, state in _FOR_GPUS.items():
        if on_cpu and settings.get(name) not in (None, False, "", []):
            if name == "use_unsloth" and knows_cpus(training_site_packages()):
                continue  # slow, but it trains
            text = texts("needs-gpu", name=name, where=_without_gpu(gpus))
            advice = texts("leave-out-or-gpu", name=name)
            yield Finding(state, "gpu", text, advice)  # type: ignore[arg-type]
    if on_cpu and settings.get("fp16") is True:
        text = texts("fp16-unscaled", where=_without_gpu(gpus))  # accelerate: no scaler on a CPU
        yield Finding("warning", "gpu", text, texts("leave-fp16-out"))
    for name in ("bf16", "pure_bf16"):
        lacks = not gpus and (settings.get("use_cpu") is not True or name == "pure_bf16")
        if settings.get(name) is True and (lacks or (gpus and not on_cpu and not machine["bf16"])):
            where = texts("gpu-lacks-it", gpu=gpus[0]) if gpus else texts("no-gpu")
            text = texts("precision-lacking", name=name, where=where)
            advice = texts("write-fp16") if gpus else texts("set-use-cpu")
            yield Finding("fault", "gpu", text, advice)


def _without_gpu(gpus: Sequence[str]) -> Text:
    return texts("use-cpu-set") if gpus else texts("no-gpu")
