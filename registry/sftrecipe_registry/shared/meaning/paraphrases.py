"""Whether two questions ask the same in other words: a handful of signs, weighed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from math import exp, log1p
from typing import TYPE_CHECKING, NamedTuple

from rapidfuzz import fuzz

from sftrecipe_registry.shared.meaning.difference import order_differs, other_numbers
from sftrecipe_registry.shared.meaning.english_stems import stem
from sftrecipe_registry.shared.meaning.lexicon import lexicon_of
from sftrecipe_registry.shared.meaning.reading import read
from sftrecipe_registry.shared.meaning.word_pairs import groups_of, only, opposed, stands_in
from sftrecipe_registry.shared.text.scripts import count_words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Vectors = Callable[[Sequence[str]], "NDArray[np.float32]"]

LEAST = 0.58
"""Cosine below which nothing is looked at."""
MOST = 0.87
"""Cosine from which on texts share most of their words, and one that differs is a fact."""
_MOST_WORDS = 45
"""Words beyond which a text says too much for its vector to hold."""
_LIMIT = 0.65
"""Chance from which on two texts mean the same."""
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+(?:\.\d+)?|[\u3400-\u9fff]+")
_DATA = re.compile(r"\n|[\"“”「『《]|: ?\S+[^?？]*$|：")
"""A text with data of its own: what it says is in them."""
_ORDER = re.compile(
    r"^(?:name|list|describe|generate|give|provide|predict|create|write|explain|tell|identify|"
    r"suggest|develop|outline|design|compose|construct|make|state|discuss)\b|"
    r"^(?:列出|描述|讲|生成|写|提供|说|解释|创造|想象|给出|举|设计|总结|造)"
)
"""What is to be made or listed: rows of instructions have many alike, of other things."""
_SHARED_ORDER = 0.4
"""Share of the words that two of them have in common at least."""
_TASKS = {
    "create": r"(?:write|compose|generate|construct|create|design|develop|draft|craft|invent|"
    r"imagine|"
    r"make up|produce|come up|build)\b|写|创作|生成|编|造|设计|想象|讲一?个|创造|续写",
    "translate": r"translat|翻译|译成",
    "classify": r"(?:classif|categori|sort|identify|detect|determine|judge)|分类|归类|判断",
    "summarize": r"(?:summar|condense|shorten)|总结|概括|摘要|归纳",
    "edit": r"(?:rewrite|edit|rephrase|paraphrase|revise|correct|replace|convert|change)\b|"
    r"改写|修改|重写|替换|改成|润色",
    "compare": r"(?:compare|contrast)\b|比较|对比",
}
_STARTS = {
    name: re.compile(rf"(?:^|[.!;,，。；]\s*|\bto |请|帮我)(?:{pattern})")
    for name, pattern in _TASKS.items()
}


class Signs(NamedTuple):
    """What speaks for two texts meaning the same, or against it."""

    cosine: float
    letters: float
    """How alike they are letter by letter: alike ones that differ in a word differ in a fact."""
    shared: float
    """Share of the words that both have, of the text that has fewer of the other's."""
    worst: float
    """Nearness of the word that is farthest from all of the other text."""
    mean: float
    left_over: float
    """Nearness of what each has alone, taken together."""
    fewest: int
    """Words that one has alone, on the side with fewer."""
    length: float
    size: int
    number: bool
    negation: bool
    opposite: bool
    exclusive: bool
    intent: bool
    contrary_intents: bool

    def values(self) -> list[float]:
        """The signs as they are weighed, some by how alike the letters are."""
        size = log1p(self.size)
        alike = self.letters
        return [
            *map(float, self),
            self.cosine * alike,
            alike * alike,
            self.worst * alike,
            self.negation * alike,
            self.opposite * alike,
            self.exclusive * alike,
            self.intent * alike,
            self.cosine * size,
            size,
        ]


def may_paraphrase(first: str, second: str) -> bool:
    """Whether it is worth looking: short texts without data of their own that ask for one thing."""
    return _brief(first) and _brief(second) and _tasks(first) == _tasks(second)


@lru_cache(1 << 16)
def _brief(text: str) -> bool:
    return count_words(text) <= (
        _MOST_WORDS if not text.isascii() else _MOST_WORDS // 3 * 2
    ) and not _DATA.search(text.strip())


@lru_cache(1 << 16)
def _tasks(text: str) -> frozenset[str]:
    plain = read(text).plain
    return frozenset(name for name, pattern in _STARTS.items() if pattern.search(plain))


