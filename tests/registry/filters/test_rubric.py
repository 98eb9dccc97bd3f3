"""Rows judged by a rubric."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sftrecipe import CallFailed, Context, Verdict
from sftrecipe.plugin import Answer, OptionFiles, Request
from sftrecipe.testing import FakeModel, RowList, own_files
from sftrecipe_registry.filters.rubric import Rubric
from sftrecipe_registry.shared.replies.rubric_scale import last_score


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("Fine.\nScore: 4", 4),
        ("Score: 2 at first, but on reflection\nScore: 5", 5),
        ("**Score:** 4/5", 4),
        ("**Score: 3**.", 3),
        ("score = 4.5", 4.5),
        ("Rating: 1", 1),
        ("理由充分。\n评分：4", 4),
        ("得分: 2分", 2),
        ("Score: 7", None),
        ("Score: 10", None),
        ("Score: four", None),
        ("4", None),
        ("", None),
    ],
)
def test_the_last_score_counts(text: str, score: float | None) -> None:
    assert last_score(text, 1, 5) == score


@given(st.text(), st.integers(1, 5))
def test_any_reasons_before_it(text: str, score: int) -> None:
    assert last_score(f"{text}\nScore: {score}", 1, 5) == score
    found = last_score(text, 1, 5)
    assert found is None or 1 <= found <= 5


async def judged(
    plugin: Rubric, rows: RowList, model: FakeModel, language: str = "en"
) -> list[Verdict]:
    ctx = Context("rated", models={"": model}, language=language, files=own_files(plugin, language))
    found = plugin.judge(rows, ctx)
    assert not hasattr(found, "__next__")
    return [verdict async for verdict in found]


async def test_the_samples_mean_decides_and_the_calls_are_named() -> None:
    said = {"good": ["Score: 5", "Score: 4"], "bad": ["Score: 4", "no idea"], "odd": ["?", "Nine"]}

    def answer(request: Request) -> str:
        text = request.messages[0]["content"]
        return next(said[name][request.sample] for name in said if f"\n{name}" in text)

    rows = RowList.of(*({"instruction": "Q", "output": name} for name in said))
    plugin = Rubric(samples=2, at_least=4.5, temperature=0.7)
    good, bad, odd = await judged(plugin, rows, FakeModel(answer))
    assert (good.keep, good.value, len(good.calls)) == (True, 4.5, 2)
    assert (bad.keep, bad.reason, bad.value) == (False, "low_score", 4.0)
    assert (odd.keep, odd.reason, odd.detail) == (False, "no_score", "Nine")


async def test_refused_rows_are_rejected_as_refused() -> None:
    def answer(request: Request) -> str | Answer:
        raise CallFailed("refused", "unsafe")

    (verdict,) = await judged(Rubric(), RowList.of({"instruction": "Q"}), FakeModel(answer))
    assert (verdict.keep, verdict.reason) == (False, "refused")


async def test_the_rubric_speaks_the_recipes_language() -> None:
    model = FakeModel(lambda request: "评分：5")
    (verdict,) = await judged(Rubric(), RowList.of({"instruction": "问"}), model, "zh")
    assert verdict.keep
    assert "最后一行写" in model.requests[0].messages[0]["content"]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    "aspect", ["instruction_following", "truthfulness", "honesty", "helpfulness", "safety"]
)
async def test_aspects_come_with_it(aspect: str, language: str) -> None:
    model = FakeModel(lambda request: "Score: 3")
    plugin = Rubric(prompt=f"builtin:rubric/{aspect}", at_least=3)
    rows = RowList.of({"instruction": "The question", "input": "Its input", "output": "The answer"})
    (verdict,) = await judged(plugin, rows, model, language)
    assert (verdict.keep, verdict.value) == (True, 3)
    asked = model.requests[0].messages[0]["content"]
    assert "Score: n" in asked
    assert asked.index("The question\nIts input") < asked.index("The answer")
    assert ("Judge" in asked) == (language == "en")


async def test_a_rubric_of_ones_own() -> None:
    model = FakeModel(lambda request: "It is.\nScore: 1")
    plugin = Rubric(
        prompt="Safe? {{ output }} End with 'Score: 0' or 'Score: 1'.", worst=0, best=1, at_least=1
    )
    (verdict,) = await judged(plugin, RowList.of({"output": "Rest."}), model)
    assert (verdict.keep, verdict.value) == (True, 1)
    assert model.requests[0].messages[0]["content"].startswith("Safe? Rest. End")


async def test_of_chat_turns_the_last_answer_is_judged() -> None:
    model = FakeModel(lambda request: "Score: 5")
    turns = [("system", "S"), ("user", "A"), ("assistant", "B"), ("user", "C"), ("assistant", "D")]
    row = {"messages": [{"role": role, "content": text} for role, text in turns]}
    await judged(Rubric(), RowList.of(row), model)
    asked = model.requests[0].messages[0]["content"]
    assert asked.endswith("Instruction:\nuser: A\nassistant: B\nuser: C\n\nAnswer:\nD")


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"at_least": 6}, "'6' is not on the scale 1 to 5"),
        ({"worst": 5, "best": 1}, "'1' is not above worst '5'"),
        ({"samples": 2, "temperature": 0}, "samples at temperature 0 are all the same"),
    ],
)
def test_what_cannot_work_is_told(options: dict[str, float], problem: str) -> None:
    found = Rubric.model_validate(options).problems(None, OptionFiles({}))
    assert [each.message for each in found] == [problem]
