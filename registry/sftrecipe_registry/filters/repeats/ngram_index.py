"""The n-grams of benchmarks, and finding them in many texts at once."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sftrecipe_registry.filters.repeats.benchmark_items import Item
from sftrecipe_registry.filters.repeats.near_copies import NearCopies, NearCopy
from sftrecipe_registry.filters.repeats.question_halves import Beginning, shared_half
from sftrecipe_registry.filters.repeats.token_runs import (
    RunIndex,
    RunPlace,
    TokenRuns,
    is_unspaced,
)
from sftrecipe_registry.shared.near_duplicates.token_hashes import Tokens, tokens_of

FEWEST = 4
"""Words without which an item is not looked for: `true` or `yes` says nothing."""
STOCK = 3
"""Questions of one benchmark that share a run: it is a phrase of whoever wrote them."""
_A_WORD = 1.5
"""Chinese and Japanese characters that say as much as a word."""
_OF_HALF = 2
"""Tokens that half a question has more than a whole one that is found anywhere: orders to do
something to what follows are shorter."""
_ITEMS = 4096
"""Texts of a benchmark that are split together."""
_WIDE = re.compile("[０-９Ａ-Ｚａ-ｚ]")
_NARROW = {0xFEE0 + code: code for code in range(0x21, 0x7F)}
_APART = re.compile(r"[\W_]+")
_STOCK_WORDS = re.compile(
    r"\b(?:which|what|one|of|the|these|this|following|below|above|is|are|was|were|be|not|true|false"
    r"|correct|incorrect|right|wrong|statements?|sentences?|options?|answers?|choose|select|pick|best"
    r"|most|least|likely|except|all|a|an|about|regarding|concerning|describes?|it|to|question)\b"
    r"|以下|下列|下面|上述|哪一?[个项种条]|哪些|关于|有关|叙述|说法|表述|描述|选项|答案|正确|错误|不正确|不对|不属于|属于"
    r"|符合|不符合|恰当|除外|选择|是|的|中|最|为|项|对|错|不|何者"
)


class Match(NamedTuple):
    """A run of tokens that stands in a benchmark too."""

    begin: int
    """The first of its characters in the text, and after the last."""
    end: int
    gram: int
    """Number of the n-gram in the index."""
    item: Item


class _Runs(NamedTuple):
    """All runs of one length of long items, each once."""

    held: RunIndex
    items: NDArray[np.int64]
    """The first item that has it."""
    first: int
    """Number of the first of them."""


class _Head(NamedTuple):
    """The beginning of an item that is looked for as a whole, or half of it."""

    item: int
    rest: NDArray[np.uint64]
    """The tokens behind it, which must follow."""
    alone: bool
    """Whether the item must stand by itself, between marks or the text's ends."""
    fewest: int
    """Tokens of its first half that will do; 0: it must be whole."""


class _Heads(NamedTuple):
    """The beginnings of one length."""

    held: RunIndex
    """One as often as items begin with it."""
    heads: list[_Head]
    first: int
    """Number of the first of them."""


