"""AugCon's scorer: learns from pairs which of two questions on a context is better."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple

from annotated_types import Ge, Gt, Lt

from sftrecipe.plugin import (
    CallFailed,
    Capability,
    Context,
    Filter,
    Inputs,
    OptionFiles,
    OptionProblem,
    PluginRefused,
    Record,
    Rows,
    StreamName,
    Texts,
    Verdict,
)
from sftrecipe_registry.methods.augcon.question_columns import missing_columns
from sftrecipe_registry.shared.text.tokenizers import Tokenize, TokenizerName, tokenizer
from sftrecipe_registry.shared.vectors.embedding_width import ODD_EMBEDDING, told_width, usual_width

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sftrecipe_registry.methods.augcon.pairwise_head import Head

    Vector = NDArray[np.floating[Any]]

texts = Texts(__package__)

_FEWEST = 4
"""Pairs without which nothing is learnt."""


class _AskedQuestion(NamedTuple):
    """A question on a context."""

    context: str
    question: str


class ContrastiveScorer(Filter):
    """Train a linear head on pairs of questions, and score every row with it; all rows are kept.

    The head stands on hashed n-grams and measures of the question, or on a provider's embeddings;
    it is trained in the engine, on a CPU, the same in every run. The pairs of some contexts are
    held out: `held_out_right` of `held_out_pairs` are put in the right order. The score is the
    block's id, for `augcon_filter`. A larger model learns from the same pairs, exported for
    LLaMA-Factory's stage rm.
    """

    paper: ClassVar[str] = "Quan 2024, AugCon (arXiv 2405.16579), contrastive scorer"
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {"odd_embedding": ("features",)}
    example: ClassVar[str] = (
        "{id: scored, use: contrastive_scorer, on: queries, with: {pairs: pairs}}"
    )

    pairs: StreamName
    """The stream of `augcon_pairs`: rows with `context`, `chosen` and `rejected`."""
    features: Literal["hashed", "embedding"] = "hashed"
    """`hashed`: n-grams and measures, no calls; `embedding`: the provider's vectors of the question
    and of both together, two calls a row and a pair at most."""
    tokenizer: TokenizerName = "auto"
    """For the hashed features, as for the filter `rouge_novelty`."""
    holdout: Annotated[float, Ge(0), Lt(1)] = 0.2
    """Share of the contexts whose pairs are not trained on."""
    steps: Annotated[int, Gt(0)] = 200
    """Steps of AdamW, each over all pairs."""
    rate: Annotated[float, Gt(0)] = 0.01
    """Learning rate."""
    decay: Annotated[float, Ge(0)] = 0.01
    """Weight decay."""
    strict_original: bool = False
    """Train with the released code's loss, -σ(s⁺) + σ(s⁻), instead of the paper's, -log σ(s⁺ -
    s⁻)."""

    def required(self) -> frozenset[Capability]:
        """Embeddings, where they are the features."""
        return frozenset({"embed"} if self.features == "embedding" else ())

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """Rows that are no questions about a context."""
        for column in missing_columns(inputs):
            yield OptionProblem((), texts("no-column", column=column))

    async def judge(self, rows: Rows, ctx: Context) -> AsyncIterator[Verdict]:
        """Every row's score, in order. Raises PluginRefused where there are too few pairs."""
        head = await self._trained(ctx)
        asked = (_AskedQuestion(row.text("context"), row.text("instruction")) for row in rows)
        async for features in self._features(asked, ctx):
            if isinstance(features, CallFailed):
                calls = (features.key,) if features.key else ()
                yield Verdict(False, features.reason, detail=features.message, calls=calls)
            elif len(features) != len(head.centre):
                told = told_width(len(features), len(head.centre))
                yield Verdict(False, ODD_EMBEDDING, detail=told)
            else:
                yield Verdict(True, value=float(head.score(features)))

    async def _trained(self, ctx: Context) -> Head:
        import numpy as np  # noqa: PLC0415

        from sftrecipe_registry.methods.augcon.pairwise_head import trained_head  # noqa: PLC0415

        train: list[tuple[Vector, Vector]] = []
        held: list[tuple[Vector, Vector]] = []
        pairs = [pair async for pair in self._pairs(ctx)]
        usual = usual_width(len(side) for _, sides in pairs for side in sides)
        for pair, features in pairs:
            if any(len(side) != usual for side in features):
                ctx.count("pairs_without_embedding")
                continue
            drawn = ctx.number("holdout", pair.text("context")) / 2**64
            (held if drawn < self.holdout else train).append(features)
        ctx.count("train_pairs", len(train))
        if len(train) < _FEWEST:
            told = texts("too-few-pairs", stream=self.pairs, pairs=len(train), least=_FEWEST)
            raise PluginRefused(told)
        chosen, rejected = (np.array(side, np.float64) for side in zip(*train, strict=True))
        head = trained_head(
            chosen,
            rejected,
            loss="sigmoid_difference" if self.strict_original else "log_sigmoid",
            steps=self.steps,
            rate=self.rate,
            decay=self.decay,
        )
        right = sum(bool(head.score(good) > head.score(bad)) for good, bad in train)
        ctx.count("train_right", right)
        ctx.count("held_out_pairs", len(held))
        right = sum(bool(head.score(good) > head.score(bad)) for good, bad in held)
        ctx.count("held_out_right", right)
        return head

    async def _pairs(self, ctx: Context) -> AsyncIterator[tuple[Record, tuple[Vector, Vector]]]:
        """The pairs with the features of both questions; without those that cannot be had."""
        pairs = ctx.streams[self.pairs]
        sides = (_AskedQuestion(row.text("context"), row.text(s)) for row in pairs for s in _SIDES)
        features = self._features(sides, ctx)
        for row in pairs:
            chosen, rejected = await anext(features), await anext(features)
            if isinstance(chosen, CallFailed) or isinstance(rejected, CallFailed):
                ctx.count("pairs_without_embedding")
            else:
                yield row, (chosen, rejected)

    async def _features(
        self, asked: Iterable[_AskedQuestion], ctx: Context
    ) -> AsyncIterator[Vector | CallFailed]:
        """Features of each question, in order."""
        if self.features == "embedding":

            async def embed(one: _AskedQuestion) -> Vector:
                return await _embedded(one, ctx)

            async for _, vector in ctx.map(embed, asked):
                yield vector
            return
        from sftrecipe_registry.methods.augcon.question_features import (  # noqa: PLC0415 - numpy
            question_features,
        )

        split: Tokenize = tokenizer(self.tokenizer, ctx.language)
        for one in asked:
            yield question_features(one.context, one.question, split)


_SIDES = ("chosen", "rejected")


async def _embedded(asked: _AskedQuestion, ctx: Context) -> Vector:
    """Vectors of the question, and of context and question together, one after the other."""
    import numpy as np  # noqa: PLC0415

    alone = await ctx.model.embed(asked.question)
    both = await ctx.model.embed(f"Context: {asked.context}\n\nQuestion: {asked.question}\n\n")
    return np.array([*alone.vector, *both.vector], np.float64)
