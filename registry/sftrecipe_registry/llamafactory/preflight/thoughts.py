"""What a template makes of the rows' thoughts, and of rows without, as its own code wrote them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sftrecipe.plugin import Finding
from sftrecipe_registry.llamafactory.preflight.arguments import Settings

_DROP = "or leave the thoughts out (the exporter's reasoning: drop)"


def thought_findings(settings: Settings, told: Mapping[str, Any]) -> Iterator[Finding]:
    """Template, `enable_thinking` and rows together; `told` is what worker.py counts."""
    template = settings.get("template")
    if not told["reasons"]:
        for name, found in told["thinking"].items():
            text = f"template '{template}' knows no thoughts: those of {_rows(found)} of data set "
            text += f"'{name}' are learned as a part of the answer"
            yield _finding(text, f"name a template that reasons, such as qwen3, {_DROP}", found)
        return
    for name, found in told["foreign"].items():
        text = f"data set '{name}': the thoughts of {_rows(found)} are not marked as template "
        text += f"'{template}' marks them: they are learned as a part of the answer, behind an "
        text += "empty thought"
        yield _finding(text, _words(told), found, "fault")
    for name, found in told["spaced"].items():
        text = f"data set '{name}': the thoughts of {_rows(found)} have other spaces around them "
        yield _finding(f"{text}than template '{template}' writes", _words(told), found)
    yield from _lost(settings, told)
    yield from _empty(settings, told)
    for name, found in told["spoken"].items():
        text = f"data set '{name}': {_rows(found)} without a thought, whose answer holds its marks"
        yield _finding(f"{text}: no empty thought is put before it", None, found)


def _lost(settings: Settings, told: Mapping[str, Any]) -> Iterator[Finding]:
    """Thoughts that the template leaves out."""
    for name, found in told["lost"].items():
        text = f"data set '{name}': the thoughts of {_rows(found)} are left out"
        if settings.get("enable_thinking") is False:
            text += ", as enable_thinking is false"
        mixed = "null" if name in told["plain"] else "true"
        yield _finding(text, f"write enable_thinking: {mixed}", found)
    for name, found in told["earlier"].items():
        amount = found["amount"]
        text = f"data set '{name}': {amount} thought{'s' * (amount != 1)} of earlier turns "
        text += f"{'is' if amount == 1 else 'are'} left out in "
        yield _finding(text + _rows(found), "write preserve_thinking: true to keep them", found)


def _empty(settings: Settings, told: Mapping[str, Any]) -> Iterator[Finding]:
    """Empty thoughts that are learned."""
    for name, found in told["empty"].items():
        text = f"data set '{name}': in {_rows(found)} an answer without a thought learns to begin "
        text += "with an empty one, as enable_thinking is true"
        advice = "write enable_thinking: null, and each row is learned as it is"
        if name not in told["thinking"]:
            advice = "write enable_thinking: false, and the empty one is given, not learned"
        yield _finding(text, advice, found)


def _words(told: Mapping[str, Any]) -> str:
    return f"write in the exporter thought_words: {json.dumps(told['words'], ensure_ascii=False)}"


def _rows(found: Mapping[str, Any]) -> str:
    return f"{found['rows']} row{'s' * (found['rows'] != 1)}"


def _finding(
    text: str, advice: str | None, found: Mapping[str, Any], state: str = "warning"
) -> Finding:
    return Finding(state, "thoughts", text, advice, tuple(found["examples"]))  # type: ignore[arg-type]
