"""Pairs of the best and the worst answer."""

import json
from pathlib import Path

import pytest

from sftrecipe import Context, Record
from sftrecipe.testing import RowList
from sftrecipe_registry.generators.preference import Preference

DATA = Path(__file__).parents[4] / "shared" / "data" / "magpie"


@pytest.mark.reference
@pytest.mark.skipif(not DATA.is_dir(), reason=f"no reference data at {DATA}")
async def test_the_five_published_pairs() -> None:
    published = json.loads((DATA / "example_instructions_5res_armorm.json").read_text("utf-8"))
    rows, places = RowList(), {}
    for at, item in enumerate(published):
        answers = item["responses"]
        scores = item["rewards_armorm"]
        for place, (answer, score) in enumerate(zip(answers, scores, strict=True)):
            row = RowList.of({"instruction": item["instruction"], "output": answer})[0]
            rows.append(row._replace(scores={"reward": score["score"]}))
            places[at, answer] = place
    made = [row async for row in Preference(score="reward").generate(rows, Context("pairs"))]
    assert all(isinstance(row, Record) for row in made)
    pairs = [
        (places[at, row.columns["chosen"]], places[at, row.columns["rejected"]])
        for at, row in enumerate(made)
    ]
    assert pairs == [(3, 1), (2, 3), (4, 2), (0, 3), (2, 0)]


@pytest.mark.parametrize("reasoning", ["keep", "drop"])
async def test_thoughts_before_the_answers(reasoning: str) -> None:
    asked = {"instruction": "Why?"}
    rows = RowList.of(
        {**asked, "output": "good", "reasoning": "hm"},
        {**asked, "output": "bad"},
    )
    scored = RowList(row._replace(scores={"s": 1.0 - at}) for at, row in enumerate(rows))
    options = {"score": "s", "reasoning": reasoning}
    plugin = Preference.model_validate(options)
    (made,) = [row async for row in plugin.generate(scored, Context("pairs"))]
    assert isinstance(made, Record)
    thoughtful = {"role": "assistant", "content": "good", "reasoning": "hm"}
    chosen = thoughtful if reasoning == "keep" else "good"
    assert made.columns == {**asked, "chosen": chosen, "rejected": "bad"}
    # Steps of recipes that say nothing of thoughts keep their keys.
    assert ("reasoning" in plugin.identity()) == (reasoning == "keep")
