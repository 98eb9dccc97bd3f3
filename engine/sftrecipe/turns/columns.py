"""A row's columns with its conversation in the form of `record`, whatever form a file has."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from sftrecipe.record import PAIR, Columns, Turn, chat
from sftrecipe.turns.conversation import (
    Said,
    are_plain,
    looks_like_turns,
    may_think,
    read_answer_text,
    read_turns,
)
from sftrecipe.turns.faults import UnreadTurn, check_rest, is_empty, kind_of
from sftrecipe.turns.media import Medium
from sftrecipe.turns.media_columns import MEDIA_COLUMNS, with_media
from sftrecipe.turns.pairs import Talk, asked_before
from sftrecipe.turns.rounds import unrolled
from sftrecipe.turns.systems import one_system

JOINED = "joined_systems"
"""Counter of the rows whose several system prompts became one."""

_TALKS = ("messages", "conversations", "conversation", "contents")
"""Columns that hold conversations: OpenAI's, ShareGPT's, LMSYS's, Gemini's."""
_OPENAI_PAIR = {"preferred_output": "chosen", "non_preferred_output": "rejected"}
_SYSTEMS = ("system", "systemInstruction", "system_instruction")
_FORMS = frozenset((*_TALKS, *PAIR, *_OPENAI_PAIR, "prompt", "completion"))
"""Columns that may hold turns."""
_BESIDE = _FORMS - {"messages"} | {*_SYSTEMS, *MEDIA_COLUMNS, "functions"}
"""Columns that say something of the turns in `messages`."""
_TOLD = "reasoning_content"
"""What servers call the thought before an output."""
_PLAIN = ("instruction", "input", "system", "history")


def read_columns(
    columns: Columns, left_out: Collection[str] = (), count: Callable[[str], None] = lambda _: None
) -> Columns:
    """The columns with every turn as `record.Turn`, and thoughts apart from answers.

    The same object where nothing changed. `left_out` are keys of turns that are passed over;
    `count` is told what became of rows. Raises UnreadTurn for what nobody reads.
    """
    output = columns.get("output")
    if output and type(output) is str and (may_think(output) or _TOLD in columns):
        columns = _thought_apart(columns, output)
    if _FORMS.isdisjoint(columns):
        return columns
    if are_plain(columns.get("messages")) and _BESIDE.isdisjoint(columns):
        return columns
    found = _FormReader(columns, left_out, count).read()
    return columns if found == columns else found


def read_names(names: frozenset[str]) -> frozenset[str]:
    """The columns that rows with columns of these names may have once they are read.

    Of pairs the turns that are asked (`messages`) are not among them: they are no answers.
    """
    found = names | ({"reasoning"} if {_TOLD, "output"} <= names else set())
    if not found.isdisjoint(_TALKS):
        found |= {"messages"}
    if not found.isdisjoint(_OPENAI_PAIR):
        found |= set(PAIR)
    if {"prompt", "completion"} <= found:
        return found | {"messages", "instruction", "output"}
    if "prompt" in found and not found.isdisjoint(PAIR):
        found |= {"instruction"}
    return found


def _thought_apart(columns: Columns, output: str) -> Columns:
    """A plain row with the thought before its output in a column of its own."""
    thought, answer = read_answer_text(output)
    told, own = columns.get(_TOLD), columns.get("reasoning") or ""
    if not isinstance(told, str):
        told = ""
    if answer is output and not told:
        return columns
    if not isinstance(own, str):
        raise UnreadTurn("wrong_type", f"reasoning is {kind_of(own)}, expected a text")
    parts = dict.fromkeys(part for part in (own, told, thought) if part)
    found = {name: each for name, each in columns.items() if name != _TOLD or not told}
    found["output"] = answer
    return {**found, "reasoning": "\n\n".join(parts)} if parts else found


class _FormReader:
    """Reads one row that holds turns."""

    def __init__(
        self, columns: Columns, left_out: Collection[str], count: Callable[[str], None]
    ) -> None:
        self._rest = dict(columns)
        self._left_out = left_out
        self._count = count
        self._media: list[Medium] = []

    def read(self) -> Columns:
        """The columns."""
        self._unwrap_openai_pair()
        turns = self._talk()
        if turns is None:
            turns = self._prompted()
        talks = {name: talk for name in PAIR if (talk := self._pair_talk(name))}
        if talks:
            turns = self._asked(turns, talks)
        if turns is None:
            return self._rest
        turns = self._under_system(turns)
        self._rest["messages"] = turns
        self._take_functions()
        answers = [self._rest[name] for name in talks]
        return with_media(self._rest, turns, answers, self._media)

    def _unwrap_openai_pair(self) -> None:
        if _OPENAI_PAIR.keys().isdisjoint(self._rest):
            return
        asked = self._rest.get("input")
        if isinstance(asked, Mapping) and "messages" in asked:
            check_rest(asked, {"messages", "tools", "parallel_tool_calls"}, "input")
            del self._rest["input"]
            self._rest |= {name: value for name, value in asked.items() if value is not None}
        for old, new in _OPENAI_PAIR.items():
            if self._rest.get(new) is None and old in self._rest:
                self._rest[new] = self._rest.pop(old)

    def _talk(self) -> list[Turn] | None:
        """The turns of the row's conversation; None where it has no column of one."""
        for name in _TALKS:
            value = unrolled(_parsed(self._rest.get(name)))
            if value is None or (name != "messages" and not looks_like_turns(value)):
                continue
            self._rest = {
                ("messages" if key == name else key): each
                for key, each in self._rest.items()
                if key == name or key != "messages"
            }
            return self._turns(value, name)
        return None

    def _turns(self, value: Any, name: str) -> list[Turn]:
        if not isinstance(value, list | tuple):
            raise UnreadTurn("bad_messages", f"{name} is {kind_of(value)}, expected a list")
        if not value:
            raise UnreadTurn("bad_messages", f"{name} is empty")
        said = self._read(value, "message" if name == "messages" else name)
        self._media += said.media
        return said.turns

    def _read(self, value: Sequence[Any], name: str) -> Said:
        return read_turns(value, name, left_out=self._left_out)

    def _prompted(self) -> list[Turn] | None:
        """TRL's prompt, and its completion, where one of them is a list of turns.

        Two texts become instruction and output.
        """
        prompt, completion = (_parsed(self._rest.get(name)) for name in ("prompt", "completion"))
        if looks_like_turns(prompt):
            turns = self._turns(prompt, "prompt")
        elif isinstance(prompt, str) and completion is not None:
            turns = [{"role": "user", "content": prompt}]
        else:
            return None
        if completion is None:
            self._drop("prompt")
            return turns
        if isinstance(completion, str):
            if isinstance(prompt, str):
                self._plain_completion(completion)
                return None
            turns += self._read([{"role": "assistant", "content": completion}], "completion").turns
        elif looks_like_turns(completion):
            turns += self._turns(completion, "completion")
        else:
            found = f"completion is {kind_of(completion)}, expected a text or turns"
            raise UnreadTurn("wrong_type", found)
        self._drop("prompt", "completion")
        return turns

    def _plain_completion(self, completion: str) -> None:
        if self._rest.keys() & {"instruction", "output", "text"}:
            return
        names = {"prompt": "instruction", "completion": "output"}
        found = {names.get(name, name): value for name, value in self._rest.items()}
        self._rest = dict(_thought_apart(found, completion))

    def _pair_talk(self, name: str) -> Talk | None:
        value = _parsed(self._rest.get(name))
        if value is None:
            return None
        if isinstance(value, str):
            value = [{"role": "assistant", "content": value}]
        turns = [value] if isinstance(value, Mapping) else value
        if not looks_like_turns(turns):
            found = f"{name} is {kind_of(value)}, expected a text or a message"
            raise UnreadTurn("wrong_type", found)
        before, last = self._read(turns[:-1], name), self._read(turns[-1:], name)
        if last.media or len(last.turns) != 1:
            raise UnreadTurn("not_a_pair", f"{name} ends with media or results")
        if before.media and not self._media:
            self._media = before.media
        if before.media and before.media != self._media:
            raise UnreadTurn("not_a_pair", f"{name} shows other media than the row")
        return Talk(one_system(before.turns), last.turns[0])

    def _asked(self, turns: list[Turn] | None, talks: Mapping[str, Talk]) -> list[Turn] | None:
        """The turns that the answers follow; None where plain columns hold them."""
        plain = [] if turns is not None else self._plain_turns()
        if plain is None:
            return None
        prompt = self._rest.get("prompt")
        if plain or not isinstance(prompt, str):
            prompt = None
        asked = asked_before(talks, one_system(turns or plain), prompt)
        if turns is None and asked in (plain, [{"role": "user", "content": prompt}]):
            names = {} if prompt is None else {"prompt": "instruction"}
            self._rest = {names.get(name, name): value for name, value in self._rest.items()}
            self._rest |= {name: _text_or_turn(talk.answer) for name, talk in talks.items()}
            return None
        self._drop(*([] if prompt is None else ["prompt"]), *(_PLAIN if plain else ()))
        self._rest |= {name: talk.answer for name, talk in talks.items()}
        return asked

    def _plain_turns(self) -> list[Turn] | None:
        """What the plain columns ask; None where they are none, which is told later."""
        found = {name: value for name in _PLAIN if (value := self._rest.get(name))}
        pairs = found.get("history", [])
        texts = [value for name, value in found.items() if name != "history"]
        is_history = isinstance(pairs, list | tuple) and all(
            isinstance(pair, list | tuple) and len(pair) == 2 and _are_texts(pair) for pair in pairs
        )
        return chat(found) if is_history and _are_texts(texts) else None

    def _under_system(self, turns: list[Turn]) -> list[Turn]:
        """The turns with the row's own system prompt before them."""
        found: list[Turn] = []
        for name in _SYSTEMS:
            if not is_empty(value := self._rest.get(name)):
                found.append({"role": "system", "content": _system_text(value, name)})
                self._drop(name)
        whole = [*found, *turns]
        said = one_system(whole)
        if len({turn["content"] for turn in whole if turn["role"] == "system"} - {""}) > 1:
            self._count(JOINED)
        return said

    def _take_functions(self) -> None:
        """OpenAI's old name for tools."""
        found = self._rest.get("functions")
        if not is_empty(self._rest.get("tools")) or not isinstance(found, list) or not found:
            return
        if all(isinstance(each, Mapping) and "name" in each for each in found):
            self._rest["tools"] = [{"type": "function", "function": each} for each in found]
            self._drop("functions")

    def _drop(self, *names: str) -> None:
        for name in names:
            self._rest.pop(name, None)


def _parsed(value: Any) -> Any:
    """A cell's turns, where a table holds them as JSON text."""
    if isinstance(value, str) and value.lstrip().startswith(("[{", "{")):
        try:
            found = json.loads(value)
        except (ValueError, RecursionError):
            return value
        if looks_like_turns([found] if isinstance(found, Mapping) else found):
            return found
    return value


def _system_text(value: Any, name: str) -> str:
    """A system prompt: a text, or Anthropic's and Gemini's parts of text. Raises UnreadTurn."""
    if isinstance(value, Mapping):
        check_rest(value, {"parts", "role"}, name)
        value = value.get("parts")
    if isinstance(value, list | tuple):
        [turn] = read_turns([{"role": "system", "content": value}], name).turns
        return turn["content"]
    if not isinstance(value, str):
        raise UnreadTurn("wrong_type", f"{name} is {kind_of(value)}, expected a text")
    return value


def _text_or_turn(answer: Turn) -> str | Turn:
    return answer["content"] if len(answer) == 2 else answer


def _are_texts(values: Sequence[Any]) -> bool:
    return all(isinstance(value, str) for value in values)