def paraphrases(first: str, second: str, cosine: float, vectors: Vectors) -> bool:
    """Whether the texts mean the same, by the signs."""
    one, other = read(first), read(second)
    if other_numbers(one, other) or order_differs(one, other):
        return False
    found = signs(first, second, cosine, vectors)
    if found.shared < _SHARED_ORDER and all(_ORDER.search(each.plain) for each in (one, other)):
        return False
    return chance(found, one.chinese) >= _LIMIT


def chance(found: Signs, is_chinese: bool) -> float:
    """The probability that texts with these signs mean the same."""
    weights, bias = _WEIGHTS[is_chinese]
    total = bias + sum(w * v for w, v in zip(weights, found.values(), strict=True))
    return 1 / (1 + exp(-max(-30.0, min(30.0, total))))


def signs(first: str, second: str, cosine: float, vectors: Vectors) -> Signs:
    """The signs of a pair."""
    one, other = read(first), read(second)
    mine, theirs = _words(first), _words(second)
    left, right = _alone(mine, theirs), _alone(theirs, mine)
    sides = [_nearest(left, theirs, vectors), _nearest(right, mine, vectors)]
    unlike = [
        [word for word in only(this, that) if not stands_in(word, that)]
        for this, that in ((one, other), (other, one))
    ]
    kinds = {kind for kind, *_ in opposed(*unlike)}
    sizes = sorted((max(len(mine), 1), max(len(theirs), 1)))
    return Signs(
        cosine,
        fuzz.ratio(one.plain, other.plain) / 100,
        min(1 - len(left) / max(len(mine), 1), 1 - len(right) / max(len(theirs), 1)),
        min((*sides[0], *sides[1]), default=1.0),
        min(sum(side) / len(side) if side else 1.0 for side in sides),
        _together(left, right, vectors),
        min(len(left), len(right)),
        sizes[0] / sizes[1],
        sizes[0],
        [n[0] for n in one.numbers if not n[1]] != [n[0] for n in other.numbers if not n[1]],
        bool((one.negations - other.negations) % 2),
        "opposite" in kinds,
        "word" in kinds,
        one.intents != other.intents,
        bool(one.intents and other.intents and not one.intents & other.intents),
    )


@lru_cache(1 << 14)
def _words(text: str) -> tuple[str, ...]:
    """The words that mean something, Chinese ones as jieba cuts them."""
    import jieba  # noqa: PLC0415 - 0.5 s

    jieba.setLogLevel(60)
    found: list[str] = []
    for run in _WORD.findall(read(text).plain):
        words = [run] if run.isascii() else jieba.cut(run)
        found += [word for word in words if _key(word) not in lexicon_of(word).light]
    return tuple(dict.fromkeys(found))


def _key(word: str) -> str:
    return stem(word) if word.isascii() else word


def _alone(words: Sequence[str], others: Sequence[str]) -> list[str]:
    keys = {_key(word) for word in others}
    groups = {group for key in keys for group in groups_of(key)}
    return [
        word
        for word in words
        if (key := _key(word)) not in keys and groups.isdisjoint(groups_of(key))
    ]


def _nearest(words: Sequence[str], others: Sequence[str], vectors: Vectors) -> list[float]:
    if not words or not others:
        return [0.0] * len(words)
    nearest: list[float] = (vectors(words) @ vectors(others).T).max(axis=1).tolist()
    return nearest


def _together(left: Sequence[str], right: Sequence[str], vectors: Vectors) -> float:
    if not left or not right:
        return 0.5 if left or right else 1.0
    both = vectors([" ".join(left), " ".join(right)])
    return float(both[0] @ both[1])


_WEIGHTS: dict[bool, tuple[tuple[float, ...], float]] = {
    False: (
        (
            5.19, -8.37, -0.85, 1.5, 3.57, 4.35, 0.25, -1.47, 0.13, -0.7, 2.07, 0.19,
            0.24, 1.25, 1.22, -2.31, -5.51, -6.4, 0.2, -0.84, -1.26, -0.64, 1.57, -1.12,
        ),
        -0.22,
    ),
    True: (
        (
            1.04, -5.38, 1.6, 2.75, 4.41, 2.57, 0.31, -2.04, -0.1, -1.27, 1.24, -1.15,
            0.6, 1.65, -1.26, -3.59, -4.2, -3.32, -1.44, -0.87, -1.61, -3.05, 0.53, 0.52,
        ),
        -1.18,
    ),
}  # fmt: skip
"""By whether the text is Chinese: a weight a sign, and what is added.
`benchmarks/filters/train_paraphrases.py` makes them."""
