"""Rows that stand for all others."""

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
from sftrecipe_registry.methods.cherry import facility_location
from sftrecipe_registry.methods.cherry.facility_location import representatives
from sftrecipe_registry.methods.cherry.superfilter import Superfilter

FILE = Path(__file__).parents[2] / "cases" / "filter" / "superfilter.yaml"
CASES = yaml.safe_load(FILE.read_text("utf-8"))


async def judged(plugin: Superfilter, rows: list[dict[str, Any]], seed: int = 0) -> list[Verdict]:
    vectors = {row["columns"]["text"]: row.get("vector") for row in rows}

    def answer(request: Request) -> Answer:
        vector = vectors[request.prompt]
        if vector is None:
            raise CallFailed("final", "no vector", key="k")
        return Answer("", vector=tuple(vector))

    models = {"": FakeModel(answer, seed=seed)}
    stream = RowList.of(*(row["columns"] for row in rows))
    return [verdict async for verdict in plugin.judge(stream, Context("few", models=models))]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
async def test_case(case: dict[str, Any]) -> None:
    plugin = Superfilter.model_validate(case["with"])
    problems = [problem.message for problem in plugin.problems(None, OptionFiles({}))]
    assert problems == case.get("problems", [])
    if problems:
        return
    ids = list(RowList.of(*(row["columns"] for row in case["rows"])).ids())
    verdicts = await judged(plugin, case["rows"])
    for verdict, row in zip(verdicts, case["rows"], strict=True):
        wanted = dict(row["verdict"])
        assert verdict.keep is wanted.pop("keep", False), verdict
        if "near" in wanted:
            assert verdict.detail == ids[wanted.pop("near")]
        assert {key: getattr(verdict, key) for key in wanted} == wanted


VECTORS = st.lists(
    st.none() | st.lists(st.integers(-3, 3), min_size=2, max_size=2), min_size=1, max_size=15
)


@given(vectors=VECTORS, number=st.integers(1, 6))
@settings(max_examples=60, deadline=None)
async def test_every_row_is_kept_or_rejected(vectors: list[list[int] | None], number: int) -> None:
    rows = [{"columns": {"text": str(at)}, "vector": each} for at, each in enumerate(vectors)]
    verdicts = await judged(Superfilter(number=number), rows)
    assert len(verdicts) == len(rows)
    assert all(verdict.keep or verdict.reason for verdict in verdicts)
    able = sum(vector is not None for vector in vectors)
    assert sum(verdict.keep for verdict in verdicts) == min(number, able)
    assert await judged(Superfilter(number=number), rows, seed=3) == verdicts


@given(
    vectors=st.lists(st.lists(st.integers(-9, 9), min_size=3, max_size=3), min_size=1, max_size=25),
    count=st.integers(1, 8),
)
@settings(max_examples=80, deadline=None)
def test_lazy_is_greedy(vectors: list[list[int]], count: int) -> None:
    table = np.array(vectors, np.float32)
    squares = np.square(table[:, None].astype(float) - table[None].astype(float)).sum(2)
    similar = np.exp(-np.sqrt(squares) / 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(facility_location, "_BLOCK", 40)
        chosen = representatives(table, count)
    assert len(set(chosen.places)) == min(count, len(table))
    covered = np.zeros(len(table))
    for place in chosen.places:
        gains = np.maximum(similar, covered).sum(1) - covered.sum()
        gains[list(chosen.places[: chosen.places.index(place)])] = -1
        assert gains[place] == pytest.approx(gains.max(), abs=1e-6)
        covered = np.maximum(covered, similar[place])
    assert chosen.similarity == pytest.approx(covered, abs=1e-6)
