"""Who wins a comparison of two answers that a judge scored in both orders."""

from __future__ import annotations

import re
from collections.abc import Iterable
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


def verdict(first: str, second: str) -> Verdict:
    """The outcome for A of two replies: `first` saw A before B, `second` B before A.

    Each order's sign counts alike, so that winning one and losing the other is a tie. `invalid`
    where a reply holds no two scores: the released code lets two such replies tie.
    """
    one, other = two_scores(first), two_scores(second)
    if one is None or other is None:
        return "invalid"
    total = _sign(one[0] - one[1]) + _sign(other[1] - other[0])
    return "win" if total > 0 else "lose" if total < 0 else "tie"


def winning_score(verdicts: Iterable[Verdict]) -> float:
    """(wins - losses) / comparisons + 1, of those that are valid; above 1: A is the better one.

    Raises ZeroDivisionError when none is valid.
    """
    valid = [each for each in verdicts if each != "invalid"]
    return (valid.count("win") - valid.count("lose")) / len(valid) + 1


def _sign(number: float) -> int:
    return (number > 0) - (number < 0)
