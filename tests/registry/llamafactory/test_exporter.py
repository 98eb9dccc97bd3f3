"""What the exporter writes for LLaMA-Factory, and what it leaves out with which reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from sftrecipe import PluginRefused
from sftrecipe.plugin import OptionFiles
from sftrecipe.testing import RowList
from sftrecipe.thoughts import join_thought
from sftrecipe_registry.llamafactory.exporter import LlamaFactory
from sftrecipe_registry.llamafactory.formats.rows import TAGS

from ...support.exports import export

QA = {"instruction": "q", "input": "", "output": "a"}
COLUMNS = {
    *("prompt", "query", "response", "history", "messages", "system", "tools"),
    *("images", "videos", "audios", "chosen", "rejected", "kto_tag"),
}


def messages(*turns: tuple[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": content} for role, content in turns]}


def tools(**tool: Any) -> str:
    return json.dumps([tool])


def calling(*calls: Any, **parts: Any) -> dict[str, Any]:
    """A question, and what the assistant wants done."""
    turn = {"role": "assistant", "content": "", "tool_calls": list(calls), **parts}
    return {"messages": [{"role": "user", "content": "u"}, turn]}


def answered(talk: dict[str, Any], *results: dict[str, Any]) -> dict[str, Any]:
    """The same with the calls' results, and an answer."""
    turns = [{"role": "tool", "content": "r", **result} for result in results]
    return {"messages": [*talk["messages"], *turns, {"role": "assistant", "content": "a"}]}


CALL: dict[str, Any] = {"name": "f", "arguments": {}}
TOOL = tools(name="f", parameters={"properties": {}})
TALK = messages(("user", "u1"), ("assistant", "a1"), ("user", "u2"), ("assistant", "a2"))
CALLING = answered(calling(CALL), {"content": ""})


@pytest.mark.parametrize("formatting", ["alpaca", "sharegpt", "text"])
def test_the_entry_names_all_columns_and_tags(tmp_path: Path, formatting: str) -> None:
    rows = RowList.of({**QA, "text": "t"})
    (made,) = export("llamafactory", rows, tmp_path, formatting=formatting).sets
    assert made.entry is not None
    assert made.entry["columns"].keys() == COLUMNS
    assert made.entry["tags"] == TAGS
    assert set(json.loads((tmp_path / "dataset_info.json").read_text())) == {"demo"}


def test_files_are_lists_one_row_a_line_that_can_be_read_by_eye(tmp_path: Path) -> None:
    rows = RowList.of({**QA, "output": "你好😀"}, QA)
    export("llamafactory", rows, tmp_path)
    lines = (tmp_path / "demo.json").read_text("utf-8").splitlines()
    assert lines[0] == "["
    assert "你好😀" in lines[1]
    assert json.loads(lines[1].rstrip(","))["output"] == "你好😀"
    assert len(lines) == 4


def test_messages_become_alpaca_and_alpaca_messages(tmp_path: Path) -> None:
    talk = {"messages": [{"role": "system", "content": "s"}, *TALK["messages"]]}
    (row,) = export("llamafactory", RowList.of(talk), tmp_path).rows()
    assert row == {
        **{"instruction": "u2", "input": "", "output": "a2"},
        **{"system": "s", "history": [["u1", "a1"]]},
    }
    back = export("llamafactory", RowList.of(row), tmp_path, formatting="sharegpt").rows()
    assert back == [talk]


def test_instruction_and_input_stay_apart_in_alpaca_and_join_in_messages(tmp_path: Path) -> None:
    rows = RowList.of({"instruction": "i", "input": "x", "output": "o"})
    assert export("llamafactory", rows, tmp_path).rows() == [rows[0].columns]
    (row,) = export("llamafactory", rows, tmp_path, formatting="sharegpt").rows()
    assert row["messages"][0] == {"role": "user", "content": "i\nx"}


