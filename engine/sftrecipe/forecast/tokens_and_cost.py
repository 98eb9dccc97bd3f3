"""Tokens and cost of the calls that a step will make."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from math import sqrt
from statistics import fmean, pstdev
from typing import NamedTuple

from sftrecipe.calls.ledger.counted_calls import EarlierCall, asked_text
from sftrecipe.plan.estimate import Asks, Basis, Likely, Range
from sftrecipe.plugin.provider import Price, Request, TokenCounter

_ENOUGH = 5
"""Earlier calls from which a mean tells something."""
_EXACT, _CALIBRATED = 0.03, 0.25
_GUESSED_INPUT = (20.0, 1500.0)
_LEAST_OUTPUT = 4.0
_MOST_OUTPUT = 1024.0
_LIKELY_INPUT = _LIKELY_OUTPUT = 250.0
"""Of chat models, where nothing else is known."""
_TURN = 4
"""Tokens of a chat turn's role and marks."""
_CHARACTERS = {"cjk": 1.5, "ascii": 4.0, "other": 2.5}
"""Characters a token, as tokenizers of bilingual models have them (Qwen's and ERNIE's for Chinese,
OpenAI's o200k for the others)."""


class PerCall(NamedTuple):
    """Tokens of a call on average, at least and at most."""

    low: float
    high: float
    basis: Basis
    likely: float

    def within(self, share: float) -> PerCall:
        """The range widened by a share to both sides."""
        low, high = self.low * max(0.0, 1 - share), self.high * (1 + share)
        return self._replace(low=low, high=high)

    def as_guess(self) -> PerCall:
        """The range with what a guess may be wrong by."""
        return PerCall(self.low / 2, self.high * 2, "guess", self.likely)

    def up_to(self, top: float, low: float | None = None) -> PerCall:
        """The range cut at a limit."""
        least = self.low if low is None else low
        return PerCall(least, top, self.basis, min(max(self.likely, least), top))


@dataclass(frozen=True)
class AskedCalls:
    """A provider's part of what a step asks."""

    provider: str
    calls: Range
    first: int
    """Calls whose prompts are known; those beyond may carry earlier replies."""
    requests: Sequence[Request]
    """Some of the calls, drawn evenly; none where the prompts are not known."""
    drawn: float
    """Share of the calls that `requests` are."""
    rendered: bool
    """Whether they are rendered from the step's own rows."""
    max_tokens: int | None
    """As the step's options have it."""
    carried: int | None = None
    """Earlier replies that a prompt holds at most; None: all of its conversation."""
    likely_calls: float | None = None
    """The likely number of calls; None where nothing tells."""


@dataclass(frozen=True)
class ProviderKnowledge:
    """What is known of the provider that is asked."""

    counter: Callable[[], TokenCounter | None]
    earlier: Sequence[EarlierCall]
    """The model's latest calls in the ledger."""
    price: Price | None


def spending(asked: AskedCalls, recipe: str, step: str, known: ProviderKnowledge) -> Asks:
    """Tokens and cost of a step's calls to one provider; `recipe` names its account."""
    same = [call for call in known.earlier if (call.account, call.step) == (recipe, step)]
    taken = _input(asked, same, known)
    given = _output(asked, same, known.earlier)
    least, most = asked.calls
    read = (int(least * taken.low), _most(most, taken.high, _carried(asked) * given.high))
    written = (int(least * given.low), _most(most, given.high))
    price = known.price
    return Asks(
        asked.provider,
        asked.calls,
        read,
        written,
        None if price is None else (_low(price, read, written), _high(price, read, written)),
        price.currency if price else "",
        taken.basis,
        given.basis,
        asked.rendered,
        _likely(asked, taken, given, price),
    )


def _likely(asked: AskedCalls, taken: PerCall, given: PerCall, price: Price | None) -> Likely:
    """The likely calls with the likely tokens of each; a free model's cost is sure."""
    calls = asked.likely_calls
    free = price is not None and price.input == price.output == 0
    if calls is None:
        return Likely(None, cost=0.0 if free else None)
    most = asked.calls[1]
    carried = _carried(asked) * calls / most if most else 0.0
    read, written = calls * taken.likely + carried * given.likely, calls * given.likely
    cost = None if price is None else (read * price.input + written * price.output) / 1e6
    return Likely(calls, read, written, cost)


def _carried(asked: AskedCalls) -> float:
    """Earlier replies that the later calls' prompts carry at most: turns, repairs."""
    most = asked.calls[1]
    if most is None or most <= asked.first:
        return 0.0
    each = max(1.0, most / max(1, asked.first) / 2)  # of a conversation, on average
    return (most - asked.first) * (each if asked.carried is None else min(each, asked.carried))


def _most(calls: int | None, each: float, more: float = 0) -> int | None:
    return None if calls is None else int(calls * each + more + 0.999)


def _low(price: Price, read: Range, written: Range) -> float:
    return (read[0] * price.input + written[0] * price.output) / 1e6


def _high(price: Price, read: Range, written: Range) -> float | None:
    if read[1] is None or written[1] is None:
        return 0.0 if price.input == price.output == 0 else None
    return (read[1] * price.input + written[1] * price.output) / 1e6


