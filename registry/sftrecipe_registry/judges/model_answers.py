"""Letting models answer the questions of rows, for judges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from annotated_types import Ge, Gt, Le
from pydantic import Field

from sftrecipe.plugin import (
    OPEN_THOUGHT,
    THOUGHT_ALONE,
    CallFailed,
    Context,
    Described,
    OptionProblem,
    PromptMarker,
    ProviderMarker,
    Record,
    Reply,
    Sampling,
    Texts,
)
from sftrecipe_registry.judges.judged_rows import NotJudged
from sftrecipe_registry.shared.replies.reply import with_system
from sftrecipe_registry.shared.text.row_text import parted

texts = Texts(__package__)

ChatModel = Annotated[str, ProviderMarker(frozenset({"chat"}))]
"""Name of a provider that answers chat turns."""


class AnswerSampling(Sampling):
    """How models write their answers."""

    temperature: Annotated[float, Ge(0), Le(2)] | None = 0.0
    """Sampling temperature."""
    max_tokens: Annotated[int, Gt(0)] | None = 1024
    """Tokens to write at most; what a longer answer has by then is judged."""


class AnsweringModels(Described):
    """Options of judges that let models answer."""

    answers: AnswerSampling = Field(default_factory=AnswerSampling)
    """How the models write their answers, in OpenAI's names: `{temperature: 0.7, max_tokens: 400}`;
    temperature 0 and 1,024 tokens where it says nothing."""
    system: Annotated[str, PromptMarker()] = ""
    """System prompt of the models, the text or a `.j2` file (Jinja2: the row's columns are
    variables); the row's own where it is empty."""

    async def model_answers(
        self, row: Record, models: Sequence[str], ctx: Context
    ) -> dict[str, Reply]:
        """What each model answers to the row: all its turns up to the last question.

        Raises NotJudged where the row asks nothing or a model's call fails for good.
        """
        import asyncio  # noqa: PLC0415 - 60 ms that `validate` need not spend

        turns = parted(row.columns).before
        if not any(turn["role"] == "user" and turn["content"].strip() for turn in turns):
            raise NotJudged("no_question")
        if self.system:
            turns = with_system(turns, ctx.prompt(self.system).render(row.columns))
        asked = (ctx.models[name].chat(turns, sampling=self.answers.sampling()) for name in models)
        replies = answered_by_all(models, await asyncio.gather(*asked, return_exceptions=True))
        for name, reply in replies.items():
            if reply.finish_reason in (THOUGHT_ALONE, OPEN_THOUGHT) and not reply.text.strip():
                told = f"{name}: {reply.finish_reason}"
                raise NotJudged("cut_off", told, replies=list(replies.values()))
            if reply.cut_off:
                ctx.count(f"answers cut off: {name}")
        return replies


def answered_by_all(
    models: Sequence[str], outcomes: Sequence[Reply | BaseException]
) -> dict[str, Reply]:
    """The models' replies. Raises NotJudged where a call failed for good."""
    known = [each for each in outcomes if isinstance(each, (Reply, CallFailed))]
    replies = {}
    for name, outcome in zip(models, outcomes, strict=True):
        if isinstance(outcome, CallFailed):
            raise NotJudged(outcome.reason, f"{name}: {outcome.message}", replies=known)
        if isinstance(outcome, BaseException):
            raise outcome
        replies[name] = outcome
    return replies


def answer_columns(replies: Mapping[str, Reply]) -> dict[str, Any]:
    """The answers as columns of a judged row: `answer_MODEL`."""
    return {f"answer_{name}": reply.text for name, reply in replies.items()}


def named_twice(option: str, models: Sequence[str]) -> Iterator[OptionProblem]:
    """A model that an option names more than once."""
    for place, name in enumerate(models):
        if name in models[:place]:
            yield OptionProblem((option, place), texts("named-twice", model=name))