def test_tool_calls_get_llamafactorys_role_names(tmp_path: Path) -> None:
    rows = RowList.of({**CALLING, "tools": TOOL})
    (row,) = export("llamafactory", rows, tmp_path, formatting="sharegpt").rows()
    roles = [turn["role"] for turn in row["messages"]]
    assert roles == ["user", "function_call", "observation", "assistant"]
    assert row["tools"] == TOOL


@pytest.mark.parametrize("formatting", ["alpaca", "sharegpt"])
def test_preferences_are_recognised(tmp_path: Path, formatting: str) -> None:
    pair = {"instruction": "q", "chosen": "c", "rejected": "r"}
    longer = {**messages(("user", "q")), "chosen": {"role": "assistant", "content": "c"}}
    rows = RowList.of(pair, {**longer, "rejected": "r"}, QA)
    made = export("llamafactory", rows, tmp_path, formatting=formatting)
    assert made.sets[0].entry is not None
    assert made.sets[0].entry["ranking"] is True
    assert made.reasons == ["not_a_pair"]
    first, second = made.rows()
    assert first.get("messages", first["chosen"]) == second.get("messages", second["chosen"])


def test_labels_are_recognised(tmp_path: Path) -> None:
    rows = RowList.of({**QA, "label": True}, {**QA, "label": "no"}, {**QA, "label": "hm"}, QA)
    made = export("llamafactory", rows, tmp_path)
    assert made.sets[0].entry is not None
    assert made.sets[0].entry["columns"]["kto_tag"] == "label"
    assert [row["label"] for row in made.rows()] == [True, False]
    assert [(reason, value) for _, reason, value in made.rejects] == [
        ("bad_label", "'hm'"),
        ("no_label", None),
    ]
    assert export("llamafactory", rows, tmp_path, preference="none").reasons == []


REJECTED: list[tuple[dict[str, Any], str]] = [
    ({"text": "t"}, "no_prompt"),
    ({"instruction": "q"}, "no_answer"),
    ({"instruction": "q", "output": None}, "no_answer"),
    ({"instruction": "q", "output": 7}, "not_text"),
    ({"instruction": ["q"], "output": "a"}, "not_text"),
    ({**QA, "system": {}}, "not_text"),
    ({"instruction": " ", "output": "a"}, "empty_prompt"),
    ({"instruction": "q", "output": "\n"}, "empty_answer"),
    ({**QA, "history": "none"}, "bad_history"),
    ({**QA, "history": [["a"]]}, "bad_history"),
    ({**QA, "history": [["a", "b", "c"]]}, "bad_history"),
    ({**QA, "history": [{"user": "a", "assistant": "b"}]}, "bad_history"),
    ({**QA, "history": [["a", None]]}, "bad_history"),
    ({**QA, "history": [["a", ""]]}, "empty_answer"),
    ({**QA, "output": "a<|im_end|>"}, "control_token"),
    ({**QA, "system": "<|im_start|>"}, "control_token"),
    ({**QA, "input": "[/INST] x"}, "control_token"),
    ({**QA, "input": "turn {{idx}}"}, "control_token"),
    ({**QA, "output": "\ud800"}, "not_utf8"),
    ({**QA, "input": "see <image>"}, "media_place"),
    ({**QA, "images": ["a.png"]}, "media_count"),
    ({**QA, "input": "<image>", "images": [b"png"]}, "bad_media"),
    (messages(), "bad_messages"),
    ({"messages": "hello"}, "bad_messages"),
    ({"messages": ["hello"]}, "bad_messages"),
    (messages(("user", None), ("assistant", "a")), "bad_messages"),
    (messages(("user", "u")), "no_answer"),
    ({"conversations": ["u", "a"]}, "no_prompt"),
    (messages(("system", "s")), "no_answer"),
    (messages(("assistant", "a")), "no_prompt"),
    (messages(("assistant", "a"), ("user", "u"), ("assistant", "a")), "roles_alternate"),
    (messages(("user", "u"), ("user", "u"), ("assistant", "a")), "roles_alternate"),
    (
        messages(("user", "u"), ("system", "s"), ("user", "u"), ("assistant", "a")),
        "roles_alternate",
    ),
    (messages(("human", "u"), ("assistant", "a")), "bad_role"),
    (messages(("user", "u"), ("tool_call", "{}")), "no_answer"),
    (calling({"name": "f", "arguments": "{}"}), "bad_tool_call"),
    (calling({"name": "f"}), "bad_tool_call"),
    (calling({"arguments": {}}), "bad_tool_call"),
    (calling(CALL, content="<tool_call>"), "bad_tool_call"),
    (calling({**CALL, "type": "function"}), "unread_part"),
    (calling(CALL, audio={"id": "1"}), "unread_part"),
    (calling(CALL, reasoning=3), "not_text"),
    (calling(CALL, content="", reasoning="", tool_calls=[]), "empty_answer"),
    (answered(calling(CALL), {"reasoning": "hm"}), "unread_part"),
    (answered(calling(CALL, CALL, CALL), {}, {}), "tool_results"),
    (answered(calling(CALL), {"tool_call_id": "1"}, {"tool_call_id": "2"}), "tool_results"),
    (
        answered(
            calling({**CALL, "id": "1"}, {**CALL, "id": "2"}),
            {"tool_call_id": "2"},
            {"tool_call_id": "1"},
        ),
        "tool_results",
    ),
    ({**QA, "output": "<think>hm"}, "open_thought"),
    ({**QA, "output": "so a </think> b"}, "control_token"),
    ({**QA, "reasoning": "a </think> b"}, "control_token"),
    (
        {**messages(("system", "s"), ("user", "u"), ("assistant", "a")), "system": "t"},
        "two_systems",
    ),
    ({**QA, "tools": "not json"}, "bad_tools"),
    ({**QA, "tools": {"name": "f"}}, "bad_tools"),
    ({**QA, "tools": tools(name="f", parameters={"x": {}})}, "bad_tools"),
    ({**QA, "tools": tools(type="function", function="f")}, "bad_tools"),
]


