"""How well models predict the rows' answers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from annotated_types import MinLen

from sftrecipe.plugin import (
    ANY_COLUMN,
    Context,
    Expected,
    Inputs,
    Judge,
    Judgement,
    OptionFiles,
    OptionProblem,
    PromptMarker,
    ProviderMarker,
    Record,
    Reply,
    Rows,
    chat,
)
from sftrecipe_registry.judges.confidence_interval import LOSS, Estimate, metric_names
from sftrecipe_registry.judges.judged_rows import (
    INVALID_LIMIT,
    JudgedRow,
    NotJudged,
    judged_rows,
)
from sftrecipe_registry.judges.model_answers import answered_by_all, named_twice
from sftrecipe_registry.judges.model_figures import (
    figure,
    model_estimates,
    model_judgement,
    model_metrics,
    model_ranges,
)
from sftrecipe_registry.shared.replies.rubric_scale import rubric_variables
from sftrecipe_registry.shared.text.row_text import trained_text

ScoringModel = Annotated[str, ProviderMarker(frozenset({"loglikelihood"}))]
"""Name of a provider that tells how likely a given answer is."""
_MEASURES = {"loss": LOSS, "row_loss": LOSS}
_GIVEN = frozenset({"messages", "instruction", "input", "output", "reasoning"})
_LARGEST = 700.0
"""A larger exponent is no number any more."""


class Loss(Judge):
    """Measure how well models predict the rows' answers after their questions.

    Metrics, each with its interval: `MODEL_loss`, the mean cross-entropy of all the answers' tokens
    (nats; long answers weigh more), `MODEL_perplexity`, its exponential, `MODEL_row_loss`, the mean
    over the rows of each answer's own mean (each row weighs the same), and `FIRST_minus_MODEL_loss`
    and `…_row_loss`: below 0 the first model is the better one; `judged` and `invalid`, the rows,
    and `invalid_share`.
    The token that ends an answer does not count. Models of different vocabularies cannot be
    compared: `other tokens` counts the answers that are not equally many tokens to all models. A
    row counts for all models or for none: `invalid` are `no_answer`, `no_token`, `call_failed`, and
    `tool_turns`, which every template writes in a form of its own. A thought is learned with its
    answer: `<think>…</think>` stands before it, also before earlier answers.
    """

    version: ClassVar[str] = "2"
    paper: ClassVar[str] = "Cross-entropy on held-out answers, as LLaMA-Factory's eval_loss"
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "tool_turns": (),
        "no_answer": (),
        "no_token": (),
    }
    example: ClassVar[str] = """\
- use: loss
  with: {models: [tuned, base], prompt: "builtin:loss/chatml"}
  gate: {tuned_minus_base_loss: {at_most: 0}}
"""

    models: Annotated[tuple[ScoringModel, ...], MinLen(1)]
    """Providers that give likelihoods; the first is compared with each of the others."""
    prompt: Annotated[
        str,
        PromptMarker(
            variables=_GIVEN, shows=(frozenset({"messages", "instruction", "input", ANY_COLUMN}),)
        ),
    ] = "builtin:loss/alpaca"
    """How the question is put, up to where the answer begins: as LLaMA-Factory's template of that
    name, `builtin:loss/alpaca`, `…/chatml`, `…/qwen`, `…/qwen3` (which gives an answer without a
    thought an empty one), `…/llama3`, `…/smollm2`, or `…/plain` (the question and a line break); or
    one of your own, the text or a `.j2` file (Jinja2). Take the one that the model is trained with.
    It is given `messages`, all turns before the answer ({role, content}, thoughts within),
    `instruction` and `input`, `reasoning`, the thought of the answer, and the row's columns. The
    line break at a file's end does not count."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """A model named twice."""
        return named_twice("models", self.models)

    def metrics(self) -> frozenset[str]:
        """Every model's losses, and the differences, with their intervals."""
        perplexities = [figure(model, "perplexity") for model in self.models]
        return model_metrics(self.models, _MEASURES) | metric_names(perplexities)

    def ranges(self) -> Mapping[str, tuple[float, float]]:
        """Losses are 0 or more, perplexities 1 or more."""
        perplexities = {figure(model, "perplexity"): (1.0, math.inf) for model in self.models}
        return {**model_ranges(self.models, _MEASURES), **perplexities}

    def limits(self) -> Mapping[str, float]:
        """Rows that could not be judged."""
        return INVALID_LIMIT

    def expected(self, least: int, most: int | None) -> Expected:
        """One call of each model a row."""
        calls = len(self.models)
        return Expected((least * calls, None if most is None else most * calls), (least, most))

    async def evaluate(self, rows: Rows, ctx: Context) -> Judgement:
        """Every row's losses.

        Raises PluginRefused where no row could be judged.
        """
        judged = await judged_rows(lambda row: self._row_loss(row, ctx), rows, ctx)
        found = model_estimates(judged, self.models, _MEASURES)
        for model in self.models:
            ends = (math.exp(min(end, _LARGEST)) for end in found[figure(model, "loss")])
            found[figure(model, "perplexity")] = Estimate(*ends)
        return model_judgement(judged, found, self.models, (*_MEASURES, "perplexity"))

    async def _row_loss(self, row: Record, ctx: Context) -> JudgedRow:
        """Raises NotJudged and CallFailed."""
        import asyncio  # noqa: PLC0415 - 60 ms that `validate` need not spend

        turns = chat(row.columns)
        if any(turn["role"] == "tool" or "tool_calls" in turn for turn in turns):
            raise NotJudged("tool_turns")
        if not turns or turns[-1]["role"] != "assistant" or not turns[-1]["content"]:
            raise NotJudged("no_answer")
        answer = trained_text(turns[-1])
        texts = [{**turn, "content": trained_text(turn)} for turn in turns[:-1]]
        reasoning = turns[-1].get("reasoning", "")
        variables = {**rubric_variables(row.columns), "messages": texts, "reasoning": reasoning}
        prompt = ctx.prompt(self.prompt).render(variables)
        asked = (ctx.models[name].loglikelihood(prompt, answer) for name in self.models)
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        replies = answered_by_all(self.models, outcomes)
        for name, reply in replies.items():
            if not reply.logprobs:
                raise NotJudged("no_token", f"of {name}", replies=[*replies.values()])
        if len({len(reply.logprobs) for reply in replies.values()}) > 1:
            ctx.count("other tokens")
        return _judged_row(row, replies, ctx)


def _judged_row(row: Record, replies: dict[str, Reply], ctx: Context) -> JudgedRow:
    parts, scores = {}, {}
    for name, reply in replies.items():
        total, tokens = -math.fsum(reply.logprobs), len(reply.logprobs)
        parts[figure(name, "loss")] = (total, float(tokens))
        parts[figure(name, "row_loss")] = (total / tokens, 1.0)
        scores[figure(name, "row_loss")] = scores[figure(name, "loss")] = total / tokens
        scores[figure(name, "loss_weight")] = float(tokens)
    made = ctx.row(
        row.columns, parents=[row], replies=replies.values(), scores=scores, tags=row.tags
    )
    return JudgedRow(made, parts)
