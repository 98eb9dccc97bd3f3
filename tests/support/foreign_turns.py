"""Conversations, and the forms in which data sets write them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hypothesis import strategies as st

Row = dict[str, Any]
WORDS = {
    "system": ("system", "developer"),
    "user": ("user", "human", "User"),
    "assistant": ("assistant", "gpt", "model", "chatgpt"),
    "tool": ("tool", "function", "observation"),
}
TEXTS = st.text("ab 你好<>{}\"'\n", min_size=1, max_size=12).map(lambda text: f"x{text}y")
"""Texts that begin with no thought."""
ARGUMENTS = st.dictionaries(
    st.sampled_from(["city", "城市", "n"]),
    st.one_of(TEXTS, st.integers(-9, 9), st.lists(TEXTS, max_size=2), st.none(), st.booleans()),
    max_size=3,
)
HARMLESS: tuple[Row, ...] = (
    {"refusal": None},
    {"annotations": []},
    {"audio": None, "function_call": None},
    {"id": "m1"},
    {"metadata": {}},
    {"weight": 1},
)


@st.composite
def conversations(draw: st.DrawFn) -> list[Row]:
    """Canonical turns: questions and answers, some with thoughts, calls and their results."""
    turns: list[Row] = []
    if draw(st.booleans()):
        turns.append({"role": "system", "content": draw(TEXTS)})
    for number in range(draw(st.integers(1, 3))):
        turns.append({"role": "user", "content": draw(TEXTS)})
        if draw(st.integers(0, 2)) == 0:
            turns += draw(_called(number))
        turns.append(draw(_answers()))
    return turns


@st.composite
def _answers(draw: st.DrawFn) -> Row:
    turn: Row = {"role": "assistant", "content": draw(TEXTS)}
    if draw(st.booleans()):
        turn["reasoning"] = draw(TEXTS)
    if draw(st.integers(0, 3)) == 0:
        turn["train"] = False
    return turn


@st.composite
def _called(draw: st.DrawFn, number: int) -> list[Row]:
    calls = [
        {"name": draw(st.sampled_from(["f", "天气"])), "arguments": draw(ARGUMENTS)}
        for _ in range(draw(st.integers(1, 2)))
    ]
    calls = [{**call, "id": f"c{number}{at}"} for at, call in enumerate(calls)]
    turn = {**draw(_answers()), "content": draw(st.sampled_from(["", "Let me look."]))}
    results = [
        {"role": "tool", "content": draw(TEXTS), "tool_call_id": call["id"]} for call in calls
    ]
    return [{**turn, "tool_calls": calls}, *results]


Form = Callable[[st.DrawFn, list[Row]], Row]


def openai(draw: st.DrawFn, turns: list[Row]) -> Row:
    """OpenAI's messages, with the names that servers have for thoughts."""
    thought = draw(st.sampled_from(["reasoning_content", "reasoning", "thinking", "tags", "part"]))
    masks = [{"weight": 0}, {"train": False}, {"loss": False}, {"loss_weight": 0.0}]
    mask = draw(st.sampled_from(masks))
    return {"messages": [_openai_turn(draw, turn, thought, mask) for turn in turns]}


def _openai_turn(draw: st.DrawFn, turn: Row, thought: str, mask: Row) -> Row:
    found: Row = {"role": draw(st.sampled_from(WORDS[turn["role"]]))}
    content: Any = turn["content"]
    parts = [{"type": "text", "text": content}] if content else []
    if "reasoning" in turn and thought == "part":
        parts.insert(0, {"type": "thinking", "thinking": turn["reasoning"], "signature": "s"})
    elif "reasoning" in turn and thought == "tags":
        content = f"<think>\n{turn['reasoning']}\n</think>\n\n{content}"
    elif "reasoning" in turn:
        found[thought] = turn["reasoning"]
    as_parts = thought == "part" or (thought != "tags" and draw(st.booleans()))
    found["content"] = parts if as_parts and turn["role"] != "tool" else (content or None)
    if "tool_calls" in turn:
        found["tool_calls"] = [_openai_call(draw, call) for call in turn["tool_calls"]]
    if "tool_call_id" in turn:
        found["tool_call_id"] = turn["tool_call_id"]
    return {**found, **_masked(turn, mask), **draw(st.sampled_from(_beside(turn)))}


def _openai_call(draw: st.DrawFn, call: Row) -> Row:
    as_text = draw(st.booleans())
    arguments = json.dumps(call["arguments"], ensure_ascii=draw(st.booleans()))
    function = {"name": call["name"], "arguments": arguments if as_text else call["arguments"]}
    return {"id": call["id"], "type": "function", "function": function}