@pytest.mark.parametrize(("columns", "reason"), REJECTED)
def test_rows_that_would_be_lost_or_misread_are_rejected(
    tmp_path: Path, columns: dict[str, Any], reason: str
) -> None:
    rows = RowList.of(QA)
    rows.append(rows[0]._replace(columns=columns))
    made = export("llamafactory", rows, tmp_path, formatting="sharegpt", preference="none")
    assert made.reasons == [reason]
    assert made.sets[0].rows == 1


@pytest.mark.parametrize(
    ("doubt", "columns"),
    [
        ("control_token", {**QA, "output": "<|im_end|>"}),
        ("empty_answer", {**QA, "output": ""}),
        ("empty_prompt", {**QA, "instruction": ""}),
        ("equal_pair", {"instruction": "q", "chosen": "a", "rejected": "a"}),
        ("media_place", {**QA, "input": "<audio>"}),
    ],
)
def test_doubtful_rows_are_kept_when_asked(
    tmp_path: Path, doubt: str, columns: dict[str, Any]
) -> None:
    rows = RowList.of(columns)
    with pytest.raises(PluginRefused, match=f"no row can be exported: 1 {doubt}"):
        export("llamafactory", rows, tmp_path)
    assert not (tmp_path / "demo.json").exists()
    assert export("llamafactory", rows, tmp_path, keep=[doubt]).sets[0].rows == 1


def test_an_empty_answer_with_a_label_is_never_kept(tmp_path: Path) -> None:
    rows = RowList.of({**QA, "label": True}, {**QA, "output": "", "label": True})
    assert export("llamafactory", rows, tmp_path, keep=["empty_answer"]).reasons == ["empty_answer"]


def test_alpaca_has_no_tool_turns(tmp_path: Path) -> None:
    assert export("llamafactory", RowList.of(QA, CALLING), tmp_path).reasons == ["tool_turns"]


THOUGHT = "<think>\nhm\n</think>\n\n"


