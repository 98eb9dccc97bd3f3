"""The turns of a conversation, whatever form they have, as `record.Turn`s."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sftrecipe.record import ROLES, ToolCall, Turn
from sftrecipe.thoughts import split_reply, split_thought
from sftrecipe.turns.content import Content, read_content, result_text
from sftrecipe.turns.faults import UnreadTurn, check_rest, is_empty, kind_of, unread_part
from sftrecipe.turns.learned import TRAINED, read_training
from sftrecipe.turns.media import Medium
from sftrecipe.turns.roles import CALLS_ROLE, RoleOf, role_of
from sftrecipe.turns.tool_calls import called_beside, read_calls

_ROLES = ("role", "from")
_CONTENTS = ("content", "value", "parts", "text")
_THOUGHTS = ("reasoning", "reasoning_content", "thinking", "thought", "reasoning_details")
_CALLS = ("tool_calls", "function_call")
_CALL = {"role", "content", "tool_calls"}
_CALL_IDS = ("tool_call_id", "tool_use_id", "call_id")
_BOOKKEEPING = ("id", "index", "timestamp", "created_at", "create_time", "date")
"""Says when and where a turn was written, nothing of what was said."""
_READ = frozenset(
    (*_ROLES, *_CONTENTS, *_THOUGHTS, *_CALLS, *_CALL_IDS, *_BOOKKEEPING, *TRAINED)
) | {"name", "refusal"}
_THOUGHT_BEGINS = frozenset("<[◁ \t\r\n\u3000\ufeff")
"""What a text begins with that may begin with a thought."""
_BEGIN, _END = "<think>", "</think>"
_CHANNELS = ("<|channel|>", "<|start|>assistant<|channel|>")


class Said(NamedTuple):
    """A conversation."""

    turns: list[Turn]
    media: list[Medium]
    """What its places stand for, in their order."""


def are_plain(found: Any) -> bool:
    """Whether all turns are in the form of `record` as they are; quick."""
    if type(found) is not list or not found:
        return False
    for number, turn in enumerate(found):
        if type(turn) is not dict or len(turn) != 2:
            return False
        role, content = turn.get("role"), turn.get("content")
        if type(role) is not str or type(content) is not str or role not in ROLES:
            return False
        if number and role == "system":
            return False
        if role == "assistant" and content and may_think(content):
            return False
    return True


def read_turns(
    found: Sequence[Any],
    name: str = "message",
    *,
    roles: RoleOf = role_of,
    left_out: Collection[str] = (),
) -> Said:
    """The conversation. Raises UnreadTurn with the part that nobody reads.

    `left_out` are keys of turns that are passed over by the user's wish.
    """
    said, before = Said([], []), None
    for number, turn in enumerate(found, 1):
        where = f"{name} {number}" if len(found) > 1 or name == "message" else name
        reader = _TurnReader(turn, where, roles, left_out)
        read = reader.read()
        if before == reader.role == CALLS_ROLE and _is_call_alone(read[0]):
            said.turns[-1]["tool_calls"] += read[0]["tool_calls"]  # calls at once, a turn each
        else:
            said.turns.extend(read)
        said.media.extend(reader.content.media)
        before = reader.role if said.turns[-1].get("train", True) else None
    return said


def read_answer_text(text: str) -> tuple[str, str]:
    """What stands in an assistant's text: the thought before the answer, and the answer.

    Raises UnreadTurn for a thought that has no end.
    """
    if not text or not may_think(text):
        return "", text
    as_reply = text.startswith(_CHANNELS) or _is_ended_alone(text)
    found = split_reply(text) if as_reply else split_thought(text)
    if found.is_open:
        raise UnreadTurn("cut_off", "a thought that has no end")
    return found.reasoning, found.answer


def may_think(text: str) -> bool:
    """Whether a thought may stand in an assistant's text; quick."""
    return text[:1] in _THOUGHT_BEGINS or _END in text


def _is_ended_alone(text: str) -> bool:
    """Whether the one mark is an end, on a line of its own: the prompt held the beginning."""
    return (
        text.count(_END) == 1
        and _BEGIN not in text
        and any(line.strip() == _END for line in text.splitlines())
    )


def _is_call_alone(turn: Turn) -> bool:
    return turn.keys() == _CALL and not turn["content"]


def looks_like_turns(found: Any) -> bool:
    """Whether a value is a list of objects that have a role and something to say."""
    return (
        isinstance(found, list | tuple)
        and bool(found)
        and all(
            isinstance(turn, Mapping) and any(turn.get(key) is not None for key in _ROLES)
            for turn in found
        )
    )


def spoken_role(turn: Any) -> str | None:
    """Who speaks a turn that is not read yet; None where nobody is known to."""
    if not isinstance(turn, Mapping):
        return None
    word = next((word for key in _ROLES if (word := turn.get(key)) is not None), None)
    role = role_of(word) if isinstance(word, str) else None
    return "assistant" if role == CALLS_ROLE else role


