"""Reading Alpaca's lists of tasks, whatever a model writes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sftrecipe_registry.methods.self_instruct.numbered_tasks import (
    parse_tasks,
    parse_tasks_original,
)

TWO = (
    " Name a fruit.\n4. Input:\n<noinput>\n4. Output:\nFig.\n###\n"
    "5. Instruction: Add the numbers.\n5. Input:\n2, 3\n5. Output:\n5"
)
WANTED = [
    {"instruction": "Name a fruit.", "input": "", "output": "Fig."},
    {"instruction": "Add the numbers.", "input": "2, 3", "output": "5"},
]
WORDS = st.from_regex(r"[A-Za-z][a-z ]{0,12}[a-z]", fullmatch=True)


def test_both_read_a_whole_list() -> None:
    assert parse_tasks(TWO, first=4) == (WANTED, [])
    assert parse_tasks_original(TWO, first=4) == (WANTED, [])


def test_the_last_of_a_cut_reply_is_lost() -> None:
    for parse in (parse_tasks, parse_tasks_original):
        found = parse(TWO, first=4, finish_reason="length")
        assert found.items == WANTED[:1]
        assert [reason for reason, _ in found.lost] == ["cut_off"]


def test_a_gap_in_the_numbers_stops_only_the_original() -> None:
    text = TWO.replace("5. ", "6. ")
    assert parse_tasks(text, first=4).items == WANTED
    found = parse_tasks_original(text, first=4)
    assert found.items == WANTED[:1]
    assert [reason for reason, _ in found.lost] == ["malformed"]


def test_an_assistant_begins_at_the_beginning() -> None:
    text = f"Sure, here they are:\n###\n4. Instruction:{TWO}\n###\n"
    found = parse_tasks(text, first=4, continues=False)
    assert found == (WANTED, [("preamble", "Sure, here they are:")])
    assert parse_tasks(f"4. Instruction:{TWO}", first=4).items == WANTED


def test_chinese_fields() -> None:
    text = (
        "说出一种水果。\n4. 输入：\n<noinput>\n4. 输出：\n无花果。\n###\n"
        "5、指令: 相加\n5、输入：2\n5、输出：2"
    )
    assert parse_tasks(text, first=4).items == [
        {"instruction": "说出一种水果。", "input": "", "output": "无花果。"},
        {"instruction": "相加", "input": "2", "output": "2"},
    ]


@pytest.mark.parametrize(
    "text",
    [
        "only an instruction",
        " x\n4. Input: y",
        " x\n4. Output:\n",
        " x\n4. Output: y\n4. Output: z",
    ],
)
def test_an_incomplete_task_is_malformed(text: str) -> None:
    found = parse_tasks(text, first=4)
    assert not found.items
    assert [reason for reason, _ in found.lost] == ["malformed"]


@given(st.lists(st.tuples(WORDS, WORDS, WORDS), min_size=1), st.booleans())
def test_whatever_was_listed_is_found(tasks: list[tuple[str, str, str]], original: bool) -> None:
    text = "\n###\n".join(
        f"{at}. Instruction: {a}\n{at}. Input:\n{b}\n{at}. Output:\n{c}"
        for at, (a, b, c) in enumerate(tasks, 4)
    ).removeprefix("4. Instruction:")
    parse = parse_tasks_original if original else parse_tasks
    found = parse(text, first=4)
    assert [tuple(item.values()) for item in found.items] == tasks
    assert not found.lost


PIECES = st.sampled_from([*"xy\n", "###", *(f"\n{n}. {f}:" for n in (4, 5) for f in
          ("Instruction", "Input", "Output"))])  # fmt: skip


@given(st.lists(PIECES).map("".join), st.sampled_from(["stop", "length"]), st.booleans())
def test_nothing_but_marks_vanishes(text: str, finish_reason: str, continues: bool) -> None:
    found = parse_tasks(text, first=4, finish_reason=finish_reason, continues=continues)
    told = [*("".join(item.values()) for item in found.items), *(lost for _, lost in found.lost)]
    assert sorted(c for c in "".join(told) if c in "xy") == sorted(c for c in text if c in "xy")


@given(st.text(), st.sampled_from(["stop", "length"]))
def test_any_text_is_read_and_says_what_it_lost(text: str, finish_reason: str) -> None:
    for continues in (True, False):
        found = parse_tasks(text, first=4, finish_reason=finish_reason, continues=continues)
        assert found.items or found.lost
    found = parse_tasks_original(text, first=4, finish_reason=finish_reason)
    assert found.items or found.lost