def test_a_tool_may_take_nothing(tmp_path: Path) -> None:
    bare = [{"name": "f"}, {"type": "function", "function": {"name": "g", "parameters": {}}}]
    made = export(
        "llamafactory",
        RowList.of({**calling(CALL), "tools": json.dumps(bare)}),
        tmp_path,
        formatting="sharegpt",
    )
    nothing = {"type": "object", "properties": {}}
    assert json.loads(made.rows()[0]["tools"]) == [
        {"name": "f", "parameters": nothing},
        {"type": "function", "function": {"name": "g", "parameters": nothing}},
    ]


@pytest.mark.parametrize("formatting", ["alpaca", "sharegpt"])
def test_thoughts_stand_before_answers(tmp_path: Path, formatting: str) -> None:
    rows = RowList.of(
        {**QA, "reasoning": "hm"},
        {**QA, "output": "<think>hm</think>a"},
        {"instruction": "q", "input": "", "output": "b", "history": [["q", f"{THOUGHT}a"]]},
    )
    made = export("llamafactory", rows, tmp_path, formatting=formatting)
    assert made.reasons == []
    texts = [row.get("output") or row["messages"][-1]["content"] for row in made.rows()]
    assert texts == [f"{THOUGHT}a", f"{THOUGHT}a", "b"]
    assert join_thought("hm", "a") == texts[0]
    alone = export("llamafactory", rows, tmp_path, formatting=formatting, reasoning="drop")
    assert not any("think" in json.dumps(row) for row in alone.rows())


def test_calls_have_objects_and_stand_behind_what_is_thought_and_said(tmp_path: Path) -> None:
    call = {"name": "f", "arguments": {"x": "<b> 你"}}
    rows = RowList.of(
        calling(call),
        calling(call, call, reasoning="hm"),
        calling(CALL, content="s", reasoning="hm"),
    )
    made = export("llamafactory", rows, tmp_path, formatting="sharegpt")
    one, two, three = (row["messages"][1] for row in made.rows())
    assert {one["role"], two["role"], three["role"]} == {"function_call"}
    assert json.loads(one["content"]) == call
    assert json.loads(two["content"].removeprefix(THOUGHT)) == [call, call]
    assert three["content"] == f"{THOUGHT}s\n<tool_call>{json.dumps(CALL)}</tool_call>"


def test_results_of_several_calls_are_one_turn(tmp_path: Path) -> None:
    calls = {**CALL, "id": "1"}, {**CALL, "id": "2"}
    results = {"tool_call_id": "1"}, {"tool_call_id": "2", "content": "t"}
    rows = RowList.of(answered(calling(*calls), *results))
    (row,) = export("llamafactory", rows, tmp_path, formatting="sharegpt").rows()
    assert row["messages"][2]["content"] == "r\n</tool_response>\n<tool_response>\nt"


def thinking(count: int) -> RowList:
    return RowList.of(
        *({"instruction": f"q{n}", "output": f"a{n}", "reasoning": f"t{n}"} for n in range(count))
    )


@pytest.mark.parametrize("share", [0, 0.3, 1])
def test_a_share_is_written_without_thoughts(tmp_path: Path, share: float) -> None:
    rows = thinking(100)
    rows += many(50)
    made = export("llamafactory", rows, tmp_path, non_thinking=share, holdout=0.2)
    again = export("llamafactory", rows, tmp_path, non_thinking=share, holdout=0.2)
    for at in (0, 1):
        texts = [row["output"] for row in made.rows(at) if row["output"] != "a"]
        assert sum("<think>" not in text for text in texts) == round(share * len(texts))
        assert again.rows(at) == made.rows(at)


def test_thoughts_of_another_template(tmp_path: Path) -> None:
    words = ["<seed:think>", "</seed:think>"]
    (row,) = export("llamafactory", thinking(1), tmp_path, thought_words=words).rows()
    assert row["output"] == "<seed:think>t0</seed:think>a0"


