"""LLaMA-Factory's template against the model's own chat template, on one conversation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from typing import Any

from sftrecipe.plugin import Finding, Text, Texts
from sftrecipe_registry.llamafactory.preflight.arguments import Settings
from sftrecipe_registry.llamafactory.preflight.tally import State

texts = Texts(__package__)

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
            text = texts("turns-run-together")
            yield Finding("fault", "template", text, texts("set-template"))
        return
    if named is None:
        yield Finding("warning", "template", texts("template-guessed"), _better(report))
    asked = "with_system" if own["with_system"] is not None else "without_system"
    if own[asked] is None:
        yield Finding("warning", "template", texts("not-comparable", cause=own["refused"]))
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
    text = texts("not-own", template=named)
    state: State = "warning"
    if lacking:
        # Few of many: another version of the same template.
        state = "fault" if len(lacking) * 2 >= len(markers) else "warning"
        never = ", ".join(lacking[:4])
        text = texts("not-own-never-writes", template=named, lacking=never)
    if added > 0 and settings.get("resize_vocab") is not True:
        state = "fault"
        text = texts("adds-token" if added == 1 else "adds-tokens", fault=text, count=added)
    examples = _side_by_side(own[asked], trained[asked])
    return Finding(state, "template", text, _better(report, asked), examples)


def _default_system(settings: Settings, report: Mapping[str, Any]) -> Finding:
    own, trained = report["own"]["without_system"], report["trained"]["without_system"]
    text = texts("other-system", template=settings.get("template"))
    examples = _side_by_side(own, trained)
    return Finding("warning", "template_system", text, texts("ask-with-system"), examples)


def _markers(report: Mapping[str, Any], text: str) -> list[str]:
    """The control tokens between a model's turns; what stands before the first is none."""
    return [token for token in report["tokens"] if token in text and not _only_first(token, text)]


def _only_first(token: str, text: str) -> bool:
    return text.startswith(token) and text.count(token) == 1


def _better(report: Mapping[str, Any], asked: str = "with_system") -> Text | None:
    """The templates that write what the model's own does."""
    own = report["own"][asked]
    if own is None:
        return None
    fit = [name for name, text in report["others"][asked].items() if _plain(text) == _plain(own)]
    if not fit:
        return texts("none-own")
    unasked = report["others"]["without_system"]
    own_unasked = report["own"]["without_system"] or ""
    fit.sort(key=lambda name: -SequenceMatcher(None, own_unasked, unasked.get(name, "")).ratio())
    return texts("these-own", names=", ".join(fit[:8]))


def _plain(text: str) -> str:
    """Without what changes nothing: the end of the last line, and empty thoughts."""
    return _THOUGHT.sub("", text).rstrip()


def _side_by_side(own: str, trained: str) -> tuple[Text, Text]:
    return (
        texts("model-writes", written=repr(own[:_SHOWN])),
        texts("factory-writes", written=repr(trained[:_SHOWN])),
    )
