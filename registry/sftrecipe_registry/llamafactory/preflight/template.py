"""LLaMA-Factory's template against the model's own chat template, on one conversation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from typing import Any

from sftrecipe.plugin import Finding
from sftrecipe_registry.llamafactory.preflight.arguments import Settings

_THOUGHT = re.compile(r"<think>\s*</think>\s*")
_SHOWN = 600


def template_findings(settings: Settings, report: Mapping[str, Any]) -> Iterator[Finding]:
    """Whether the model is trained on what it will be asked with.

    `report` is what worker.py prints.
    """
    named = settings.get("template")
    own, trained = report["own"], report["trained"]
    if settings.get("stage") == "pt":
        return
    if not own["template"]:
        if named is None:
            text = "template is not set, and the model has no chat template: turns run together"
            yield Finding("fault", "template", text, "set template, to 'default' for a base model")
        return
    if named is None:
        text = "template is not set: LLaMA-Factory guesses it from the model's chat template"
        yield Finding("warning", "template", text, _better(report))
    asked = "with_system" if own["with_system"] is not None else "without_system"
    if own[asked] is None:
        text = f"the model's chat template cannot be compared: {own['refused']}"
        yield Finding("warning", "template", text)
    elif _plain(own[asked]) != _plain(trained[asked]):
        yield _difference(settings, report, asked)
    elif own["without_system"] and _plain(own["without_system"]) != _plain(
        trained["without_system"]
    ):
        yield _default_system(settings, report)


def _difference(settings: Settings, report: Mapping[str, Any], asked: str) -> Finding:
    own, trained = report["own"], report["trained"]
    named = settings.get("template")
    markers = _markers(report, own[asked])
    lacking = [token for token in markers if token not in trained[asked]]
    added = trained["vocabulary"] - own["vocabulary"]
    text = f"template '{named}' is not the model's own"
    state = "warning"
    if lacking:
        # Few of many: another version of the same template.
        state = "fault" if len(lacking) * 2 >= len(markers) else "warning"
        text += f": it never writes {', '.join(lacking[:4])}"
    if added > 0 and settings.get("resize_vocab") is not True:
        state = "fault"
        text += f"; it adds {added} token{'s' * (added > 1)} that the model does not know"
    examples = _side_by_side(own[asked], trained[asked])
    return Finding(state, "template", text, _better(report, asked), examples)  # type: ignore[arg-type]


def _default_system(settings: Settings, report: Mapping[str, Any]) -> Finding:
    own, trained = report["own"]["without_system"], report["trained"]["without_system"]
    text = f"template '{settings.get('template')}' and the model have other system prompts where "
    text += "a conversation has none"
    advice = "ask the trained model with the system prompt that it was trained on (default_system)"
    return Finding("warning", "template_system", text, advice, _side_by_side(own, trained))


def _markers(report: Mapping[str, Any], text: str) -> list[str]:
    """The control tokens between a model's turns; what stands before the first is none."""
    return [token for token in report["tokens"] if token in text and not _only_first(token, text)]


def _only_first(token: str, text: str) -> bool:
    return text.startswith(token) and text.count(token) == 1


def _better(report: Mapping[str, Any], asked: str = "with_system") -> str | None:
    """The templates that write what the model's own does."""
    own = report["own"][asked]
    if own is None:
        return None
    fit = [name for name, text in report["others"][asked].items() if _plain(text) == _plain(own)]
    if not fit:
        return "no template of LLaMA-Factory is the model's own: compare the two"
    unasked = report["others"]["without_system"]
    own_unasked = report["own"]["without_system"] or ""
    fit.sort(key=lambda name: -SequenceMatcher(None, own_unasked, unasked.get(name, "")).ratio())
    return f"these are the model's own: {', '.join(fit[:8])}"


def _plain(text: str) -> str:
    """Without what changes nothing: the end of the last line, and empty thoughts."""
    return _THOUGHT.sub("", text).rstrip()


def _side_by_side(own: str, trained: str) -> tuple[str, ...]:
    return f"the model's own: {own[:_SHOWN]!r}", f"LLaMA-Factory's: {trained[:_SHOWN]!r}"
