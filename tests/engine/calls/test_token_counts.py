"""Tokens that a server tells, and those that are counted from the texts in their place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sftrecipe.calls.limits.prices import cost_of, known_price
from sftrecipe.calls.replies.reply_lengths import (
    ENOUGH,
    FIRST_GUESS,
    LONGEST,
    LOST_UNKNOWN,
    UNKNOWN,
    ReplyLengths,
)
from sftrecipe.calls.replies.token_counts import believed
from sftrecipe.plugin.provider import MOST_TOKENS, Answer, Price, Request, TokenCounter
from sftrecipe.plugin.token_estimate import tokens_of

ASKED = Request("chat", ({"role": "user", "content": "How are you?"},))
ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.text(max_size=5), st.integers(), st.floats(),
    st.sampled_from([10**30, -(10**30), 2**63, 2**64]), st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)  # fmt: skip


def _nothing_at_hand() -> TokenCounter | None:
    return None


@given(st.text(max_size=300), ODD, ODD, ODD, st.sampled_from(["chat", "complete", "embed"]))
def test_whatever_is_told_a_number_is_booked(
    text: str, read: Any, written: Any, cached: Any, kind: Any
) -> None:
    answer = Answer(text, "stop", read, written, cached_tokens=cached)
    request = Request(kind, ASKED.messages, prompt="x")
    found, _ = believed(answer, request, 12, _nothing_at_hand)
    assert 0 < found.input_tokens <= MOST_TOKENS
    assert 0 <= found.output_tokens <= MOST_TOKENS
    assert 0 <= found.cached_tokens <= found.input_tokens
    assert type(found.input_tokens) is type(found.output_tokens) is int
    if text.strip() and kind != "embed":
        assert found.output_tokens > 0


def test_what_can_be_is_taken_as_told() -> None:
    told = Answer("short", "stop", 50, 20_000, cached_tokens=40)
    assert believed(told, ASKED, 12, _nothing_at_hand) == (told, False)
    assert believed(Answer("", "stop", 50, 0), ASKED, 12, _nothing_at_hand)[1] is False


def test_thoughts_count_where_nothing_is_told() -> None:
    message = {"content": "yes", "reasoning_content": "I wonder " * 100}
    raw = json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]})
    found, estimated = believed(Answer("yes", raw=raw), ASKED, 12, _nothing_at_hand)
    assert estimated
    assert found.output_tokens >= 200
    assert found.input_tokens == 12
    none, _ = believed(Answer("", raw=raw), ASKED, 12, _nothing_at_hand)
    assert none.output_tokens >= 200


def test_the_models_own_tokenizer_counts() -> None:
    def count(request: Request) -> int:
        return 7 if request.kind == "chat" else 3

    found, _ = believed(Answer("some words"), ASKED, 12, lambda: count)
    assert (found.input_tokens, found.output_tokens) == (7, 3)

    def broken(request: Request) -> int:
        raise ValueError(request)

    found, _ = believed(Answer("some words"), ASKED, 12, lambda: broken)
    assert (found.input_tokens, found.output_tokens) == (12, 3)


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("The quick brown fox jumps over the lazy dog.", 10, 16),
        ("今天天气很好，我们去公园散步吧。", 10, 24),
        ("3.14159 + 2.71828", 7, 16),
        ("Съешь ещё этих мягких французских булок", 10, 40),
        ("🙂🙂🙂", 3, 9),
        ("", 0, 0),
    ],
)
def test_texts_have_about_as_many_tokens(text: str, least: int, most: int) -> None:
    assert least <= tokens_of(text) <= most


def test_cached_tokens_have_a_price_of_their_own() -> None:
    price = Price(input=10, output=20, cached_input=1)
    assert cost_of(price, 1_000_000, 0, 1_000_000) == 1
    assert cost_of(price, 1_000_000, 1_000_000, 500_000) == 5.5 + 20
    assert cost_of(Price(input=10, output=20), 1_000_000, 0, 1_000_000) == 10
    assert not Price(input=0, output=0, cached_input=1).free


def test_no_model_is_free_because_its_price_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    entries: dict[str, Any] = {
        "whole": {"mode": "chat", "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6,
                  "cache_read_input_token_cost": 1e-7},
        "half": {"mode": "chat", "input_cost_per_token": 1e-6},
        "zero": {"mode": "chat", "input_cost_per_token": 0.0, "output_cost_per_token": 0.0},
        "no output": {"mode": "chat", "input_cost_per_token": 1e-6, "output_cost_per_token": 0},
        "text": {"mode": "chat", "input_cost_per_token": "1e-6", "output_cost_per_token": 1e-6},
        "vectors": {"mode": "embedding", "input_cost_per_token": 2e-8, "output_cost_per_token": 0},
    }  # fmt: skip
    monkeypatch.setattr("sftrecipe.calls.limits.prices._price_map", lambda: entries)
    whole = known_price("whole")
    assert whole is not None
    assert (whole.input, whole.output, round(whole.of_cached, 6)) == (1, 2, 0.1)
    assert known_price("vectors") is not None
    assert [known_price(name) for name in ("half", "zero", "no output", "text", "?")] == [None] * 5


def test_lengths_are_learned_step_by_step() -> None:
    lengths = ReplyLengths()
    assert lengths.expected("a", None) == (FIRST_GUESS, UNKNOWN, LOST_UNKNOWN)
    lengths.seen("a", 400, None, "stop")
    assert lengths.expected("a", None) == (500, LONGEST, LOST_UNKNOWN // 2)
    assert lengths.expected("b", None) == (500, LONGEST, LOST_UNKNOWN)  # another step of the model
    for seen in range(2, 200):
        lengths.seen("a", 400, None, "stop")
        most = LONGEST if seen < ENOUGH else max(1000, LONGEST // seen)
        assert lengths.expected("a", None).at_most == most
    assert lengths.expected("a", None) == (500, 1000, 500)


def test_max_tokens_is_believed_once_it_is_seen_to_hold() -> None:
    lengths = ReplyLengths()
    assert lengths.expected("a", 100) == (100, LONGEST, 100)
    for _ in range(5):
        lengths.seen("a", 100, 100, "length")
    assert lengths.expected("a", 100) == (100, 100, 100)
    lengths.seen("a", 4000, 100, "stop")
    assert lengths.expected("a", 100) == (5000, 10_000, 5000)
    assert lengths.expected("a", 9000).likely == 9000


@given(st.lists(st.tuples(st.integers(0, 50_000), st.none() | st.integers(1, 900)), max_size=80))
def test_what_was_seen_is_always_reached_for(replies: list[tuple[int, int | None]]) -> None:
    lengths = ReplyLengths()
    for written, most in replies:
        lengths.seen("a", written, most, "stop")
        likely, at_most, lost = lengths.expected("a", most)
        assert written <= likely <= min(at_most, lost)
