"""Whatever the rows: each is written or rejected, and what is written is well-formed."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sftrecipe import PluginRefused
from sftrecipe.testing import RowList

from ...support.exports import Exported, export

TEXT = st.text(max_size=8) | st.sampled_from(["<|im_end|>", "", " ", "<image>", "{{idx}}", "a"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
ROLES = st.sampled_from(["system", "user", "assistant", "tool", "human"])
CALL = st.fixed_dictionaries(
    {"name": st.sampled_from(["f", ""]), "arguments": st.dictionaries(TEXT, ANYTHING, max_size=2)},
    optional={"id": st.sampled_from(["1", "2"]), "type": st.just("function")},
)
TURN = st.fixed_dictionaries(
    {"role": ROLES, "content": TEXT | st.none()},
    optional={
        "reasoning": TEXT | st.sampled_from(["<think>", "hm\n</think>"]),
        "tool_calls": st.lists(CALL, max_size=2),
        "tool_call_id": st.sampled_from(["1", "2"]),
        "train": st.booleans(),
        "name": TEXT,
        "refusal": st.none() | TEXT,
    },
)
TALK = st.lists(TEXT, min_size=2, max_size=6).map(
    lambda texts: [
        {"role": ("user", "assistant")[at % 2], "content": text} for at, text in enumerate(texts)
    ]
)
COLUMNS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("instruction", "input", "output", "system", "text"), TEXT | ANYTHING),
        "reasoning": TEXT,
        "history": st.lists(st.lists(TEXT, min_size=2, max_size=2), max_size=2) | ANYTHING,
        "messages": TALK | st.lists(TURN, max_size=5) | ANYTHING,
        "tools": st.sampled_from(["[]", '[{"name": "f", "parameters": {"properties": {}}}]', "{"]),
        **dict.fromkeys(("chosen", "rejected"), TEXT | TURN | ANYTHING),
        "label": st.booleans() | ANYTHING,
        "images": st.lists(TEXT, max_size=2) | ANYTHING,
    },
)
OPTIONS = st.fixed_dictionaries(
    {"formatting": st.sampled_from(["alpaca", "sharegpt", "text"])},
    optional={
        "preference": st.sampled_from(["none", "ranking", "kto"]),
        "holdout": st.sampled_from([0.5, 2]),
        "keep": st.sampled_from([["empty_answer", "empty_prompt"], ["control_token"]]),
        "non_thinking": st.sampled_from([0.3, 1.0]),
        "masked": st.sampled_from(["reject", "split"]),
    },
)


@settings(max_examples=400, deadline=None)
@given(st.lists(COLUMNS, max_size=6), OPTIONS)
def test_each_row_is_written_or_rejected(
    columns: list[dict[str, Any]], options: dict[str, Any]
) -> None:
    if options["formatting"] == "text":
        options.pop("preference", None)
    rows = RowList.of(*columns)
    with tempfile.TemporaryDirectory() as folder:
        try:
            made = export("llamafactory", rows, Path(folder), **options)
        except PluginRefused:
            return
        written = [row for at in range(len(made.sets)) for row in made.rows(at)]
        if options.get("masked") == "split":
            assert len(written) + len(made.rejects) >= len(rows)
        else:
            assert len(written) + len(made.rejects) == len(rows)
        assert [made_set.rows for made_set in made.sets] == [
            len(made.rows(at)) for at in range(len(made.sets))
        ]
        check(made, written, options)


def check(made: Exported, written: list[dict[str, Any]], options: dict[str, Any]) -> None:
    """The rules of LLaMA-Factory's converters, said once more."""
    entry = made.sets[0].entry
    assert entry is not None
    for row in written:
        if options["formatting"] == "text":
            assert isinstance(row["text"], str)
        elif options["formatting"] == "alpaca":
            check_alpaca(row, entry["ranking"])
        else:
            check_sharegpt(row, entry["ranking"])
        if entry["columns"]["kto_tag"]:
            assert isinstance(row["label"], bool)
    for at, each in enumerate(made.sets):
        assert each.entry is not None
        mapped = {name for name in each.entry["columns"].values() if name}
        assert mapped == {name for row in made.rows(at) for name in row}


def check_alpaca(row: dict[str, Any], ranking: bool) -> None:
    answers = ("chosen", "rejected") if ranking else ("output",)
    assert all(isinstance(row[name], str) for name in ("instruction", "input", *answers))
    for pair in row.get("history", []):
        asked, answered = pair
        assert isinstance(asked, str)
        assert isinstance(answered, str)


def check_sharegpt(row: dict[str, Any], ranking: bool) -> None:
    turns = list(row["messages"])
    if turns[0]["role"] == "system":
        turns.pop(0)
    roles = [("user", "observation"), ("assistant", "function_call")]
    assert turns
    assert len(turns) % 2 == ranking
    for at, turn in enumerate(turns):
        assert turn["role"] in roles[at % 2]
        assert isinstance(turn["content"], str)
    if ranking:
        assert all(row[name]["role"] in roles[1] for name in ("chosen", "rejected"))
