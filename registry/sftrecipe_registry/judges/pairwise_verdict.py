"""Who wins a comparison of two answers that a judge scored, usually in both orders."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal

Verdict = Literal["win", "tie", "lose", "invalid"]

_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")


def two_scores(reply: str) -> tuple[float, float] | None:
    """The two numbers of the reply's first line, commas or spaces between; None for anything else.

    Source: Cherry_LLM (arXiv 2308.12032), `evaluation/review_eval_score.py`.
    """
    line = reply.strip().partition("\n")[0].replace(",", " ").replace("，", " ")
    parts = line.split()
    if len(parts) != 2 or not all(_NUMBER.fullmatch(part) for part in parts):
        return None
    return float(parts[0]), float(parts[1])


def preference(reply: str) -> int | None:
    """1 where the answer that was shown first scored higher, -1 lower, 0 equal; None: no scores."""
    scores = two_scores(reply)
    if scores is None:
        return None
    return (scores[0] > scores[1]) - (scores[0] < scores[1])


def outcome(preferences: Sequence[int]) -> Verdict:
    """The outcome for A, of one preference for A (1, 0, -1) an order.

    Each order counts alike, so that winning one and losing the other is a tie.
    """
    total = sum(preferences)
    return "win" if total > 0 else "lose" if total < 0 else "tie"


def verdict(first: str, second: str) -> Verdict:
    """The outcome for A of two replies: `first` saw A before B, `second` B before A.

    `invalid` where a reply holds no two scores: the released code lets two such replies tie.
    """
    one, other = preference(first), preference(second)
    return "invalid" if one is None or other is None else outcome([one, -other])


def winning_score(verdicts: Iterable[Verdict]) -> float:
    """(wins - losses) / comparisons + 1, of those that are valid; above 1: A is the better one.

    Raises ZeroDivisionError when none is valid.
    """
    valid = [each for each in verdicts if each != "invalid"]
    return (valid.count("win") - valid.count("lose")) / len(valid) + 1
