"""Replies with thoughts and calls of tools in every form in which servers send them, by the real
command."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.support.asked_calls import say, session
from tests.support.odd_server import Sent, odd_server, told
from tests.support.standin_runs import Whole

from sftrecipe import CallFailed
from sftrecipe.calls.replies.reply_parts import in_parts
from sftrecipe.calls.session import open_session
from sftrecipe.plugin.endings import BAD_TOOL_CALL
from sftrecipe.plugin.prompts.prompt import compiled
from sftrecipe.plugin.provider import Answer
from sftrecipe.recipe.recipe import Block
from sftrecipe_registry.providers.embedded import Embedded

PROJECT = """\
version: 1
name: whole
providers:
  p: {{use: openai, model: m, base_url: "{url}", api_key: "", limits: {{attempts: 1}}}}
sources:
  s: {{use: jsonl, path: seeds.jsonl}}
generate:
{steps}
export:
  - {{use: jsonl{export}}}
"""
RESPOND = "  - {id: g, use: respond, from: s, provider: p}"
THOUGHT = "先看症状 first.\nThen decide."
CALL = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"q": "x"}'}}
CALLED = {"name": "find", "arguments": {"q": "x"}, "id": "c1"}


def project(
    folder: Path, url: str, rows: list[Any], steps: str = RESPOND, export: str = ""
) -> Whole:
    """A project that exports all columns; a row is a text, or its columns."""
    whole = Whole(folder, url)
    (folder / "recipe.yaml").write_text(PROJECT.format(url=url, steps=steps, export=export))
    lines = ({"instruction": row} if isinstance(row, str) else row for row in rows)
    (folder / "seeds.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return whole


def made(whole: Whole) -> dict[str, dict[str, Any]]:
    """The exported rows by their instruction."""
    lines = (whole.out / "whole.jsonl").read_text().splitlines()
    return {row.get("instruction", ""): row for row in map(json.loads, lines)}


def lost(whole: Whole) -> dict[str, tuple[str, Any]]:
    """Reason and value of the rejected rows by their instruction."""
    lines = map(json.loads, (whole.out / "rejects.jsonl").read_text().splitlines())
    return {
        each["row"]["columns"].get("instruction", ""): (each["reason"], each["value"])
        for each in lines
    }


def sent(content: Any = "", finish: Any = "stop", **message: Any) -> Sent:
    """A reply with this message."""
    whole = {"role": "assistant", "content": content, **message}
    return told(message=whole, finish_reason=finish)


FORMS: dict[str, Sent] = {
    "reasoning_content": sent("Drink.", reasoning_content=THOUGHT),
    "reasoning": sent("Drink.", reasoning=THOUGHT),
    "both": sent("Drink.", reasoning=THOUGHT, reasoning_content=THOUGHT),
    "details": sent("Drink.", reasoning_details=[{"type": "reasoning.text", "text": THOUGHT}]),
    "summary": sent("Drink.", reasoning={"summary": [{"type": "summary_text", "text": THOUGHT}]}),
    "ollama": sent("Drink.", thinking=THOUGHT),
    "gateway": sent("Drink.", reasoning_text=THOUGHT),
    "beside": told("Drink.", reasoning_content=THOUGHT),
    "gemini": sent([{"type": "text", "text": THOUGHT, "thought": True},
                    {"type": "text", "text": "Drink."}]),
    "blocks": sent("Drink.", thinking_blocks=[{"type": "thinking", "thinking": THOUGHT}]),
    "litellm": sent("Drink.", provider_specific_fields={"reasoning_content": THOUGHT}),
    "anthropic": sent([{"type": "thinking", "thinking": THOUGHT, "signature": "s"},
                       {"type": "text", "text": "Drink."}]),
    "mistral": sent([{"type": "thinking", "thinking": [{"type": "text", "text": THOUGHT}]},
                     {"type": "text", "text": "Drink."}]),
    "tag": sent(f"<think>\n{THOUGHT}\n</think>\n\nDrink."),
    "upper": sent(f"<THINK>{THOUGHT}</THINK>Drink."),
    "opened before": sent(f"{THOUGHT}\n</think>\n\nDrink."),
    "told twice": sent(f"<think>{THOUGHT}</think>Drink.", reasoning_content=THOUGHT),
    "closed twice": sent(f"<think>{THOUGHT}</think></think>Drink."),
    "full width": sent(f"＜think＞{THOUGHT}＜/think＞Drink."),
    "Chinese": sent(f"<思考过程>{THOUGHT}</思考过程>\n<回答>Drink.</回答>"),
    "a part of its own name": sent([{"type": "think", "think": THOUGHT},
                                    {"type": "text", "text": "Drink."}]),
    "left over": sent("</think>\n\nDrink.", reasoning_content=THOUGHT),
    "reasoning tag": sent(f"<reasoning>{THOUGHT}</reasoning><answer>Drink.</answer>"),
    "seed": sent(f"<seed:think>{THOUGHT}</seed:think>Drink."),
    "longcat": sent(f"<longcat_think>{THOUGHT}</longcat_think>Drink."),
    "openthinker": sent(f"<|begin_of_thought|>\n{THOUGHT}\n<|end_of_thought|>\n\n"
                        "<|begin_of_solution|>\nDrink.\n<|end_of_solution|>"),
    "gemma": sent(f"<|channel>thought\n{THOUGHT}<channel|>Drink."),
    "medgemma": sent(f"<unused94>thought\n{THOUGHT}<unused95>Drink."),
    "magistral": sent(f"[THINK]{THOUGHT}[/THINK]Drink."),
    "kimi": sent(f"◁think▷{THOUGHT}◁/think▷Drink."),
    "cohere": sent(f"<|START_THINKING|>{THOUGHT}<|END_THINKING|><|START_RESPONSE|>Drink."
                   "<|END_RESPONSE|>"),
    "gpt-oss": sent(f"<|channel|>analysis<|message|>{THOUGHT}<|end|><|start|>assistant"
                    "<|channel|>final<|message|>Drink.<|return|>"),
}  # fmt: skip
"""One thought and one answer, in each form."""
PLAIN: dict[str, str] = {
    "spoken of": "The tag `<think>` opens a thought, and `</think>` ends it.",
    "fenced": "Write:\n```\n<think>\nhm\n</think>\n```\nThat is all.",
    "quoted": 'It ends with "</think>", always.',
    "json": '{"a": "ends with </think> here"}',
    "heading": "【思考】先喝水。\n【回答】喝水。",
}
"""Answers that only look like thoughts."""
AT_THE_LIMIT = "the thought took all of max_tokens"
LOST: dict[str, tuple[Sent, str, Any]] = {
    "no end": (sent("<think>hm, hm", "stop"), "cut_off", "the thought has no end"),
    "limit": (sent(None, "length", reasoning="hm"), "cut_off", AT_THE_LIMIT),
    "limit in text": (sent("<think>hm", "length"), "cut_off", AT_THE_LIMIT),
    "limit behind": (sent("<think>hm</think>", "max_tokens"), "cut_off",
                     AT_THE_LIMIT),
    "thought alone": (sent("", "stop", reasoning_content="hm"), "empty_answer", None),
    "again": (sent("Drink.\n<think>\nor not", "stop"), "cut_off", "the thought has no end"),
    "abort": (sent("Dri", "abort", reasoning="hm"), "cut_off", "abort"),
    "call": (sent(None, "tool_calls", tool_calls=[CALL]), "tool_call", "find"),
    "call beside": (sent("I look.", "tool_calls", tool_calls=[CALL]), "tool_call", "find"),
    "old call": (sent(None, "function_call", function_call=CALL["function"]), "tool_call", "find"),
    "call in a channel": (sent("<|channel|>commentary to=functions.find <|constrain|>json"
                               '<|message|>{"q": "x"}<|call|>'), "tool_call", "find"),
    "bad call": (sent(None, tool_calls=[{"function": {"name": "f", "arguments": "{"}}]),
                 "bad_tool_call", None),
    "no object": (sent("", tool_calls=[{"function": {"name": "f", "arguments": "[1]"}}]),
                  "bad_tool_call", None),
}  # fmt: skip


def test_every_form_of_a_thought_is_parted_kept_and_told(tmp_path: Path) -> None:
    answers = {
        **FORMS,
        **{name: sent(text) for name, text in PLAIN.items()},
        **{name: each[0] for name, each in LOST.items()},
    }
    with odd_server(lambda said, before: answers[said]) as server:
        whole = project(tmp_path, server.url, list(answers))
        outcome = whole.run()
        rows, rejects = made(whole), lost(whole)
        for name in FORMS:
            assert rows[name] == {"instruction": name, "output": "Drink.", "reasoning": THOUGHT}
        for name, text in PLAIN.items():
            assert rows[name] == {"instruction": name, "output": text}
        assert rejects == {name: each[1:] for name, each in LOST.items()}
        thoughts = [
            name for name, each in LOST.items() if "call" not in name and name != "no object"
        ]
        assert outcome["usage"]["thoughts"] == len(FORMS) + len(thoughts)
        assert outcome["usage"]["thoughts_cut"] == 5
        _is_kept_and_shown(whole)
        whole.run()
        assert server.asked.total() == len(answers)


def _is_kept_and_shown(whole: Whole) -> None:
    with closing(sqlite3.connect(whole.folder / ".sftrecipe" / "ledger.sqlite")) as ledger:
        kept = ledger.execute("SELECT reply, reasoning, tool_calls FROM calls").fetchall()
    assert sum(reasoning == THOUGHT for _, reasoning, _ in kept) == len(FORMS)
    assert [CALLED] in [orjson.loads(calls) for *_, calls in kept if calls]
    explained = whole.told("explain", "reasoning_content")
    assert "~ Then decide." in explained
    assert "< Drink." in explained
    page = (whole.out / "report.html").read_text()
    assert "replies with a thought" in page


NOTES = {
    "audio": sent("so", audio={"id": "a"}),
    "annotations": sent("so", annotations=[{"type": "url_citation"}]),
    "refusal": sent("so", refusal="not all of it"),
    "reasoning_details (encrypted)": sent("so", reasoning_details=[
        {"type": "reasoning.encrypted", "data": "xyz"}]),
    "reasoning (int)": sent("so", reasoning=5),
    "content (image_url)": sent([{"type": "text", "text": "so"}, {"type": "image_url"}]),
    "content (redacted_thinking) (encrypted)": sent([
        {"type": "redacted_thinking", "data": "x"}, {"type": "text", "text": "so"}]),
}  # fmt: skip


def test_what_a_reply_holds_beside_is_told(tmp_path: Path) -> None:
    harmless = {"audio": None, "annotations": [], "refusal": None, "function_call": None}
    answers = {**NOTES, "harmless": sent("so", tool_calls=[], reasoning=None, **harmless)}
    with odd_server(lambda said, before: answers[said]) as server:
        whole = project(tmp_path, server.url, list(answers))
        process = whole.start()
        _, error = process.communicate(timeout=60)
    assert process.returncode == 0, error
    for name in NOTES:
        assert f"it holds what is not kept: {name}" in error
    assert error.count("not kept") == len(NOTES)
    assert all(row["output"] == "so" for row in made(whole).values())


def test_replies_that_an_earlier_version_kept_are_parted_when_read(tmp_path: Path) -> None:
    names = ["reasoning_content", "tag", "anthropic"]
    answers = {**{name: FORMS[name] for name in names}, "call": LOST["call"][0]}
    with odd_server(lambda said, before: answers[said]) as server:
        whole = project(tmp_path, server.url, list(answers))
        whole.run()
        before = made(whole), lost(whole)
        path = tmp_path / ".sftrecipe" / "ledger.sqlite"
        with closing(sqlite3.connect(path)) as ledger, ledger:
            for key, raw in ledger.execute("SELECT key, raw FROM calls").fetchall():
                message = orjson.loads(raw)["choices"][0]["message"]
                text = message["content"] or json.dumps(message.get("tool_calls"))
                text = text if isinstance(text, str) else "Drink."
                ledger.execute("UPDATE calls SET reply = ? WHERE key = ?", (text, key))
            ledger.execute("ALTER TABLE calls DROP COLUMN reasoning")
            ledger.execute("ALTER TABLE calls DROP COLUMN tool_calls")
            ledger.execute("DROP TABLE whole_replies")
            ledger.execute("PRAGMA user_version = 3")
        shutil.rmtree(tmp_path / ".sftrecipe" / "steps")
        assert whole.run()["usage"]["asked"] == 0
    assert (made(whole), lost(whole)) == before


TOOL = {"name": "find", "description": "Find", "parameters": {"type": "object"}}


def test_tools_are_sent_and_their_calls_come_back(tmp_path: Path) -> None:
    history = [
        {"role": "user", "content": "And x?"},
        {"role": "assistant", "content": "", "reasoning": "earlier", "train": False,
         "tool_calls": [CALLED, {"name": "find", "arguments": {"q": 1}}]},
        {"role": "tool", "content": "nothing", "tool_call_id": "c1"},
        {"role": "tool", "content": "one"},
    ]  # fmt: skip
    rows = [
        {"instruction": "Where is x?", "tools": json.dumps([TOOL])},
        {"messages": history, "tools": json.dumps([{"type": "function", "function": TOOL}])},
    ]
    answers = {
        "Where is x?": sent("I look.", "tool_calls", tool_calls=[CALL], reasoning="hm"),
        "one": sent("There.\n<tool_call>\n{\"name\": \"find\", \"arguments\": {}}\n</tool_call>"),
    }  # fmt: skip
    with odd_server(lambda said, before: answers[said]) as server:
        whole = project(tmp_path, server.url, rows)
        whole.run()
    lines = [json.loads(line) for line in (whole.out / "whole.jsonl").read_text().splitlines()]
    first, second = lines
    assert first["messages"] == [
        {"role": "user", "content": "Where is x?"},
        {"role": "assistant", "content": "I look.", "tool_calls": [CALLED], "reasoning": "hm"},
    ]
    assert "instruction" not in first
    assert second["messages"][-1]["tool_calls"] == [{"name": "find", "arguments": {}}]
    bodies = {len(body["messages"]): body for body in server.bodies}
    assert [body["tools"] for body in bodies.values()] == 2 * [
        [{"type": "function", "function": TOOL}]
    ]
    _, asked, *results = bodies[4]["messages"]
    assert asked.keys() == {"role", "content", "tool_calls"}
    assert [each["id"] for each in asked["tool_calls"]] == ["c1", "call00002"]
    assert asked["tool_calls"][1]["function"] == {"name": "find", "arguments": '{"q":1}'}
    assert [each["tool_call_id"] for each in results] == ["c1", "call00002"]


CHAIN = """\
  - {{id: planned, use: text_generation, from: s, provider: p,
      with: {{prompt: "Plan {{{{ instruction }}}}", column: plan}}}}
  - {{id: told, use: text_generation, from: planned, provider: p,
      with: {{prompt: "Tell {{{{ reasoning }}}} {{{{ plan }}}}"{option}}}}}
  - {{id: noted, use: text_generation, from: told, provider: p,
      with: {{prompt: "Note {{{{ output }}}}", column: note}}}}