class _TurnReader:
    """Reads one turn."""

    def __init__(self, turn: Any, where: str, roles: RoleOf, left_out: Collection[str]) -> None:
        if not isinstance(turn, Mapping):
            raise UnreadTurn(
                "bad_messages", f"{where} is {kind_of(turn)}, expected role and content"
            )
        if left_out:
            turn = {key: value for key, value in turn.items() if key not in left_out}
        self._turn = turn
        self._where = where
        self.role = self._read_role(roles)
        self.content = Content()

    def read(self) -> list[Turn]:
        """The turn; before it the results of tools, where they stood within it."""
        self._read_content()
        role = "assistant" if self.role == CALLS_ROLE else self.role
        thoughts, calls = self._thoughts(role), self._calls(role)
        self._check_said(calls, thoughts)
        check_rest(self._turn, _READ, self._where)
        turn: Turn = {"role": role, "content": self.content.text}
        if thoughts:
            turn["reasoning"] = "\n\n".join(thoughts)
        if calls:
            turn["tool_calls"] = calls
        self._name(turn, role)
        if not read_training(self._turn, role, self._where):
            turn["train"] = False
        results = self.content.results
        if results and not turn["content"] and not turn.keys() - {"role", "content"}:
            return results
        return [*results, turn]

    def _read_role(self, roles: RoleOf) -> str:
        word = self._one_of(_ROLES)
        if word is None:
            raise UnreadTurn("bad_messages", f"{self._where} has no role")
        role = roles(word) if isinstance(word, str) else None
        if role is None:
            shown = f"'{word}'" if isinstance(word, str) else kind_of(word)
            raise UnreadTurn("bad_role", f"{self._where}: role {shown} is not known")
        return role

    def _one_of(self, keys: Iterable[str]) -> Any:
        """The value of the one of these keys that says something; several may say the same."""
        given = [(key, self._turn[key]) for key in keys if not is_empty(self._turn.get(key))]
        for key, value in given[1:]:
            if value != given[0][1]:
                raise unread_part(self._where, key)
        return given[0][1] if given else None

    def _read_content(self) -> None:
        """What is said, and what else stands in the content's parts."""
        found = self._one_of(_CONTENTS)
        if self.role == "tool":
            if isinstance(found, list) and any(
                isinstance(part, Mapping)
                and part.get("type") in ("tool_result", None)
                and ("tool_use_id" in part or "functionResponse" in part)
                for part in found
            ):
                self.content = read_content(found, self._where)
            else:
                self.content.text = result_text(found, self._where)
        elif isinstance(found, list | tuple):
            self.content = read_content(found, self._where)
        elif isinstance(found, str):
            self.content.text = found
        elif found is not None and self.role != CALLS_ROLE:
            raise UnreadTurn(
                "bad_messages", f"{self._where}: content is {kind_of(found)}, expected a text"
            )
        self._read_refusal()
        if self.content.results and self.role not in ("user", "tool"):
            raise unread_part(self._where, "tool_result")

    def _read_refusal(self) -> None:
        refusal = self._turn.get("refusal")
        if is_empty(refusal):
            return
        if self.content.text or not isinstance(refusal, str) or self.role != "assistant":
            raise unread_part(self._where, "refusal")
        self.content.text = refusal

    def _thoughts(self, role: str) -> list[str]:
        """The thought, from whichever parts it stands in, once."""
        thoughts = [*self.content.thoughts]
        for key in _THOUGHTS:
            found = self._turn.get(key)
            if isinstance(found, list | tuple) and found:
                inner = read_content(found, self._where)
                thoughts += inner.thoughts or [inner.text]
            elif isinstance(found, str) and found.strip():
                thoughts.append(found)
            elif not is_empty(found) and not isinstance(found, str):
                raise unread_part(self._where, key)
        if role != "assistant":
            if thoughts:
                raise unread_part(self._where, "reasoning")
            return []
        try:
            before, self.content.text = read_answer_text(self.content.text)
        except UnreadTurn as fault:
            raise UnreadTurn(fault.reason, f"{self._where}: {fault.detail}") from fault
        return list(dict.fromkeys(part for part in (*thoughts, before) if part.strip()))

    def _calls(self, role: str) -> list[ToolCall]:
        calls = [*self.content.calls]
        if self.role == CALLS_ROLE:
            text, self.content.text = called_beside(self.content.text)
            calls += read_calls(text or self._one_of(_CONTENTS), self._where)
        for key in _CALLS:
            if not is_empty(found := self._turn.get(key)):
                more = read_calls(found, self._where)
                calls += more if more != calls else []
        if calls and role != "assistant":
            raise unread_part(self._where, "tool_calls")
        return calls

    def _check_said(self, calls: Sequence[ToolCall], thoughts: Sequence[str]) -> None:
        """A turn says something, or says with an empty text that it says nothing."""
        if self.content.text or calls or thoughts or self.content.results:
            return
        given = [self._turn[key] for key in _CONTENTS if key in self._turn]
        if self.role != "tool" and not any(value is not None for value in given):
            found = "empty" if given else "not there"
            raise UnreadTurn("bad_messages", f"{self._where}: content is {found}, expected a text")

    def _name(self, turn: Turn, role: str) -> None:
        name, call = self._turn.get("name"), self._one_of(_CALL_IDS)
        if not is_empty(name):
            if not isinstance(name, str):
                raise unread_part(self._where, "name")
            turn["name"] = name
        if call is not None:
            if role != "tool":
                raise unread_part(self._where, "tool_call_id")
            turn["tool_call_id"] = str(call)
