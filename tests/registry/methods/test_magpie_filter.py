"""Magpie's neighbours, against a plain computation, and its choice of rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from sftrecipe import CallFailed, Context, Verdict
from sftrecipe.plugin import Answer, OptionFiles, Request
from sftrecipe.testing import FakeModel, RowList
from sftrecipe_registry.methods.magpie import nearest_neighbours as nearest
from sftrecipe_registry.methods.magpie.filter import MagpieFilter
from sftrecipe_registry.methods.magpie.nearest_neighbours import NearestNeighbours
from sftrecipe_registry.methods.magpie.neighbours import MagpieNeighbours

CASES = yaml.safe_load(
    (Path(__file__).parents[2] / "cases" / "filter" / "magpie_filter.yaml").read_text("utf-8")
)
VECTORS = {
    "rain": (2.0, 0.0),
    "Rain": (1.0, 0.0),
    "rains": (1.0, 0.1),
    "stars": (0.0, 1.0),
    "nothing": (0.0, 0.0),
}


async def judged(
    plugin: MagpieNeighbours, *texts: str, seed: int = 0
) -> tuple[RowList, list[Verdict]]:
    def embedded(request: Request) -> Answer:
        if request.prompt == "long":
            raise CallFailed("final", "too long")
        return Answer("", vector=VECTORS.get(request.prompt, (0.5,)))

    rows = RowList.of(*({"instruction": text, "n": n} for n, text in enumerate(texts)))
    ctx = Context("near", models={"": FakeModel(embedded, seed=seed)})
    return rows, [verdict async for verdict in plugin.judge(rows, ctx)]


@pytest.mark.parametrize("seed", [0, 1])
async def test_the_first_of_those_alike_is_kept(seed: int) -> None:
    rows, verdicts = await judged(
        MagpieNeighbours(), "rain", "stars", "Rain", "long", "rains", "nothing", " ", seed=seed
    )
    first, other, equal, long, near, zero, empty = verdicts
    assert first.keep
    assert first.scores == {"min_neighbor_distance": 0, "repeat_count": 2, "earlier_repeats": 0}
    assert other.keep
    assert other.scores["repeat_count"] == 0
    assert other.scores["min_neighbor_distance"] == pytest.approx(2 - 2 * 0.1 / 1.01**0.5, abs=1e-6)
    assert (equal.keep, equal.reason, equal.value, equal.detail) == (
        False, "repetition", 0.0, rows[0].id,
    )  # fmt: skip
    assert (long.keep, long.reason, long.detail) == (False, "call_failed", "too long")
    assert (near.reason, near.detail) == ("repetition", rows[0].id)
    assert (zero.keep, zero.reason) == (False, "no_embedding")
    assert (empty.keep, empty.reason, empty.calls) == (False, "no_text", ())
    assert all(len(verdict.calls) == 1 for verdict in (first, other, equal, near))


async def test_kept_with_the_first_ones_id() -> None:
    rows, verdicts = await judged(MagpieNeighbours(drop=False), "stars", "rain", "Rain", "rains")
    assert all(verdict.keep for verdict in verdicts)
    similar = [verdict.changes["min_similar"] for verdict in verdicts]
    assert similar == [None, rows[1].id, rows[1].id, rows[1].id]
    assert [verdict.scores["earlier_repeats"] for verdict in verdicts] == [0, 0, 1, 2]


async def test_a_row_alone_is_as_far_as_can_be() -> None:
    _, (verdict,) = await judged(MagpieNeighbours(), "rain")
    assert verdict.scores["min_neighbor_distance"] == 4
    assert await judged(MagpieNeighbours()) == ([], [])


@pytest.mark.parametrize("texts", [("rain", "stars", "?"), ("?", "rain", "stars")])
async def test_an_embedding_of_another_width_costs_its_row(texts: tuple[str, ...]) -> None:
    _, verdicts = await judged(MagpieNeighbours(), *texts)
    odd = verdicts.pop(texts.index("?"))
    assert (odd.keep, odd.reason) == (False, "odd_embedding")
    assert odd.detail == "1 numbers, most embeddings have 2"
    assert all(verdict.keep for verdict in verdicts)


@settings(deadline=None)
@given(st.integers(1, 70), st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.05, 0.5, 4.0]))
def test_blocks_give_what_a_plain_computation_gives(
    count: int, seed: int, threshold: float
) -> None:
    draw = np.random.default_rng(seed)
    some = draw.normal(size=(max(count // 3, 1), 5)).astype(np.float32)
    unit = some[draw.integers(0, len(some), count)]
    unit += np.float32(0.1) * draw.integers(0, 2, (count, 1)).astype(np.float32)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(nearest, "BLOCK", 16)
        patched.setattr(nearest, "_TILE", 24)
        search = NearestNeighbours(unit, threshold)
        blocks = [search.of_block(start) for start in range(0, count, 16)]
    exact = unit.astype(np.float64)
    distance = ((exact[:, None] - exact[None]) ** 2).sum(axis=2)
    near = (distance < threshold) & ~np.eye(count, dtype=bool)
    np.fill_diagonal(distance, 4)
    found = [np.concatenate(parts) for parts in zip(*blocks, strict=True)]
    assert found[0] == pytest.approx(distance.min(axis=1), abs=1e-5)
    assert (found[1] == near.sum(axis=1)).all()
    assert (found[2] == np.tril(near).sum(axis=1)).all()
    assert (found[3] == np.where(near.any(axis=1), near.argmax(axis=1), -1)).all()


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_case(case: dict[str, Any]) -> None:
    plugin = MagpieFilter.model_validate(case["with"])
    problems = [problem.message for problem in plugin.problems(None, OptionFiles({}))]
    assert problems == case.get("problems", [])
    if problems:
        return
    rows = RowList.of(*(row["columns"] for row in case["rows"]))
    for at, row in enumerate(case["rows"]):
        rows[at] = rows[at]._replace(tags=row.get("tags", {}), scores=row.get("scores", {}))
    if "refused" in case:
        with pytest.raises(match=case["refused"]):
            list(plugin.judge(rows, Context("chosen")))
        return
    for verdict, row in zip(plugin.judge(rows, Context("chosen")), case["rows"], strict=True):
        assert verdict.reason == row.get("reason", ""), row
        assert verdict.keep is ("reason" not in row)
        assert "value" not in row or verdict.value == row["value"]
        assert "detail" not in row or verdict.detail == row["detail"]
