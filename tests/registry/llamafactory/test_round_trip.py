"""What is written for LLaMA-Factory is read again as it was, by the project's own source."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sftrecipe.testing import RowList

from ...support.exports import export
from ...support.source_rows import read

EXAMPLES = int(os.environ.get("SFTRECIPE_TEST_RUNS", "40"))
WORDS = st.sampled_from(["one", "两个", "a < b", "say\n\nmore", "{}", '"', "[1]", "<b>x</b>"])
VALUES = st.recursive(
    WORDS | st.integers(-(2**53), 2**53) | st.booleans() | st.none() | st.sampled_from(["<think>"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=4,
)
CALLS = st.lists(
    st.fixed_dictionaries({"name": st.just("f"), "arguments": st.dictionaries(WORDS, VALUES)}),
    min_size=1,
    max_size=2,
)
THOUGHT = {"reasoning": WORDS}
ANSWER = st.fixed_dictionaries(
    {"role": st.just("assistant"), "content": WORDS}, optional=THOUGHT
).map(lambda turn: [turn])


@st.composite
def exchanges(draw: st.DrawFn) -> list[dict[str, Any]]:
    turns = [{"role": "user", "content": draw(WORDS)}]
    for calls in draw(st.lists(CALLS, max_size=2)):
        said = {"content": draw(WORDS | st.just("")), "tool_calls": calls}
        turns.append(
            {"role": "assistant", **said, **draw(st.fixed_dictionaries({}, optional=THOUGHT))}
        )
        turns += [{"role": "tool", "content": draw(WORDS)} for _ in calls]
    return [*turns, *draw(ANSWER)]


TALKS = st.tuples(
    st.lists(st.builds(lambda text: {"role": "system", "content": text}, WORDS), max_size=1),
    st.lists(exchanges(), min_size=1, max_size=2),
).map(lambda parts: [*parts[0], *(turn for each in parts[1] for turn in each)])


@settings(deadline=None, max_examples=EXAMPLES)
@given(st.lists(TALKS, min_size=1, max_size=3))
def test_conversations_come_back(talks: list[list[dict[str, Any]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows = RowList.of(*({"messages": talk} for talk in talks))
        made = export("llamafactory", rows, Path(folder), formatting="sharegpt")
        assert made.reasons == []
        back, rejects = read("dataset", Path(folder), name="demo")
        assert rejects == []
        assert [row.columns["messages"] for row in back] == talks


@settings(deadline=None, max_examples=EXAMPLES)
@given(st.lists(st.tuples(WORDS, WORDS, WORDS | st.just("")), min_size=1, max_size=4))
def test_answers_come_back(rows: list[tuple[str, str, str]]) -> None:
    plain = [
        {"instruction": asked, "output": answer, **({"reasoning": thought} if thought else {})}
        for asked, answer, thought in rows
    ]
    with tempfile.TemporaryDirectory() as folder:
        made = export("llamafactory", RowList.of(*plain), Path(folder))
        assert made.reasons == []
        back, rejects = read("dataset", Path(folder), name="demo")
        assert rejects == []
        assert [without_empty(row.columns) for row in back] == plain


def without_empty(columns: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in columns.items() if value}


@pytest.mark.parametrize("use", ["jsonl", "parquet"])
@pytest.mark.parametrize("last", [{"y": 2}, {"y": [1, "a", None], "z": {}}, {}])
def test_plain_files_keep_every_part(use: str, last: dict[str, Any], tmp_path: Path) -> None:
    talks = [
        [
            {"role": "user", "content": "u"},
            {
                "role": "assistant",
                "content": "so",
                "reasoning": "hm",
                "tool_calls": [
                    {"name": "f", "arguments": {"x": 1}, "id": "1"},
                    {"name": "g", "arguments": last, "id": "2"},
                ],
                "train": False,
            },
            {"role": "tool", "content": "r", "tool_call_id": "1", "name": "f"},
            {"role": "tool", "content": "s", "tool_call_id": "2", "name": "g"},
            {"role": "assistant", "content": "a"},
        ],
        [{"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}],
    ]
    rows = RowList.of(*({"messages": talk} for talk in talks), {"instruction": "q", "output": "a"})
    export(use, rows, tmp_path)
    back, rejects = read(use, tmp_path, path=f"demo.{use}")
    assert rejects == []
    assert [row.columns.get("messages") for row in back] == [*talks, None]
