"""The filter `format` on texts of any kind: it answers on all, and a cut end is found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sftrecipe import Context, Record
from sftrecipe.testing import RowList
from sftrecipe_registry.filters.format.filter import Format
from sftrecipe_registry.filters.format.phrase_weights import PhraseWeights, phrase_weights, table
from sftrecipe_registry.filters.format.refusals import refusal
from sftrecipe_registry.filters.format.repetitions import repeated
from sftrecipe_registry.filters.format.unfinished_ends import unfinished
from sftrecipe_registry.shared.text.asked import answered_text, asked_text

RECIPES = Path(__file__).parents[3] / "recipes"
TEXTS = st.text(
    st.sampled_from("ab c.,:;()[]{}“”\"'`#*|$\\\n-1。，：的是因为I'm sorry不能…"), max_size=80
)
WHOLE = (
    "Photosynthesis turns light into sugar. It takes place in the leaves, where chlorophyll "
    "absorbs mostly red and blue light. Oxygen is set free on the way."
)
WHOLE_ZH = "光合作用把光能变成糖类。它主要在叶片中进行，叶绿素吸收红光和蓝光。同时放出氧气。"


@given(asked=TEXTS, answer=TEXTS)
@settings(max_examples=200, deadline=None)
def test_every_text_has_a_verdict(asked: str, answer: str) -> None:
    row = Record("x", {"instruction": asked, "output": answer}, "data")
    rules = (*Format().rules, "as_a_model")
    verdict = Format(rules=rules).judge_row(row, Context("step"))
    assert verdict.keep or verdict.reason in Format.decides


@pytest.mark.parametrize("whole", [WHOLE, WHOLE_ZH])
def test_a_cut_inside_a_later_sentence_is_found(whole: str) -> None:
    stops = [at for at, mark in enumerate(whole) if mark in ".。"]
    assert unfinished("Explain photosynthesis.", whole) is None
    cuts = [at for at in range(stops[0] + 12, len(whole)) if whole[at - 1] not in ".。"]
    found = [bool(unfinished("Explain photosynthesis.", whole[:at])) for at in cuts]
    assert sum(found) >= 0.85 * len(found)


@given(st.integers(4, 30), st.sampled_from(["It is a great film. ", "注意休息，多喝热水。"]))
def test_a_loop_is_found_however_long(times: int, sentence: str) -> None:
    assert repeated("What should I do?", sentence * times, 0.3)
    assert repeated(f"Repeat it {times} times.", sentence * times, 0.3) is None


def test_a_table_of_weights_reads_as_it_was_written() -> None:
    lines = table({"@bias": -1.0, "i'm sorry": 2.5, "nothing": 0.001}).splitlines()
    assert lines == ["-50\t@bias", "125\ti'm sorry"]


def test_the_weights_that_are_shipped_can_be_read() -> None:
    for name in ("refusal.en.tsv", "refusal.zh.tsv", "ending.en.tsv", "ending.zh.tsv"):
        assert isinstance(phrase_weights(name), PhraseWeights)
        assert 0 < phrase_weights(name).probability(["sorry"], []) < 1


@pytest.mark.parametrize(("end", "kept"), [("What of it?", False), ("Write none if not so.", True)])
def test_a_long_question_is_asked_at_its_end(end: str, kept: bool) -> None:
    (row,) = RowList.of({"instruction": f"{'So it was. ' * 20_000}{end}", "output": "none"})
    assert Format().judge_row(row, Context("step")).keep is kept


def test_no_answer_that_a_recipe_ships_is_a_refusal() -> None:
    to_be_cleaned = RECIPES / "presets" / "clean"
    paths = [path for path in RECIPES.rglob("*.jsonl") if path.parent != to_be_cleaned]
    lines = [line for path in paths for line in path.read_text("utf-8").splitlines()]
    rows = [Record("x", json.loads(line), "data") for line in lines]
    answers = [(asked_text(row), answered_text(row)) for row in rows]
    assert sum(bool(answer) for _, answer in answers) > 250
    assert [pair for pair in answers if pair[1] and refusal(*pair)] == []
