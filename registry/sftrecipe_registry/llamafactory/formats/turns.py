"""Turns as LLaMA-Factory reads them: a thought before an answer, calls and results as text.

Follows llamafactory/data/formatter.py of 0.9.5: a call is JSON, a thought before it is taken off,
and text beside it stands before `<tool_call>`. What has no such form is refused by its name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sftrecipe.plugin import ROLES, ToolCall, split_thought
from sftrecipe.plugin import Turn as ChatTurn

THOUGHT_WORDS = ("<think>\n", "\n</think>\n\n")
"""What stands around a thought in most reasoning templates (`thought_words`)."""
_ROLES = {"tool": "observation"}
"""The engine's roles → LLaMA-Factory's, where they differ; an assistant's call is one more."""
CALL = "function_call"
ANSWERS = ("assistant", CALL)
_CALL_WORDS = ("<tool_call>", "</tool_call>")
BETWEEN_RESULTS = "\n</tool_response>\n<tool_response>\n"
"""What LLaMA-Factory's own `openai` converter puts between the results of several calls."""
_PARTS = frozenset(ChatTurn.__annotations__)
_CALL_PARTS = frozenset(ToolCall.__annotations__)
_PARTS_OF = {"reasoning": "assistant", "tool_calls": "assistant", "tool_call_id": "tool"}
"""Parts that only one role has."""
_BEGINS = frozenset("<[◁\ufeff")
"""The first characters of a thought's marks."""
_NOTHING: tuple[Any, ...] = (None, "", [], {}, ())
_WORDS = (
    ("<think>", "</think>"),
    ("<seed:think>", "</seed:think>"),
    ("◁think▷", "◁/think▷"),
    ("<|channel>thought\n", "<channel|>"),
    ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
)
"""What its templates write around a thought, without spaces."""
_THOUGHT = re.compile("|".join(".*?".join(map(re.escape, each)) for each in _WORDS), re.DOTALL)