def _input(asked: AskedCalls, same: Sequence[EarlierCall], known: ProviderKnowledge) -> PerCall:
    if not asked.rendered and len(same) >= _ENOUGH:
        return _mean([call.input_tokens for call in same], _CALIBRATED, "ledger")
    if not asked.requests:
        return PerCall(*_GUESSED_INPUT, "guess", _LIKELY_INPUT)
    if exact := _counted(asked.requests, known.counter):
        found = _mean(exact, _EXACT, "tokenizer", asked.drawn)
    else:
        characters = CharacterCounter(known.earlier)
        counts = [characters.count(request) for request in asked.requests]
        sure = all(characters.knows(request) for request in asked.requests)
        found = _mean(counts, _CALIBRATED, "ledger", asked.drawn)
        if not sure:
            found = found.as_guess()
    return found if asked.rendered else found.as_guess()


def _counted(
    requests: Sequence[Request], counter: Callable[[], TokenCounter | None]
) -> list[float]:
    """Each request's tokens by the model's tokenizer; empty where there is none that works."""
    try:
        count = counter()
        return [float(count(request)) for request in requests] if count is not None else []
    except Exception:  # somebody's tokenizer file, or chat template: a guess will do
        return []


def _output(
    asked: AskedCalls, same: Sequence[EarlierCall], earlier: Sequence[EarlierCall]
) -> PerCall:
    """The mean of the step's earlier calls, or wide of the model's; `max_tokens` bounds it."""
    if asked.requests and asked.requests[0].kind in ("embed", "reward"):
        return PerCall(0, 0, "tokenizer", 0)
    top = _limit(asked)
    if len(same) >= _ENOUGH:
        found = _mean([call.output_tokens for call in same], _CALIBRATED, "ledger")
    else:
        written = [float(call.output_tokens) for call in earlier]
        likely = fmean(written) if written else _LIKELY_OUTPUT
        longest = max(_MOST_OUTPUT, *written) if written else _MOST_OUTPUT
        found = PerCall(_LEAST_OUTPUT, longest, "guess", likely)
    if top is None or found.high <= top:
        return found
    if found.low > top * (1 - _CALIBRATED):  # the limit was higher before
        return found._replace(basis="guess").up_to(top, low=_LEAST_OUTPUT)
    return found.up_to(top)


def _limit(asked: AskedCalls) -> float | None:
    """The most that a reply may write; None where there is no limit."""
    limits = [request.sampling.get("max_tokens") for request in asked.requests]
    stated = [limit for limit in limits or [asked.max_tokens] if limit is not None]
    return float(max(stated)) if stated and len(stated) == len(limits or [None]) else None


def _mean(counts: Sequence[float], share: float, basis: Basis, drawn: float = 0.0) -> PerCall:
    """The mean with its error: `share` of it, and that of drawing some calls of all."""
    mean = fmean(counts)
    error = 3 * pstdev(counts) / (sqrt(len(counts)) * mean) if mean and drawn < 1 else 0.0
    return PerCall(mean, mean, basis, mean).within(share + error)


class CharacterCounter:
    """Guesses tokens from characters, put right by calls whose tokens the vendor counted."""

    def __init__(self, calls: Iterable[EarlierCall]) -> None:
        counted: dict[str, int] = defaultdict(int)
        guessed: dict[str, float] = defaultdict(float)
        self._calls: dict[str, int] = defaultdict(int)
        for call in calls:
            if call.input_tokens:
                script = _script(call.text)
                counted[script] += call.input_tokens
                guessed[script] += _guess(call.text, call.turns)
                self._calls[script] += 1
        self._scales = {script: counted[script] / guessed[script] for script in counted}

    def count(self, request: Request) -> float:
        """A request's tokens."""
        text, turns = _text(request)
        return _guess(text, turns) * self._scales.get(_script(text), 1.0)

    def knows(self, request: Request) -> bool:
        """Whether enough earlier calls were in the request's script."""
        return self._calls.get(_script(_text(request)[0]), 0) >= _ENOUGH


def _text(request: Request) -> tuple[str, int]:
    return asked_text({"messages": request.messages, "prompt": request.prompt})


def _guess(text: str, turns: int) -> float:
    cjk = 0 if text.isascii() else len(_cjk().findall(text))
    other = 0 if text.isascii() else sum(not letter.isascii() for letter in text) - cjk
    plain = len(text) - cjk - other
    characters = _CHARACTERS
    tokens = cjk / characters["cjk"] + plain / characters["ascii"] + other / characters["other"]
    return tokens + _TURN * turns + 1


def _script(text: str) -> str:
    """The script that most of a text's tokens are in."""
    if text.isascii():
        return "ascii"
    cjk = len(_cjk().findall(text))
    return "cjk" if cjk * _CHARACTERS["ascii"] > (len(text) - cjk) * _CHARACTERS["cjk"] else "ascii"


@cache
def _cjk() -> re.Pattern[str]:
    return re.compile(
        "[\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]"
    )
