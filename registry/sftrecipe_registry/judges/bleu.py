"""BLEU of one answer against one reference."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise


def bleu_2(reference: Sequence[str], answer: Sequence[str]) -> float:
    """The geometric mean of the clipped precisions of words and pairs of words, times the brevity
    penalty; 0 where no pair is common.

    Source: Papineni et al. 2002; nltk's `sentence_bleu` with weights (.5, .5), which gives 1e-154
    and less in place of 0.
    """
    precisions = [
        _precision(Counter(reference), Counter(answer)),
        _precision(Counter(pairwise(reference)), Counter(pairwise(answer))),
    ]
    if not all(precisions):
        return 0.0
    short = len(answer) <= len(reference)
    brevity = math.exp(1 - len(reference) / len(answer)) if short else 1.0
    return brevity * math.exp(math.fsum(0.5 * math.log(each) for each in precisions))


def _precision(reference: Counter[object], answer: Counter[object]) -> float:
    common = (reference & answer).total()
    return common / answer.total() if common else 0.0
