"""Rows whose answer a model could not write as well without the question, and not with ease.

IFD is how much a question helps a model to write its answer (Cherry_LLM, Superfiltering).
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Annotated, ClassVar, Literal, NamedTuple

from annotated_types import Ge, Gt, Le

from sftrecipe.plugin import (
    CallFailed,
    Capability,
    Context,
    Expected,
    Filter,
    Inputs,
    LaterMarker,
    OptionFiles,
    OptionProblem,
    Record,
    Reply,
    Rows,
    Texts,
    Verdict,
)
from sftrecipe_registry.methods.cherry.ifd_texts import (
    DIRECT,
    PromptName,
    beginning,
    question_and_answer,
    question_prompt,
)

texts = Texts(__package__)

_ALPACA_ROWS = 52_002
_PREFIX_TOKENS = {"alpaca": 4, "wizard": 4, "vicuna": 6, "plain": 1}
"""The released code's constants, for what stands before the answer alone."""
_LONGEST = {"alpaca": 512, "wizard": 1024, "vicuna": 2048, "plain": 1024}


class _Scored(NamedTuple):
    """A row's score, or why it has none."""

    score: Score
    calls: tuple[str, ...] = ()
    reason: str = ""
    detail: str = ""
    value: float | None = None


def _unscored(failure: CallFailed) -> _Scored:
    calls = (failure.key,) if failure.key else ()
    return _Scored(UNSCORED, calls, failure.reason, failure.message)


