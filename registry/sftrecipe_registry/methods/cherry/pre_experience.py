"""The rows that a model is trained on briefly before it scores: Cherry's first phase."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, NamedTuple

from annotated_types import Ge, Gt, Le

from sftrecipe.plugin import (
    CallFailed,
    Capability,
    Context,
    Expected,
    Generator,
    Inputs,
    ProviderMarker,
    Record,
    Reject,
    Rows,
    Texts,
)
from sftrecipe_registry.methods.cherry.ifd_texts import (
    PromptName,
    question_and_answer,
    question_prompt,
)
from sftrecipe_registry.shared.vectors.embedding_width import ODD_EMBEDDING, told_width, usual_width

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

texts = Texts(__package__)

_EMBEDS: frozenset[Capability] = frozenset({"embed"})
_MOST_LOSS = 700.0
"""Its exponential is still a number."""


class _Measured(NamedTuple):
    """What was asked about a row."""

    perplexity: float
    calls: tuple[str, ...] = ()
    vector: NDArray[np.float32] | None = None
    reason: str = ""
    """Why it cannot be drawn."""
    told: str = ""


class _ClusterPlace(NamedTuple):
    """A row's cluster."""

    cluster: int = -1
    reason: str = ""
    """Why it is not drawn; empty: it is."""
    told: str = ""


def _unmeasured(failure: CallFailed) -> _Measured:
    calls = (failure.key,) if failure.key else ()
    reason = failure.reason if failure.key else "no_question"
    return _Measured(math.nan, calls, reason=reason, told=failure.message)


