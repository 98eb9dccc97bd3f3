"""Parts of rows through the real command: kept whole, told, or not sent to who cannot see them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests.support.foreign_turns import FORMS, as_form, conversations
from tests.support.plain_runs import Plain
from tests.support.scripted_replies import responding
from tests.support.source_rows import context, source
from tests.support.standin import StandIn, stand_in
from tests.support.standin_runs import Whole

from sftrecipe import Context, Reject
from sftrecipe.run.steps.source_step import read_source
from sftrecipe.testing import RowList
from sftrecipe.turns.columns import read_names
from sftrecipe.turns.faults import UnreadTurn
from sftrecipe_registry.generators.preference import Preference
from sftrecipe_registry.llamafactory.formats.data_set_kind import possible_kinds
from sftrecipe_registry.shared.replies.rubric_scale import rubric_variables

ROWS = 200
UNREAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "sound": ({"audio": {"id": "a1"}}, "unread_part", "message 2: audio"),
    "weight": ({"weight": 0.5}, "unread_part", "message 2: weight 0.5"),
    "key": ({"prefix": True}, "unread_part", "message 2: prefix"),
    "call": (
        {"tool_calls": [{"function": {"name": "f", "arguments": "{city: Rome}"}}]},
        "bad_tool_call",
        "message 2: not JSON",
    ),
}


def drawn_rows() -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Conversations in random forms, each with what it says."""
    found: list[tuple[dict[str, Any], list[dict[str, Any]]]] = []

    @given(st.data())
    @settings(max_examples=ROWS, database=None, phases=[Phase.generate])
    def draw(data: st.DataObject) -> None:
        form = data.draw(st.sampled_from(sorted(FORMS)))
        turns = as_form(form, data.draw(conversations()))
        found.append((FORMS[form](data.draw, turns), turns))

    draw()
    return found


