"""What holds of every judge that measures models one by one, whatever they say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests.registry.judges.scripted import context_of

from sftrecipe import CallFailed, Judge, PluginRefused
from sftrecipe.plugin import Answer, Judgement, Request
from sftrecipe.testing import FakeModel, RowList
from sftrecipe_registry.judges.loss import Loss
from sftrecipe_registry.judges.reference import Reference
from sftrecipe_registry.judges.reward import Reward
from sftrecipe_registry.judges.rubric import Rubric

MODELS = ("one", "other")
JUDGES = [
    Rubric(models=MODELS),
    Rubric(models=MODELS, samples=2, temperature=0.5, structured=True),
    Reference(models=MODELS, contains="fact"),
    Reference(models=MODELS, tokenizer="char"),
    Reference(models=MODELS, strict_original=True),
    Loss(models=MODELS),
    Reward(models=MODELS),
]
TEXT = st.text(st.sampled_from("ab .\n图片。4２{}\x00"), max_size=20) | st.text(max_size=20)
SAID = TEXT | st.sampled_from(["Score: 4", "Score: 2", '{"reasons": "", "score": 3}', "fails"])
ROW = st.fixed_dictionaries(
    {"instruction": TEXT, "output": TEXT},
    optional={"fact": TEXT, "input": TEXT, "chosen": TEXT, "rejected": TEXT},
)
LOGS = st.lists(st.floats(-20, 0), max_size=5)


def model(said: list[str], logs: list[list[float]], seed: int) -> FakeModel:
    """Says one of the texts, by what it is asked: the same whenever it is asked so."""

    def answer(request: Request) -> str | Answer:
        asked = repr((request.messages, request.prompt, request.answer, request.sample))
        place = sum(asked.encode(errors="replace"))
        if (text := said[place % len(said)]) == "fails":
            raise CallFailed("refused" if place % 2 else "final", "no")
        if request.kind == "reward":
            return repr(float(place % 3 - len(text)))
        return Answer(text, logprobs=tuple(logs[place % len(logs)]))

    return FakeModel(answer, seed=seed)


@pytest.mark.parametrize("plugin", JUDGES, ids=repr)
@settings(deadline=None, max_examples=15, phases=[Phase.explicit, Phase.generate])
@given(
    st.lists(ROW, max_size=8),
    st.lists(SAID, min_size=1, max_size=5),
    st.lists(LOGS, min_size=1, max_size=3),
)
async def test_every_row_is_judged_or_invalid(
    plugin: Judge, columns: list[dict[str, Any]], said: list[str], logs: list[list[float]]
) -> None:
    rows = RowList.of(*columns)

    async def judged(seed: int, concurrency: int) -> Judgement | str:
        models = {name: model(said, logs, seed) for name in ("", *MODELS)}
        ctx = context_of(plugin, models, concurrency=concurrency)
        try:
            return await plugin.evaluate(rows, ctx)
        except PluginRefused as refused:
            return str(refused)

    judgement = await judged(0, 1)
    assert judgement == await judged(9, 64)
    if isinstance(judgement, str):
        assert "judge" in judgement
        return
    metrics, names = judgement.metrics, plugin.metrics()
    assert names is not None and metrics.keys() <= names
    assert metrics["judged"] + metrics["invalid"] == len(rows) == len(judgement.rows)
    invalid = [row.tags["invalid"] for row in judgement.rows if "invalid" in row.tags]
    assert len(invalid) == metrics["invalid"] == sum(judgement.notes["invalid"].values())
    for name, value in metrics.items():
        assert value == value and abs(value) != float("inf")
        if f"{name}_low" in metrics:
            slack = 1e-9 * (1 + abs(value))
            assert metrics[f"{name}_low"] - slack <= value <= metrics[f"{name}_high"] + slack
        if isinstance(plugin, Reference) and name not in ("judged", "invalid"):
            assert -1 <= value <= 1 + 1e-12
    for measure, table in judgement.notes["differences"].items():
        (difference,) = table.values()
        figures = judgement.notes["figures"][measure]
        assert difference[0] == pytest.approx(figures["one"][0] - figures["other"][0], abs=1e-9)


async def test_the_difference_stands_beside_what_it_is_of() -> None:
    one = {"instruction": "q", "output": "a b"}
    judge = Loss(models=MODELS)
    models = {name: model(["a"], [[-1.0], [-2.0]], seed=1) for name in MODELS}
    judgement = await judge.evaluate(RowList.of(one, stream="holdout"), context_of(judge, models))
    names = [name for name in judgement.metrics if not name.endswith(("_low", "_high"))]
    assert names[:4] == ["one_loss", "other_loss", "one_minus_other_loss", "one_row_loss"]
