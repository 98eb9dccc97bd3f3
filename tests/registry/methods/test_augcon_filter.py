"""AugCon's rank and filter, by rouge-chinese's numbers; its scorer, by its mathematics."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sftrecipe import Context, PluginRefused, Verdict
from sftrecipe.plugin import Request
from sftrecipe.testing import FakeModel, RowList
from sftrecipe_registry.methods.augcon.filter import AugConFilter
from sftrecipe_registry.methods.augcon.pairwise_head import Loss, loss_and_gradient, trained_head
from sftrecipe_registry.methods.augcon.scorer import ContrastiveScorer
from sftrecipe_registry.shared.text.rouge import rouge_l

DATA = Path(__file__).parents[4] / "shared" / "data" / "augcon"


def scored(rows: Sequence[tuple[str, str, float]], wanted: int = 9) -> RowList:
    made = RowList.of(*({"root": r, "instruction": q, "wanted": wanted} for r, q, _ in rows))
    return RowList(
        row._replace(scores={"s": score}) for row, (_, _, score) in zip(made, rows, strict=True)
    )


@pytest.mark.reference
@pytest.mark.skipif(not DATA.is_dir(), reason=f"no reference data at {DATA}")
@pytest.mark.parametrize("most", [0.3, 0.5, 0.7])
@pytest.mark.parametrize("measure", ["precision", "f1"])
def test_the_rows_that_the_published_numbers_keep(measure: str, most: float) -> None:
    pytest.importorskip("jieba")
    golden = json.loads((DATA / "rouge_zh_golden.json").read_text("utf-8"))
    at = {"precision": 2, "f1": 4}[measure]
    similarity = {(row[0], row[1]): row[at] for row in golden["rows"]}
    kept: list[int] = []
    for text in range(len(golden["texts"])):
        if all(similarity[text, other] <= most for other in kept):
            kept.append(text)
    rows = scored([("r", text, -n) for n, text in enumerate(golden["texts"])], wanted=99)
    options = {"strict_original": True} if measure == "f1" else {"tokenizer": "jieba"}
    plugin = AugConFilter(score="s", max=most, **options)  # type: ignore[arg-type]
    verdicts = list(plugin.judge(rows, Context("f", language="zh")))
    assert [n for n, verdict in enumerate(verdicts) if verdict.keep] == kept
    assert 1 < len(kept) < len(golden["texts"]) or most == 0.7
    assert {verdict.reason for verdict in verdicts} <= {"", "too_similar"}


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("ab"),
            st.lists(st.sampled_from(["what", "is", "the", "cold", "flu", "of"]), min_size=1).map(
                " ".join
            ),
            st.integers(0, 3),
        ),
        max_size=30,
    ),
    st.integers(1, 4),
    st.sampled_from([0.0, 0.4, 0.7, 1.0]),
)
def test_the_rule(rows: list[tuple[str, str, int]], wanted: int, most: float) -> None:
    """The best by score that are unlike all better ones, and no more than wanted."""
    rows.sort(key=lambda row: row[0])
    found = list(AugConFilter(score="s", max=most).judge(scored(rows, wanted), Context("f")))
    for root in "ab":
        own = [n for n, row in enumerate(rows) if row[0] == root]
        own.sort(key=lambda n: (-rows[n][2], n))
        kept: list[list[str]] = []
        for n in own:
            tokens = rows[n][1].split()
            unlike = all(rouge_l(other, tokens).precision <= most for other in kept)
            assert found[n].keep is (unlike and len(kept) < wanted)
            if found[n].keep:
                kept.append(tokens)


def test_a_row_without_its_score_or_number_is_told() -> None:
    rows = RowList.of({"root": "r", "instruction": "Why?"})
    with pytest.raises(PluginRefused, match="no score 's'"):
        list(AugConFilter(score="s").judge(rows, Context("f")))
    with pytest.raises(PluginRefused, match="wanted"):
        list(AugConFilter().judge(rows, Context("f")))


@pytest.mark.parametrize("loss", ["log_sigmoid", "sigmoid_difference"])
def test_gradients_are_exact(loss: Loss) -> None:
    drawn = np.random.default_rng(0)
    chosen, rejected = drawn.normal(size=(9, 5)), drawn.normal(size=(9, 5))
    weights = drawn.normal(size=5)
    _, gradient = loss_and_gradient(weights, chosen, rejected, loss)
    for at in range(5):
        step = np.zeros(5)
        step[at] = 1e-6
        above, _ = loss_and_gradient(weights + step, chosen, rejected, loss)
        below, _ = loss_and_gradient(weights - step, chosen, rejected, loss)
        assert gradient[at] == pytest.approx((above - below) / 2e-6, abs=1e-8)


def test_losses_are_those_of_paper_and_code() -> None:
    one, other = np.array([[2.0]]), np.array([[-1.0]])
    paper, _ = loss_and_gradient(np.ones(1), one, other, "log_sigmoid")
    code, _ = loss_and_gradient(np.ones(1), one, other, "sigmoid_difference")
    assert paper == pytest.approx(-np.log(1 / (1 + np.exp(-3.0))))
    assert code == pytest.approx(-1 / (1 + np.exp(-2.0)) + 1 / (1 + np.exp(1.0)))


@pytest.mark.parametrize("loss", ["log_sigmoid", "sigmoid_difference"])
def test_a_head_learns_what_is_linear(loss: Loss) -> None:
    drawn = np.random.default_rng(1)
    truth = drawn.normal(size=6)
    both = drawn.normal(size=(2, 400, 6))
    better = both @ truth
    chosen = np.where((better[0] > better[1])[:, None], both[0], both[1])
    rejected = np.where((better[0] > better[1])[:, None], both[1], both[0])
    head = trained_head(chosen[:300], rejected[:300], loss=loss, steps=200, rate=0.05, decay=0.01)
    right = head.score(chosen[300:]) > head.score(rejected[300:])
    assert right.mean() > 0.9


def pairs(count: int = 60) -> RowList:
    return RowList.of(
        *(
            {
                "context": f"Case {n}: rest and water help against a cold within {n} days.",
                "chosen": f"How can rest and water help against a cold in case {n}?",
                "rejected": f"What is {n}?",
            }
            for n in range(count)
        )
    )


def questions() -> RowList:
    return RowList.of(
        {"context": "Sleep helps the heart.", "instruction": "How can sleep help the heart?"},
        {"context": "Sleep helps the heart.", "instruction": "What is 5?"},
    )


async def verdicts(plugin: ContrastiveScorer, ctx: Context) -> list[Verdict]:
    return [verdict async for verdict in plugin.judge(questions(), ctx)]


@pytest.mark.parametrize("strict", [False, True])
async def test_the_scorer_ranks_what_it_never_saw(strict: bool) -> None:
    ctx = Context("s", streams={"pairs": pairs()})
    plugin = ContrastiveScorer(pairs="pairs", strict_original=strict)
    good, bad = await verdicts(plugin, ctx)
    assert good.keep and bad.keep
    assert (good.value or 0) > (bad.value or 0)
    held = ctx.counts["held_out_pairs"]
    assert 0 < held < 30
    assert held + ctx.counts["train_pairs"] == 60
    assert ctx.counts["held_out_right"] == held
    assert await verdicts(plugin, Context("s", streams={"pairs": pairs()})) == [good, bad]


async def test_the_scorer_on_embeddings() -> None:
    def never(request: Request) -> str:
        raise AssertionError(request)

    class Embedding(FakeModel):
        async def embed(self, text: str):  # type: ignore[no-untyped-def]
            reply = await super().embed(text)
            vector = (float(len(text)), float(text.count("?")), float(text.count("help")))
            return reply._replace(vector=vector)

    model = Embedding(lambda _: "")
    ctx = Context("s", streams={"pairs": pairs()}, models={"": model})
    plugin = ContrastiveScorer(pairs="pairs", features="embedding")
    assert plugin.required() == {"embed"}
    good, bad = await verdicts(plugin, ctx)
    assert (good.value or 0) > (bad.value or 0)
    assert {request.kind for request in model.requests} == {"embed"}


async def test_too_few_pairs_are_told() -> None:
    ctx = Context("s", streams={"pairs": pairs(2)})
    with pytest.raises(PluginRefused, match="expected at least 4"):
        await verdicts(ContrastiveScorer(pairs="pairs"), ctx)
