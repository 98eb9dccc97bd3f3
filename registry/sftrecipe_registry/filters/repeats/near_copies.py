"""Questions of a benchmark that a text asks in nearly the same words, numbers in figures or not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

from sftrecipe_registry.filters.repeats.token_runs import RunIndex, TokenRuns, is_unspaced
from sftrecipe_registry.shared.meaning.difference import difference
from sftrecipe_registry.shared.near_duplicates.token_hashes import Tokens, tokens_of

_RUN = {False: 3, True: 4}
"""Tokens of a run, by whether characters are counted for words."""
_SHARE = 0.5
"""Of a question's runs that a text has at least: then they are compared word by word."""
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
    " hundred thousand million billion half third thirds quarter quarters dozen percent"
    " 〇 零 一 二 两 三 四 五 六 七 八 九 十 百 千 万 亿 半"
)


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
    runs: int
    """How many different ones it has."""


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
            self._questions.append(_Question(item, text, size, len(runs)))
        self._indices = {kind: _QuestionRuns.of(runs) for kind, runs in of_run.items() if runs}

    def find(self, texts: Sequence[str], words: Tokens) -> list[list[NearCopy]]:
        """The near copies in every text, of which these are the tokens."""
        found: list[list[NearCopy]] = [[] for _ in texts]
        if not self._indices:
            return found
        tokens = _numbered(words, texts)
        made = TokenRuns(tokens)
        for unspaced, index in self._indices.items():
            for (text, question), places in index.shared(made, _RUN[unspaced]).items():
                asked = self._questions[question]
                if len(places) >= _SHARE * asked.runs and (
                    copy := self._copy(asked, texts[text], tokens, text, places)
                ):
                    found[text].append(copy)
        return found

    def _copy(
        self, asked: _Question, text: str, tokens: Tokens, at: int, places: list[_Shared]
    ) -> NearCopy | None:
        """The question where most of its runs stand together, if all else says the same too."""
        start, last = int(tokens.first[at]), int(tokens.first[at + 1]) - 1
        places.sort()
        span = asked.tokens + asked.tokens // 4 + 1
        most: list[_Shared] = []
        for first, shared in enumerate(places):
            inside = [each for each in places[first:] if each.token < shared.token + span]
            most = max(most, inside, key=len)
        if len(most) < _SHARE * asked.runs:
            return None
        begin = most[0].token - most[0].run
        end = most[-1].token + asked.tokens - 1 - most[-1].run
        windows = {
            (int(tokens.begins[max(left, start)]), int(tokens.ends[min(right, last)]))
            for left in range(begin - 2, begin + 3)
            for right in range(end - 2, end + 3)
            if max(left, start) <= min(right, last)
        }
        for left, right in sorted(windows, key=lambda each: _unlike(asked.text, text, each))[
            :_TRIED
        ]:
            if difference(asked.text, text[left:right]) is None:
                return NearCopy(left, right, asked.item)
        return None


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

    runs: RunIndex
    questions: list[list[_Asked]]

    @classmethod
    def of(cls, held: dict[int, list[_Asked]]) -> _QuestionRuns:
        kept = sorted(run for run, questions in held.items() if len(questions) <= _STOCK)
        return cls(RunIndex.of(np.array(kept, np.uint64)), [held[run] for run in kept])

    def shared(self, made: TokenRuns, length: int) -> dict[tuple[int, int], list[_Shared]]:
        """By text and question the runs that both have, where these are two or more."""
        found: dict[tuple[int, int], list[_Shared]] = defaultdict(list)
        for text, token, run in made.found_in(self.runs, length):
            for asked in self.questions[run]:
                found[text, asked.question].append(_Shared(token, asked.run))
        return {pair: places for pair, places in found.items() if len(places) > 1}


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