class Unusable(Exception):
    """A record that is no such conversation."""

    def __init__(self, reason: str, value: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.value = value


class Turn(NamedTuple):
    """One turn; its role is one of user, assistant, function_call and observation."""

    role: str
    said: str
    """Without thought and calls."""
    thought: str = ""
    calls: str = ""
    """JSON text: one call, or a list."""
    learned: bool = True
    """Of an answer."""

    @property
    def aloud(self) -> str:
        """The turn as one text, without its thought."""
        if not self.calls:
            return self.said
        # The formatter looks for marks of thoughts and calls in arguments too: in JSON, this is
        # the same character.
        calls = self.calls.replace("<", "\\u003c").replace("◁", "\\u25c1")
        # It takes these words off again, and reads no text before a bare call.
        return f"{self.said}\n{calls.join(_CALL_WORDS)}" if self.said else calls

    def content(self, words: tuple[str, str] = THOUGHT_WORDS) -> str:
        """The turn as one text."""
        text = self.aloud
        return f"{words[0]}{self.thought}{words[1]}{text}" if self.thought else text


def answer(text: str, reasoning: str = "", *, learned: bool = True) -> Turn:
    """An assistant's turn; a thought that its text begins with is one, too. Raises Unusable."""
    if not reasoning and (text[:1].isspace() or text[:1] in _BEGINS):
        found = split_thought(text)
        if found.is_open:
            raise Unusable("open_thought")
        reasoning, text = found.reasoning, found.answer
    return Turn("assistant", text, reasoning, learned=learned)


def read_turns(messages: Sequence[Any]) -> list[Turn]:
    """The turns; the results of several calls are one. Raises Unusable."""
    turns: list[Turn] = []
    calls: Sequence[Mapping[str, Any]] = ()
    results: list[Mapping[str, Any]] = []
    for number, message in enumerate(messages, 1):
        turn = read_turn(message, f"message {number}")
        if turn.role == "observation":
            results.append(message)
            if len(results) > 1:
                turn = turn._replace(said=turns.pop().said + BETWEEN_RESULTS + turn.said)
        else:
            _check_results(calls, results)
            calls, results = message.get("tool_calls") or (), []
        turns.append(turn)
    _check_results(calls, results)
    return turns


def read_turn(message: Any, where: str) -> Turn:
    """One turn, with nothing left out. Raises Unusable."""
    if not isinstance(message, Mapping):
        raise Unusable("bad_messages", f"{where} has no role and content")
    role, content = message.get("role"), message.get("content")
    if not isinstance(role, str) or not isinstance(content, str):
        missing = "role" if not isinstance(role, str) else "content"
        raise Unusable("bad_messages", f"{where}: {missing} is no text")
    if len(message) == 2:
        return answer(content) if role == "assistant" else Turn(_ROLES.get(role, role), content)
    for part in _unread(message, role):
        raise Unusable("unread_part", f"{where}: {part}")
    if role != "assistant":
        return Turn(_ROLES.get(role, role), content)
    reasoning = message.get("reasoning") or ""
    if not isinstance(reasoning, str):
        raise Unusable("not_text", f"{where}: reasoning")
    turn = answer(content, reasoning, learned=message.get("train") is not False)
    if not message.get("tool_calls"):
        return turn
    if any(word in text for word in _CALL_WORDS for text in (turn.said, turn.thought)):
        raise Unusable("bad_tool_call", f"{where}: {_CALL_WORDS[0]} in the text beside a call")
    return turn._replace(role=CALL, calls=_calls(message["tool_calls"], where))


def _unread(message: Mapping[str, Any], role: str) -> Iterator[str]:
    """Parts that have no place in what is written."""
    for part, value in message.items():
        if value in _NOTHING:
            continue
        is_foreign = _PARTS_OF.get(part, role) != role and role in ROLES
        if part not in _PARTS or is_foreign:
            yield str(part)
    train = message.get("train")
    if not isinstance(train, bool | None) or (train and role != "assistant"):
        yield "train"


def _calls(calls: Any, where: str) -> str:
    """Calls as the formatter reads them: arguments as objects."""
    if not isinstance(calls, list | tuple):
        raise Unusable("bad_tool_call", f"{where}: tool_calls is no list")
    written = [_call(call, where) for call in calls]
    return json.dumps(written[0] if len(written) == 1 else written, ensure_ascii=False)


def _call(call: Any, where: str) -> dict[str, Any]:
    if not isinstance(call, Mapping) or not isinstance(call.get("name"), str) or not call["name"]:
        raise Unusable("bad_tool_call", f"{where}: a call has no name")
    if not isinstance(call.get("arguments"), Mapping):
        raise Unusable("bad_tool_call", f"{where}: arguments of '{call['name']}' are no object")
    for part, value in call.items():
        if part not in _CALL_PARTS and value not in _NOTHING:
            raise Unusable("unread_part", f"{where}: tool_calls.{part}")
    return {"name": call["name"], "arguments": call["arguments"]}


def _check_results(
    calls: Sequence[Mapping[str, Any]], results: Sequence[Mapping[str, Any]]
) -> None:
    """LLaMA-Factory writes no ids: the results must stand in the order of the calls.

    Raises Unusable.
    """
    given = [result.get("tool_call_id") for result in results]
    if calls and len(results) > 1 and len(results) != len(calls):
        raise Unusable("tool_results", f"{len(results)} results of {len(calls)} calls")
    if not any(given):
        return
    if len(results) != len(calls):
        raise Unusable("tool_results", f"'{next(filter(None, given))}' alone answers no call")
    for call, result in zip(calls, given, strict=True):
        if result and call.get("id") and call["id"] != result:
            raise Unusable("tool_results", f"'{result}' stands where '{call['id']}' is answered")


def check_call(content: str) -> None:
    """LLaMA-Factory stops at a call that is not JSON; thinking may stand before it.

    Raises Unusable.
    """
    try:
        calls = json.loads(_THOUGHT.sub("", content, count=1))
    except (ValueError, RecursionError) as error:
        raise Unusable("bad_tool_call", f"not JSON: {error}") from error
    for call in calls if isinstance(calls, list) else [calls]:
        named = isinstance(call, dict) and isinstance(call.get("name"), str)
        if not named or "arguments" not in call:
            raise Unusable("bad_tool_call", "no name and arguments")
    if calls == []:
        raise Unusable("bad_tool_call", "no call")
