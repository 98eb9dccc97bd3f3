"""Pools of instructions that grow in rounds: Self-Instruct's bootstrap, and Alpaca's lists."""

from __future__ import annotations

import random

import pytest

from sftrecipe import CallFailed, Context, PluginRefused, Record, Reject
from sftrecipe.plugin import Request
from sftrecipe.testing import FakeModel, RowList, own_files
from sftrecipe_registry.methods.self_instruct.alpaca import Alpaca
from sftrecipe_registry.methods.self_instruct.bootstrap import SelfInstructBootstrap
from sftrecipe_registry.methods.self_instruct.growing_pool import GrowingPool
from sftrecipe_registry.shared.text.instruction_rules import fault_finder
from sftrecipe_registry.shared.text.rouge import rouge_l
from sftrecipe_registry.shared.text.tokenizers import tokenizer

VERBS = ["Explain", "describe", "list", "compare", "plan", "suggest", "outline", "check"]
TOPICS = [
    *("sleep", "diet", "fever", "cough", "rash", "knee", "heart"),
    *("sugar", "eyes", "teeth", "back", "skin", "pain", "travel"),
]
SEEDS = RowList.of(
    *({"instruction": f"{VERBS[at % 8]} what helps with {topic} at home"}
      for at, topic in enumerate(TOPICS)),
    stream="seeds",
)  # fmt: skip
BOOTSTRAP = SelfInstructBootstrap(ask="complete", count=1000, max_rounds=4)
LISTS = Alpaca(ask="complete", count=1000, max_rounds=4)


def invented(request: Request) -> str:
    """Three instructions and one of the seeds, in the form that the prompt begins."""
    chance = random.Random(request.prompt + str(request.sample))
    if chance.random() < 0.1:
        raise CallFailed("final", "no such thing")
    lines = [
        f"{chance.choice(VERBS)} {' '.join(chance.sample(TOPICS, 4))} for {chance.choice(TOPICS)}"
        for _ in range(3)
    ]
    lines.insert(2, SEEDS[0].text("instruction"))
    if "###" in request.prompt:
        return "\n###\n".join(
            f"{n}. Instruction: {line}\n{n}. Input: <noinput>\n{n}. Output: Yes."
            for n, line in enumerate(lines, 4)
        )
    return "\n".join(f"{n}. {line}" for n, line in enumerate(lines, 9))


async def grown(
    plugin: GrowingPool, concurrency: int = 16, delays: int = 0
) -> tuple[list[Record | Reject], FakeModel, Context]:
    model = FakeModel(invented, seed=delays)
    ctx = Context(
        "grow", seed=42, models={"": model}, concurrency=concurrency, files=own_files(plugin)
    )
    return [item async for item in plugin.generate(SEEDS, ctx)], model, ctx


@pytest.mark.parametrize("plugin", [BOOTSTRAP, LISTS])
@pytest.mark.parametrize(("concurrency", "delays"), [(1, 0), (2, 1), (64, 2), (64, 3)])
async def test_is_the_same_at_every_concurrency(
    plugin: GrowingPool, concurrency: int, delays: int
) -> None:
    assert (await grown(plugin, concurrency, delays))[0] == (await grown(plugin, 16, 99))[0]


@pytest.mark.parametrize("plugin", [BOOTSTRAP, LISTS])
async def test_keeps_only_what_is_new_and_loses_nothing(plugin: GrowingPool) -> None:
    made, model, ctx = await grown(plugin)
    failed = [item for item in made if isinstance(item, Reject) and item.reason == "call_failed"]
    assert len(made) == 4 * (len(model.requests) - len(failed)) + len(failed)
    split = tokenizer("rouge_en", "en")
    accepted = {row.id: split(row.text("instruction")) for row in SEEDS}
    for item in made:
        row = item.record if isinstance(item, Reject) else item
        if isinstance(item, Reject) and item.reason == "call_failed":
            continue
        tokens = split(row.text("instruction"))
        values = {key: rouge_l(other, tokens).f1 for key, other in accepted.items()}
        if isinstance(item, Reject):
            assert item.reason == "too_similar"
            assert item.value == max(values.values()) > 0.7
            assert values[row.text("nearest")] == item.value
        else:
            assert row.scores["rouge"] == max(values.values()) <= 0.7
            accepted[row.id] = tokens
        assert len(row.calls) == 1
    assert ctx.counts == {"rounds": 4, "ended_at_max_rounds": 1}


async def test_its_own_are_shown_and_fewer_of_them_at_first() -> None:
    made, model, _ = await grown(BOOTSTRAP)
    own = {item.id for item in made if isinstance(item, Record)}
    shown = [len(own & set(item.parents)) for item in made if isinstance(item, Record)]
    assert shown[0] == 0
    assert max(shown) == 2
    assert all(len(item.parents) == 8 for item in made if isinstance(item, Record))
    assert all(request.prompt.endswith("\n9.") for request in model.requests)


async def test_more_rounds_only_add() -> None:
    short = (await grown(BOOTSTRAP.model_copy(update={"max_rounds": 2})))[0]
    long = (await grown(BOOTSTRAP))[0]
    assert long[: len(short)] == short
    assert len(long) > len(short)