class PreExperience(Generator):
    """Draw a small, varied set of rows to warm a model up on before `ifd` scores with it.

    The questions are embedded and put into clusters by k-means; of each cluster come a few, evenly
    spread, out of the middle of its perplexities. The stream is a data set of its own: a recipe
    that exports it and trains on it for one epoch gives the model that the next recipe scores with.
    Rows carry the question's perplexity as score `ppl_question`, and the tag `cluster`.

    Rejects, which stay in the stream that is read: `outside_band` with the perplexity, `not_drawn`
    with the perplexity, `no_perplexity` (a question of one token), `no_question`, `odd_embedding`
    (not as wide as most), `call_failed`.
    """

    needs: ClassVar[frozenset[Capability]] = frozenset({"loglikelihood"})
    paper: ClassVar[str] = (
        "Li et al. 2024, From Quantity to Quality (Cherry_LLM, arXiv 2308.12032), section 2.1: "
        "k-means of 100 clusters over the questions' mean last hidden states, 10 of each"
    )
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "not_drawn": ("clusters", "per_cluster"),
        "outside_band": ("low", "high"),
        "no_perplexity": (),
        "odd_embedding": (),
    }
    example: ClassVar[str] = """\
- id: warm_up
  use: pre_experience
  from: rows
  provider: scorer
  with: {clusters: 100, per_cluster: 10}
"""

    embedder: Annotated[str | None, ProviderMarker(needs=_EMBEDS)] = None
    """The provider that embeds; left out: the block's own, as in the paper."""
    prompt: PromptName = "alpaca"
    """How a question is put, as for the filter `ifd`."""
    clusters: Annotated[int, Gt(0)] = 100
    """Clusters; no more than there are rows."""
    per_cluster: Annotated[int, Gt(0)] = 10
    """Rows of each cluster."""
    low: Annotated[float, Ge(0), Le(100)] = 25.0
    """Lower end of the band of a cluster's perplexities, in percent."""
    high: Annotated[float, Ge(0), Le(100)] = 75.0
    """Upper end of the band."""

    def required(self) -> frozenset[Capability]:
        """Likelihoods; embeddings too, where no other provider gives them."""
        return self.needs if self.embedder else self.needs | _EMBEDS

    def columns(self, inputs: Inputs) -> Inputs:
        """Those of the rows."""
        return inputs

    def expected(self, least: int, most: int | None) -> Expected:
        """A likelihood and an embedding of every row."""
        drawn = self.clusters * self.per_cluster
        calls = None if most is None else 2 * most
        return Expected((2 * least, calls), (0, drawn if most is None else min(most, drawn)))

    async def generate(self, rows: Rows, ctx: Context) -> AsyncIterator[Record | Reject]:
        """The drawn rows in the rows' order, and a reject for every other."""
        measured: list[_Measured] = []
        async for _, told in ctx.map(lambda row: self._measured(row, ctx), rows):
            measured.append(_unmeasured(told) if isinstance(told, CallFailed) else told)
            ctx.progress(len(measured))
        drawn = self._drawn(measured, ctx)
        for row, found, place in zip(rows, measured, drawn, strict=True):
            value = None if math.isnan(found.perplexity) else found.perplexity
            if reason := found.reason or place.reason:
                lost = row._replace(calls=(*row.calls, *found.calls))
                yield Reject(lost, reason, found.told or place.told or value)
                continue
            scores = {**row.scores, "ppl_question": found.perplexity}
            tags = {**row.tags, "cluster": str(place.cluster)}
            made = ctx.row(row.columns, parents=[row], scores=scores, tags=tags)
            yield made._replace(calls=found.calls)

    async def _measured(self, row: Record, ctx: Context) -> _Measured:
        """Raises CallFailed."""
        import numpy as np  # noqa: PLC0415

        instruction, given, _ = question_and_answer(row)
        if not instruction.strip():
            raise CallFailed("final", texts("no-question"))
        question = question_prompt(self.prompt, instruction, given)
        scored, embedded = await asyncio.gather(
            ctx.model.loglikelihood("", question), ctx.models[self.embedder or ""].embed(question)
        )
        calls = (scored.key, embedded.key)
        if not scored.logprobs:
            return _Measured(math.nan, calls, reason="no_perplexity")
        loss = -math.fsum(scored.logprobs) / len(scored.logprobs)
        vector = np.array(embedded.vector, np.float32)
        return _Measured(math.exp(min(loss, _MOST_LOSS)), calls, vector)

    def _drawn(self, measured: Sequence[_Measured], ctx: Context) -> list[_ClusterPlace]:
        """Every row's cluster, and why it is not drawn."""
        import numpy as np  # noqa: PLC0415

        from sftrecipe_registry.methods.cherry.kmeans import kmeans  # noqa: PLC0415

        places = [_ClusterPlace()] * len(measured)
        of_row = {at: one.vector for at, one in enumerate(measured) if one.vector is not None}
        usual = usual_width(map(len, of_row.values()))
        for at, vector in of_row.items():
            if len(vector) != usual:
                told = told_width(len(vector), usual)
                places[at] = _ClusterPlace(reason=ODD_EMBEDDING, told=told)
        able = [at for at, vector in of_row.items() if len(vector) == usual]
        if not able:
            return places
        vectors = np.stack([of_row[at] for at in able])
        seed = ctx.number("clusters") % 2**32
        labels = kmeans(vectors, self.clusters, seed).labels
        for cluster in np.unique(labels).tolist():
            members = [able[line] for line in np.flatnonzero(labels == cluster)]
            perplexities = [measured[at].perplexity for at in members]
            reasons = _chosen(perplexities, self.per_cluster, self.low, self.high)
            for at, reason in zip(members, reasons, strict=True):
                places[at] = _ClusterPlace(cluster, reason)
        ctx.count("clusters", len(np.unique(labels)))
        return places


def _chosen(perplexities: Sequence[float], most: int, low: float, high: float) -> list[str]:
    """Why each row of a cluster is not drawn; empty for those that are.

    A cluster of fewer than `most` rows goes in whole, and so does a band of fewer.
    """
    import numpy as np  # noqa: PLC0415

    if len(perplexities) < most:
        return [""] * len(perplexities)
    lower, upper = np.percentile(perplexities, [low, high])
    band = [at for at, value in enumerate(perplexities) if lower <= value <= upper]
    drawn = set(band[:: max(len(band) // most, 1)][:most])
    within = set(band)
    return [
        "" if at in drawn else "not_drawn" if at in within else "outside_band"
        for at in range(len(perplexities))
    ]
