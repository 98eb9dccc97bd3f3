"""Questions of a benchmark that a text asks in nearly the same words, numbers in figures or not."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

from sftrecipe_registry.filters.repeats.plain_numbers import plain_numbers
from sftrecipe_registry.filters.repeats.token_runs import RunIndex, TokenRuns, is_unspaced
from sftrecipe_registry.shared.meaning.difference import difference
from sftrecipe_registry.shared.near_duplicates.token_hashes import Tokens, tokens_of

_RUN = {False: 3, True: 4}
"""Tokens of a run, by whether characters are counted for words."""
_SHARE, _SHARE_OF_NUMBERED = 0.5, 0.35
"""Of a question's runs that a text has at least: then they are compared word by word. A number
written in more words changes the runs around it."""
_LONGEST = 120
"""Tokens of a question: a longer one has runs that stay as they are."""
_STOCK = 8
"""Questions with a run, beyond which it tells of none."""
_TRIED = 3
"""Windows around what is shared that are compared word by word, the likest first."""
_NUMBER = np.uint64(0x8EBC6AF09C88C6E3)
"""Stands for every number."""
_NUMERALS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    " sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety"
    " hundred thousand million billion trillion half halves third thirds quarter quarters dozen"
    " first second fourth fourths fifth fifths sixth sixths seventh eighth eighths ninth tenth"
    " tenths eleventh twelfth twentieth percent pct point"
    " 〇 零 一 二 两 三 四 五 六 七 八 九 十 百 千 万 亿 半 分 之 点"
    " 壹 贰 叁 肆 伍 陆 柒 捌 玖 拾 佰 仟 萬 億"
)
_FIGURES = re.compile(r"\d+(?:[.]\d+)?")
_MARKS = re.compile(r"[^\w#]+")


class NearCopy(NamedTuple):
    """A span of a text that asks what an item asks."""

    begin: int
    """Its first character, and after its last."""
    end: int
    item: int


class _Question(NamedTuple):
    item: int
    text: str
    tokens: int
    fewest: float
    """Of its runs that a text has at least."""


class NearCopies:
    """Finds questions in texts that share half of their runs and say nothing else.

    Numbers are alike until all is compared: `12`, `twelve` and `十二` then count as what they mean,
    and another number makes another question.
    """

    def __init__(self, questions: Sequence[tuple[int, str]]) -> None:
        """Takes items' numbers and questions; those too short or too long are left out."""
        self._questions: list[_Question] = []
        of_run: dict[bool, dict[int, list[_Asked]]] = {False: {}, True: {}}
        texts = [text for _, text in questions]
        tokens = _numbered(tokens_of(texts), texts)
        text_runs = TokenRuns(tokens)
        for at, (item, text) in enumerate(questions):
            unspaced = is_unspaced(text)
            size = int(tokens.first[at + 1] - tokens.first[at])
            if not 2 + _RUN[unspaced] <= size <= _LONGEST:
                continue
            runs = dict.fromkeys(text_runs.of(at, _RUN[unspaced]).tolist())
            for place, run in enumerate(runs):
                of_run[unspaced].setdefault(run, []).append(_Asked(len(self._questions), place))
            share = _SHARE_OF_NUMBERED if _FIGURES.search(plain_numbers(text)) else _SHARE
            self._questions.append(_Question(item, text, size, share * len(runs)))
        self._fewest = np.array([asked.fewest for asked in self._questions])
        self._indices = {kind: _QuestionRuns.of(runs) for kind, runs in of_run.items() if runs}

    def find(
        self, texts: Sequence[str], words: Tokens
    ) -> tuple[list[list[NearCopy]], list[list[NearCopy]]]:
        """The near copies in every text, of which these are the tokens; and where questions stand
        with other numbers."""
        found: list[list[NearCopy]] = [[] for _ in texts]
        others: list[list[NearCopy]] = [[] for _ in texts]
        if not self._indices:
            return found, others
        made = TokenRuns(_numbered(words, texts))
        for unspaced, index in self._indices.items():
            for text, question, places in index.shared(made, _RUN[unspaced], self._fewest):
                asked = self._questions[question]
                for copy, same in self._copy(asked, texts[text], made.tokens, text, places):
                    (found if same else others)[text].append(copy)
        return found, others

    def _copy(
        self, asked: _Question, text: str, tokens: Tokens, at: int, places: list[_Shared]
    ) -> Iterator[tuple[NearCopy, bool]]:
        """The question where most of its runs stand together, and whether all else says the same
        too; nothing where more than its numbers differ."""
        windows = self._windows(asked, tokens, at, places)
        plain = plain_numbers(asked.text)
        for left, right in sorted(windows, key=lambda each: _unlike(asked.text, text, each))[
            :_TRIED
        ]:
            there = plain_numbers(text[left:right])
            if difference(plain, there) is None:
                yield NearCopy(left, right, asked.item), True
                return
            if _other_numbers(plain, there):
                yield NearCopy(left, right, asked.item), False
                return

    def _windows(
        self, asked: _Question, tokens: Tokens, at: int, places: list[_Shared]
    ) -> set[tuple[int, int]]:
        """Spans of characters where the question may stand; none where its runs do not stand
        together."""
        start, last = int(tokens.first[at]), int(tokens.first[at + 1]) - 1
        places.sort()
        span = asked.tokens + asked.tokens // 4 + 1
        most: list[_Shared] = []
        for first, shared in enumerate(places):
            inside = [each for each in places[first:] if each.token < shared.token + span]
            most = max(most, inside, key=len)
        if len(most) < asked.fewest:
            return set()
        begin = most[0].token - most[0].run
        end = most[-1].token + asked.tokens - 1 - most[-1].run
        return {
            (int(tokens.begins[max(left, start)]), int(tokens.ends[min(right, last)]))
            for left in range(begin - 2, begin + 3)
            for right in range(end - 2, end + 3)
            if max(left, start) <= min(right, last)
        }


