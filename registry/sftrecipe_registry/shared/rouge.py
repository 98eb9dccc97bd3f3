"""ROUGE-L: how much of one text's tokens stand in another in the same order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Rouge(NamedTuple):
    """ROUGE-L of a prediction against a target."""

    precision: float
    """Longest common subsequence over the prediction's tokens."""
    recall: float
    """Longest common subsequence over the target's tokens."""
    f1: float


def rouge_l(target: Sequence[str], prediction: Sequence[str], *, epsilon: float = 0.0) -> Rouge:
    """ROUGE-L of two token lists; all 0 when either is empty.

    `epsilon` is added to P + R: 0 is rouge_score's F1 to the last bit, 1e-8 is rouge-chinese's.
    Source: Lin 2004; google-research rouge_score.
    """
    from rapidfuzz.distance import LCSseq  # noqa: PLC0415

    if not target or not prediction:
        return Rouge(0.0, 0.0, 0.0)
    common = LCSseq.similarity(target, prediction)
    precision, recall = common / len(prediction), common / len(target)
    return Rouge(precision, recall, f_measure(common, len(target), len(prediction), epsilon))


def f_measure(common: int, target: int, prediction: int, epsilon: float = 0.0) -> float:
    """F1 from the length of the common subsequence and the two texts' (> 0), in tokens."""
    if not common:
        return 0.0
    precision, recall = common / prediction, common / target
    return 2 * precision * recall / (precision + recall + epsilon)
