"""Conversations as rounds of a question and its answer, as MOSS, Capybara and COIG have them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sftrecipe.turns.faults import is_empty

_ASKS = ("human", "user", "input", "instruction", "question", "prompt", "query", "问题", "问")
_ANSWERS = ("assistant", "gpt", "bot", "output", "answer", "response", "回答", "答案", "答")
_WORDS = {
    "system": "system",
    **dict.fromkeys(_ASKS, "user"),
    **dict.fromkeys(_ANSWERS, "assistant"),
}
_ROUND = ["user", "assistant"]


def unrolled(found: Any) -> Any:
    """The turns of a list of rounds; anything else as it is."""
    if not isinstance(found, list | tuple) or not found:
        return found
    turns: list[dict[str, Any]] = []
    for each in found:
        said = _round(each) if isinstance(each, Mapping) else None
        if said is None:
            return found  # at once: nearly all conversations are turns already
        turns += said
    return turns


def _round(found: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """A round's turns in their order; None where it has other parts, or not both."""
    said = dict(_said(found))
    if None in said or [role for role in said if role != "system"] not in (_ROUND, _ROUND[::-1]):
        return None
    if len(said) != sum(not is_empty(value) for value in found.values()):
        return None
    roles = ("system", *_ROUND)
    return [{"role": role, "content": said[role]} for role in roles if role in said]


def _said(found: Mapping[str, Any]) -> Iterator[tuple[str | None, Any]]:
    for word, value in found.items():
        if not is_empty(value):
            yield _WORDS.get(str(word).lower()), value
