"""The first half of a benchmark's question, with another end or none."""

from __future__ import annotations

from typing import NamedTuple

from sftrecipe_registry.shared.near_duplicates.token_hashes import Tokens, tokens_of

_SHARE = 0.4
"""Of a question's characters that a half has at least."""
_CLOSING = frozenset(",.;:!?，。；：！？\n")
"""What stands behind a clause."""
_ENDING = frozenset(".!?。！？")


class Beginning(NamedTuple):
    """Where a text has the first tokens of a question."""

    text: str
    tokens: Tokens
    first: int
    """The token of the text that is the question's first."""
    behind: int
    """The token behind the text's last."""
    shared: int
    """How many tokens are those of the question."""


def shared_half(question: str, there: Beginning, fewest: int) -> int | None:
    """How many of a question's tokens stand there as its half; None where that is too little.

    They begin the text, or a sentence of it, and end where a clause does in both, or where the text
    breaks off. There are `fewest`, or some less with a number among them.
    """
    if not _begins_there(there.text, int(there.tokens.begins[there.first])):
        return None
    own = tokens_of([question])
    count = there.shared if _breaks_off(question, own, there) else _closed(question, own, there)
    end = int(own.ends[count - 1])
    half = question[:end]
    if end < _SHARE * len(question) or (count < fewest and not any(map(str.isdecimal, half))):
        return None
    return count


def _begins_there(text: str, begin: int) -> bool:
    before = text[:begin].rstrip(" \t")
    return not before or not (before[-1].isalnum() or before[-1] in ",，、")


def _breaks_off(question: str, own: Tokens, there: Beginning) -> bool:
    """Whether nothing stands behind what is shared but the beginning of the question's next word.

    A sentence that ends there is another, shorter question.
    """
    at = there.first + there.shared
    if at == there.behind:
        return not _ENDING.intersection(there.text[int(there.tokens.ends[at - 1]) :])
    if at + 1 < there.behind:
        return False
    last = there.text[int(there.tokens.begins[at]) :].rstrip(" .…").lower()
    return question[int(own.begins[there.shared]) :].lower().startswith(last)


def _closed(question: str, own: Tokens, there: Beginning) -> int:
    """How many tokens stand before the last mark that both have."""
    for count in range(there.shared, 1, -1):
        token = there.first + count - 1
        if _mark_behind(question, own, count - 1, len(own.hashes)) and _mark_behind(
            there.text, there.tokens, token, there.behind
        ):
            return count
    return 1


def _mark_behind(text: str, tokens: Tokens, token: int, behind: int) -> bool:
    end = len(text) if token + 1 == behind else int(tokens.begins[token + 1])
    return bool(_CLOSING.intersection(text[int(tokens.ends[token]) : end]))