class NgramIndex:
    """What is to be found of some items, by their length in words.

    Of an item of `longest` words each run of so many, but for stock phrases; one of `shortest` as a
    whole, anywhere; a shorter one as a whole by itself; one with fewer than FEWEST not at all.
    Where a question's words are not its own, or few, half of its options must stand there too.
    """

    def __init__(self, items: Sequence[Item], longest: int, shortest: int) -> None:
        self.items = items
        self._longest = longest
        self._shortest = shortest
        self._least = min(FEWEST, longest)
        self.left_out = 0
        """Items that are too short."""
        asked = Counter((item.benchmark, item.text, item.options) for item in items if item.asks)
        self._asked = Counter((benchmark, text) for benchmark, text, _ in asked)
        self.size = 0
        """How many n-grams it holds."""
        self._runs: dict[int, list[_Runs]] = defaultdict(list)
        self._heads: dict[int, _Heads] = {}
        of_benchmark: dict[str, list[int]] = defaultdict(list)
        for place, item in enumerate(items):
            of_benchmark[item.benchmark].append(place)
        heads: dict[int, list[tuple[int, _Head]]] = defaultdict(list)
        for places in of_benchmark.values():
            self._add(places, heads)
        for length, some in sorted(heads.items()):
            self._add_heads(length, some)
        asking = [(at, narrow(item.text)) for at, item in enumerate(items) if item.asks]
        self._copies = NearCopies(asking)

    def find(self, texts: Sequence[str]) -> tuple[list[list[Match]], list[int]]:
        """The matches in every text, by length of n-gram and place, and each text's tokens."""
        plain = [*map(narrow, texts)]
        tokens = tokens_of(plain)
        count = np.diff(tokens.first)
        found: list[list[Match]] = [[] for _ in texts]
        made = TokenRuns(tokens)
        for length, benchmarks in sorted(self._runs.items()):
            for runs in benchmarks:
                for text, token, at in made.found_in(runs.held, length):
                    span = _span(tokens, token, length)
                    item = self.items[runs.items[at]]
                    found[text].append(Match(*span, runs.first + at, item))
        for length, heads in self._heads.items():
            for hit in made.found_in(heads.held, length):
                found[hit.text] += self._whole(heads, hit, length, tokens, plain[hit.text])
        copies, others = self._copies.find(plain, tokens)
        for matches, copied, other in zip(found, copies, others, strict=True):
            if other:
                matches[:] = [match for match in matches if not self._asks_other(match, other)]
            exact = {match.item for match in matches}
            matches += [
                Match(copy.begin, copy.end, self.size + copy.item, self.items[copy.item])
                for copy in copied
                if self.items[copy.item] not in exact
            ]
        return found, count.tolist()

    def _asks_other(self, match: Match, others: Sequence[NearCopy]) -> bool:
        """Whether it stands within its question with other numbers."""
        return any(
            self.items[other.item] == match.item
            and other.begin <= match.begin
            and match.end <= other.end
            for other in others
        )

    def without_options(self, item: Item, texts: Iterable[str]) -> bool:
        """Whether an item that needs its options has fewer than half of them in the texts."""
        if not item.options or not self._needs_options(item):
            return False
        said = _APART.sub("", "".join(texts).lower())
        options = [_APART.sub("", option.lower()) for option in item.options]
        return 2 * sum(option in said for option in options) < len(options)

    def _needs_options(self, item: Item) -> bool:
        return self._asked[item.benchmark, item.text] > 1 or _is_stock(item.text)

    def _whole(
        self, heads: _Heads, hit: RunPlace, length: int, tokens: Tokens, text: str
    ) -> Iterator[Match]:
        """The items that stand there whole."""
        hashes = heads.held.hashes
        for at in range(hit.at, len(hashes)):
            if hashes[at] != hashes[hit.at]:
                return
            head = heads.heads[at]
            if count := self._shared(head, hit, length, tokens, text):
                begin, end = _span(tokens, hit.token, count)
                yield Match(begin, end, heads.first + at, self.items[head.item])

    def _shared(
        self, head: _Head, hit: RunPlace, length: int, tokens: Tokens, text: str
    ) -> int | None:
        """How many tokens of the item stand there, if these are the whole or a half."""
        behind = int(tokens.first[hit.text + 1])
        shared = length + _followed(tokens, hit.token + length, behind, head.rest)
        if shared == length + len(head.rest):
            span = _span(tokens, hit.token, shared)
            return shared if not head.alone or _stands_alone(text, *span) else None
        if not head.fewest:
            return None
        question = narrow(self.items[head.item].text)
        there = Beginning(text, tokens, hit.token, behind, shared)
        return shared_half(question, there, head.fewest)

    def _add(self, places: Sequence[int], heads: dict[int, list[tuple[int, _Head]]]) -> None:
        """Take the items of one benchmark: runs of the long ones, heads of all questions."""
        runs: dict[int, list[tuple[int, NDArray[np.uint64]]]] = defaultdict(list)
        beginnings: dict[int, list[tuple[int, _Head]]] = defaultdict(list)
        for start in range(0, len(places), _ITEMS):
            some = places[start : start + _ITEMS]
            tokens = tokens_of([narrow(self.items[place].text) for place in some])
            made = TokenRuns(tokens)
            for at, place in enumerate(some):
                own = tokens.hashes[tokens.first[at] : tokens.first[at + 1]]
                longest, shortest, least = self._lengths(self.items[place].text)
                if len(own) >= longest:
                    runs[longest].append((place, made.of(at, longest)))
                if not self.items[place].asks:
                    continue
                elif len(own) < least:
                    self.left_out += 1
                else:
                    length = shortest if len(own) >= shortest else least
                    fewest = shortest + _OF_HALF if len(own) > shortest else 0
                    head = _Head(place, own[length:], len(own) < shortest, fewest)
                    beginnings[length].append((int(made.of(at, length)[0]), head))
        for length, some_runs in sorted(runs.items()):
            self._add_runs(length, some_runs)
        for length, some_heads in beginnings.items():
            heads[length] += self._own_halves(some_heads)

    def _own_halves(self, heads: list[tuple[int, _Head]]) -> Iterator[tuple[int, _Head]]:
        """Those of one benchmark: what many questions begin with is half of none."""
        texts = {(gram, self.items[head.item].text) for gram, head in heads}
        held = Counter(gram for gram, _ in texts)
        for gram, head in heads:
            yield gram, head if held[gram] < STOCK else head._replace(fewest=0)

    def _add_runs(self, length: int, some: Sequence[tuple[int, NDArray[np.uint64]]]) -> None:
        """The runs that stand in fewer than STOCK questions, or in one only."""
        number: dict[str, int] = {}
        sizes = [len(grams) for _, grams in some]
        of_text = [number.setdefault(self.items[place].text, len(number)) for place, _ in some]
        hashes = np.concatenate([grams for _, grams in some])
        items = np.repeat(np.array([place for place, _ in some]), sizes)
        pairs = np.stack([hashes, np.repeat(np.array(of_text, np.uint64), sizes)], axis=1)
        distinct = np.unique(pairs, axis=0)[:, 0]
        once, held = np.unique(distinct, return_counts=True)
        unique, first = np.unique(hashes, return_index=True)
        own_words = held[np.searchsorted(once, unique)] < STOCK
        kept = RunIndex.of(unique[own_words])
        self._runs[length].append(_Runs(kept, items[first[own_words]], self.size))
        self.size += len(kept.hashes)

    def _add_heads(self, length: int, some: list[tuple[int, _Head]]) -> None:
        some.sort(key=lambda pair: (pair[0], pair[1].item))
        hashes = np.array([gram for gram, _ in some], np.uint64)
        self._heads[length] = _Heads(RunIndex.of(hashes), [head for _, head in some], self.size)
        self.size += len(some)

    def _lengths(self, text: str) -> tuple[int, int, int]:
        """Tokens of a run, of a whole found anywhere, of the least whole."""
        words = self._longest, self._shortest, self._least
        if not is_unspaced(text):
            return words
        longest, shortest, least = (
            count if count < FEWEST else round(count * _A_WORD) for count in words
        )
        return longest, shortest, least


