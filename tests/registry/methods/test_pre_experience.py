"""The warm-up set: clusters of questions, and the middle of their perplexities."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sftrecipe import CallFailed, Context, Record, Reject
from sftrecipe.plugin import Answer, Request
from sftrecipe.testing import FakeModel, RowList
from sftrecipe_registry.methods.cherry.pre_experience import PreExperience


async def drawn(
    plugin: PreExperience, rows: RowList, answer: Any, seed: int = 0
) -> list[Record | Reject]:
    models = {"": FakeModel(answer, seed=seed)}
    return [item async for item in plugin.generate(rows, Context("warm_up", models=models))]


def answer(request: Request) -> Answer:
    """Questions read `CLUSTER PERPLEXITY`: far apart by the one, measured by the other."""
    cluster, perplexity = (request.answer or request.prompt).split()
    if request.kind == "embed":
        return Answer("", vector=(100.0 * float(cluster), 0.0))
    if perplexity == "0":
        raise CallFailed("final", "too long", key="k")
    return Answer("", logprobs=(-math.log(float(perplexity)),) if perplexity != "1" else ())


async def test_the_middle_of_every_cluster_is_drawn_evenly() -> None:
    rows = RowList.of(
        *({"instruction": f"{cluster} {ppl}"} for ppl in range(2, 22) for cluster in (0, 1)),
        {"instruction": "2 7"},  # a cluster of fewer than two goes in whole
        {"instruction": ""},
        {"instruction": "0 0"},
        {"instruction": "0 1"},
    )
    plugin = PreExperience(clusters=3, per_cluster=2, prompt="plain")
    made = await drawn(plugin, rows, answer)
    kept = [item for item in made if isinstance(item, Record)]
    # 2 to 21: the band from 25 to 75 % is 7 to 16, ten rows, every fifth, the first two.
    wanted = ["0 7", "1 7", "0 12", "1 12", "2 7"]
    assert [row.text("instruction") for row in kept] == wanted
    assert kept[0].scores == {"ppl_question": pytest.approx(7)}
    assert len({row.tags["cluster"] for row in kept}) == 3
    assert kept[0].parents == (rows[10].id,)
    reasons = [item.reason for item in made if isinstance(item, Reject)]
    assert reasons.count("outside_band") == 20
    assert reasons.count("not_drawn") == 16
    assert reasons[-3:] == ["no_question", "call_failed", "no_perplexity"]
    assert await drawn(plugin, rows, answer, seed=5) == made


async def test_a_provider_of_its_own_embeds() -> None:
    scorer, embedder = FakeModel(answer), FakeModel(answer)
    plugin = PreExperience(embedder="e", clusters=1, prompt="plain")
    context = Context("warm_up", models={"": scorer, "e": embedder})
    made = [item async for item in plugin.generate(RowList.of({"instruction": "1 2"}), context)]
    assert len(made) == 1
    assert [request.kind for request in scorer.requests] == ["loglikelihood"]
    assert [request.kind for request in embedder.requests] == ["embed"]
    assert plugin.required() == {"loglikelihood"}
    assert PreExperience().required() == {"loglikelihood", "embed"}


@given(
    questions=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9)), max_size=25),
    clusters=st.integers(1, 6),
    each=st.integers(1, 4),
)
@settings(max_examples=60, deadline=None)
async def test_every_row_is_drawn_or_rejected(
    questions: list[tuple[int, int]], clusters: int, each: int
) -> None:
    rows = RowList.of(*({"instruction": f"{a} {b}"} for a, b in questions))
    plugin = PreExperience(clusters=clusters, per_cluster=each, prompt="plain")
    made = await drawn(plugin, rows, answer)
    assert len(made) == len(rows)
    kept = [item for item in made if isinstance(item, Record)]
    assert len(kept) <= clusters * each
    assert [item.reason for item in made if isinstance(item, Reject) and not item.reason] == []
