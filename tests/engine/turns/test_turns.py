"""Any turn of any form is kept whole, or rejects its row with the name of what nobody reads."""

from __future__ import annotations

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sftrecipe import Record, Reject

from ...support.foreign_turns import FORMS, TEXTS, Row, as_form, conversations, leaves
from ...support.source_rows import read

EXAMPLES = max(25, int(os.environ.get("SFTRECIPE_TEST_RUNS", "0")))


def read_rows(*rows: Row, **options: Any) -> tuple[list[Record], list[Reject]]:
    """The rows and rejects of a file with these rows."""
    with TemporaryDirectory() as folder:
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (Path(folder) / "a.jsonl").write_text(text)
        return read("jsonl", Path(folder), path="a.jsonl", **options)


@pytest.mark.parametrize("form", FORMS)
@given(st.data())
@settings(max_examples=EXAMPLES)
def test_a_conversation_is_the_same_from_every_form(form: str, data: st.DataObject) -> None:
    turns = as_form(form, data.draw(conversations()))
    row = FORMS[form](data.draw, turns)
    rows, rejects = read_rows({**row, "topic": "t"})
    assert [reject.value for reject in rejects] == []
    assert rows[0].columns == {"messages": turns, "topic": "t"}
    again, _ = read_rows(dict(rows[0].columns))
    assert again[0].columns == rows[0].columns


KEYS = st.sampled_from(
    [
        *("content", "value", "parts", "text", "reasoning", "reasoning_content", "thinking"),
        *("reasoning_details", "tool_calls", "function_call", "tool_call_id", "name", "refusal"),
        *("weight", "train", "loss", "masked", "audio", "annotations", "prefix", "channel"),
        *("metadata", "toxic", "citations", "images", "logprobs", "thinking_blocks", "文"),
    ]
)
PART_TYPES = st.sampled_from(
    [
        *("text", "input_text", "thinking", "reasoning", "image_url", "image", "input_audio"),
        *("video_url", "tool_use", "tool_result", "refusal", "file", "redacted_thinking", "new"),
    ]
)
PARTS = st.dictionaries(
    st.sampled_from(
        [
            *("text", "thinking", "reasoning", "image_url", "url", "data", "format", "input"),
            *(
                "id",
                "name",
                "content",
                "refusal",
                "source",
                "detail",
                "annotations",
                "thought",
                "type",
            ),
            *("functionCall", "functionResponse", "inlineData", "tool_use_id", "more"),
        ]
    ),
    st.recursive(
        st.one_of(TEXTS, st.none(), st.booleans(), st.just("")),
        lambda inner: st.dictionaries(
            st.sampled_from(["url", "data", "name", "args", "response", "text", "x"]),
            inner,
            max_size=2,
        ),
        max_leaves=3,
    ),
    max_size=3,
)
CALLS = st.dictionaries(
    st.sampled_from(["name", "arguments", "id", "type", "function", "args", "more"]),
    st.one_of(
        TEXTS,
        st.just("function"),
        st.just('{"a": "xb"}'),
        st.dictionaries(st.sampled_from(["name", "arguments", "more"]), TEXTS, max_size=2),
    ),
    max_size=4,
)
VALUES = st.one_of(
    TEXTS,
    st.sampled_from([None, "", [], {}, 0, 1, 0.5, True, False]),
    st.lists(st.one_of(TEXTS, PARTS, st.builds(dict, PARTS, type=PART_TYPES)), max_size=3),
    st.lists(CALLS, max_size=2),
    CALLS,
)
ROLES = st.sampled_from(
    [
        None,
        ["user"],
        *("system", "user", "human", "assistant", "gpt", "model", "tool", "function"),
        *("developer", "function_call", "alien"),
    ]
)
ANY_TURNS = st.lists(
    st.builds(lambda role, rest: {"role": role, **rest}, ROLES, st.dictionaries(KEYS, VALUES)),
    min_size=1,
    max_size=4,
)
KEPT_APART = ("id", "format", "type", "signature")
"""Says nothing of what was said; or is part of a data URI."""
REASONS = frozenset(
    {"unread_part", "bad_messages", "bad_role", "bad_tool_call", "late_system", "media_count"}
    | {"not_a_pair", "wrong_type", "bad_media"}
)


