"""Any message of a model, and any text with a thought: kept whole, or told by its name."""

from __future__ import annotations

from itertools import count
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sftrecipe.calls.replies.reply_parts import in_parts, kept_in_parts
from sftrecipe.plugin import Answer, ending_of, message_parts
from sftrecipe.thoughts import join_thought, split_reply, split_thought
from sftrecipe_registry.shared.http.protocol_turns import openai_turns
from sftrecipe_registry.shared.http.replies import chat_answer

from ...registry.providers.test_odd_replies import EXAMPLES

_LETTERS = st.text(st.characters(categories=("L", "N", "P", "Zs"), exclude_characters="<[◁`"))
_BLANK = st.sampled_from(["", "\n", "\n\n", " "])


class _Words:
    """Texts that occur once each."""

    def __init__(self) -> None:
        self._numbers = count()

    def word(self) -> str:
        return f"word{next(self._numbers)}x"


def _thought(words: _Words, shape: int) -> Any:
    word = words.word
    return (
        word(), [word(), word()], {"text": word()}, {"content": word()}, {"thinking": word()},
        [{"type": "reasoning.text", "text": word()}, {"type": "reasoning.summary",
                                                      "summary": word()}],
        {"summary": [{"type": "summary_text", "text": word()}]},
        [{"type": "thinking", "thinking": [{"type": "text", "text": word()},
                                           {"type": "text", "text": word()}]}],
    )[shape]  # fmt: skip


def _part(words: _Words, shape: int) -> Any:
    word = words.word
    return (
        word(), {"type": "text", "text": word()}, {"text": word()},
        {"type": "output_text", "text": word()}, {"type": "thinking", "thinking": word()},
        {"type": "reasoning", "summary": [{"text": word()}]}, {"type": "refusal", "x": word()},
        {"type": "tool_use", "name": word(), "input": {"a": word()}, "id": "i"},
        {"type": word(), "b": 1},
    )[shape]  # fmt: skip


def _call(words: _Words, shape: int) -> Any:
    given = {"a": words.word(), "b": [1, None, words.word()]}
    text = orjson.dumps(given).decode()
    return (
        {"function": {"name": words.word(), "arguments": text}, "id": "i", "type": "function"},
        {"function": {"name": words.word(), "arguments": given}},
        {"name": words.word(), "arguments": text},
        {"function": {"name": words.word(), "arguments": orjson.dumps(text).decode()}},
        {"function": {"name": words.word(), "arguments": "{"}},
        {"function": {"arguments": "{}", "other": words.word()}},
        {"type": "custom", "custom": {"input": words.word()}},
    )[shape]  # fmt: skip


@st.composite
def messages(draw: st.DrawFn) -> dict[str, Any]:
    """A message of a grammar of parts."""
    words = _Words()
    message: dict[str, Any] = {"role": "assistant", "content": draw(st.sampled_from([None, ""]))}
    parts = draw(st.lists(st.integers(0, 8), max_size=4))
    if parts:
        message["content"] = [_part(words, shape) for shape in parts]
    names = ("reasoning_content", "reasoning", "reasoning_details", "thinking", "thinking_blocks")
    for name in draw(st.sets(st.sampled_from(names), max_size=2)):
        message[name] = _thought(words, draw(st.integers(0, 7)))
    if calls := draw(st.lists(st.integers(0, 6), max_size=3)):
        message["tool_calls"] = [_call(words, shape) for shape in calls]
    elif draw(st.booleans()):
        message["function_call"] = _call(words, 2)["arguments"] and _call(words, 2)
    for name in draw(st.sets(st.sampled_from(["audio", "images", "extra"]))):
        message[name] = words.word()
    return message


def _leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [leaf for each in value.values() for leaf in _leaves(each)]
    if isinstance(value, list):
        return [leaf for each in value for leaf in _leaves(each)]
    return [value] if isinstance(value, str) and value.startswith("word") else []


@settings(max_examples=EXAMPLES, deadline=None)
@given(messages())
def test_every_text_of_a_message_is_kept_or_its_part_is_named(message: dict[str, Any]) -> None:
    parts = message_parts(message)
    kept = "\n".join(
        (parts.text, parts.reasoning, orjson.dumps(parts.tool_calls).decode(), *parts.bad_calls)
    )
    for name, value in message.items():
        told = any(each.startswith(name) for each in parts.left_out)
        assert told or all(leaf in kept for leaf in _leaves(value))
    sent = openai_turns([{"role": "assistant", "content": "", "tool_calls": parts.tool_calls}])
    if parts.tool_calls:
        again = message_parts(sent[0])
        assert [call["arguments"] for call in again.tool_calls] == [
            call["arguments"] for call in parts.tool_calls
        ]
    reply = {"choices": [{"message": message, "finish_reason": "stop"}]}
    answer = chat_answer(reply, orjson.dumps(reply).decode())
    assert bool(parts.bad_calls) == (answer.finish_reason == "bad_tool_call")
    whole = in_parts(answer, "chat")
    if not parts.bad_calls and parts.text:
        assert kept_in_parts(Answer(answer.text), "chat", answer.raw)[:2] == whole[:2]


