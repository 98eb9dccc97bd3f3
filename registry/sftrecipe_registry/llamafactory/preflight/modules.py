"""Parts of the model that the arguments name, against those that it has, and LLaMA-Factory's no."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from sftrecipe.plugin import Finding, Texts
from sftrecipe_registry.llamafactory.arguments.argument import ArgumentTable
from sftrecipe_registry.llamafactory.preflight.arguments import Settings
from sftrecipe_registry.llamafactory.preflight.refusals import refusal_advice
from sftrecipe_registry.llamafactory.training.output import listed

texts = Texts(__package__)

_SHOWN = 12
_ENDS = ("embed_tokens", "lm_head", "wte")
"""What is trained beside the layers, by its usual names."""
_PRO = 2
"""`freeze_trainable_layers` where it is not given."""


def module_findings(settings: Settings, told: Mapping[str, Any]) -> Iterator[Finding]:
    """Modules that the model lacks; `told` is the model's part of what worker.py prints."""
    if "modules" not in told:
        return
    yield from _lacking(settings, told)
    yield from _layers(settings, told)


def refused_finding(
    settings: Settings, told: Mapping[str, Any], table: ArgumentTable, steps: int | None = None
) -> Iterator[Finding]:
    """What LLaMA-Factory's own parser refuses, in its words; `steps`: of all rows, if known."""
    if "refused" in told:
        known = {"max_steps": steps} if steps else {}
        advice = refusal_advice(settings, told["refused"], table, known)
        text = texts("parser-refuses", words=told["refused"])
        yield Finding("fault", "arguments", text, advice)


def unfit_finding(
    settings: Settings, told: Mapping[str, Any], table: ArgumentTable
) -> Iterator[Finding]:
    """What the fine-tuning method stops with on this model, where its modules do not explain it."""
    explained = [each for each in module_findings(settings, told) if each.state == "fault"]
    if "unfit" in told and not explained:
        advice = refusal_advice(settings, told["unfit"], table)
        yield Finding("fault", "modules", texts("method-refused", words=told["unfit"]), advice)


def _lacking(settings: Settings, told: Mapping[str, Any]) -> Iterator[Finding]:
    for name, known, every in _choices(settings, told):
        asked = listed(settings.get(name))
        lacking = [each for each in asked if _last(each, name) not in every]
        if not lacking or asked == ["all"]:
            continue
        text = texts(
            "no-such-module" if len(lacking) == 1 else "no-such-modules",
            name=name,
            lacking=", ".join(lacking),
            known=_some(known),
        )
        advice = texts("write-this", name=name, value=_meant(asked, lacking, known, name))
        yield Finding("fault", "modules", text, advice)


def _choices(
    settings: Settings, told: Mapping[str, Any]
) -> Iterator[tuple[str, Sequence[str], Sequence[str]]]:
    """The arguments that choose modules, those to choose from, and all that it takes."""
    method, every = settings.get("finetuning_type", "lora"), told["modules"]
    if method in ("lora", "oft"):
        yield "lora_target", told["linear"], every
        yield "additional_target", every, every
    elif method == "freeze":
        yield "freeze_trainable_modules", told["in_layers"], [*told["in_layers"], "all"]
        yield "freeze_extra_modules", told["beside_layers"], told["beside_layers"]


def _last(module: str, name: str) -> str:
    """As it is compared: PEFT takes a path too."""
    return module if name.startswith("freeze") else module.rpartition(".")[2]


def _meant(asked: Sequence[str], lacking: Sequence[str], known: Sequence[str], name: str) -> str:
    """The names that are there, with those most like the others."""
    found = [each for each in asked if each not in lacking]
    for each in lacking:
        found += get_close_matches(each, [*known], n=1)
    if not found:
        whole = name in ("lora_target", "freeze_trainable_modules")
        ends = [each for each in _ENDS if each in known]
        return "all" if whole else ",".join(ends or known[:1])
    return ",".join(dict.fromkeys(found))


def _layers(settings: Settings, told: Mapping[str, Any]) -> Iterator[Finding]:
    """More layers than the model has: all are trained; or such as do not divide them."""
    name = "freeze_trainable_layers"
    asked, has = settings.get(name, _PRO), told["layers"]
    if not isinstance(has, int) or isinstance(asked, bool) or not isinstance(asked, int):
        return
    if settings.get("use_llama_pro") is True and (asked <= 0 or has % asked):
        text = texts("layers-undivided", asked=asked, layers=has)
        fit = max(each for each in range(1, has + 1) if has % each == 0 and each <= max(asked, 1))
        yield Finding("fault", "modules", text, texts("write-this", name=name, value=fit))
    elif settings.get("finetuning_type") == "freeze" and abs(asked) >= has:
        text = texts("freezes-nothing", asked=asked, layers=has)
        advice = texts("write-this", name=name, value=max(has // 4, 1))
        yield Finding("warning", "modules", text, advice)


def _some(names: Sequence[str]) -> str:
    more = ", …" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