@given(
    ANY_TURNS,
    st.sampled_from(["messages", "conversations", "contents", "prompt", "chosen", "pair"]),
)
@settings(max_examples=5 * EXAMPLES)
def test_any_turn_is_kept_whole_or_rejected_by_name(turns: list[Row], place: str) -> None:
    row: Row = {place: turns}
    if place == "pair":
        other = {"role": "assistant", "content": "xothery"}
        row = {"chosen": turns, "rejected": [*turns[:-1], other]}
    rows, rejects = read_rows(row)
    if rejects:
        assert rejects[0].reason in REASONS
        assert rejects[0].value
        assert rejects[0].record.columns == row
        return
    kept = [*leaves(json.loads(orjson.dumps(rows[0].columns)))]
    for text in _said(row):
        assert any(text in each or json.dumps(text, ensure_ascii=False)[1:-1] in each
                   for each in kept), (text, kept)  # fmt: skip


def _said(value: Any) -> list[str]:
    """The texts of a row, but for words of its form."""
    if isinstance(value, dict):
        return [
            text
            for key, each in value.items()
            if key not in ("role", *KEPT_APART)
            for text in _said(each)
        ]
    if isinstance(value, list):
        return [text for each in value for text in _said(each)]
    if not isinstance(value, str):
        return []
    return ["xb"] if value == '{"a": "xb"}' else [value.strip()]


TALK = [{"role": "user", "content": "发烧？"}, {"role": "assistant", "content": "多喝水。"}]


@pytest.mark.parametrize(
    "row",
    [
        {"conversation": [{"human": "发烧？", "assistant": "多喝水。"}]},
        {"conversation": [{"input": "发烧？", "output": "多喝水。", "system": ""}]},
        {"conversations": [{"question": "发烧？", "answer": "多喝水。"}]},
    ],
)
def test_rounds_are_turns(row: Row) -> None:
    rows, _ = read_rows(row)
    assert rows[0].columns == {"messages": TALK}
    [(name, rounds)] = row.items()
    other = {name: [*rounds, {**rounds[0], "score": 1}]}
    rows, _ = read_rows(other)
    assert rows[0].columns == other  # exporters say that these are no turns


def test_calls_at_once_may_have_a_turn_each() -> None:
    calls = [{"name": name, "arguments": {"x": 1}} for name in "fg"]
    asked = [{"role": "tool_call", "content": json.dumps(call)} for call in calls]
    results = [{"role": "tool_response", "content": text} for text in "ab"]
    rows, _ = read_rows({"messages": [TALK[0], *asked, *results, TALK[1]]})
    turns = rows[0].columns["messages"]
    assert [turn["role"] for turn in turns] == ["user", "assistant", "tool", "tool", "assistant"]
    assert turns[1]["tool_calls"] == calls


@pytest.mark.parametrize("arguments", [{}, "{}", "", None])
def test_a_call_may_give_nothing(arguments: Any) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": arguments}}
    asked = {"role": "assistant", "content": None, "tool_calls": [call]}
    result = {"role": "tool", "tool_call_id": "1", "content": "r"}
    rows, _ = read_rows({"messages": [TALK[0], asked, result, TALK[1]]})
    assert rows[0].columns["messages"][1]["tool_calls"] == [
        {"name": "f", "arguments": {}, "id": "1"}
    ]


TOOL = {"name": "f", "description": "d", "parameters": {"properties": {}}}


@pytest.mark.parametrize("as_text", [False, True])
@pytest.mark.parametrize(
    "tools",
    [
        [{"name": "f", "description": "d", "input_schema": {"properties": {}}}],
        [{"functionDeclarations": [TOOL]}],
        [{"type": "function", **TOOL}],
    ],
)  # fmt: skip
def test_tools_of_every_form_are_tools(tools: list[Row], *, as_text: bool) -> None:
    given = json.dumps(tools) if as_text else tools
    rows, _ = read_rows({"messages": TALK, "tools": given})
    assert json.loads(rows[0].columns["tools"]) == [{"type": "function", "function": TOOL}]


def test_a_table_gives_no_call_the_arguments_of_another(tmp_path: Path) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    calls = [{"name": "f", "arguments": {"x": 1}}, {"name": "g", "arguments": {"y": "二"}}]
    turns = [TALK[0], {"role": "assistant", "content": "", "tool_calls": calls}]
    tools = [{"name": n, "parameters": {"properties": {n: {"type": "string"}}}} for n in "fg"]
    table = pa.Table.from_pylist([{"messages": turns, "tools": tools, "topic": {"a": None}}])
    pq.write_table(table, tmp_path / "a.parquet")
    rows, _ = read("parquet", tmp_path, path="a.parquet")
    assert rows[0].columns["messages"] == turns
    assert json.loads(rows[0].columns["tools"]) == tools
    assert rows[0].columns["topic"] == {"a": None}
