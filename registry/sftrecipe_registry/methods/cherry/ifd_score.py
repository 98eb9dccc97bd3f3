"""IFD: how much a question helps a model to write its answer (Cherry_LLM, Superfiltering)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

from sftrecipe.plugin import Reply

Ratio = Literal["losses", "perplexities"]


class Likelihood(NamedTuple):
    """A given answer's log-probabilities, and how many tokens stand before and in it."""

    before: int
    logprobs: Sequence[float]
    unscored: int
    """Tokens at the answer's beginning that nothing precedes."""

    @property
    def tokens(self) -> int:
        """The answer's own."""
        return self.unscored + len(self.logprobs)

    def cut(self, tokens: int) -> Sequence[float]:
        """As if the answer ended after so many tokens: later ones change nothing before them."""
        return self.logprobs[: max(tokens - self.unscored, 0)]


def likelihood(reply: Reply, prompt: str) -> Likelihood:
    """What a reply says; its input and output tokens are those of prompt and answer together."""
    before = reply.input_tokens + reply.output_tokens - len(reply.logprobs)
    if prompt:
        return Likelihood(before, reply.logprobs, 0)
    # Of a text with nothing before it the first token has no value, unless a model begins every
    # text with a token of its own: that one's place is the same, and it is never scored.
    return Likelihood(0, reply.logprobs, before)


def from_the_whole(conditioned: Likelihood, whole: Reply) -> tuple[Likelihood, int]:
    """The answer's losses as Cherry_LLM's scripts find them, and the instruction's tokens.

    `conditioned` is the answer after the instruction without its input, `whole` all that follows
    the instruction, with the input. One script stores the losses of the whole text, the other looks
    for the answer's where they would be without the input.
    """
    instruction = whole.input_tokens + whole.output_tokens - len(whole.logprobs)
    begin = conditioned.before - instruction
    found = whole.logprobs[begin : begin + len(conditioned.logprobs)]
    return conditioned._replace(logprobs=found), instruction


class Score(NamedTuple):
    """A row's IFD, and the two perplexities that it compares."""

    ifd: float
    """NaN where no token can be scored."""
    ppl_direct: float
    ppl_conditioned: float


UNSCORED = Score(math.nan, math.nan, math.nan)


def ifd_score(ratio: Ratio, direct: Sequence[float], conditioned: Sequence[float]) -> Score:
    """The ratio of the mean losses, or of the perplexities, of an answer with and without its
    question."""
    alone, given = _loss(direct), _loss(conditioned)
    if ratio == "losses":
        value = given / alone if alone else math.nan
        return Score(value, _perplexity(alone), _perplexity(given))
    scored = Score(math.nan, _perplexity(alone), _perplexity(given))
    # As published: of the perplexities themselves, not of the difference of the losses.
    divides = 0 < scored.ppl_direct < math.inf
    return scored._replace(ifd=scored.ppl_conditioned / scored.ppl_direct) if divides else scored


def _loss(logprobs: Sequence[float]) -> float:
    return -math.fsum(logprobs) / len(logprobs) if logprobs else math.nan


def _perplexity(loss: float) -> float:
    return math.exp(loss) if not loss > 700 else math.inf