_OPEN = (
    ("<think>", "</think>"), ("<THINK>", "</think>"), ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"), ("<reasoning>", "</reasoning>"), ("[THINK]", "[/THINK]"),
    ("<seed:think>", "</seed:think>"), ("◁think▷", "◁/think▷"),
    ("<|START_THINKING|>", "<|END_THINKING|>"), ("", "</think>"), ("", "</reasoning>"),
    ("<|channel|>analysis<|message|>",
     "<|end|><|start|>assistant<|channel|>final<|message|>"),
)  # fmt: skip


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.sampled_from(_OPEN), _LETTERS, _LETTERS, _BLANK, _BLANK, st.booleans())
def test_a_thought_in_a_text_and_its_answer_come_apart(
    marks: tuple[str, str], thought: str, answer: str, lead: str, blank: str, ended: bool
) -> None:
    opened, closed = marks
    if not opened and not thought.strip():
        lead = thought = ""
    text = f"{lead}{opened}{blank}{thought}{blank}"
    quoted = {text[-1:] + (blank or answer)[:1]} & {'""', "''", "“”", "‘’", "()", "「」", "《》"}
    if quoted and not opened:
        return
    if ended:
        found = split_reply(f"{text}{closed}{blank}{answer}")
        assert found[::2] == (thought.strip(), False)
        assert found.answer.strip() == answer.strip()
    elif opened:
        assert split_reply(text) == (thought.strip(), "", True)
        for finish in ("stop", "length"):
            reply = in_parts(Answer(text, finish), "chat")
            assert ending_of(reply.finish_reason) == "cut_off"
            assert (reply.text, reply.reasoning) == ("", thought.strip())


@pytest.mark.parametrize(("text", "thought", "answer"), [
    ("<think>t</think></think>a", "t", "a"),
    ("<think>\nno </think> yet.\n</think>\n\na", "no </think> yet.", "a"),
    ("<think>\nt</think>a\n\nb", "t", "a\n\nb"),
    ("<think>t `</think>` t\n</think>a", "t `</think>` t", "a"),
    ("Of `</think>`: yes.\n</think>\n\na", "Of `</think>`: yes.", "a"),
    ("Of </think> in it.\n</think>\n\na", "Of </think> in it.", "a"),
    ("Use `<think>` and `</think>`.", "", "Use `<think>` and `</think>`."),
    ("＜think＞t＜/think＞a", "t", "a"),
    ("<思考过程>t</思考过程>\n<回答>a</回答>", "t", "a"),
    ("【思考】t【/思考】\na", "t", "a"),
    ("【思考】t\n【回答】a", "", "【思考】t\n【回答】a"),
    ("Well. <think>t</think> a", "t", "Well.\n\na"),
    ("好的。<think>t</think>a", "t", "好的。\n\na"),
    ("Write <think> and </think>.", "", "Write <think> and </think>."),
    ('{"a": "Well. <think>t</think> b"}', "", '{"a": "Well. <think>t</think> b"}'),
    ("Begin it so. <think> is the mark.", "", "Begin it so. <think> is the mark."),
])  # fmt: skip
def test_marks_that_are_written_oddly(text: str, thought: str, answer: str) -> None:
    assert split_reply(text) == (thought, answer, False)


@settings(max_examples=EXAMPLES, deadline=None)
@given(_LETTERS.filter(str.strip), _LETTERS.filter(str.strip))
def test_what_is_joined_comes_apart(thought: str, answer: str) -> None:
    found = split_thought(join_thought(thought.strip(), answer.strip()))
    assert found == (thought.strip(), answer.strip(), False)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.text() | st.lists(st.sampled_from([*sum(_OPEN, ()), "a", "\n", "`"])).map("".join))
def test_any_text_is_parted_once(text: str) -> None:
    for apart in (False, True):
        found = split_reply(text, told_apart=apart)
        assert len(found.answer) <= len(text)
    reply = in_parts(Answer(text), "complete")
    assert all(part in text for part in reply.text.split("\n\n"))
    assert in_parts(Answer(text), "complete", "Think: <think>\n").text in text or "<" in text


def test_a_raw_completion_is_parted_where_it_begins_with_a_thought() -> None:
    assert in_parts(Answer("a</think>b"), "complete").text == "a</think>b"
    assert in_parts(Answer("<think>a</think>b"), "complete")[0] == "b"
    assert in_parts(Answer("a</think>b"), "complete", "Q\n<think>\n").text == "b"
    assert in_parts(Answer("so\n<think>\nx"), "complete").text == "so\n<think>\nx"


def test_parts_of_content_that_are_thoughts() -> None:
    for part in (
        {"type": "think", "think": "t"},
        {"type": "thought", "text": "t"},
        {"reasoningContent": {"reasoningText": {"text": "t", "signature": "x"}}},
    ):
        found = message_parts({"content": [part, {"type": "text", "text": "a"}]})
        assert (found.reasoning, found.text, found.left_out) == ("t", "a", ())