def narrow(text: str) -> str:
    """Wide letters and figures as what they stand for, each one character as before."""
    # Most Chinese texts have wide marks alone, which are no part of a token.
    return text if text.isascii() or not _WIDE.search(text) else text.translate(_NARROW)


def _span(tokens: Tokens, first: int, length: int) -> tuple[int, int]:
    return int(tokens.begins[first]), int(tokens.ends[first + length - 1])


def _is_stock(question: str) -> bool:
    """Whether it says nothing of its own: `Which of these statements is true?`."""
    own = _STOCK_WORDS.sub("", question.lower())
    return len(tokens_of([own]).hashes) < 2


def _followed(tokens: Tokens, start: int, behind: int, rest: NDArray[np.uint64]) -> int:
    """How many tokens from there on are those of `rest`."""
    there = tokens.hashes[start : min(start + len(rest), behind)]
    other = (there != rest[: len(there)]).nonzero()[0]
    return int(other[0]) if len(other) else len(there)


def _stands_alone(text: str, begin: int, end: int) -> bool:
    """No word stands right before it or behind it, and nothing that it only introduces."""
    before, behind = text[:begin].rstrip(" \t"), text[end:].lstrip(" \t")
    if behind and (behind[0].isalnum() or behind[0] in ":：,，"):
        return False
    return not before or not before[-1].isalnum()
