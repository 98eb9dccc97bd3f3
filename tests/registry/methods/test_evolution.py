"""Reading what rewriters and judges of prompts write; drawing operations."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sftrecipe import Context
from sftrecipe_registry.methods.evol.evolution import (
    drawn,
    evolved_text,
    is_refusal,
    judged_equal,
    says_nothing,
    scaffold_in,
)


@pytest.mark.parametrize(
    ("reply", "equal"),
    [
        ("Equal", True),
        ("Not Equal", False),
        ("NOT EQUAL. They are equal only in length.", False),
        ("The two are unequal", False),
        ("Not-Equal", False),
        ("**Not** Equal", False),
        ("They are not the same.", False),
        ("They are the same.", True),
        ("Equally hard", None),
        ("", None),
        ("相同", True),
        ("不相同", False),
        ("不同", False),
    ],
)
def test_not_equal_is_looked_for_first(reply: str, equal: bool | None) -> None:
    assert judged_equal(reply) is equal


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        ("#Rewritten Prompt#: Name a fruit.", "Name a fruit."),
        ("**Rewritten Prompt:**\nName a fruit.", "Name a fruit."),
        ("Given Prompt: a\nCreated prompt: b", "b"),
        ("Name a fruit.", "Name a fruit."),
        ("改写后的提示：说出一种水果", "说出一种水果"),
    ],
)
def test_headings_go(reply: str, text: str) -> None:
    assert evolved_text(reply) == text


@given(st.text())
def test_any_reply_is_read(reply: str) -> None:
    assert evolved_text(reply) in reply
    assert judged_equal(reply) in (True, False, None)
    assert scaffold_in(reply) is None or scaffold_in(reply) in reply
    assert is_refusal(reply, 80) is False
    assert not says_nothing(f"{reply} fruit")


@pytest.mark.parametrize("answer", ["", "...!", "It is the.", "。！", "的是"])
def test_only_stop_words_say_nothing(answer: str) -> None:
    assert says_nothing(answer)


@pytest.mark.parametrize("answer", ["42", "Gout.", "Not aspirin", "痛风"])
def test_a_word_says_something(answer: str) -> None:
    assert not says_nothing(answer)


def test_a_long_answer_may_be_sorry() -> None:
    assert is_refusal("Sorry, I cannot.", 3)
    assert not is_refusal("I am sorry to hear it, " + "so " * 80, 85)
    assert not is_refusal("Take a rest.", 3)


def test_operations_are_drawn_by_their_weights() -> None:
    ctx = Context("evolved", seed=1)
    weights = {"a": 3.0, "b": 1.0, "c": 0.0}
    counted = Counter(drawn(weights, ctx, number) for number in range(4000))
    assert counted["c"] == 0
    assert 0.7 < counted["a"] / 4000 < 0.8
    assert drawn(weights, ctx, 7) == drawn(weights, ctx, 7)