class Ifd(Filter):
    """Keep the rows with the highest instruction-following difficulty, and none above 1.

    IFD compares how well a model predicts the answer after its question and without it: near 0 the
    question says it all, above 1 it only confuses. A row costs two calls to a provider that gives
    likelihoods, once: another threshold or rate asks nothing. Kept rows carry the IFD under the
    block's id, and `ppl_direct` and `ppl_conditioned`. (The prompt `wizard` with `strict_original`
    costs a third call for rows with an input and for those near `max_length`.)

    Rejects: `nan` (no token of the answer can be scored), `too_long` (the question fills
    `max_length`, with the question's tokens), `too_high` and `too_low` with the IFD, `not_chosen`
    with the IFD, `call_failed`.
    """

    needs: ClassVar[frozenset[Capability]] = frozenset({"loglikelihood"})
    paper: ClassVar[str] = (
        "Li et al. 2024, From Quantity to Quality (Cherry_LLM, arXiv 2308.12032), section 2; Li et "
        "al. 2024, Superfiltering (arXiv 2402.00530), section 3"
    )
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "too_low": ("min",),
        "too_high": ("max",),
        "not_chosen": ("rate", "number"),
        "too_long": ("max_length",),
        "nan": (),
    }
    example: ClassVar[str] = "{use: ifd, provider: scorer, with: {rate: 0.1}}"

    method: Literal["cherry", "superfiltering"] = "cherry"
    """`cherry`: losses, after Alpaca's prompt, the rate is of the rows that have an IFD of 1 at
    most; `superfiltering`: perplexities, after the bare question, IFD below 1, the rate is of all
    rows."""
    ratio: Ratio | None = None
    """`losses`: ratio of the mean losses; `perplexities`; left out: the method's."""
    prompt: PromptName | None = None
    """How the question is put: `alpaca`, `wizard`, `vicuna`, or `plain`: instruction and input on
    lines of their own, nothing in English, and nothing before the answer alone; left out: the
    method's."""
    max_length: Annotated[int, Gt(1)] | None = None
    """Tokens of question and answer at most, as the scorer counts them: of a longer answer the
    beginning is scored. Left out: 512 for alpaca, 2,048 for vicuna, 1,024 for the others."""
    answer_chars: Annotated[int | None, LaterMarker(), Gt(0)] = None
    """Characters of an answer that are scored at most, from its beginning, no word cut. It bounds
    the time of a row where the scorer reads an answer token by token, as `embedded` does: twice 17
    ms a token on an idle core, of which a Chinese character is one, an English word 1.3. Of 30
    Alpaca answers the order by their first 200 characters agrees with the whole's to 0.86 (rank
    correlation), by 400 to 0.93; of 8 Chinese ones to 0.98 and 1. Left out: the whole answer, as
    published."""
    rate: Annotated[float, Gt(0), Le(1)] | None = None
    """Share to keep, from the highest IFD down; left out, with `number`: all that pass."""
    number: Annotated[int, Gt(0)] | None = None
    """Rows to keep, from the highest IFD down."""
    min: Annotated[float, Ge(0)] | None = None
    """The smallest IFD that is kept."""
    max: Annotated[float, Gt(0)] = 1.0
    """The largest IFD that is kept; superfiltering keeps only what is below."""
    strict_original: bool = False
    """As the released code where it is odd: cherry cuts the answer alone by a constant (4 tokens,
    vicuna 6) in place of its prefix's own length; with the prompt `wizard` a question's tokens are
    those of the instruction alone, and of a row with an input the losses are those of the text with
    it, from the place on where the answer would begin without it; superfiltering takes its rate of
    52,002 rows, however many there are."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """Two ways to say how many; an empty range."""
        if self.rate is not None and self.number is not None:
            yield OptionProblem(("number",), texts("number-and-rate"), texts("remove-one"))
        if self.min is not None and self.min > self.max:
            yield OptionProblem(("min",), texts("min-above-max", min=self.min, max=self.max))

    def expected(self, least: int, most: int | None) -> Expected:
        """Two calls a row, or three; at most the number or the share of the rows."""
        kept = most
        if self.number is not None:
            kept = self.number if most is None else min(most, self.number)
        elif self.rate is not None and most is not None:
            kept = self._quota(most, most)
        calls = 3 if self._is_wizard_original() else 2
        return Expected((2 * least, None if most is None else calls * most), (0, kept))

    async def judge(self, rows: Rows, ctx: Context) -> AsyncIterator[Verdict]:
        """Every row's verdict, in order."""
        choosing = self.rate is not None or self.number is not None
        scored: list[_Scored] = []
        async for _, told in ctx.map(lambda row: self._scored(row, ctx), rows):
            found = _unscored(told) if isinstance(told, CallFailed) else told
            if choosing:
                scored.append(found)
                ctx.progress(len(scored))
            else:
                yield self._verdict(found)
            if found.reason == "nan":
                ctx.count("nan")
        chosen = self._chosen([each.score.ifd for each in scored])
        for place, each in enumerate(scored):
            yield self._verdict(each, chosen=place in chosen)

    async def _scored(self, row: Record, ctx: Context) -> _Scored:
        """Raises CallFailed."""
        name = self._prompt()
        instruction, given, answer = question_and_answer(row)
        answer = beginning(answer, self.answer_chars)
        if not answer:
            return _Scored(UNSCORED, (), "nan", "the row has no answer")
        prompt = question_prompt(name, instruction, "" if self._is_wizard_original() else given)
        alone, after = await asyncio.gather(
            ctx.model.loglikelihood(DIRECT[name], answer),
            ctx.model.loglikelihood(prompt, answer),
        )
        direct, conditioned = likelihood(alone, DIRECT[name]), likelihood(after, prompt)
        calls, question = [alone.key, after.key], conditioned.before
        if self._is_wizard_original() and (given or self._is_near(direct, question)):
            rest = question_prompt(name, instruction, given).removeprefix(instruction)
            whole = await ctx.model.loglikelihood(instruction, rest + answer)
            calls.append(whole.key)
            conditioned, question = from_the_whole(conditioned, whole)
        return self._compared(direct, conditioned, question)._replace(calls=tuple(calls))

    def _is_wizard_original(self) -> bool:
        return self.strict_original and self._prompt() == "wizard"

    def _is_near(self, direct: Likelihood, question: int) -> bool:
        """Whether a question of a few tokens less would be compared otherwise."""
        over_prefix = max(direct.before - _PREFIX_TOKENS[self._prompt()], 0)
        return question + direct.tokens + over_prefix > self._max_length()

    def _compared(self, direct: Likelihood, conditioned: Likelihood, question: int) -> _Scored:
        """The ratio, both answers cut as the method does."""
        room, rest = self._max_length() - question, self._max_length() - conditioned.before
        # The token that nothing precedes has no value: one more makes the counts equal.
        alone = room + direct.unscored
        if self.strict_original:
            alone = room + _PREFIX_TOKENS[self._prompt()] - direct.before
        if min(room, rest) <= 0 or (direct.before and min(alone, direct.tokens) > room):
            return _Scored(UNSCORED, (), "too_long", value=question)
        score = ifd_score(self._ratio(), direct.cut(alone), conditioned.cut(rest))
        if math.isnan(score.ifd):
            return _Scored(score, (), "nan", "no token of the answer can be scored")
        if math.isinf(score.ifd):
            return _Scored(score, (), "too_high", "beyond all numbers")
        return _Scored(score, value=score.ifd)

    def _verdict(self, scored: _Scored, *, chosen: bool = True) -> Verdict:
        score, calls, reason, detail, value = scored
        if not reason and not self._passes(score.ifd):
            low = self.min is not None and score.ifd < self.min
            reason = "too_low" if low else "too_high"
        if not reason and not chosen:
            reason = "not_chosen"
        if reason:
            return Verdict(False, reason, value, detail, calls=calls)
        perplexities = {"ppl_direct": score.ppl_direct, "ppl_conditioned": score.ppl_conditioned}
        return Verdict(True, value=value, scores=perplexities, calls=calls)

    def _passes(self, ifd: float) -> bool:
        """Whether it is in the range; NaN is not."""
        if self.min is not None and ifd < self.min:
            return False
        return ifd < self.max if self.method == "superfiltering" else ifd <= self.max

    def _chosen(self, values: Sequence[float]) -> set[int]:
        """Places of the highest in the range. NaN never reaches the sort, which it would spoil."""
        able = [place for place, value in enumerate(values) if self._passes(value)]
        # As published, the later of two equals is kept by cherry, the earlier by superfiltering.
        later = 1 if self.method == "cherry" else -1
        able.sort(key=lambda place: (values[place], later * place), reverse=True)
        return set(able[: self._quota(len(values), len(able))])

    def _quota(self, rows: int, able: int) -> int:
        """How many rows to keep."""
        if self.rate is None:
            return self.number or 0
        if self.method == "cherry":
            return int(self.rate * able)
        return int(self.rate * (_ALPACA_ROWS if self.strict_original else rows))

    def _prompt(self) -> PromptName:
        return self.prompt or ("alpaca" if self.method == "cherry" else "plain")

    def _ratio(self) -> Ratio:
        return self.ratio or ("losses" if self.method == "cherry" else "perplexities")

    def _max_length(self) -> int:
        return self.max_length or _LONGEST[self._prompt()]


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
