"""AugCon's tree: its rules, its end with any model, and the same rows at any concurrency."""

from __future__ import annotations

import string
from collections import Counter
from math import ceil
from random import Random

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sftrecipe import CallFailed, Context, Record, Reject
from sftrecipe.plugin import Answer, Request
from sftrecipe.testing import FakeModel, RowList, own_files
from sftrecipe_registry.methods.augcon.context_split import find_split
from sftrecipe_registry.methods.augcon.queries import AugConQueries

from .splitting_model import ENDLESS, WORDS, Say, asked_context, halves, moody, reply

TEXTS = [" ".join((WORDS.split() * 4)[at : at + 40]) for at in range(12)]
ROWS = RowList.of(*({"text": text, "title": f"T{at}"} for at, text in enumerate(TEXTS)))


def context(model: FakeModel, plugin: AugConQueries, concurrency: int = 8) -> Context:
    return Context(
        "tree", models={"": model}, files=own_files(plugin), concurrency=concurrency, language="en"
    )


async def grown(
    say: Say, *, rows: RowList = ROWS, concurrency: int = 8, delays: int = 0, **options: object
) -> tuple[list[Record | Reject], FakeModel, Context]:
    plugin = AugConQueries(**options)  # type: ignore[arg-type]
    model = FakeModel(say, seed=delays)
    ctx = context(model, plugin, concurrency)
    return [item async for item in plugin.generate(rows, ctx)], model, ctx


def bound(text: str, plugin: AugConQueries) -> int:
    """The calls that a context takes at most, as the plugin documents it."""
    return 2 * len(text) // plugin.smallest * plugin.attempts * plugin.trees


@pytest.mark.parametrize(("concurrency", "delays"), [(1, 1), (64, 2), (64, 3)])
@pytest.mark.parametrize("say", [halves, moody])
async def test_the_same_at_any_concurrency(say: Say, concurrency: int, delays: int) -> None:
    made, model, ctx = await grown(say, concurrency=concurrency, delays=delays)
    expected, _, _ = await grown(say)
    assert made == expected
    assert len(made) == len(model.requests) - ctx.counts["asked_again"], "a row or reject a node"


async def test_the_tree_is_kept() -> None:
    made, _, _ = await grown(halves, trees=1)
    rows = [item for item in made if isinstance(item, Record)]
    for root, whole in zip(ROWS, TEXTS, strict=True):
        own = {row.columns["node"]: row for row in rows if row.columns["root"] == root.id}
        assert own["1"].columns["context"] == whole
        assert own["1"].columns["parent"] == ""
        assert own["1"].columns["wanted"] == len(whole) // 35
        assert own["1"].parents == (root.id,)
        assert own["1"].columns["title"] == root.columns["title"]
        for path, row in own.items():
            assert row.columns["depth"] == path.count(".")
            if path != "1":
                above = own[row.columns["parent"]]
                assert row.parents == (above.id,)
                assert row.text("context") in above.text("context")
                assert len(row.text("context")) < len(above.text("context"))
        assert min(len(row.text("context")) for row in own.values()) > 20