"""


@pytest.mark.parametrize(("option", "kept"), [("", True), (", reasoning: drop", False)])
def test_the_thought_is_a_column_for_whoever_wants_it(
    tmp_path: Path, option: str, kept: bool
) -> None:
    def answer(said: str, before: int) -> Sent:
        return sent(f"a[{said}]", reasoning_content=f"t[{said[:4]}]")

    with odd_server(answer) as server:
        whole = project(tmp_path, server.url, ["it"], CHAIN.format(option=option))
        assert whole.command("validate", "recipe.yaml").returncode == 0
        whole.run()
    (row,) = made(whole).values()
    told = "a[Tell t[Plan] a[Plan it]]"
    thought = {"reasoning": "t[Tell]"} if kept else {}
    assert row == {
        "instruction": "it", "plan": "a[Plan it]", "output": told, **thought,
        "note": f"a[Note {told}]", "note_reasoning": "t[Note]",
    }  # fmt: skip


SOMETIMES = """\
  - {{id: g, use: respond, from: s, provider: p}}
  - {{id: noted, use: text_generation, from: g, provider: p,
      with: {{prompt: "Note [{{{{ reasoning }}}}] {{{{ output }}}}", column: note}}}}
"""


def test_a_model_that_thinks_at_times_loses_no_row(tmp_path: Path) -> None:
    def answer(said: str, before: int) -> Sent:
        return sent(f"a[{said}]", reasoning="hm" if said == "hard" else None)

    with odd_server(answer) as server:
        whole = project(tmp_path, server.url, ["hard", "easy"], SOMETIMES.format())
        whole.run()
    notes = {name: row["note"] for name, row in made(whole).items()}
    assert notes == {"hard": "a[Note [hm] a[hard]]", "easy": "a[Note [] a[easy]]"}
    turns = [{"role": "assistant", "content": "so", "reasoning": "hm"}]
    assert compiled("[{{ reasoning }}]").render({"messages": turns}) == "[hm]"
    assert compiled("{{ reasoning is defined }}").render({"messages": []}) == "False"
    shown = compiled("{% for each in examples %}[{{ each.reasoning }}]{% endfor %}")
    assert shown.render({"examples": [{"reasoning": "hm"}, {"output": "so"}]}) == "[hm][]"


CLASSIFY = "  - {id: g, use: self_instruct_classify, from: s, provider: p}"


def test_a_verdict_that_never_came_is_no_verdict(tmp_path: Path) -> None:
    def answer(said: str, before: int) -> Sent:
        thinks = "Task: hard\n" in said
        return sent(None, "length", reasoning="hm") if thinks else sent("Yes", "length")

    with odd_server(answer) as server:
        whole = project(tmp_path, server.url, ["hard", "easy"], CLASSIFY)
        whole.run()
    assert made(whole) == {"easy": {"instruction": "easy", "is_classification": True}}
    assert lost(whole) == {"hard": ("cut_off", AT_THE_LIMIT)}


BETTER = "  - {{id: g, use: evol_quality, from: s, provider: p, with: {{keep: all}}}}"


def test_the_first_answer_keeps_its_own_thought(tmp_path: Path) -> None:
    with odd_server(lambda said, before: sent("Drink water.", reasoning="hm")) as server:
        row = {"instruction": "Why?", "output": "Drink.", "reasoning": THOUGHT}
        whole = project(tmp_path, server.url, [row], BETTER.format())
        whole.run()
    lines = (whole.out / "whole.jsonl").read_text().splitlines()
    told = {row["output"]: row.get("reasoning") for row in map(json.loads, lines)}
    assert told == {"Drink.": THOUGHT, "Drink water.": None}


CHANNELS = "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>"
RAW = [
    ("Q:", f"{CHANNELS}Drink.", ("hm", "Drink.")),
    ("Q: [THINK]", "hm[/THINK]Drink.", ("hm", "Drink.")),
    ("Q: <|channel|>analysis<|message|>", CHANNELS.partition("<|message|>")[2] + "Drink.",
     ("hm", "Drink.")),
    ("Q:", "It says </think> at its end.", ("", "It says </think> at its end.")),
]  # fmt: skip


@pytest.mark.parametrize(("prompt", "text", "parts"), RAW)
def test_a_raw_completion_that_begins_with_a_thought(
    prompt: str, text: str, parts: tuple[str, str]
) -> None:
    found = in_parts(Answer(text, "stop"), "complete", prompt)
    assert (found.reasoning, found.text) == parts


UNREAD = ["<tool_call>\n{'name': f}\n</tool_call>", "<tool_call>\n<function=f>\n</function>\n",
          '[TOOL_CALLS][{"name": "f"}]', '<｜DSML｜invoke name="f">',
          "<minimax:tool_call>"]  # fmt: skip


@pytest.mark.parametrize("text", UNREAD)
def test_a_written_call_that_cannot_be_read_is_no_answer(text: str) -> None:
    assert in_parts(Answer(text, "stop"), "chat", tools=True).finish_reason == BAD_TOOL_CALL
    assert in_parts(Answer(text, "stop"), "chat") == Answer(text, "stop")


def test_a_call_that_is_written_alone_is_one() -> None:
    text = '{"name": "f", "parameters": {"a": 1}}'
    found = in_parts(Answer(text, "stop"), "chat", tools=True)
    assert (found.text, found.tool_calls) == ("", ({"name": "f", "arguments": {"a": 1}},))
    for other in ('{"name": "f"}', '{"name": "f", "parameters": {}, "age": 3}'):
        assert in_parts(Answer(other, "stop"), "chat", tools=True).text == other
    assert in_parts(Answer(text, "stop"), "chat").text == text


TALK = """\
  - {{id: talk, use: dialogue, from: s, provider: p, with: {{turns: 2{option}}}}}