async def test_ends_with_the_round_that_brings_enough() -> None:
    made, model, ctx = await grown(BOOTSTRAP.model_copy(update={"count": 12}))
    rows = [item for item in made if isinstance(item, Record)]
    assert ctx.counts == {"rounds": len(model.requests) // 5, "ended_at_count": 1}
    assert len(rows) >= 12


async def test_ends_with_a_round_that_brings_too_few() -> None:
    _, model, ctx = await grown(BOOTSTRAP.model_copy(update={"min_new": 1000}))
    assert ctx.counts == {"rounds": 1, "ended_with_too_few_new": 1}
    assert len(model.requests) == 5


async def test_an_equal_prompt_is_another_sample() -> None:
    plugin = Alpaca(ask="complete", shots=14, tasks=40, count=1000, max_rounds=2)
    model = (await grown(plugin))[1]
    asked = [(request.prompt, request.sample) for request in model.requests]
    assert len(set(asked)) == len(asked) == 10


async def test_one_more_seed_changes_only_the_prompts_that_show_it() -> None:
    plugin = LISTS.model_copy(update={"max_rounds": 10})
    before = (await grown(plugin))[1]
    more = RowList([*SEEDS, *RowList.of({"instruction": "Bake a cake with nuts"}, stream="seeds")])
    model = FakeModel(invented)
    ctx = Context("grow", seed=42, models={"": model}, files=own_files(plugin))
    assert [item async for item in plugin.generate(more, ctx)]
    known = {request.prompt for request in before.requests}
    new = [request for request in model.requests if request.prompt not in known]
    assert 0 < len(new) < len(model.requests)
    assert all("Bake a cake" in request.prompt for request in new)


async def test_classification_seeds_alone() -> None:
    plugin = SelfInstructBootstrap(ask="complete", classification_only=True, max_rounds=1)
    rows = RowList.of(
        *({"instruction": f"Is {topic} a sport?", "is_classification": topic < "h"}
          for topic in TOPICS)
    )  # fmt: skip
    model = FakeModel(invented)
    ctx = Context("grow", models={"": model}, files=own_files(plugin))
    assert [item async for item in plugin.generate(rows, ctx)]
    assert all("classification" in request.prompt for request in model.requests)
    assert not any("Is knee" in request.prompt for request in model.requests)


async def test_chinese_prompts_and_novelty_by_characters() -> None:
    rows = RowList.of({"instruction": "怎样缓解膝盖疼痛？"}, {"instruction": "推荐三种早餐。"})
    replies = iter(["9. 怎样缓解膝盖的疼痛？\n10. 请看下图并描述。\n11. 写一首关于雪的诗。"])
    plugin = SelfInstructBootstrap(prompts_per_round=1, max_rounds=1)
    ctx = Context(
        "grow",
        language="zh",
        models={"": FakeModel(lambda request: next(replies))},
        files=own_files(plugin, "zh"),
    )
    made = [item async for item in plugin.generate(rows, ctx)]
    assert [item.reason if isinstance(item, Reject) else "" for item in made] == [
        "too_similar",
        "blacklisted",
        "",
    ]
    assert made[0][2] == pytest.approx(16 / 17)
    assert made[1][2] == "下图"


async def test_a_tokenizer_that_finds_nothing_is_refused_before_anything_is_asked() -> None:
    model = FakeModel(invented)
    plugin = SelfInstructBootstrap(tokenizer="rouge_en")
    ctx = Context("grow", language="zh", models={"": model}, files=own_files(plugin))
    rows = RowList.of({"instruction": "怎样缓解膝盖疼痛？"})
    with pytest.raises(PluginRefused, match="no token in 1 of 1 seeds"):
        [item async for item in plugin.generate(rows, ctx)]
    with pytest.raises(PluginRefused, match="no seeds"):
        [item async for item in plugin.generate(RowList.of({"instruction": " "}), ctx)]
    assert not model.requests


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("写一首关于初雪的诗。", ""),
        ("写诗", "too_short"),
        ("写" * 151, "too_long"),
        ("请看下图并描述内容", "blacklisted"),
        ("编写一个程序计算总和", "write_a_program"),
        ("《红楼梦》讲了什么？", "punctuation_first"),
        ("Translate this into Chinese.", ""),
    ],
)
def test_chinese_instructions_have_rules_of_their_own(text: str, reason: str) -> None:
    found = fault_finder("alpaca", "zh-CN")(text)
    assert (found.reason if found else "") == reason


def test_english_rules_stay_the_originals() -> None:
    found = fault_finder("alpaca")("写一首关于初雪的诗 and more and more")
    assert found is not None
    assert found.reason == "non_ascii_first"


def test_a_recipes_prompt_takes_the_place_of_the_plugins() -> None:
    assert set(own_files(BOOTSTRAP, "zh").paths) == {"builtin:self_instruct/bootstrap"}
    assert own_files(BOOTSTRAP, "zh") != own_files(BOOTSTRAP, "en")
    assert not own_files(SelfInstructBootstrap(prompt="mine.j2")).paths
