"""Whether reward models prefer the better of two answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from annotated_types import MinLen

from sftrecipe.plugin import (
    PAIR,
    Context,
    Expected,
    Inputs,
    Judge,
    Judgement,
    OptionFiles,
    OptionProblem,
    ProviderMarker,
    Record,
    Rows,
    Texts,
)
from sftrecipe_registry.judges.confidence_interval import SHARE, estimates, metric_names
from sftrecipe_registry.judges.judged_rows import (
    INVALID_LIMIT,
    JudgedRow,
    NotJudged,
    figure_parts,
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
from sftrecipe_registry.shared.replies.preference_pair import is_pair, pair_talks

texts = Texts(__package__)

RewardModel = Annotated[str, ProviderMarker(frozenset({"reward"}))]
"""Name of a provider that gives answers rewards."""
_COMPARED = {"accuracy": SHARE}


class Reward(Judge):
    """Count the pairs of which a reward model gives the chosen answer the higher reward.

    Metrics, each with its interval: `MODEL_accuracy`, the share of such pairs (0.5 is chance, an
    equal reward counts as wrong), `FIRST_minus_MODEL_accuracy`, and `MODEL_margin`, the mean of the
    chosen answer's reward less the rejected one's, a number of the model's own scale; `judged` and
    `invalid`, the rows, and `invalid_share`. A row counts for all models or for none: `invalid` are
    `no_pair` and `call_failed`.
    """

    version: ClassVar[str] = "2"
    paper: ClassVar[str] = (
        "Ouyang et al. 2022, InstructGPT (arXiv 2203.02155), section 3.5; Lambert et al. 2024, "
        "RewardBench (arXiv 2403.13787), section 4: accuracy on pairs"
    )
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {"no_pair": ()}
    example: ClassVar[str] = """\
- use: reward
  on: holdout
  with: {models: [rm]}
  gate: {rm_accuracy: {at_least: 0.6}}
"""

    models: Annotated[tuple[RewardModel, ...], MinLen(1)]
    """Providers that give rewards; the first is compared with each of the others. The model that
    the recipe trains at stage `rm` is `{use: transformers, model: trained}`."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """A model named twice; rows without pairs."""
        yield from named_twice("models", self.models)
        if inputs is not None and not inputs >= set(PAIR):
            yield OptionProblem((), texts("no-pairs"))

    def metrics(self) -> frozenset[str]:
        """Every model's accuracy and margin, and the differences of the accuracies."""
        margins = [figure(model, "margin") for model in self.models]
        return model_metrics(self.models, _COMPARED) | metric_names(margins)

    def ranges(self) -> Mapping[str, tuple[float, float]]:
        """Accuracies are from 0 to 1, margins any number."""
        return model_ranges(self.models, _COMPARED)

    def limits(self) -> Mapping[str, float]:
        """Rows that could not be judged."""
        return INVALID_LIMIT

    def expected(self, least: int, most: int | None) -> Expected:
        """Two calls of each model a row."""
        calls = 2 * len(self.models)
        return Expected((0, None if most is None else most * calls), (least, most))

    async def evaluate(self, rows: Rows, ctx: Context) -> Judgement:
        """Every pair's rewards.

        Raises PluginRefused where no row could be judged.
        """
        judged = await judged_rows(lambda row: self._rewarded(row, ctx), rows, ctx)
        found = model_estimates(judged, self.models, _COMPARED)
        margins = [figure(model, "margin") for model in self.models]
        parts = {name: figure_parts(judged, name) for name in margins}
        found |= estimates(parts, {}, {})
        return model_judgement(judged, found, self.models, ("accuracy", "margin"))

    async def _rewarded(self, row: Record, ctx: Context) -> JudgedRow:
        """Raises NotJudged."""
        import asyncio  # noqa: PLC0415 - 60 ms that `validate` need not spend

        if not is_pair(row.columns):
            raise NotJudged("no_pair")
        talks = pair_talks(row.columns)
        asked = (ctx.models[name].reward(talk) for name in self.models for talk in talks)
        names = [f"{name}_{side}" for name in self.models for side in PAIR]
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        replies = answered_by_all(names, outcomes)
        scores = {name: reply.reward for name, reply in replies.items()}
        for name in self.models:
            margin = scores[f"{name}_chosen"] - scores[f"{name}_rejected"]
            scores[figure(name, "margin")] = margin
            scores[figure(name, "accuracy")] = float(margin > 0)
            if margin == 0:
                ctx.count(f"equal rewards: {name}")
        parts = {
            figure(name, measure): (scores[figure(name, measure)], 1.0)
            for name in self.models
            for measure in ("accuracy", "margin")
        }
        made = ctx.row(
            row.columns, parents=[row], replies=replies.values(), scores=scores, tags=row.tags
        )
        return JudgedRow(made, parts)
