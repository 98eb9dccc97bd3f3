"""What a template makes of the rows' thoughts, and of rows without, as its own code wrote them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sftrecipe.plugin import Finding, Text, Texts
from sftrecipe_registry.llamafactory.preflight.arguments import Settings
from sftrecipe_registry.llamafactory.preflight.tally import State

texts = Texts(__package__)


def thought_findings(settings: Settings, told: Mapping[str, Any]) -> Iterator[Finding]:
    """Template, `enable_thinking` and rows together; `told` is what worker.py counts."""
    template = settings.get("template")
    if not told["reasons"]:
        for name, found in told["thinking"].items():
            rows = counted_rows(found["rows"])
            text = texts("learned-as-answer", template=template, rows=rows, name=name)
            yield _finding(text, texts("name-reasoning-template"), found)
        return
    for name, found in told["foreign"].items():
        rows = counted_rows(found["rows"])
        text = texts("marked-otherwise", name=name, rows=rows, template=template)
        yield _finding(text, _words(told), found, "fault")
    for name, found in told["spaced"].items():
        rows = counted_rows(found["rows"])
        text = texts("spaced-otherwise", name=name, rows=rows, template=template)
        yield _finding(text, _words(told), found)
    yield from _lost(settings, told)
    yield from _empty(told)
    for name, found in told["spoken"].items():
        text = texts("answer-holds-marks", name=name, rows=counted_rows(found["rows"]))
        yield _finding(text, None, found)


def _lost(settings: Settings, told: Mapping[str, Any]) -> Iterator[Finding]:
    """Thoughts that the template leaves out."""
    is_off = settings.get("enable_thinking") is False
    for name, found in told["lost"].items():
        slug = "thoughts-switched-off" if is_off else "thoughts-left-out"
        text = texts(slug, name=name, rows=counted_rows(found["rows"]))
        mixed = "null" if name in told["plain"] else "true"
        yield _finding(text, texts("write-enable-thinking", value=mixed), found)
    for name, found in told["earlier"].items():
        amount = found["amount"]
        slug = "earlier-thought" if amount == 1 else "earlier-thoughts"
        text = texts(slug, name=name, amount=amount, rows=counted_rows(found["rows"]))
        yield _finding(text, texts("write-preserve"), found)


def _empty(told: Mapping[str, Any]) -> Iterator[Finding]:
    """Empty thoughts that are learned."""
    for name, found in told["empty"].items():
        text = texts("learns-empty-thought", name=name, rows=counted_rows(found["rows"]))
        is_mixed = name in told["thinking"]
        yield _finding(
            text, texts("write-thinking-null" if is_mixed else "write-thinking-false"), found
        )


def _words(told: Mapping[str, Any]) -> Text:
    return texts("write-thought-words", words=json.dumps(told["words"], ensure_ascii=False))


def counted_rows(count: int) -> Text:
    """So many rows, in words."""
    return texts("one-row" if count == 1 else "rows", count=count)


def _finding(
    text: Text, advice: Text | None, found: Mapping[str, Any], state: State = "warning"
) -> Finding:
    return Finding(state, "thoughts", text, advice, tuple(found["examples"]))
