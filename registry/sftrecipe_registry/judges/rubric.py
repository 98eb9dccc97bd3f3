"""How good models' answers are, by a rubric."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Gt, Le, MinLen

from sftrecipe.plugin import (
    CallFailed,
    Capability,
    Context,
    Expected,
    Inputs,
    Judge,
    Judgement,
    OptionFiles,
    OptionProblem,
    PromptMarker,
    Record,
    Reply,
    Rows,
)
from sftrecipe_registry.judges.judged_rows import (
    INVALID_LIMIT,
    JudgedRow,
    NotJudged,
    judged_rows,
)
from sftrecipe_registry.judges.mean_interval import Span
from sftrecipe_registry.judges.model_answers import (
    AnsweringModels,
    ChatModel,
    answer_columns,
    named_twice,
)
from sftrecipe_registry.judges.model_figures import (
    Spans,
    figure,
    model_estimates,
    model_judgement,
    model_metrics,
    model_ranges,
)
from sftrecipe_registry.shared.replies.reply import said
from sftrecipe_registry.shared.replies.rubric_scale import RubricScale, rubric_variables
from sftrecipe_registry.shared.text.row_text import parted, with_answer

_GIVEN = frozenset({"instruction", "input", "output", "reference"})


class Rubric(AnsweringModels, RubricScale, Judge):
    """Let models answer every question and a judge score each answer by a rubric.

    Metrics, each with its interval: `MODEL_score`, the mean, and `FIRST_minus_MODEL_score`, what
    the first model has more than each other on the same questions; `judged` and `invalid`, the
    rows, and `invalid_share`. A row counts for all models or for none: `invalid` are `no_score` (no
    reply with a score), `no_question`, `call_failed`, `refused`.
    """

    version: ClassVar[str] = "2"
    needs: ClassVar[frozenset[Capability]] = frozenset({"chat"})
    paper: ClassVar[str] = (
        "Aspects of Cui et al. 2024, UltraFeedback (arXiv 2310.01377); with a reference: Kim et "
        "al. 2024, Prometheus (arXiv 2310.08491)"
    )
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "no_question": (),
        "no_score": ("structured",),
    }
    example: ClassVar[str] = """\
- use: rubric
  provider: judge
  with: {models: [tuned, base], prompt: "builtin:rubric/truthfulness"}
  gate: {tuned_minus_base_score: {at_least: 0}}
"""

    models: Annotated[tuple[ChatModel, ...], MinLen(1)]
    """Providers that answer; the first is compared with each of the others."""
    prompt: Annotated[str, PromptMarker(variables=_GIVEN, shows=(frozenset({"output"}),))] = (
        "builtin:rubric/helpfulness"
    )
    """The rubric: `builtin:rubric/helpfulness`, `…/instruction_following`, `…/truthfulness`,
    `…/honesty`, `…/agreement` (with the row's own answer), or one of your own, the text or a `.j2`
    file (Jinja2) that ends with asking for a last line `Score: n`. It is given `instruction` and
    `input` (of chat turns what was said), the model's answer as `output`, the row's own as
    `reference`, and the row's columns."""
    temperature: Annotated[float, Ge(0), Le(2)] | None = 0.0
    """Sampling temperature of the judge."""
    max_tokens: Annotated[int, Gt(0)] | None = 512
    """Tokens of the judge at most: reasons and score."""

    def required(self) -> frozenset[Capability]:
        """Replies held to a schema, where they are."""
        return self.needs | {"structured"} if self.structured else self.needs

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """A scale upside down; samples that are all the same; a model named twice."""
        yield from self.scale_problems()
        yield from named_twice("models", self.models)

    def metrics(self) -> frozenset[str]:
        """Every model's score, and the differences, with their intervals."""
        return model_metrics(self.models, self._measures())

    def ranges(self) -> Mapping[str, tuple[float, float]]:
        """Scores lie on the scale."""
        return model_ranges(self.models, self._measures())

    def limits(self) -> Mapping[str, float]:
        """Rows that could not be judged."""
        return INVALID_LIMIT

    def expected(self, least: int, most: int | None) -> Expected:
        """An answer and `samples` scores of each model a row."""
        calls = len(self.models) * (1 + self.samples)
        return Expected((least * calls, None if most is None else most * calls), (least, most))

    async def evaluate(self, rows: Rows, ctx: Context) -> Judgement:
        """Every row's scores.

        Raises PluginRefused where no row could be judged.
        """
        judged = await judged_rows(lambda row: self._scored(row, ctx), rows, ctx)
        found = model_estimates(judged, self.models, self._measures())
        return model_judgement(judged, found, self.models, self._measures())

    def _measures(self) -> Spans:
        return {"score": Span(self.worst, self.best)}

    async def _scored(self, row: Record, ctx: Context) -> JudgedRow:
        """Raises NotJudged and CallFailed."""
        answers = await self.model_answers(row, self.models, ctx)
        columns = answer_columns(answers)
        replies: list[Reply] = [*answers.values()]
        scores = {}
        for name, answer in answers.items():
            score, ratings = await self._score(row, answer.text.strip(), ctx, (replies, columns))
            replies.extend(ratings)
            columns[f"judge_{name}"] = ratings[-1].text
            if score is None:
                told = f"of {name}: {said(ratings[-1]) or 'an empty reply'}"
                raise NotJudged("no_score", told, replies=replies, columns=columns)
            scores[figure(name, "score")] = score
        made = ctx.row(
            {**row.columns, **columns},
            parents=[row],
            replies=replies,
            scores=scores,
            tags=row.tags,
        )
        return JudgedRow(made, {name: (score, 1.0) for name, score in scores.items()})

    async def _score(
        self, row: Record, answer: str, ctx: Context, known: tuple[list[Reply], dict[str, Any]]
    ) -> tuple[float | None, tuple[Reply, ...]]:
        """The judge's score of an answer. Raises NotJudged."""
        variables = rubric_variables(with_answer(row.columns, answer))
        reference = parted(row.columns).answer or ""
        try:
            return await self.rate({**variables, "reference": reference}, ctx)
        except CallFailed as failure:
            replies, columns = known
            raise NotJudged(
                failure.reason,
                f"judge: {failure.message}",
                replies=[*replies, failure],
                columns=columns,
            ) from None
