"""ROUGE: how many of a text's n-grams stand in another, or tokens in the same order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple


class Rouge(NamedTuple):
    """ROUGE of a prediction against a target."""

    precision: float
    """What is common over what the prediction holds."""
    recall: float
    """What is common over what the target holds."""
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


def rouge_n(target: Sequence[str], prediction: Sequence[str], size: int) -> Rouge:
    """ROUGE-N of two token lists, each n-gram as often as it stands in both; 0 without one.

    Source: Lin 2004; google-research rouge_score.
    """
    wanted, said = _ngrams(target, size), _ngrams(prediction, size)
    common = (wanted & said).total()
    if not common:
        return Rouge(0.0, 0.0, 0.0)
    precision, recall = common / said.total(), common / wanted.total()
    return Rouge(precision, recall, f_measure(common, wanted.total(), said.total()))


def _ngrams(tokens: Sequence[str], size: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(tokens[at : at + size]) for at in range(len(tokens) - size + 1))
