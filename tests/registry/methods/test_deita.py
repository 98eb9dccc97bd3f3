"""Deita: scores by two judges' prompts, and the greedy filter."""

from __future__ import annotations

import math
from typing import Any

import pytest

from sftrecipe import CallFailed, Context, PluginRefused, Verdict
from sftrecipe.plugin import Answer, Request
from sftrecipe.testing import FakeModel, RowList, own_files
from sftrecipe_registry.methods.deita.filter import Deita

VECTORS = {"sleep": (1, 0), "rest": (0.95, 0.3), "pie": (0, 1), "cake": (0.3, 1)}


def answer(request: Request) -> str | Answer:
    """Vectors by the topic; scores by the numbers that the text tells."""
    if request.kind == "embed":
        return Answer("", vector=next(v for word, v in VECTORS.items() if word in request.prompt))
    text = request.messages[0]["content"]
    if "unsafe" in text:
        raise CallFailed("refused", "unsafe")
    name = "q" if "Answer:" in text else "c"
    return f"Because.\nScore: {text.rsplit(name, 1)[1][0]}"


async def judged(plugin: Deita, rows: RowList, model: FakeModel) -> list[Verdict]:
    ctx = Context("best", models={"": model, "vectors": model}, files=own_files(plugin))
    return [verdict async for verdict in plugin.judge(rows, ctx)]


def row(topic: str, complexity: int, quality: int) -> dict[str, Any]:
    return {"instruction": f"{topic} c{complexity}", "output": f"{topic} q{quality}"}


async def test_the_best_that_differ_are_kept_until_the_budget_is_full() -> None:
    rows = RowList.of(
        row("rest", 5, 5), row("sleep", 6, 5), row("pie", 2, 2), row("cake", 2, 3), row("pie", 1, 1)
    )
    model = FakeModel(answer)
    found = await judged(Deita(most=2, embedder="vectors"), rows, model)
    near, best, low, second, last = found
    assert (near.reason, near.detail) == ("too_similar", rows[1].id)
    assert near.value == pytest.approx(0.95 / math.hypot(0.95, 0.3))
    assert (best.keep, best.value) == (True, 30)
    assert best.scores == {"best_complexity": 6, "best_quality": 5}
    assert len(best.calls) == 3
    assert (second.keep, second.value) == (True, 6)
    assert (low.reason, low.value) == ("beyond_budget", 4)
    assert (last.reason, last.value) == ("beyond_budget", 1)


async def test_without_a_budget_only_repetition_is_dropped() -> None:
    rows = RowList.of(row("pie", 1, 1), row("cake", 2, 2), row("sleep", 1, 1))
    found = await judged(Deita(embedder="vectors"), rows, FakeModel(answer))
    assert [verdict.reason or "kept" for verdict in found] == ["too_similar", "kept", "kept"]
    loose = Deita(embedder="vectors", max_similarity=1)
    assert all(verdict.keep for verdict in await judged(loose, rows, FakeModel(answer)))


async def test_turns_are_scored_one_by_one_and_summed() -> None:
    turns = [("user", "sleep c2"), ("assistant", "q3"), ("user", "pie c4"), ("assistant", "q5")]
    columns = {"messages": [{"role": role, "content": text} for role, text in turns]}
    (found,) = await judged(Deita(embedder="vectors"), RowList.of(columns), FakeModel(answer))
    assert found.value == 2 * 3 + 4 * 5
    assert found.scores == {"best_complexity": 6, "best_quality": 8}


UNSCORED = (
    {"instruction": "sleep c2"},
    {"instruction": "unsafe pie c2", "output": "q3"},
    {"instruction": "sleep c9", "output": "q3"},
)


async def test_rows_without_a_score_stay_for_it_is_not_their_fault() -> None:
    rows = RowList.of(*UNSCORED, row("pie", 1, 1))
    found = await judged(Deita(embedder="vectors"), rows, FakeModel(answer))
    assert [(verdict.keep, verdict.reason) for verdict in found] == [
        (False, "no_answer"),
        (False, "too_similar"),  # to a row that has a score
        (True, "no_score"),
        (True, ""),
    ]
    assert (found[2].value, found[2].scores, found[2].detail) == (None, {}, "Because.\nScore: 9")
    assert len(found[2].calls) == 2


