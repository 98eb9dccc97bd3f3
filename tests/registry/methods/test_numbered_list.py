"""Numbered lists as models write them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sftrecipe_registry.methods.self_instruct.numbered_list import Discard, parse_numbered


def test_goes_on_after_the_prompts_number() -> None:
    found = parse_numbered(" First\n  task.\n10. Second\n11 . Third\n\n12)  Fourth")
    assert found == (["First task.", "Second", "Third", "Fourth"], [])


def test_chatter_before_the_first_number_is_a_preamble() -> None:
    found = parse_numbered("Here you are:\n1. One\n2. Two", continues=False)
    assert found == (["One", "Two"], [Discard("Here you are:", "preamble")])


def test_a_list_that_begins_with_its_number() -> None:
    assert parse_numbered("1. One\n2. Two").items == ["One", "Two"]
    assert parse_numbered("1. One\n2. Two", continues=False) == (["One", "Two"], [])


def test_chinese_marks() -> None:
    assert parse_numbered("1、头疼\n2．发烧\n3.咳嗽\n4）失眠").items == [
        "头疼",
        "发烧",
        "咳嗽",
        "失眠",
    ]


def test_numbers_inside_an_item_stay() -> None:
    text = " Divide 10. Then\n3.5 is left\n2024 was good"
    assert parse_numbered(text).items == ["Divide 10. Then 3.5 is left 2024 was good"]


def test_cut_off() -> None:
    text = " One\n2. Two\n3. Thr"
    assert parse_numbered(text, finish_reason="length") == (
        ["One", "Two"],
        [Discard("Thr", "cut_off")],
    )
    assert parse_numbered(text, finish_reason="length", cut="reply") == (
        [],
        [Discard(text, "cut_off")],
    )


def test_empty_items_and_replies() -> None:
    assert parse_numbered(" One\n2. \n3. Three") == (["One", "Three"], [Discard("", "empty")])
    assert parse_numbered("") == ([], [Discard("", "empty")])
    assert parse_numbered("", continues=False) == ([], [])


def test_capitalise_as_the_original() -> None:
    assert parse_numbered(" write it in Python.", capitalise=True).items == ["Write it in python."]


@given(st.lists(st.from_regex(r"[A-Za-z][a-z ,]{0,20}[a-z]", fullmatch=True), min_size=1))
def test_what_was_numbered_is_found(items: list[str]) -> None:
    text = "".join(f"\n{number}. {item}" for number, item in enumerate(items, 10)).lstrip("\n10. ")
    expected = [" ".join(item.split()) for item in items]
    assert parse_numbered(text) == (expected, [])


@given(st.text("1. \nab)、", max_size=40), st.booleans(), st.sampled_from(["stop", "length"]))
def test_nothing_but_numbers_vanishes(text: str, continues: bool, finish_reason: str) -> None:
    found = parse_numbered(text, continues=continues, finish_reason=finish_reason)
    told = "".join([*found.items, *(discard.text for discard in found.discards)])
    assert sorted(c for c in told if c in "ab") == sorted(c for c in text if c in "ab")
