"""Better and worse answers, given as answers or as the conversations that they end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sftrecipe.record import Turn
from sftrecipe.turns.faults import UnreadTurn


class Talk(NamedTuple):
    """What a column of a pair says."""

    before: Sequence[Turn]
    """The turns before the answer; none where the answer stands alone."""
    answer: Turn


def asked_before(
    talks: Mapping[str, Talk], asked: Sequence[Turn], prompt: str | None
) -> list[Turn]:
    """The turns that the answers follow: those of the row, or the conversations' common beginning.

    Raises UnreadTurn where they are not the same.
    """
    for name, talk in talks.items():
        if talk.answer["role"] != "assistant":
            raise _no_pair(f"role of {name} is '{talk.answer['role']}'")
    begun = _common(talks)
    found = _agreed(list(asked), begun, [talk.answer for talk in talks.values()])
    if prompt is None:
        return found
    said = [turn["content"].strip() for turn in found if turn["role"] == "user"]
    if found and prompt.strip() not in (said[:1] + said[-1:]):
        raise _no_pair("prompt is not what the answers follow")
    return found or [{"role": "user", "content": prompt}]


def _common(talks: Mapping[str, Talk]) -> list[Turn]:
    begun = [list(talk.before) for talk in talks.values() if talk.before]
    if any(each != begun[0] for each in begun[1:]):
        raise _no_pair("chosen and rejected differ before their last turn")
    return begun[0] if begun else []


def _agreed(asked: list[Turn], begun: list[Turn], answers: Sequence[Turn]) -> list[Turn]:
    """The longer of both, where one is the end of the other but for a system prompt."""
    if asked and asked[-1] in answers:  # UltraFeedback's `messages` are the chosen conversation
        asked = asked[:-1]
    if not asked or not begun:
        return asked or begun
    longer, shorter = (asked, begun) if len(asked) >= len(begun) else (begun, asked)
    more = len(longer) - len(shorter)
    if longer[more:] != shorter or any(turn["role"] != "system" for turn in longer[:more]):
        raise _no_pair("the answers follow another conversation than the row's")
    return longer


def _no_pair(why: str) -> UnreadTurn:
    return UnreadTurn("not_a_pair", why)