"""


@pytest.mark.parametrize(("option", "kept"), [("", False), (", reasoning: keep", True)])
def test_a_conversation_keeps_thoughts_on_request(tmp_path: Path, option: str, kept: bool) -> None:
    def answer(said: str, before: int) -> Sent:
        return sent(f"<think>\nhm\n</think>\n\nas {len(said)} {before}")

    with odd_server(answer) as server:
        whole = project(tmp_path, server.url, ["Why?"], TALK.format(option=option))
        whole.run()
    (row,) = made(whole).values()
    assert len(row["messages"]) == 4
    for turn in row["messages"]:
        assert ("reasoning" in turn) == (kept and turn["role"] == "assistant")
        assert "think" not in turn["content"]
    assert not any("hm" in json.dumps(body) for body in server.bodies)


SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}


async def test_json_is_read_from_the_answer_alone(tmp_path: Path) -> None:
    with odd_server(lambda said, before: sent(f'<think>{{"a": 1}}?</think>{said}')) as server:
        async with session(server.url, tmp_path) as opened:
            model = opened.model("teacher", "ask")
            assert (await say(model, 'Here: {"a": 2}', schema=SCHEMA)).text == '{"a": 2}'
            with pytest.raises(CallFailed, match="does not follow the schema"):
                await say(model, "none", schema=SCHEMA)


async def test_who_takes_no_tools_is_not_asked_with_them(tmp_path: Path) -> None:
    block = Block("providers", "p", "embedded", Embedded())
    called = {"role": "assistant", "content": "", "tool_calls": [CALLED]}
    async with open_session({"p": block}, tmp_path / "ledger.sqlite", run="r") as opened:
        model = opened.model("p", "ask")
        for turns, tools in (([], [TOOL]), ([called], [])):
            with pytest.raises(CallFailed, match="takes no tools") as failed:
                await model.chat([{"role": "user", "content": "x"}, *turns], tools=tools)
            assert failed.value.reason == "no_tools"
