"""Reading a task's examples, whatever a model writes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sftrecipe_registry.methods.self_instruct.task_instances import (
    Instance,
    LostPart,
    faults,
    parse_examples,
    parse_labelled,
)

PIECES = st.sampled_from(
    [*"qz\n: 1", "Example 1", "\nExample 2.", "Output:", "Output 2:", "Input:", "示例 1", "输出："]
)
REPLIES = st.lists(PIECES).map("".join)
REASONS = st.sampled_from(["stop", "length"])


def test_examples_in_order() -> None:
    text = 'Example 1\nInput: "Python"\nOutput: "nohtyP"\nExample 2\nList: 1, 2\nOutput: 2, 1\n'
    wanted = [Instance('"Python"', '"nohtyP"'), Instance("List: 1, 2", "2, 1")]
    assert parse_examples(text) == wanted
    assert parse_examples(text, finish_reason="length") == [
        wanted[0],
        LostPart("cut_off", "List: 1, 2\n2, 1"),
    ]


def test_an_output_alone_is_one_instance() -> None:
    assert parse_examples("Output:\nYes.\nNo.") == [Instance("", "Yes.\nNo.")]


def test_chinese_marks() -> None:
    text = "示例 1\n句子：马上来。\n输出：请您过来。\n示例2：\n输入：快点\n输出: 麻烦快一点。"
    assert parse_examples(text) == [
        Instance("句子：马上来。", "请您过来。"),
        Instance("快点", "麻烦快一点。"),
    ]
    assert parse_labelled("类别：好评\n评价：好吃\n类别：差评\n评价：凉了") == [
        Instance("评价：好吃", "好评"),
        Instance("评价：凉了", "差评"),
    ]


def test_what_is_more_than_one_pair_is_told() -> None:
    assert parse_examples("Example 1\nx\nOutput: y\nInput: z\nOutput: w") == [
        Instance("x", "y"),
        LostPart("next_input", "z"),
        LostPart("second_output", "w"),
    ]


def test_only_the_original_splits_inside_a_line() -> None:
    text = "Example 1\nx\nOutput: See Example 3 of the book."
    assert parse_examples(text) == [Instance("x", "See Example 3 of the book.")]
    assert parse_examples(text, strict_original=True) == [
        Instance("x", "See"),
        Instance("", "of the book."),
    ]


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("I cannot do that.", LostPart("no_instance", "I cannot do that.")),
        ("  ", LostPart("empty_reply", "")),
    ],
)
def test_no_instance(text: str, lost: LostPart) -> None:
    assert parse_examples(text) == parse_labelled(text) == [lost]


def test_labels_come_first() -> None:
    text = "Sure.\nClass label: spam\nMail: Buy!\nClass label: (e)"
    found = parse_labelled(text)
    assert found == [
        LostPart("preamble", "Sure."),
        Instance("Mail: Buy!", "spam"),
        Instance("", "(e)"),
    ]
    assert parse_labelled(text, finish_reason="length")[-1] == LostPart("cut_off", "(e)")


def test_faults() -> None:
    assert faults(
        [
            Instance("a", "a"),
            Instance("", ""),
            Instance("a", "see:"),
            Instance("列表：", "b"),
            Instance("x", "y"),
            Instance("x", "y"),
            Instance("", "y"),
            Instance("", "z"),
        ]
    ) == [
        *("input_is_output", "empty_output", "ends_with_colon", "ends_with_colon"),
        *("", "repeated", "", ""),
    ]


def test_one_input_with_two_outputs_spoils_the_task() -> None:
    instances = [Instance("x", "y"), Instance("x", "z"), Instance("q", "r"), Instance("q", "q")]
    assert faults(instances) == ["contradicting"] * 3 + ["input_is_output"]


def letters(text: str) -> str:
    return "".join(sorted(c for c in text if c in "qz"))


@given(REPLIES, REASONS, st.booleans())
def test_nothing_but_marks_vanishes(text: str, finish_reason: str, strict: bool) -> None:
    found = parse_examples(text, finish_reason=finish_reason, strict_original=strict)
    told = "".join("".join(part) if isinstance(part, Instance) else part.text for part in found)
    assert letters(told) == letters(text)


@given(REPLIES, REASONS)
def test_every_example_is_an_instance_or_lost(text: str, finish_reason: str) -> None:
    whole = parse_examples(text)
    cut = parse_examples(text, finish_reason=finish_reason)
    assert len(cut) == len(whole) > 0
    assert all(isinstance(part, (Instance, LostPart)) for part in cut)


@given(st.text(), REASONS, st.booleans())
def test_any_text_is_read(text: str, finish_reason: str, strict: bool) -> None:
    assert parse_examples(text, finish_reason=finish_reason, strict_original=strict)
    assert parse_labelled(text, finish_reason=finish_reason)


@given(st.lists(st.tuples(st.sampled_from("ab:"), st.sampled_from("ab:")).map(Instance._make)))
def test_what_has_no_fault_is_sound(instances: list[Instance]) -> None:
    found = faults(instances)
    assert len(found) == len(instances)
    kept = [each for each, fault in zip(instances, found, strict=True) if not fault]
    assert len(set(kept)) == len(kept)
    assert all(each.input != each.output and ":" not in each for each in kept)
