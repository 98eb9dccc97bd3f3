"""InsTag: tags as models write them, their merging, and the choice by coverage."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sftrecipe import CallFailed, Context, Verdict
from sftrecipe.plugin import Answer, Request
from sftrecipe.testing import FakeModel, RowList, own_files
from sftrecipe_registry.methods.deita.instag import InsTag
from sftrecipe_registry.methods.deita.intent_tags import (
    Tags,
    complexity_first,
    implied,
    read_tags,
    renamed,
    without_rare,
)


@pytest.mark.parametrize(
    ("reply", "tags"),
    [
        (
            '[{"tag": "Sleep Advice", "explanation": "…"}, {"tag": "health_tips"}]',
            ("sleep advice", "health tips"),
        ),
        ('Here you are:\n```json\n[{"tag": "a"}, {"tag": "A"}]\n```', ("a",)),
        ('["Python", "code-review", 3]', ("python", "code review")),
        ('[{"tag": "健康"}, {"tag": 3}, {"name": "x"}]', ("健康",)),
        ('[{"tag": "cut"}, {"tag": "of', ("cut",)),
        ('{"tags": [{"tag": "Sleep", "explanation": "x"}, {"tag": "b"}]}', ("sleep", "b")),
        ("no list", ()),
        ("[[[", ()),
        ('{"tag": "alone"}', ("alone",)),
    ],
)
def test_tags_of_replies(reply: str, tags: Tags) -> None:
    assert read_tags(reply) == tags


@given(st.text(st.sampled_from('[]{}",: tagab1\\\n'), max_size=60))
def test_any_reply_is_read(reply: str) -> None:
    assert all(tag == tag.strip().lower() and tag for tag in read_tags(reply))


def test_rare_tags_go_and_implied_ones_are_merged() -> None:
    tags = [("health", "sleep"), ("sleep", "health"), ("health", "diet"), ("once",)]
    common = without_rare(tags, 2)
    assert common == [("health", "sleep"), ("sleep", "health"), ("health",), ()]
    names = implied(common, support=2, confidence=0.99)
    assert names == {"sleep": "health"}
    assert renamed(common, names) == [("health",), ("health",), ("health",), ()]
    assert implied(common, support=3, confidence=0.5) == {}


def test_rich_rows_first_then_what_is_not_covered_then_again() -> None:
    tags = [("a",), ("a", "b", "c"), ("a", "d"), (), ("b", "c"), ("d",)]
    assert [*complexity_first(tags, 9)] == [1, 2, 4, 0, 5]
    assert [*complexity_first(tags, 2)] == [1, 2]


def plainly(tags: Sequence[Tags], most: int) -> list[int]:
    """The algorithm as the paper writes it."""
    ranked = sorted(range(len(tags)), key=lambda at: (-len(tags[at]), at))
    left, chosen = [at for at in ranked if tags[at]], list[int]()
    while left and len(chosen) < most:
        covered: set[str] = set()
        for at in list(left):
            if len(chosen) < most and len(covered | set(tags[at])) > len(covered):
                chosen.append(at)
                covered |= set(tags[at])
                left.remove(at)
    return chosen


@given(
    tags=st.lists(st.lists(st.sampled_from("abcdef"), unique=True).map(tuple), max_size=14),
    most=st.integers(0, 16),
)
@settings(max_examples=300)
def test_the_choice_is_the_papers(tags: list[Tags], most: int) -> None:
    assert [*complexity_first(tags, most)] == plainly(tags, most)


async def judged(plugin: InsTag, rows: RowList, model: FakeModel) -> tuple[list[Verdict], Context]:
    models = {"": model, "vectors": model}
    ctx = Context("intents", models=models, files=own_files(plugin))
    return [verdict async for verdict in plugin.judge(rows, ctx)], ctx


def answer(request: Request) -> str | Answer:
    if request.kind == "embed":
        return Answer("", vector=(1, 0.1) if request.prompt in ("sleep", "sleeping") else (0, 1))
    text = request.messages[0]["content"].rsplit("Request:\n", 1)[1].strip()
    if text == "unsafe":
        raise CallFailed("refused", "unsafe")
    return str([*map(str, text.split(","))]).replace("'", '"') if text != "?" else "I cannot."


async def test_rows_are_tagged_and_chosen_and_coverage_is_counted() -> None:
    texts = ["sleep,diet,work", "sleep,diet", "Sleep", "love", "?", "unsafe"]
    rows = RowList.of(*({"instruction": text, "output": "x"} for text in texts))
    found, ctx = await judged(InsTag(most=2), rows, FakeModel(answer))
    assert [verdict.keep for verdict in found] == [True, False, False, True, False, False]
    assert (found[0].value, found[0].tags) == (3, {"intents": "sleep; diet; work"})
    assert (found[1].reason, found[1].value, found[1].detail) == ("not_chosen", 2, "sleep; diet")
    assert (found[4].reason, found[4].detail) == ("no_tags", "I cannot.")
    assert found[5].reason == "refused"
    assert (ctx.counts["tags"], ctx.counts["tags_covered"]) == (4, 4)


TEXTS = ("sleep,diet", "?", "unsafe", "Sleep")


@pytest.mark.parametrize(
    ("plugin", "kept"),
    [
        (InsTag(), [True, True, True, True]),
        (InsTag(on_failure="drop"), [True, False, False, True]),
        (InsTag(most=2), [True, False, False, True]),
        (InsTag(most=3), [True, True, False, True]),
        (InsTag(most=3, on_failure="drop"), [True, False, False, True]),
    ],
)
async def test_rows_without_tags_stay_behind_those_that_have_some(
    plugin: InsTag, kept: list[bool]
) -> None:
    rows = RowList.of(*({"instruction": text} for text in TEXTS))
    found, _ = await judged(plugin, rows, FakeModel(answer))
    assert [verdict.keep for verdict in found] == kept
    assert [verdict.reason for verdict in found] == ["", "no_tags", "refused", ""]
    assert (found[1].tags, found[1].value, found[1].detail) == ({}, None, "I cannot.")


async def test_rows_of_rare_tags_alone_stay_untagged() -> None:
    rows = RowList.of(*({"instruction": text} for text in ("sleep", "sleep", "pie")))
    found, _ = await judged(InsTag(at_least=2), rows, FakeModel(answer))
    assert [(verdict.keep, verdict.reason) for verdict in found[1:]] == [
        (True, ""),
        (True, "no_tags"),
    ]


async def test_replies_may_be_held_to_a_schema() -> None:
    model = FakeModel(lambda request: '{"tags": [{"tag": "Sleep", "explanation": "asks for it"}]}')
    found, _ = await judged(InsTag(structured=True), RowList.of({"instruction": "q"}), model)
    assert found[0].tags == {"intents": "sleep"}
    assert model.requests[0].schema is not None


async def test_tags_of_one_meaning_take_the_more_frequent_name() -> None:
    rows = RowList.of(*({"instruction": text} for text in ("sleep", "sleep", "sleeping,pie")))
    plugin = InsTag(same_meaning=0.95, embedder="vectors")
    found, ctx = await judged(plugin, rows, FakeModel(answer))
    assert [verdict.tags["intents"] for verdict in found] == ["sleep", "sleep", "sleep; pie"]
    assert ctx.counts["tags"] == 2
