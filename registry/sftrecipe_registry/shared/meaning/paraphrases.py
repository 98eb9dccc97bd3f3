"""Whether two questions ask the same in other words: a handful of signs, weighed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from math import exp, log1p
from typing import TYPE_CHECKING, NamedTuple

from rapidfuzz import fuzz

from sftrecipe_registry.shared.meaning.difference import (
    order_differs,
    other_numbers,
    slip_of_sound,
)
from sftrecipe_registry.shared.meaning.english_stems import stem
from sftrecipe_registry.shared.meaning.lexicon import lexicon_of
from sftrecipe_registry.shared.meaning.reading import Reading, read
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
_LIMITS = {False: 0.7, True: 0.62}
"""By whether the text is Chinese: the chance from which on two texts mean the same. Among pairs
that the weights were not fitted on, 1 of 100 that differ in a fact has it."""
_MUCH_MORE = 0.5
"""Share of a text's words that are all of the other's: it asks for that, and for more."""
_FARTHEST = 0.3
"""Nearness of the farthest word at least, of Chinese texts: jieba's words are what is asked."""
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+(?:\.\d+)?|[\u3400-\u9fff]+")
_NUMERAL = re.compile(r"[\d零〇一二两三四五六七八九十百千万亿半]")
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
    return _brief(first) and _brief(second) and same_task(first, second)


def same_task(first: str, second: str) -> bool:
    """Whether both want a text made, translated, sorted, shortened …, or neither."""
    return _tasks(first) == _tasks(second)


def words_contrast(first: str, second: str) -> bool:
    """Whether each of two Chinese texts has a word of its own, as jieba cuts them: their parts may
    stand in the other, `成` and `本` of `成本`."""
    one, other = read(first), read(second)
    if not one.chinese or not other.chinese or slip_of_sound(one, other):
        return False
    mine, theirs = _words(first), _words(second)
    return _has_own(_alone(mine, theirs), other) and _has_own(_alone(theirs, mine), one)


def _has_own(words: Sequence[str], other: Reading) -> bool:
    """Whether one of the words, no number, stands nowhere in the other text."""
    return any(word not in other.plain and not _NUMERAL.match(word) for word in words)


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
    if found.shared < _SHARED_ORDER and (
        "create" in _tasks(first) or all(_ORDER.search(each.plain) for each in (one, other))
    ):
        return False
    return (
        not _contradicts(found, one.chinese) and chance(found, one.chinese) >= _LIMITS[one.chinese]
    )


def _contradicts(found: Signs, is_chinese: bool) -> bool:
    """Whether a sign speaks against it, whatever the others say.

    A negation does in English; in Chinese one of two that ask the same often has a word of denial
    in it, as 不通 and 堵.
    """
    asks_more = found.fewest == 0 and found.length <= _MUCH_MORE
    if asks_more or found.opposite or found.exclusive or found.contrary_intents:
        return True
    return found.worst < _FARTHEST if is_chinese else found.negation


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
            3.86, -7.23, -0.94, -1.06, 3.01, 3.69, 0.27, -1.04, 0.01, -0.16, 0.73, -0.68,
            -0.76, 0.8, 0.58, -3.02, -4.19, -5.88, -0.2, -0.9, -0.64, -0.81, 0.59, -0.14,
        ),
        2.57,
    ),
    True: (
        (
            1.0, -5.17, 1.5, 3.18, 4.25, 2.59, 0.34, -2.04, -0.1, -1.3, 1.18, -1.2,
            0.4, 1.98, -1.34, -3.48, -3.35, -4.46, -1.18, -0.84, -1.24, -3.4, 0.39, 0.52,
        ),
        -1.29,
    ),
}  # fmt: skip
"""By whether the text is Chinese: a weight a sign, and what is added.
`benchmarks/filters/train_paraphrases.py` makes them."""
