"""Parts of the model that the arguments name, against those that it has, and LLaMA-Factory's no."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from sftrecipe.plugin import Finding, Texts
from sftrecipe_registry.llamafactory.preflight.arguments import Settings
from sftrecipe_registry.llamafactory.training.output import listed

texts = Texts(__package__)

_SHOWN = 12


def module_findings(settings: Settings, told: Mapping[str, Any]) -> Iterator[Finding]:
    """Modules that the model lacks; `told` is the model's part of what worker.py prints."""
    if "modules" not in told:
        return
    yield from _lacking(settings, told)
    yield from _layers(settings, told)


def refused_finding(told: Mapping[str, Any]) -> Iterator[Finding]:
    """What LLaMA-Factory's own parser refuses, in its words."""
    if "refused" in told:
        text = texts("parser-refuses", words=told["refused"])
        yield Finding("fault", "arguments", text, texts("change-or-leave-out"))


def unfit_finding(settings: Settings, told: Mapping[str, Any]) -> Iterator[Finding]:
    """What the fine-tuning method stops with on this model, where its modules do not explain it."""
    if "unfit" in told and not any(True for _ in module_findings(settings, told)):
        yield Finding("fault", "modules", texts("method-refused", words=told["unfit"]))


def _lacking(settings: Settings, told: Mapping[str, Any]) -> Iterator[Finding]:
    method = settings.get("finetuning_type", "lora")
    if method == "freeze":
        return  # it tells itself what there is, and stops
    linear, every = told["linear"], told["modules"]
    for name, known in (("lora_target", linear), ("additional_target", every)):
        asked = listed(settings.get(name))
        if method not in ("lora", "oft") or asked in ([], ["all"]):
            continue
        lacking = [each for each in asked if each.rpartition(".")[2] not in every]
        if not lacking:
            continue
        text = texts(
            "no-such-module" if len(lacking) == 1 else "no-such-modules",
            name=name,
            lacking=", ".join(lacking),
            known=_some(known),
        )
        advice = texts("write-this", name=name, value=_meant(asked, lacking, known, name))
        yield Finding("fault", "modules", text, advice)


def _meant(asked: Sequence[str], lacking: Sequence[str], known: Sequence[str], name: str) -> str:
    """The names that are there, with those most like the others."""
    found = [each for each in asked if each not in lacking]
    for each in lacking:
        found += get_close_matches(each, [*known], n=1)
    if not found:
        return "all" if name == "lora_target" else "embed_tokens,lm_head"
    return ",".join(dict.fromkeys(found))


def _layers(settings: Settings, told: Mapping[str, Any]) -> Iterator[Finding]:
    """More layers than the model has: all are trained."""
    asked, has = settings.get("freeze_trainable_layers"), told["layers"]
    if settings.get("finetuning_type") != "freeze" or not isinstance(has, int):
        return
    if not isinstance(asked, bool) and isinstance(asked, int) and abs(asked) >= has:
        text = texts("freezes-nothing", asked=asked, layers=has)
        advice = texts("write-this", name="freeze_trainable_layers", value=max(has // 4, 1))
        yield Finding("warning", "modules", text, advice)


def _some(names: Sequence[str]) -> str:
    more = ", …" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
