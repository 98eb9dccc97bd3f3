"""How near an answer is to the row's own: BLEU, ROUGE on sets, and whether it says a fact.

ROUGE is as the package `rouge` 1.0.1 defines it, to compare with figures that were made so: texts
are cut into sentences at every full stop and into words at white space, case and punctuation as
they are. Repeated n-grams count once. ROUGE-L is summary-level: the words of the longest common
subsequences of all pairs of sentences, as one set.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from itertools import chain, pairwise
from typing import NamedTuple


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


_EPSILON = 1e-8


class RougeSets(NamedTuple):
    """The three F measures."""

    rouge_1: float
    rouge_2: float
    rouge_l: float


def rouge_sets(target: str, prediction: str) -> RougeSets:
    """All 0 where either text has no sentence."""
    wanted, said = _sentences(target), _sentences(prediction)
    if not wanted or not said:
        return RougeSets(0.0, 0.0, 0.0)
    words = set(chain.from_iterable(wanted)), set(chain.from_iterable(said))
    pairs = _pairs(wanted), _pairs(said)
    common: set[str] = set()
    for one in wanted:
        for other in said:
            common.update(_common_words(one, other))
    return RougeSets(
        _f_measure(len(words[0] & words[1]), len(words[0]), len(words[1])),
        _f_measure(len(pairs[0] & pairs[1]), len(pairs[0]), len(pairs[1])),
        _f_measure(len(common), len(words[0]), len(words[1])),
    )


def _sentences(text: str) -> list[list[str]]:
    # A sentence of white space alone is one empty word, as published.
    return [part.split() or [""] for part in text.split(".") if part]


def _pairs(sentences: Sequence[Sequence[str]]) -> set[tuple[str, str]]:
    """Neighbouring words, also across sentences."""
    return set(pairwise(chain.from_iterable(sentences)))


def _f_measure(common: int, target: int, prediction: int) -> float:
    precision = common / prediction if prediction else 0.0
    recall = common / target if target else 0.0
    return 2.0 * ((precision * recall) / (precision + recall + _EPSILON))


def _common_words(one: Sequence[str], other: Sequence[str]) -> set[str]:
    """The words of one longest common subsequence: of several, which one decides the figure."""
    lengths = [[0] * (len(other) + 1)]
    for word in one:
        above, row = lengths[-1], [0]
        for place, facing in enumerate(other):
            row.append(above[place] + 1 if word == facing else max(above[place + 1], row[-1]))
        lengths.append(row)
    found: set[str] = set()
    at, across = len(one), len(other)
    while at and across:
        if one[at - 1] == other[across - 1]:
            at, across = at - 1, across - 1
            found.add(one[at])
        elif lengths[at - 1][across] > lengths[at][across - 1]:
            at -= 1
        else:
            across -= 1
    return found


def folded(text: str) -> str:
    """The text in one case and width, with single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def says(text: str, fact: str) -> bool:
    """Whether the fact stands in the text; not within a longer word or number (`42` in `142`).

    Between Chinese characters any place is one between words.
    """
    wanted = folded(fact)
    before = r"(?<![a-z0-9])" if re.match(r"[a-z0-9]", wanted) else ""
    after = r"(?![a-z0-9])" if re.search(r"[a-z0-9]\Z", wanted) else ""
    return re.search(before + re.escape(wanted) + after, folded(text)) is not None