async def test_trees_are_grown_until_there_are_enough_questions() -> None:
    made, _, ctx = await grown(halves, trees=9, depth=2)
    asked: Counter[str] = Counter(item.columns["root"] for item in made if isinstance(item, Record))
    for root, text in zip(ROWS, TEXTS, strict=True):
        enough = ceil(len(text) // 35 * 1.15)
        assert enough <= asked[root.id] < enough + 3  # a tree of two levels has three nodes
    assert ctx.counts["contexts"] == 12
    assert ctx.counts["contexts_with_too_few"] == 0


@pytest.mark.parametrize("name", ENDLESS)
@pytest.mark.parametrize("strict", [False, True])
async def test_every_model_comes_to_an_end(name: str, strict: bool) -> None:
    plugin = AugConQueries(strict_original=strict)
    rows = RowList.of({"text": TEXTS[0]})
    made, model, _ = await grown(ENDLESS[name], rows=rows, strict_original=strict)
    assert 1 <= len(model.requests) <= bound(TEXTS[0], plugin)
    assert made
    nodes = {item.columns["node"] for item in made if isinstance(item, Record)}
    lost = {item.record.columns["node"] for item in made if isinstance(item, Reject)}
    assert not nodes & lost
    assert len(nodes) + len(lost) == len(made)


async def test_a_model_that_overlaps_fills_its_tree_and_no_more() -> None:
    rows = RowList.of({"text": TEXTS[0]})
    made, _, ctx = await grown(ENDLESS["one letter less each time"], rows=rows, depth=50)
    assert len(made) == 2 * len(TEXTS[0]) // 20
    assert ctx.counts["stopped_tree_full"] > 0


@settings(phases=[Phase.explicit, Phase.generate], max_examples=30, deadline=None)
@given(st.integers(60, 400), st.randoms(use_true_random=False))
async def test_the_cap_is_above_any_split_into_parts_of_some_length(n: int, drawn: Random) -> None:
    def say(request: Request) -> str:
        context = asked_context(request)
        cut = drawn.randint(10, len(context) - 10)
        return reply("What is it?", context[:cut], context[cut:])

    text = "".join(drawn.choices(string.ascii_lowercase, k=n))
    _, _, ctx = await grown(
        say, rows=RowList.of({"text": text}), trees=1, depth=99, coverage=0, delays=1
    )
    assert ctx.counts["stopped_tree_full"] == 0


async def test_a_made_up_half_is_not_asked_about() -> None:
    def say(request: Request) -> str:
        words = asked_context(request).split()
        known = " ".join(words[: len(words) // 2])
        return reply("What is known?", known, "Nothing that was ever written there")

    made, _, ctx = await grown(say, rows=ROWS[:1], trees=1)  # type: ignore[arg-type]
    nodes = [item.text("node") for item in made if isinstance(item, Record)]
    assert len(nodes) == len(made) > 1
    assert all(set(node) <= {"1", "."} for node in nodes)  # never a second half
    assert ctx.counts["stopped_made_up"] > 0
    _, _, original = await grown(say, rows=ROWS[:1], trees=1, strict_original=True)  # type: ignore
    assert "stopped_made_up" not in original.counts


async def test_a_node_fails_alone_and_says_why() -> None:
    def say(request: Request) -> str:
        if asked_context(request).startswith("theta"):
            raise CallFailed("refused", "unsafe")
        return halves(request)

    made, model, _ = await grown(say)
    lost = [item for item in made if isinstance(item, Reject)]
    assert {(item.reason, item.value) for item in lost} == {("refused", "unsafe")}
    refused_roots = [text for text in TEXTS if text.startswith("theta")]
    asked = Counter(map(asked_context, model.requests))
    assert [asked[text] for text in refused_roots] == [1]  # no second tree is tried
    assert any(item.columns["parent"] for item in made if isinstance(item, Record))


async def test_a_context_that_was_cut_off_is_asked_again() -> None:
    def say(request: Request) -> Answer:
        return Answer(halves(request), "length" if request.sample < 2 else "stop")

    made, _, ctx = await grown(say, rows=ROWS[:1], trees=1, depth=1)  # type: ignore[arg-type]
    assert [item.text("node") for item in made if isinstance(item, Record)] == ["1"]
    assert ctx.counts["asked_again"] == 2


async def test_chat_asks_the_same_in_a_turn() -> None:
    made, model, _ = await grown(halves, mode="chat")
    assert made
    assert all(request.kind == "chat" for request in model.requests)


@settings(phases=[Phase.explicit, Phase.generate])
@given(st.text() | st.lists(st.sampled_from(PIECES := [
    "Question:", "问题：", "Context 1:", "Context 2：", "语境1：", "上下文 2:", "**Context 1:** ",
    "\n", "---", "a b", "甲乙。", "Context:", " ", "question:", "10", "Ａ",
])).map("".join), st.booleans(), st.sampled_from(["stop", "length"]))  # fmt: skip
def test_any_reply_is_read(text: str, one_line: bool, finish_reason: str) -> None:
    split = find_split(text, one_line=one_line, finish_reason=finish_reason)
    if split:
        assert all(part.strip() for part in split)
        assert "\n" not in split.question
        for part in split:
            assert part in text


def test_a_long_reply_is_read_at_once() -> None:
    for piece in (" ", "*", "Context 1:", "Question:", "-", "\n", "Context 1: a\n"):
        find_split(piece * 100_000)
        find_split(piece * 20_000, one_line=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" Why?\nContext 1: a\nContext 2: b", ("Why?", "a", "b")),
        ("Question: Why?\n\nContext 1: a\nmore a\nContext 2: b", ("Why?", "a\nmore a", "b")),
        ("**Question:** Why?\n**Context 1:** a\n**Context 2:** b", ("Why?", "a", "b")),
        ("问题：为什么？\n语境1：甲\n语境2：乙", ("为什么？", "甲", "乙")),
        ("为什么？\n上下文一：甲\n上下文二：乙", ("为什么？", "甲", "乙")),
        (" Why?\nContext 1: a\nContext 2: b\n---\nContext: c\nQuestion: d", ("Why?", "a", "b")),
        (" Why?\nContext 1: a\nContext 2: b\nContext: c\nQuestion: d", ("Why?", "a", "b")),
        ("Context 1: a\nContext 2: b", None),
        (" Why?\nContext 2: b", None),
        (" Why?\nContext 1: a\nContext 2:", None),
    ],
)
def test_replies(text: str, expected: tuple[str, ...] | None) -> None:
    assert find_split(text) == expected