def masked(*learned: bool, **parts: Any) -> dict[str, Any]:
    """A conversation of as many answers."""
    turns: list[dict[str, Any]] = []
    for number, each in enumerate(learned):
        turns.append({"role": "user", "content": f"u{number}"})
        train = {} if each else {"train": False}
        turns.append({"role": "assistant", "content": f"a{number}", **train, **parts})
    return {"messages": turns}


MASKED, MASKING = masked(False, True), {"mask_history": True}


@pytest.mark.parametrize(
    ("rows", "needs", "reasons"),
    [
        ([masked(True)], {}, []),
        ([masked(True, True)], {"mask_history": False}, []),
        ([masked(False, True)], {"mask_history": True}, []),
        ([masked(True), masked(False, False, True)], {"mask_history": True}, []),
        ([masked(True), masked(False)], {}, ["masked_turn"]),
        ([masked(False, True)] * 2 + [masked(True, True)], {"mask_history": True}, ["masked_turn"]),
        (
            [masked(True, True)] * 2 + [masked(True, False)],
            {"mask_history": False},
            ["masked_turn"],
        ),
    ],
)
def test_masked_turns_are_written_as_mask_history_tells_them(
    tmp_path: Path, rows: list[dict[str, Any]], needs: dict[str, bool], reasons: list[str]
) -> None:
    for formatting in ("alpaca", "sharegpt"):
        made = export("llamafactory", RowList.of(*rows), tmp_path, formatting=formatting)
        assert (dict(made.sets[0].needs), made.reasons) == (needs, reasons)


def test_a_conversation_is_split_at_its_learned_answers(tmp_path: Path) -> None:
    rows = RowList.of(masked(False, True, True, False), masked(True))
    made = export("llamafactory", rows, tmp_path, masked="split")
    assert [(row["instruction"], row["output"]) for row in made.rows()] == [
        *(("u1", "a1"), ("u2", "a2"), ("u0", "a0"))
    ]
    assert [len(row.get("history", ())) for row in made.rows()] == [1, 2, 0]
    assert made.sets[0].needs == {"mask_history": True}


def test_media_go_with_the_part_of_a_conversation_that_has_their_places(tmp_path: Path) -> None:
    talk = masked(True, True)
    for turn in talk["messages"][::2]:
        turn["content"] += "<image>"
    rows = RowList.of({**talk, "images": ["0.png", "1.png"]})
    made = export("llamafactory", rows, tmp_path, formatting="sharegpt", masked="split")
    assert [row["images"] for row in made.rows()] == [["0.png"], ["0.png", "1.png"]]


def test_pairs_learn_their_answers_alone(tmp_path: Path) -> None:
    turns = masked(False)["messages"] + [{"role": "user", "content": "u"}]
    pair = {"chosen": {"role": "assistant", "content": "c", "reasoning": "hm"}, "rejected": "r"}
    hidden = {"chosen": {"role": "assistant", "content": "c", "train": False}, "rejected": "r"}
    rows = RowList.of({"messages": turns, **pair}, {"messages": turns, **hidden})
    made = export("llamafactory", rows, tmp_path, formatting="sharegpt")
    assert (made.reasons, made.sets[0].needs) == (["masked_turn"], {})
    assert made.rows()[0]["chosen"]["content"] == f"{THOUGHT}c"


def test_pictures_with_their_places_are_written(tmp_path: Path) -> None:
    rows = RowList.of({**QA, "input": "<image>", "images": ["a.png"]}, QA)
    made = export("llamafactory", rows, tmp_path)
    assert made.rows()[0]["images"] == ["a.png"]
    assert made.sets[0].entry is not None
    assert made.sets[0].entry["columns"]["images"] == "images"


@pytest.mark.parametrize("formatting", ["alpaca", "sharegpt"])
def test_parquet_holds_the_same_rows(tmp_path: Path, formatting: str) -> None:
    rows = RowList.of(QA, TALK, {**QA, "system": "s", "tools": TOOL})
    as_json = export("llamafactory", rows, tmp_path, formatting=formatting)
    export("llamafactory", rows, tmp_path, formatting=formatting, file="parquet")
    read = pq.read_table(tmp_path / "demo.parquet").to_pylist()
    assert [{k: v for k, v in row.items() if v is not None} for row in read] == as_json.rows()