def _masked(turn: Row, mask: Row) -> Row:
    return {} if turn.get("train", True) else mask


def _beside(turn: Row) -> list[Row]:
    return [{}, *(each for each in HARMLESS if "train" not in turn or "weight" not in each)]


def sharegpt(draw: st.DrawFn, turns: list[Row]) -> Row:
    """ShareGPT's conversations; calls stand as JSON in a turn of their own role."""
    words = {
        "system": "system",
        "user": draw(st.sampled_from(["human", "user"])),
        "assistant": draw(st.sampled_from(["gpt", "assistant", "bing"])),
        "tool": draw(st.sampled_from(["observation", "tool", "function"])),
    }
    found = []
    for turn in turns:
        thought = f"<think>{turn['reasoning']}</think>" if "reasoning" in turn else ""
        value, word = turn["content"], words[turn["role"]]
        if "tool_calls" in turn:
            calls = [dict(call) for call in turn["tool_calls"]]
            value, word = json.dumps(calls[0] if len(calls) == 1 else calls), "function_call"
        beside = {"tool_call_id": turn["tool_call_id"]} if "tool_call_id" in turn else {}
        found.append(
            {"from": word, "value": thought + value, **beside, **_masked(turn, {"loss": 0})}
        )
    return {"conversations": found}


def anthropic(draw: st.DrawFn, turns: list[Row]) -> Row:
    """Anthropic's messages: thoughts, calls and results as parts of contents."""
    row: Row = {"messages": []}
    for turn in turns:
        if turn["role"] == "system":
            row["system"] = draw(
                st.sampled_from([turn["content"], [{"type": "text", "text": turn["content"]}]])
            )
        elif turn["role"] == "tool":
            part = {
                "type": "tool_result",
                "tool_use_id": turn["tool_call_id"],
                "content": turn["content"],
                "is_error": False,
            }
            row["messages"].append({"role": "user", "content": [part]})
        else:
            row["messages"].append(_anthropic_turn(turn))
    return row


def _anthropic_turn(turn: Row) -> Row:
    parts: list[Row] = []
    if "reasoning" in turn:
        parts.append({"type": "thinking", "thinking": turn["reasoning"], "signature": "s"})
    if turn["content"]:
        parts.append({"type": "text", "text": turn["content"]})
    for call in turn.get("tool_calls", ()):
        found = {"name": call["name"], "input": call["arguments"], "id": call["id"]}
        parts.append({"type": "tool_use", **found})
    return {"role": turn["role"], "content": parts, **_masked(turn, {"train": False})}


def gemini(draw: st.DrawFn, turns: list[Row]) -> Row:
    """Gemini's contents."""
    row: Row = {"contents": []}
    for turn in turns:
        if turn["role"] == "system":
            name = draw(st.sampled_from(["systemInstruction", "system_instruction"]))
            row[name] = {"parts": [{"text": turn["content"]}]}
            continue
        parts: list[Row] = []
        if "reasoning" in turn:
            parts.append({"text": turn["reasoning"], "thought": True})
        if turn["content"] and turn["role"] != "tool":
            parts.append({"text": turn["content"]})
        for call in turn.get("tool_calls", ()):
            found = {"name": call["name"], "args": call["arguments"], "id": call["id"]}
            parts.append({"functionCall": found})
        if turn["role"] == "tool":
            result = {"id": turn["tool_call_id"], "name": "", "response": turn["content"]}
            parts.append({"functionResponse": result})
        role = {"assistant": "model", "tool": "user"}.get(turn["role"], turn["role"])
        row["contents"].append({"role": role, "parts": parts, **_masked(turn, {"train": 0})})
    return row


def trl(draw: st.DrawFn, turns: list[Row]) -> Row:
    """TRL's prompt and completion."""
    messages = openai(draw, turns)["messages"]
    at = draw(st.integers(1, len(messages) - 1))
    return {"prompt": messages[:at], "completion": messages[at:]}


def cell(draw: st.DrawFn, turns: list[Row]) -> Row:
    """A table's cell with the JSON of the messages."""
    return {"messages": json.dumps(openai(draw, turns)["messages"])}


FORMS: Mapping[str, Form] = {
    form.__name__: form for form in (openai, sharegpt, anthropic, gemini, trl, cell)
}


def as_form(name: str, turns: list[Row]) -> list[Row]:
    """What of the turns a form can say: ShareGPT has no text beside calls."""
    if name != "sharegpt":
        return turns
    return [{**turn, "content": ""} if "tool_calls" in turn else turn for turn in turns]


def leaves(value: Any) -> Iterator[str]:
    """Every text in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from leaves(each)