def test_rows_of_every_form(tmp_path: Path) -> None:
    drawn = drawn_rows()
    rows = [{**row, "n": number} for number, (row, _) in enumerate(drawn)]
    for word, (parts, *_) in UNREAD.items():
        answer = {"role": "assistant", "content": "a", **parts}
        rows.append({"messages": [{"role": "user", "content": "q"}, answer], "n": word})
    plain = Plain(tmp_path / "p")
    plain.recipe()
    (plain.folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    plain.run()
    kept = {row["n"]: row["messages"] for row in plain.data()}
    assert kept == {number: turns for number, (_, turns) in enumerate(drawn)}
    rejects = {each["row"]["columns"]["n"]: each for each in plain.data("rejects.jsonl")}
    assert rejects.keys() == UNREAD.keys()
    for word, (_, reason, detail) in UNREAD.items():
        assert rejects[word]["reason"] == reason
        assert rejects[word]["value"].startswith(detail)


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with stand_in() as running:
        yield running


def asked(server: StandIn, folder: Path, rows: list[dict[str, Any]]) -> Whole:
    whole = responding(folder, server.url, [])
    (whole.folder / "seeds.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    whole.run()
    return whole


def test_a_picture_that_is_not_sent_is_told(server: StandIn, tmp_path: Path) -> None:
    parts = [{"type": "image_url", "image_url": {"url": "a.png"}}, {"type": "text", "text": "Who?"}]
    answered = [
        {"role": "user", "content": "<image>Where?"},
        {"role": "assistant", "content": "There."},
    ]
    whole = asked(
        server,
        tmp_path / "p",
        [
            {"messages": [{"role": "user", "content": parts}]},
            {"messages": answered, "images": ["b.png"]},
            {"instruction": "What does <image> mean in HTML?"},
        ],
    )
    rejects = [json.loads(line) for line in (whole.out / "rejects.jsonl").open()]
    [lost] = [reject for reject in rejects if reject["step"] == "g"]
    assert lost["reason"] == "unread_part"
    assert "images are not sent" in lost["value"]
    assert lost["row"]["columns"]["images"] == ["a.png"]
    assert whole.steps()["g"]["kept"] == 2


def test_what_is_left_out_or_joined_is_told(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "p")
    masked = {"formatting": "sharegpt", "masked": "split"}
    plain.recipe(export=[{"id": "out", "use": "llamafactory", "with": masked}])
    asked = {"role": "user", "content": "q", "name": "Bob"}
    said = {"role": "assistant", "content": "a"}
    systems = [{"role": "system", "content": text} for text in ("s", "t")]
    rows: list[dict[str, Any]] = [
        {"messages": [*systems, asked, said], "reasoning": "r"},
        {"messages": [asked, said, asked, {**said, "weight": 0}], "id": 7},
    ]
    (plain.folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    told = plain.run()
    assert "  rows: 1 rows with several system prompts, which became one: rows.jsonl:1" in told
    assert "  out: 2 columns that are not written: 'id' (1); 'reasoning' (1)" in told
    assert "2 rows whose turns name who speaks, which is not written: rows.jsonl:1" in told
    assert "1 rows without the turns after their last learned answer: rows.jsonl:2" in told
    assert "&#39;reasoning&#39; (1)" in (plain.out / "report.html").read_text()


HUMAN, GPT = {"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}
SYSTEM = {"from": "system", "value": "s"}


@pytest.mark.parametrize(
    ("entry", "row", "expected"),
    [
        (
            {"columns": {"prompt": "instruction", "response": "output", "history": "history"}},
            {"instruction": "q", "output": "a", "history": "earlier"},
            "bad_history",
        ),
        (
            {"formatting": "sharegpt"},
            {"conversations": [{**HUMAN, "content": "and this"}, GPT]},
            "unread_part",
        ),
        (
            {"formatting": "sharegpt", "columns": {"messages": "talk", "system": "system"}},
            {"talk": [SYSTEM, HUMAN, GPT], "system": "t"},
            "t\n\ns",
        ),
        (
            {"columns": {"prompt": "instruction", "response": "output"}},
            {"instruction": "q", "output": "a", "conversations": [HUMAN, {**GPT, "value": "b"}]},
            "a",
        ),
    ],
)
def test_nothing_of_a_catalogue_vanishes(
    entry: dict[str, Any], row: dict[str, Any], expected: str, tmp_path: Path
) -> None:
    (tmp_path / "rows.json").write_text(json.dumps([row]))
    entries = {"d": {"file_name": "rows.json", **entry}}
    (tmp_path / "dataset_info.json").write_text(json.dumps(entries))
    plugin = source("dataset", name="d")
    ctx = context(plugin, tmp_path)
    [item] = read_source(plugin, ctx)
    if isinstance(item, Reject):
        assert item.reason == expected
    elif "messages" in item.columns:
        assert item.columns["messages"][0]["content"] == expected
        assert ctx.told["joined_systems"].examples == ["rows.json:1"]
    else:
        assert item.columns == {"instruction": "q", "output": expected}
        assert ctx.counts["unnamed_conversations"] == 1


def test_messages_beside_conversations() -> None:
    row = {"conversations": [HUMAN, GPT], "messages": [{"role": "user", "content": "q"}]}
    with pytest.raises(UnreadTurn, match="messages beside conversations"):
        list(source("sharegpt", path="a.json").shaped(row))


def test_an_answer_that_calls_is_seen_and_never_lost(server: StandIn, tmp_path: Path) -> None:
    call = {"name": "dose", "arguments": {"mg": 5}}
    turn = {"role": "assistant", "content": "", "tool_calls": [call]}
    plain = Plain(tmp_path / "p")
    plain.recipe(
        providers={"p": {"use": "openai", "model": "m", "base_url": server.url, "api_key": ""}},
        filter=[{"use": "format"}, {"use": "length", "with": {"min_words": 1}}],
        generate=[
            {"id": "better", "use": "evol_quality", "from": "rows", "provider": "p"},
            {"id": "talk", "use": "dialogue", "from": "rows", "provider": "p"},
        ],
        export=[{"use": "jsonl", "from": "rows"}],
    )
    row = {"messages": [{"role": "user", "content": "How much?"}, turn]}
    (plain.folder / "rows.jsonl").write_text(json.dumps(row) + "\n")
    plain.run()
    assert plain.data() == [row]
    rejects = {each["step"]: each["reason"] for each in plain.data("rejects.jsonl")}
    assert rejects == {"better": "tool_call", "talk": "tool_call"}
    assert rubric_variables(row)["output"] == 'dose({"mg": 5})'
    earlier = {"instruction": "And?", "history": [["Why?", "<think>\nSo.\n</think>\n\nThus."]]}
    assert rubric_variables(earlier)["instruction"] == "user: Why?\nassistant: Thus.\nuser: And?"


def test_chat_turns_are_seen_as_plain_rows_are(server: StandIn, tmp_path: Path) -> None:
    def talk(asked: str, answered: str, thought: str, **more: Any) -> dict[str, Any]:
        turn = {"role": "assistant", "content": answered, "reasoning": thought}
        turns = [{"role": "user", "content": asked}, {**turn, **more}]
        return {"messages": [{"role": "user", "content": "?"}, turn, *turns]}

    call = {"tool_calls": [{"name": "dose", "arguments": {"mg": 5}}]}
    rows = [
        {"instruction": "How much?", "output": "Five drops.", "reasoning": "a long thought"},
        talk("How often?", "Twice a day.", "a long thought"),
        talk("How much?", "Six drops.", "a long thought"),
        talk("How long?", "For a week.", "short"),
        talk("Why?", "It said so, and went on and on.", "a long thought"),
        talk("How late?", "", "a long thought", **call),
        {"text": "neither asked nor answered"},
        {"text": "neither asked nor answered, again"},
    ]
    tooled = talk("Then?", "Five.", "a long thought")
    tooled["messages"].insert(2, {"role": "tool", "content": "5"})
    plain = Plain(tmp_path / "p")
    fields = {"way": "style", "style": "curt", "fields": ["output"]}
    beside = {"prompt": "{{ messages[-1].content }} {{ reasoning }}", "column": "note"}
    asks = {"from": "rows", "provider": "p"}
    filters: list[dict[str, Any]] = [
        {"id": "once", "use": "exact_dedup", "with": {"field": "instruction"}},
        {"id": "long", "use": "length", "with": {"field": "reasoning", "min_chars": 10}},
        {"id": "short", "use": "length", "with": {"field": "output", "max_chars": 20}},
        {"id": "said", "use": "expression", "with": {"keep": "len(output) < 20"}},
    ]
    plain.recipe(
        providers={"p": {"use": "openai", "model": "m", "base_url": server.url, "api_key": ""}},
        filter=[{**each, "on": "rows"} for each in filters],
        generate=[
            {"id": "curt", "use": "rewrite", **asks, "with": fields},
            {"id": "noted", "use": "text_generation", **asks, "with": beside},
            {"id": "next", "use": "magpie_turn", **asks, "with": {"family": "qwen2"}},
        ],
        export=[{"use": "jsonl", "from": ["curt", "noted", "next"]}],
    )
    told = [*rows, tooled]
    (plain.folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in told))
    plain.run()
    lost = Counter((each["step"], each["reason"]) for each in plain.data("rejects.jsonl"))
    assert lost == {
        ("once", "duplicate"): 1,
        ("long", "too_short"): 3,
        ("short", "too_long"): 1,
        ("curt", "tool_call"): 1,
        ("noted", "prompt_failed"): 1,
        ("next", "tool_call"): 1,
        ("next", "prompt_failed"): 1,
    }
    curt, talked = plain.data()[:2]
    assert (curt.keys(), curt["output"] != rows[0]["output"]) == ({"instruction", "output"}, True)
    assert talked["messages"][:3] == rows[1]["messages"][:3]
    assert talked["messages"][3].keys() == {"role", "content"}
    assert talked["messages"][3]["content"] != "Twice a day."
    (plain.folder / "rows.jsonl").write_text(json.dumps(tooled) + "\n")
    plain.run(command="validate")  # the same columns are known where all rows are chats


async def test_pairs_of_calls_and_of_pictures() -> None:
    asked = [{"role": "user", "content": "<image>How much?"}]
    calls = [[{"name": "dose", "arguments": {"mg": mg}}] for mg in (5, 7)]
    turns = [{"role": "assistant", "content": "", "tool_calls": each} for each in calls]
    found = [{"messages": [*asked, turn], "images": [image]} for image in "ab" for turn in turns]
    rows = RowList(
        row._replace(scores={"s": float(at % 2)}) for at, row in enumerate(RowList.of(*found))
    )
    plugin = Preference.model_validate({"score": "s"})
    made = [row.columns async for row in plugin.generate(rows, Context("p"))]  # type: ignore[union-attr]
    assert made == [
        {"messages": asked, "images": [image], "chosen": turns[1], "rejected": turns[0]}
        for image in "ab"
    ]


@pytest.mark.parametrize(
    ("names", "kinds"),
    [
        ({"prompt", "chosen", "rejected", "score"}, {"pairs"}),
        ({"chosen", "rejected"}, {"pairs"}),
        ({"input", "preferred_output", "non_preferred_output"}, {"pairs"}),
        ({"messages", "chosen", "rejected"}, {"answers", "pairs"}),
        ({"prompt", "completion", "chosen", "rejected"}, {"answers", "pairs"}),
    ],
)
def test_what_columns_of_pairs_can_teach(names: set[str], kinds: set[str]) -> None:
    assert possible_kinds(None, read_names(frozenset(names)), text=False) == kinds


def test_a_stage_that_learns_nothing_of_pairs_is_told_before_the_run(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "p")
    plain.recipe(
        export=[{"use": "llamafactory"}],
        train={"use": "llamafactory", "with": {"model_name_or_path": "a/b", "template": "qwen3"}},
    )
    pair = {"prompt": "q", "chosen": "a", "rejected": "b", "score": 1}
    (plain.folder / "rows.jsonl").write_text(json.dumps(pair) + "\n")
    assert "error[untaught]" in plain.run("recipe.yaml", command="validate", status=2)


@pytest.mark.parametrize("column", ["contents", "completion", "talk"])
def test_a_file_of_one_conversation_is_one_row(column: str, tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    row = {column: turns, "system": [{"type": "text", "text": "s"}]}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    plugin = source("jsonl", path="rows.jsonl")
    [item] = plugin.read(context(plugin, tmp_path))
    assert item.columns == row  # type: ignore[union-attr]