async def test_rows_without_a_score_go_where_that_is_asked_for() -> None:
    found = await judged(
        Deita(embedder="vectors", on_failure="drop"), RowList.of(*UNSCORED), FakeModel(answer)
    )
    assert [verdict.reason for verdict in found] == ["no_answer", "refused", "no_score"]
    assert not any(verdict.keep for verdict in found)


@pytest.mark.parametrize("most", [1, 3, 4])
async def test_a_budget_chooses_rows_with_scores_first(most: int) -> None:
    rows = RowList.of(UNSCORED[2], row("pie", 1, 1), row("cake", 1, 1), row("sleep", 2, 2))
    plugin = Deita(embedder="vectors", most=most, max_similarity=1)
    unscored, *scored = await judged(plugin, rows, FakeModel(answer))
    assert sum(verdict.keep for verdict in scored) == min(most, 3)
    assert (unscored.keep, unscored.reason) == (most == 4, "no_score")


@pytest.mark.parametrize(
    ("options", "kept"), [({}, True), ({"most": 1}, False), ({"on_failure": "drop"}, False)]
)
async def test_rows_without_an_embedding_are_not_compared(
    options: dict[str, Any], kept: bool
) -> None:
    def fail(request: Request) -> str | Answer:
        if request.kind == "embed" and "pie" in request.prompt:
            raise CallFailed("final", "HTTP 500")
        return answer(request)

    rows = RowList.of(row("pie", 6, 6), row("sleep", 2, 3))
    found = await judged(Deita(embedder="vectors", **options), rows, FakeModel(fail))
    assert [verdict.keep for verdict in found] == [kept, True]
    assert (found[0].reason, found[0].value) == ("call_failed", 36)
    assert found[0].scores == ({"best_complexity": 6, "best_quality": 6} if kept else {})


async def test_scores_of_blocks_before_are_taken_and_nothing_is_asked() -> None:
    rows = RowList.of(row("sleep", 1, 1), row("pie", 1, 1), row("cake", 1, 1))
    for place, scores in enumerate([{"c": 2.0, "q": 3.0}, {"c": 4.0}, {"c": 1.0, "q": 1.0}]):
        rows[place] = rows[place]._replace(scores=scores)
    plugin = Deita(complexity="c", quality="q", embedder="vectors")
    assert not plugin.required()
    model = FakeModel(answer)
    found = await judged(plugin, rows, model)
    assert [verdict.value for verdict in found[::2]] == [6, 1]
    assert (found[1].keep, found[1].reason, found[1].detail) == (
        False, "too_similar", rows[2].id,
    )  # fmt: skip
    assert {request.kind for request in model.requests} == {"embed"}
    with pytest.raises(PluginRefused, match="no row has a score 'x' nor 'y'"):
        await judged(Deita(complexity="x", quality="y", embedder="vectors"), rows, model)


async def test_the_expected_score_weighs_every_score_by_its_likelihood() -> None:
    chances = {" 1": 0.5, " 6": 0.3}

    def likely(request: Request) -> Answer:
        if request.kind == "embed":
            return Answer("", vector=(1.0,))
        assert request.prompt.endswith("\n\nScore:")
        assert "Give your reasons" not in request.prompt
        return Answer("", logprobs=(math.log(chances.get(request.answer, 0.05)),))

    rows = RowList.of(row("sleep", 1, 1))
    (found,) = await judged(Deita(scored="likelihood", embedder="vectors"), rows, FakeModel(likely))
    mean = 1 * 0.5 + 6 * 0.3 + 0.05 * (2 + 3 + 4 + 5)
    assert found.value == pytest.approx(mean**2)
    assert len(found.calls) == 13


async def test_no_more_is_embedded_than_the_budget_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sftrecipe_registry.methods.deita.filter._LEAST_CHUNK", 2)
    rows = RowList.of(
        *({"instruction": f"{n} pie c{n % 6 + 1}", "output": "q1"} for n in range(40))
    )
    model = FakeModel(answer)
    found = await judged(Deita(most=1, embedder="vectors"), rows, model)
    assert [verdict.keep for verdict in found].count(True) == 1
    assert sum(request.kind == "embed" for request in model.requests) == 2
