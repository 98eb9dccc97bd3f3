"""What LLaMA-Factory hands to Unsloth, and what it leaves out or stops at.

Follows llamafactory/model/{loader,adapter}.py and model_utils/unsloth.py of 0.9.5.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sftrecipe.plugin import Finding, Texts
from sftrecipe_registry.llamafactory.preflight.arguments import Settings
from sftrecipe_registry.llamafactory.training.output import listed

texts = Texts(__package__)

_ARGUMENT = "use_unsloth"
_IGNORED = ("pissa_init", "mixture_of_depths", "shift_attn", "use_kt")
"""Arguments whose code is passed over where Unsloth loads the model."""
_FALLBACK = "UNSLOTH_DISABLE_CPU_FALLBACK"
_BYTES = 1 << 18


def unsloth_findings(settings: Settings) -> Iterator[Finding]:
    """Arguments that Unsloth does not take."""
    if settings.get(_ARGUMENT) is not True:
        return
    method = settings.get("finetuning_type", "lora")
    if method not in ("lora", "full"):
        text = texts("unsloth-without", name="finetuning_type", value=method)
        yield Finding("fault", "unsloth", text, texts("unsloth-methods"))
    bits = settings.get("quantization_bit")
    if bits not in (None, 4):
        text = texts("unsloth-ignores", name="quantization_bit", value=bits)
        yield Finding("fault", "unsloth", text, texts("unsloth-four-bits"))
    quantizer = settings.get("quantization_method")
    if bits is not None and quantizer not in (None, "bnb", "bitsandbytes"):
        text = texts("unsloth-ignores", name="quantization_method", value=quantizer)
        yield Finding("fault", "unsloth", text, texts("unsloth-four-bits"))
    if len(listed(settings.get("adapter_name_or_path"))) > 1:
        text = texts("unsloth-one-adapter")
        yield Finding("fault", "unsloth", text, texts("unsloth-merge-first"))
    if settings.get("stage") == "ppo" and settings.get("reward_model_type", "lora") == "lora":
        text = texts("unsloth-without", name="reward_model_type", value="lora")
        yield Finding("fault", "unsloth", text, texts("unsloth-full-reward"))
    for name in _IGNORED:
        if settings.get(name) not in (None, False):
            text = texts("unsloth-ignores", name=name, value=settings[name])
            yield Finding("warning", "unsloth", text, texts("leave-out", name=name))


def knows_cpus(site_packages: Path | None) -> bool:
    """Whether the installed Unsloth trains without a GPU: versions of 2026 fall back to a CPU."""
    if site_packages is None:
        return False
    for package in ("unsloth", "unsloth_zoo"):
        for file in sorted((site_packages / package).glob("*.py")):
            with file.open("rb") as opened:
                if _FALLBACK.encode() in opened.read(_BYTES):
                    return True
    return False