def many(count: int) -> RowList:
    return RowList.of(*({"instruction": f"q{n}", "output": "a"} for n in range(count)))


def asked(rows: list[dict[str, Any]]) -> set[str]:
    return {row["instruction"] for row in rows}


def test_a_share_is_held_out_and_rows_never_change_sides(tmp_path: Path) -> None:
    small = export("llamafactory", many(1000), tmp_path, holdout=0.1)
    large = export("llamafactory", many(3000), tmp_path, holdout=0.1)
    assert [made.name for made in large.sets] == ["demo", "demo_holdout"]
    assert [made.role for made in large.sets] == ["train", "holdout"]
    assert 240 < large.sets[1].rows < 360
    assert asked(small.rows(0)) <= asked(large.rows(0))
    assert asked(small.rows(1)) <= asked(large.rows(1))
    assert not asked(large.rows(0)) & asked(large.rows(1))


def test_a_number_of_rows_is_held_out(tmp_path: Path) -> None:
    before = export("llamafactory", many(1000), tmp_path, holdout=50)
    after = export("llamafactory", many(1010), tmp_path, holdout=50)
    assert (before.sets[1].rows, after.sets[1].rows) == (50, 50)
    assert len(asked(before.rows(1)) & asked(after.rows(1))) >= 45


def test_rows_that_ask_the_same_are_on_one_side(tmp_path: Path) -> None:
    rows = RowList.of(
        *({"instruction": f"q{n % 100}", "output": f"a{n}", "system": str(n)} for n in range(1000))
    )
    made = export("llamafactory", rows, tmp_path, holdout=0.3)
    assert not asked(made.rows(0)) & asked(made.rows(1))


def test_an_empty_holdout_is_no_data_set(tmp_path: Path) -> None:
    assert len(export("llamafactory", many(3), tmp_path, holdout=0.0001).sets) == 1


def test_nothing_left_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PluginRefused, match="there is no row to export"):
        export("llamafactory", RowList(), tmp_path)
    with pytest.raises(PluginRefused, match="all 3 rows are held out"):
        export("llamafactory", many(3), tmp_path, holdout=10)


@pytest.mark.parametrize(
    ("name", "expected"), [("my, recipe", "my_recipe"), ("医疗", "医疗"), ("..", "data")]
)
def test_the_recipes_name_becomes_a_name_that_llamafactory_lists(name: str, expected: str) -> None:
    from sftrecipe_registry.shared.files.data_set_name import data_set_name  # noqa: PLC0415

    assert data_set_name(None, name) == expected


@pytest.mark.parametrize("name", ["a,b", "../a", ".hidden", "a b", "", "a/b"])
def test_names_that_cannot_be_are_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        LlamaFactory(name=name)


@pytest.mark.parametrize(
    ("options", "inputs", "message"),
    [
        ({"holdout": 1.5}, None, "holdout '1.5' is neither a share nor a number of rows"),
        (
            {"formatting": "text", "preference": "kto"},
            None,
            "preference 'kto' has no place in formatting 'text'",
        ),
        ({"formatting": "text"}, {"output"}, "formatting 'text' needs column 'text'"),
        ({"preference": "kto"}, {"output"}, "preference 'kto' needs column 'label'"),
        ({"preference": "ranking"}, {"chosen"}, "needs column 'rejected'"),
        (
            {"reasoning": "drop", "non_thinking": 0.3},
            None,
            "non_thinking has nothing to choose from where reasoning is 'drop'",
        ),
    ],
)
def test_contradictions_are_found_at_validate(
    options: dict[str, Any], inputs: set[str] | None, message: str
) -> None:
    known = None if inputs is None else frozenset(inputs)
    (problem,) = LlamaFactory(**options).problems(known, OptionFiles({}))
    assert message in problem.message
