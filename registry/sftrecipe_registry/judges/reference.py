"""How near models' answers are to the rows' own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from annotated_types import MinLen

from sftrecipe.plugin import (
    ColumnName,
    Context,
    Expected,
    Inputs,
    Judge,
    Judgement,
    OptionFiles,
    OptionProblem,
    Record,
    Rows,
    Texts,
)
from sftrecipe_registry.judges.answer_measures import bleu_2, folded, rouge_sets, says
from sftrecipe_registry.judges.confidence_interval import SHARE
from sftrecipe_registry.judges.judged_rows import (
    INVALID_LIMIT,
    JudgedRow,
    NotJudged,
    judged_rows,
)
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
    model_reach,
)
from sftrecipe_registry.shared.text.rouge import rouge_l, rouge_n
from sftrecipe_registry.shared.text.row_text import parted, said
from sftrecipe_registry.shared.text.tokenizers import (
    Tokenize,
    TokenizerName,
    jieba_problems,
    tokenizer,
)

texts = Texts(__package__)

_MEASURES = ("bleu_2", "rouge_1", "rouge_2", "rouge_l", "exact")
_SHARES = ("exact", "contains")
"""Of answers, which are right or not."""


class Reference(AnsweringModels, Judge):
    """Let models answer every question, and measure how near each answer is to the row's own.

    Measures, each from 0 to 1, the mean over the rows: `bleu_2`; `rouge_1`, `rouge_2`, `rouge_l`
    (F1); `exact` (the same but for case, width and spaces); with `contains` the share of answers
    that say a fact. Metrics, each with its interval: `MODEL_bleu_2` …, and
    `FIRST_minus_MODEL_bleu_2` …, what the first model has more than each other on the same
    questions; `judged` and `invalid`, the rows, and `invalid_share`. A row counts for all models or
    for none: `invalid` are `no_question`, `no_answer` (the row has none), `call_failed`, `refused`.
    Needs no judge.
    """

    version: ClassVar[str] = "2"
    paper: ClassVar[str] = (
        "Papineni et al. 2002, BLEU; Lin 2004, ROUGE; strict_original: the TinyLlama experiment "
        "with Cherry's data (nltk's sentence BLEU, the package rouge 1.0.1)"
    )
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {"no_question": (), "no_answer": ("answer",)}
    example: ClassVar[str] = """\
- use: reference
  with: {models: [tuned, base], answers: {max_tokens: 300}}
  gate: {tuned_minus_base_rouge_l: {at_least: 0}}
"""

    models: Annotated[tuple[ChatModel, ...], MinLen(1)]
    """Providers that answer; the first is compared with each of the others."""
    answer: ColumnName | None = None
    """Column with the answer to compare with; left out: the row's own answer."""
    contains: ColumnName | None = None
    """Column with a fact, or a list of facts, that the answer must say, all of them, whatever the
    case: the measure `contains`. Rows without one do not count in it."""
    tokenizer: TokenizerName = "auto"
    """What BLEU and ROUGE count: `rouge_en`: runs of a-z and 0-9, as rouge_score; `word`: words of
    any script; `char`: Chinese and Japanese by characters, the rest by words; `jieba`: Chinese
    words (needs jieba); `auto`: by the recipe's language, `rouge_en` for en, `char` for zh and ja,
    `word` for others."""
    strict_original: bool = False
    """As the TinyLlama experiment: words at white space, case as it is; ROUGE on sets of words, its
    ROUGE-L of the whole text's sentences; ROUGE leaves out empty answers. `tokenizer` has no
    effect."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """A tokenizer that is not installed; a model named twice."""
        yield from named_twice("models", self.models)
        yield from jieba_problems(asked=self.tokenizer == "jieba")

    def metrics(self) -> frozenset[str]:
        """Every model's measures, and the differences, with their intervals."""
        return model_metrics(self.models, self._measures())

    def ranges(self) -> Mapping[str, tuple[float, float]]:
        """Measures are from 0 to 1."""
        return model_ranges(self.models, self._measures())

    def reachable(self, rows: int) -> Mapping[str, tuple[float, float]]:
        """The shares' intervals."""
        shares = [name for name in self._measures() if name in _SHARES]
        return model_reach(self.models, shares, rows)

    def limits(self) -> Mapping[str, float]:
        """Rows that could not be judged."""
        return INVALID_LIMIT

    def expected(self, least: int, most: int | None) -> Expected:
        """An answer of each model a row."""
        calls = len(self.models)
        return Expected((least * calls, None if most is None else most * calls), (least, most))

    async def evaluate(self, rows: Rows, ctx: Context) -> Judgement:
        """Every row's measures.

        Raises PluginRefused where no row could be judged.
        """
        measures = self._measures()
        judged = await judged_rows(lambda row: self._measured(row, ctx), rows, ctx)
        found = model_estimates(judged, self.models, measures)
        return model_judgement(judged, found, self.models, measures)

    async def _measured(self, row: Record, ctx: Context) -> JudgedRow:
        """Raises NotJudged and CallFailed."""
        wanted = row.text(self.answer) if self.answer else parted(row.columns).answer or ""
        if not wanted.strip():
            raise NotJudged("no_answer")
        split = ctx.once("tokenizer", lambda: tokenizer(self.tokenizer, ctx.language))
        facts = list(said(row.columns.get(self.contains))) if self.contains else []
        replies = await self.model_answers(row, self.models, ctx)
        scores: dict[str, float] = {}
        for name, reply in replies.items():
            found = dict(self._compared(wanted, reply.text, split))
            if facts:
                found["contains"] = float(all(says(reply.text, fact) for fact in facts))
            scores |= {figure(name, measure): value for measure, value in found.items()}
        made = ctx.row(
            {**row.columns, **answer_columns(replies)},
            parents=[row],
            replies=replies.values(),
            scores=scores,
            tags=row.tags,
        )
        return JudgedRow(made, {name: (score, 1.0) for name, score in scores.items()})

    def _compared(self, wanted: str, answer: str, split: Tokenize) -> Mapping[str, float]:
        exact = {"exact": float(folded(wanted) == folded(answer))}
        if not self.strict_original:
            return _close(split(wanted), split(answer)) | exact
        rouge = rouge_sets(wanted, answer)._asdict() if answer.strip() else {}
        return {"bleu_2": bleu_2(wanted.split(), answer.split()), **rouge, **exact}

    def _measures(self) -> Spans:
        names = (*_MEASURES, "contains") if self.contains else _MEASURES
        return dict.fromkeys(names, SHARE)


def _close(wanted: list[str], answer: list[str]) -> dict[str, float]:
    return {
        "bleu_2": bleu_2(wanted, answer),
        "rouge_1": rouge_n(wanted, answer, 1).f1,
        "rouge_2": rouge_n(wanted, answer, 2).f1,
        "rouge_l": rouge_l(wanted, answer).f1,
    }
