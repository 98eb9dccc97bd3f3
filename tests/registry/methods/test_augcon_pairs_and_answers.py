"""AugCon's pairs and answers: what is drawn, shown, judged; the same at any concurrency."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sftrecipe import CallFailed, Context, Generator, Record, Reject
from sftrecipe.plugin import OptionFiles, Request
from sftrecipe.testing import FakeModel, RowList, own_files
from sftrecipe_registry.methods.augcon.answers import AugConAnswers, agrees, find_answer
from sftrecipe_registry.methods.augcon.pairs import AugConPairs

from .splitting_model import Say, asked_context, reply

DATA = Path(__file__).parents[4] / "shared" / "data" / "augcon"
QUESTIONS = RowList.of(
    *(
        {"instruction": f"What of number {at}?", "context": f"Number {at} is a number. It is {at}."}
        for at in range(90)
    )
)
PEOPLE = [
    {"context": f"The {name} is {at}.", "question": f"How many {name}?", "answer": f"It is {at}."}
    for at, name in enumerate(["cats", "dogs", "birds", "fish", "bees", "cows", "hens", "pigs"])
]


def context(plugin: Generator, model: FakeModel, tmp_path: Path, concurrency: int = 8) -> Context:
    file = tmp_path / "people.jsonl"
    file.write_text("\n".join(map(json.dumps, PEOPLE)), "utf-8")
    paths = {**own_files(plugin).paths, "people.jsonl": str(file)}
    return Context("step", models={"": model}, files=OptionFiles(paths), concurrency=concurrency)


async def made_by(
    plugin: Generator, say: Say, tmp_path: Path, concurrency: int = 8, delays: int = 0
) -> tuple[list[Record | Reject], FakeModel, Context]:
    model = FakeModel(say, seed=delays)
    ctx = context(plugin, model, tmp_path, concurrency)
    return [item async for item in plugin.generate(QUESTIONS, ctx)], model, ctx


def degraded(request: Request) -> str:
    shots = request.prompt.count("Context 1:")
    terse = request.prompt.startswith("Ask a question")
    if "Number 7 is" in request.prompt:
        return "no idea"
    return reply(f"Worse {shots} {terse}?", "a", "b")


async def test_pairs_are_a_third_of_each_kind_and_disjoint(tmp_path: Path) -> None:
    made, _, _ = await made_by(AugConPairs(), degraded, tmp_path)
    assert len(made) == 90
    pairs = [item for item in made if isinstance(item, Record)]
    kinds = Counter(pair.columns["degraded"] for pair in pairs)
    assert set(kinds) == {"terse", "one_shot", "terse_one_shot"}
    assert min(kinds.values()) > 15
    for pair in pairs:
        said = pair.text("rejected")
        assert pair.text("chosen").startswith("What of")
        assert ("True" in said) is ("terse" in pair.columns["degraded"])
        assert len(pair.parents) == len(pair.calls) == 1
        assert pair.text("context") in pair.text("instruction")
    assert len({pair.parents for pair in pairs}) == len(pairs)


async def test_pairs_up_to_a_number_change_little_with_one_more_row(tmp_path: Path) -> None:
    plugin = AugConPairs(per_kind=5)
    made, _, _ = await made_by(plugin, degraded, tmp_path)
    assert len(made) == 15
    ctx = context(plugin, FakeModel(degraded), tmp_path)
    fewer = [item async for item in plugin.generate(RowList(QUESTIONS[:-1]), ctx)]
    assert len(set(map(repr, fewer)) & set(map(repr, made))) >= 14


async def test_a_pair_of_equal_questions_is_none(tmp_path: Path) -> None:
    def same(request: Request) -> str:
        number = asked_context(request).split()[1]
        return reply(f"what of number {number}? ", "a", "b")

    made, _, _ = await made_by(AugConPairs(), same, tmp_path)
    assert {item.reason for item in made if isinstance(item, Reject)} == {"same_question"}
    assert len(made) == 90


def helpful(request: Request) -> str:
    """Answers from the context; wrongly about fish, and about all when it sees only cats."""
    prompt = request.prompt
    if "Reply with one word" in prompt:
        lines = prompt.splitlines()
        return "Yes." if lines[1].split(":")[1] == lines[2].split(":")[1] else "No, it does not."
    asked = prompt.rpartition("Context:")[2]
    if "fish" in asked:
        return " I count.\nAnswer: It is many."
    return f" I count.\nAnswer: It is {asked.split(' is ')[1].split('.')[0]}.\n---\nContext: more"


async def test_answers_are_shown_what_the_model_got_right(tmp_path: Path) -> None:
    plugin = AugConAnswers(demonstrations="people.jsonl")
    made, model, ctx = await made_by(plugin, helpful, tmp_path)
    assert len(made) == 90
    assert all(isinstance(item, Record) for item in made)
    first = made[0]
    assert isinstance(first, Record)
    assert first.columns["output"] == "It is a number."
    assert first.columns["reasoning"] == "I count."
    assert first.columns["instruction"] == QUESTIONS[0].columns["instruction"]
    assert ctx.counts["bootstrapped"] == 7
    assert ctx.counts["bootstrap_failed"] == 1
    shown = model.requests[-1].prompt
    assert shown.count("Answer: It is") == 6
    assert shown.count("Reasoning: I count.") == 3
    assert len(model.requests) == 2 * 8 + 4 * 2 * 2 + 90


async def test_the_best_set_is_shown(tmp_path: Path) -> None:
    def picky(request: Request) -> str:
        if "Reply with one word" in request.prompt:
            return "yes" if request.prompt.splitlines()[2].endswith("good") else "no"
        good = "The bees is" in request.prompt.rpartition("Context:")[0]
        return " so\nAnswer: good" if good else " so\nAnswer: bad"

    plugin = AugConAnswers(demonstrations="people.jsonl", bootstrapped=0, labelled=2, sets=12)
    _, model, ctx = await made_by(plugin, picky, tmp_path)
    assert "The bees is" in model.requests[-1].prompt
    assert ctx.counts["best_set_agreed"] == ctx.counts["best_set_asked"] == 6


async def test_original_has_one_set_without_a_search(tmp_path: Path) -> None:
    plugin = AugConAnswers(demonstrations="people.jsonl", strict_original=True)
    _, model, ctx = await made_by(plugin, helpful, tmp_path)
    assert len(model.requests) == 2 * 8 + 90
    assert "demonstration_sets" not in ctx.counts


@pytest.mark.parametrize(("concurrency", "delays"), [(1, 1), (64, 2), (64, 3)])
@pytest.mark.parametrize(
    ("plugin", "say"),
    [(AugConPairs(), degraded), (AugConAnswers(demonstrations="people.jsonl"), helpful)],
)
async def test_the_same_at_any_concurrency(
    plugin: Generator, say: Say, concurrency: int, delays: int, tmp_path: Path
) -> None:
    expected, _, _ = await made_by(plugin, say, tmp_path)
    made, _, _ = await made_by(plugin, say, tmp_path, concurrency, delays)
    assert made == expected


async def test_a_refused_or_empty_answer_is_a_reject(tmp_path: Path) -> None:
    def say(request: Request) -> str:
        if "number 3?" in request.prompt:
            raise CallFailed("refused", "unsafe")
        return " hm" if "number 4?" in request.prompt else " hm\nAnswer: good"

    made, _, _ = await made_by(AugConAnswers(), say, tmp_path)
    lost = [(item.reason, item.value) for item in made if isinstance(item, Reject)]
    assert lost == [("refused", "unsafe"), ("no_answer", None)]
    assert len(made) == 90


@given(st.text(), st.booleans())
def test_any_answer_is_read(text: str, reasoning: bool) -> None:
    found = find_answer(text, reasoning=reasoning)
    assert found.answer in text
    assert found.answer == found.answer.strip()
    agrees(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Yes", True), ("no.", False), ("No, yes is wrong", False), ("Yes, nothing is wrong", True),
        ("I know", None), ("", None), ("是", True), ("不是", False), ("否。", False),
        ("一致", True), ("不一致", False), ("对", True), ("不对", False), ("yesterday", None),
        ("It does not agree", False),
    ],
)  # fmt: skip
def test_yes_or_no(text: str, expected: bool | None) -> None:
    assert agrees(text) is expected


@pytest.mark.reference
@pytest.mark.skipif(not DATA.is_dir(), reason=f"no reference data at {DATA}")
@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_published_examples_are_demonstrations(language: str, tmp_path: Path) -> None:
    name = f"qa_examples_{language}.jsonl"
    plugin = AugConAnswers(demonstrations=name, bootstrapped=0, labelled=10, sets=1)
    paths = {**own_files(plugin, language).paths, name: str(DATA / name)}
    assert list(plugin.problems(None, OptionFiles(paths))) == []
    model = FakeModel(lambda _: "Answer: good")
    ctx = Context("a", models={"": model}, files=OptionFiles(paths), language=language)
    assert len([item async for item in plugin.generate(RowList(QUESTIONS[:1]), ctx)]) == 1
    lines = [json.loads(line) for line in (DATA / name).open(encoding="utf-8")]
    assert len(lines) == 10
    for line in lines:
        assert all(line[part].strip() in model.requests[0].prompt for part in line)
