"""Pairwise judging as a whole: the published figures, and what must hold whatever models say."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests.registry.judges.scripted import context_of

from sftrecipe import CallFailed, PluginRefused
from sftrecipe.plugin import Judgement, Request
from sftrecipe.testing import FakeModel, RowList
from sftrecipe_registry.judges.pairwise import Pairwise

DATA = Path(__file__).parents[4] / "shared" / "data" / "cherry_judge"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"no reference data at {DATA}")
SIDES = Pairwise(compare=("cherry", "full"))


async def published(name: str | None = None) -> Judgement:
    """The stored judgements of one test set, or all, through the plugin."""
    lines = (DATA / "judge_scores_gpt35.jsonl").read_text("utf-8").splitlines()
    items = [item for item in map(json.loads, lines) if name in (None, item["set"])]
    said = {f"{item['set']} {item['i']}.": item for item in items}

    def judge(request: Request) -> str:
        asked = request.messages[-1]["content"]
        item = said[asked.split("=== Question ===\n")[1].split("\n")[0]]
        in_order = "=== Answer 1 ===\nthe cherry" in asked
        return f"{item['first_line' if in_order else 'first_line_reverse']}\nReasons."

    models = {
        "": FakeModel(judge),
        "cherry": FakeModel(lambda request: "the cherry model's"),
        "full": FakeModel(lambda request: "the full model's"),
    }
    rows = RowList.of(*({"instruction": each} for each in said))
    return await SIDES.evaluate(rows, context_of(SIDES, models))


@pytest.mark.reference
@needs_data
async def test_the_published_bars_and_winning_score() -> None:
    wanted = json.loads((DATA / "published_counts_gpt35.json").read_text("utf-8"))
    for name, bars in wanted["counts"].items():
        metrics = (await published(name)).metrics
        assert [metrics["wins"], metrics["ties"], metrics["losses"]] == bars
    judgement = await published()
    metrics = judgement.metrics
    assert metrics["winning_score"] == wanted["winning_score"]
    assert metrics["invalid"] == 0
    # The interval of a mean of 1,030 values of 0, 1 and 2, by the normal approximation.
    points = [row.scores["winning_score"] for row in judgement.rows]
    mean = metrics["winning_score"]
    spread = (sum((point - mean) ** 2 for point in points) / len(points)) ** 0.5
    reach = 1.96 * spread / len(points) ** 0.5
    assert metrics["winning_score_low"] == pytest.approx(mean - reach, abs=0.004)
    assert metrics["winning_score_high"] == pytest.approx(mean + reach, abs=0.004)


REPLIES = st.one_of(
    st.tuples(st.integers(1, 10), st.integers(1, 10)).map(lambda two: f"{two[0]} {two[1]}"),
    st.sampled_from(["", "no idea", "8", "fails", "refuses"]),
)
ANSWERS = st.sampled_from(["a", "b", "", "fails", "refuses"])


def says(said: str) -> str:
    if said in ("fails", "refuses"):
        raise CallFailed("refused" if said == "refuses" else "final", "no")
    return said


@settings(deadline=None, max_examples=40, phases=[Phase.explicit, Phase.generate])
@given(st.lists(st.tuples(ANSWERS, ANSWERS, REPLIES, REPLIES), min_size=1, max_size=12))
async def test_every_row_is_judged_or_invalid_and_the_sides_are_alike(
    items: list[tuple[str, str, str, str]],
) -> None:
    def place(request: Request) -> int:
        return int(request.messages[-1]["content"].split("No. ")[1].split(" ")[0])

    def model(side: int) -> FakeModel:
        return FakeModel(lambda request: says(items[place(request)][side]), seed=side)

    def judge(request: Request) -> str:
        one, other, first, second = items[place(request)]
        shown = request.messages[-1]["content"].split("=== Answer 1 ===\n")[1].split("\n")[0]
        assert one != other
        return says(first if shown == one else second)

    rows = RowList.of(*({"instruction": f"No. {at} of them"} for at in range(len(items))))

    async def judged(*names: str) -> Judgement | None:
        plugin = Pairwise(compare=names)
        models = {"": FakeModel(judge, seed=7), "one": model(0), "other": model(1)}
        try:
            return await plugin.evaluate(rows, context_of(plugin, models))
        except PluginRefused:
            return None

    there, back = await judged("one", "other"), await judged("other", "one")
    if there is None or back is None:
        assert there is back
        return
    told, turned = there.metrics, back.metrics
    counts = [told[name] for name in ("wins", "ties", "losses", "invalid")]
    assert sum(counts) == len(there.rows) == len(rows)
    assert counts == [turned[name] for name in ("losses", "ties", "wins", "invalid")]
    assert told["winning_score"] + turned["winning_score"] == pytest.approx(2)
    assert told["winning_score_low"] <= told["winning_score"] <= told["winning_score_high"]
    reasons = Counter(row.tags["invalid"] for row in there.rows if "invalid" in row.tags)
    assert dict(reasons) == there.notes["invalid"]
    assert there == await judged("one", "other")
