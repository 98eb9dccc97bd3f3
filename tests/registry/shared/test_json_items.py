"""Reading a model's JSON list out of whatever stands around it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sftrecipe_registry.shared.replies.json_items import find_items

ITEMS = [{"instruction": "怎么挂号？", "input": "", "output": "It's json."}, {"instruction": "b"}]
LIST = json.dumps(ITEMS, ensure_ascii=False)


@pytest.mark.parametrize(
    "reply",
    [
        LIST,
        f"```json\n{LIST}\n```",
        f"Sure! Here are [two] items:\n{LIST}\nHope it helps {{smile}}",
        "\n".join(json.dumps(item) for item in ITEMS),
        json.dumps([ITEMS]),
        json.dumps(ITEMS, indent=2),
        LIST[:-1] + ",]",
        "好的，以下是结果：" + LIST,
    ],
)
def test_the_list_is_found(reply: str) -> None:
    assert find_items(reply).items == ITEMS


def test_a_line_break_inside_a_text_is_forgiven() -> None:
    assert find_items('[{"instruction": "a\nb"}]').items == [{"instruction": "a\nb"}]


def test_what_breaks_off_is_lost_with_its_reason() -> None:
    found = find_items(LIST[:-8])
    assert found.items == ITEMS[:1]
    assert [reason for reason, _ in found.lost] == ["cut_off"]


def test_what_holds_no_json_is_lost_with_its_reason() -> None:
    assert find_items("I cannot do that.").lost == [("not_json", "I cannot do that.")]


def test_texts_in_the_list_are_lost_with_their_reason() -> None:
    found = find_items('[{"instruction": "a"}, ["b", 3]]')
    assert found.items == [{"instruction": "a"}]
    assert [reason for reason, _ in found.lost] == ["not_an_object", "not_an_object"]


@given(st.text())
def test_any_text_is_read_and_says_what_it_lost(text: str) -> None:
    found = find_items(text)
    assert found.items or found.lost


@given(
    st.lists(st.dictionaries(st.text(), st.text()), min_size=1),
    st.sampled_from(["", "Here you are:\n", "```json\n"]),
)
def test_whatever_was_dumped_is_found(items: list[dict[str, str]], before: str) -> None:
    found = find_items(before + json.dumps(items))
    assert found.items == items
    assert not found.lost