def _other_numbers(asked: str, there: str) -> bool:
    """Whether the texts differ in as many numbers as each has, and in nothing else."""
    mine, theirs = _FIGURES.findall(asked), _FIGURES.findall(there)
    if mine == theirs or len(mine) != len(theirs):
        return False
    return _bare(asked) == _bare(there)


def _bare(text: str) -> str:
    """Without its numbers and marks."""
    return _MARKS.sub("", _FIGURES.sub("#", text))


def _unlike(asked: str, text: str, window: tuple[int, int]) -> tuple[float, tuple[int, int]]:
    """How little a window of the text looks like the question."""
    return -fuzz.ratio(asked, text[slice(*window)]), window


class _Asked(NamedTuple):
    """A run's place in a question."""

    question: int
    run: int


class _Shared(NamedTuple):
    """A run that a text shares with a question."""

    token: int
    """The run's first in the text."""
    run: int
    """Its place in the question."""


class _QuestionRuns(NamedTuple):
    """Runs of questions, and where questions have each."""

    held: RunIndex
    first: NDArray[np.int64]
    """By run the first of the places below, and at last how many there are."""
    questions: NDArray[np.int64]
    places: NDArray[np.int64]
    """Of the run in the question."""

    @classmethod
    def of(cls, held: dict[int, list[_Asked]]) -> _QuestionRuns:
        kept = sorted(run for run, asked in held.items() if len(asked) <= _STOCK)
        first = np.cumsum([0, *(len(held[run]) for run in kept)])
        every = np.array([asked for run in kept for asked in held[run]], np.int64).reshape(-1, 2)
        return cls(RunIndex.of(np.array(kept, np.uint64)), first, every[:, 0], every[:, 1])

    def shared(
        self, made: TokenRuns, length: int, fewest: NDArray[np.float64]
    ) -> Iterator[tuple[int, int, list[_Shared]]]:
        """Texts and questions with the runs that both have, where these are as many as the
        question asks for, and two."""
        texts, tokens, at = made.places_in(self.held, length)
        many = np.diff(self.first)[at]
        asked = np.repeat(self.first[at] - np.cumsum(many) + many, many) + np.arange(many.sum())
        questions = self.questions[asked]
        pairs, of_pair, counts = np.unique(
            np.repeat(texts, many) * len(fewest) + questions,
            return_inverse=True,
            return_counts=True,
        )
        enough = counts >= np.maximum(fewest[pairs % len(fewest)], 2)
        kept = enough[of_pair].nonzero()[0]
        found: dict[int, list[_Shared]] = defaultdict(list)
        told = pairs[of_pair[kept]], np.repeat(tokens, many)[kept], self.places[asked[kept]]
        for pair, token, run in zip(*(each.tolist() for each in told), strict=True):
            found[pair].append(_Shared(token, run))
        for pair, shared in found.items():
            yield *divmod(pair, len(fewest)), shared


@cache
def _numerals() -> RunIndex:
    return RunIndex.of(np.unique(tokens_of([_NUMERALS]).hashes))


def _numbered(tokens: Tokens, texts: Sequence[str]) -> Tokens:
    """The tokens with every number one token, the same one."""
    is_number = _is_figure(tokens, texts)
    is_number[_numerals().places(tokens.hashes)[0]] = True
    again = np.zeros(len(is_number), bool)
    again[1:] = is_number[1:] & is_number[:-1]
    starts = tokens.first[:-1]
    again[starts[starts < len(again)]] = False
    kept = (~again).nonzero()[0]
    hashes = np.where(is_number, _NUMBER, tokens.hashes)[kept]
    ends = tokens.ends[np.append(kept[1:], len(again))[: len(kept)] - 1] if len(kept) else kept
    return Tokens(hashes, tokens.begins[kept], ends, np.searchsorted(kept, tokens.first))


def _is_figure(tokens: Tokens, texts: Sequence[str]) -> NDArray[np.bool_]:
    """Which tokens begin with a figure."""
    codes = np.frombuffer("\n".join([*texts, ""]).encode("utf-32-le", "surrogatepass"), np.uint32)
    starts = np.zeros(len(texts), np.int64)
    np.cumsum([len(text) + 1 for text in texts[:-1]], out=starts[1:])
    firsts = codes[tokens.begins + np.repeat(starts, np.diff(tokens.first))]
    figures: NDArray[np.bool_] = (firsts >= ord("0")) & (firsts <= ord("9"))
    return figures
