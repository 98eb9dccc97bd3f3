"""Magpie's tags: reading what a judge says, and what comes of it."""

from __future__ import annotations

import json
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sftrecipe import CallFailed, Context, Verdict
from sftrecipe.plugin import OptionFiles, Request
from sftrecipe.testing import FakeModel, RowList, own_files
from sftrecipe_registry.methods.magpie.labels import legal_label, read_reply
from sftrecipe_registry.methods.magpie.tags import MagpieTags


@settings(deadline=None)
@given(st.text())
def test_any_judges_reply_is_read(text: str) -> None:
    found = read_reply(text, ["difficulty", "intent"])
    assert isinstance(found, dict)
    assert legal_label(found.get("difficulty"), ["easy"]) in ("easy", None)


@settings(deadline=None)
@given(st.text(), st.text())
def test_whatever_was_dumped_is_found(intent: str, before: str) -> None:
    reply = json.dumps({"intent": intent, "difficulty": "hard"})
    found = read_reply(before.replace("{", "").replace("[", "") + reply, ["difficulty", "intent"])
    assert found == {"intent": intent, "difficulty": "hard"}


@pytest.mark.parametrize(
    ("said", "label"),
    [("Very Easy", "very easy"), ("[hard]", "hard"), ("`medium`.", "medium"), ("easy/hard", None),
     ("", None), (None, None), (["hard"], None)],
)  # fmt: skip
def test_labels(said: object, label: str | None) -> None:
    assert legal_label(said, ("very easy", "easy", "medium", "hard")) == label


def test_texts_of_broken_json_are_found() -> None:
    found = read_reply(
        '{"intent": "to know", "difficulty": "hard", "x": ', ["difficulty", "intent"]
    )
    assert found == {"intent": "to know", "difficulty": "hard"}


async def judged(
    plugin: MagpieTags, said: dict[str, str], columns: dict[str, object], language: str = "en"
) -> tuple[Verdict, FakeModel, dict[str, int]]:
    """The verdict on one row, where `said` answers by a part of the prompt."""

    def answer(request: Request) -> str:
        text = request.messages[0]["content"]
        return next(said[part] for part in said if part in text)

    model = FakeModel(answer)
    ctx = Context(
        "tagged", models={"": model}, language=language, files=own_files(plugin, language)
    )
    found = plugin.judge(RowList.of(columns), ctx)
    (verdict,) = [each async for each in found]  # type: ignore[union-attr]
    return verdict, model, ctx.counts


REPLIES = {
    "difficult": '{"intent": "to know", "knowledge": "", "difficulty": "easy"}',
    "quality": 'Sure! ```json\n{"explanation": "clear", "input_quality": "[Good]"}\n```',
    "Label the task": '{"primary_tag": "Math", "other_tags": ["Reasoning", 3, "Others"]}',
}


@pytest.mark.parametrize("structured", [False, True])
async def test_every_tag_has_its_call(structured: bool) -> None:
    plugin = MagpieTags(structured=structured)
    verdict, model, counts = await judged(plugin, REPLIES, {"instruction": "1 + 1?"})
    assert verdict.keep
    assert verdict.tags == {
        "difficulty": "easy",
        "intent": "to know",
        "quality": "good",
        "quality_explanation": "clear",
        "category": "Math",
        "other_categories": "Reasoning, Others",
    }
    assert len(verdict.calls) == 3
    assert counts == {}
    assert all((request.schema is not None) is structured for request in model.requests)
    assert model.requests[0].sampling == {"temperature": 0.0, "max_tokens": 1024}


async def test_illegal_labels_are_none_and_counted() -> None:
    said = {
        "difficult": '{"difficulty": "[very easy/easy/medium/hard/very hard]"}',
        "quality": "I like it.",
        "Label the task": '{"primary_tag": ["Math"]}',
    }
    verdict, _, counts = await judged(MagpieTags(), said, {"instruction": "1 + 1?"})
    assert (verdict.keep, verdict.tags) == (True, {})
    assert (verdict.reason, verdict.detail) == ("no_label", "difficulty, quality, category")
    assert counts == {"no difficulty": 1, "no quality": 1, "no category": 1}


async def test_safety_is_of_the_answer() -> None:
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    said = {"```\nHi\n```\n\n## Assistant\n```\nHello\n```": '{"safety": "safe"}'}
    verdict, _, _ = await judged(MagpieTags(tags=("safety",)), said, {"messages": turns})
    assert verdict.tags == {"safety": "safe"}


async def test_asked_in_the_recipes_language() -> None:
    said = {"评定下面这个用户问题的质量": '{"input_quality": "good"}'}
    plugin = MagpieTags(tags=("quality",))
    verdict, _, _ = await judged(plugin, said, {"instruction": "问"}, "zh")
    assert verdict.tags == {"quality": "good"}


async def test_an_illegal_label_loses_the_row_where_that_is_asked_for() -> None:
    said = {"difficult": '{"difficulty": "hard"}', "quality": "I like it."}
    plugin = MagpieTags(tags=("difficulty", "quality"), on_failure="drop")
    verdict, _, _ = await judged(plugin, said, {"instruction": "1 + 1?"})
    assert (verdict.keep, verdict.reason, verdict.detail) == (False, "no_label", "quality")


@pytest.mark.parametrize("on_failure", ["keep", "drop"])
async def test_a_failed_call_costs_its_tag_alone(on_failure: Literal["keep", "drop"]) -> None:
    def refuse(request: Request) -> str:
        if "difficult" in request.messages[0]["content"]:
            raise CallFailed("refused", "unsafe", key="k")
        return '{"input_quality": "good"}'

    plugin = MagpieTags(tags=("difficulty", "quality"), on_failure=on_failure)
    ctx = Context("tagged", models={"": FakeModel(refuse)}, files=own_files(plugin))
    found = plugin.judge(RowList.of({"instruction": "x"}), ctx)
    (verdict,) = [each async for each in found]  # type: ignore[union-attr]
    assert (verdict.keep, verdict.reason, verdict.detail) == (
        on_failure == "keep",
        "refused",
        "unsafe",
    )
    assert verdict.tags == ({"quality": "good"} if on_failure == "keep" else {})
    assert verdict.calls[0] == "k"


def test_what_cannot_work_is_told() -> None:
    problems = [
        *MagpieTags(tags=()).problems(None, OptionFiles({})),
        *MagpieTags(tags=("safety",)).problems(frozenset({"instruction"}), OptionFiles({})),
    ]
    assert [problem.message for problem in problems] == [
        "no tag is asked for",
        "the rows have no answers: no column 'output' or 'messages'",
    ]
