"""A record as the conversation that LLaMA-Factory trains on, or why it is none."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from sftrecipe.plugin import Columns
from sftrecipe_registry.llamafactory.formats.turns import (
    ANSWERS,
    Turn,
    Unusable,
    answer,
    read_turn,
    read_turns,
)

Preference = Literal["none", "ranking", "kto"]
Masks = Literal["any", "all", "last"]
"""Which answers of a conversation are learned: its only one, all of them, or the last alone."""
MEDIA = ("images", "videos", "audios")

_TALKS = ("conversations", "conversation")
_ASKS = ("user", "observation")
_ROLES = (*_ASKS, *ANSWERS)


class Conversation(NamedTuple):
    """What is asked, and the answer or answers."""

    system: str
    tools: str
    """JSON text, or empty."""
    asked: Sequence[Turn]
    """All turns before the answer, in the order that LLaMA-Factory demands."""
    question: tuple[str, str]
    """The last of them as instruction and input."""
    answers: Sequence[Turn]
    """One, or the chosen and the rejected."""
    label: bool | None
    media: Mapping[str, Sequence[Any]]

    @property
    def turns(self) -> list[Turn]:
        """All of them."""
        return [*self.asked, *self.answers]

    @property
    def thinks(self) -> bool:
        """Whether a turn has a thought."""
        return any(turn.thought for turn in self.turns)

    def without_thoughts(self) -> Conversation:
        """The same with answers alone. Raises Unusable."""
        for name in self.media:
            if any(_place(name) in turn.thought for turn in self.turns):
                raise Unusable("media_count", f"{_place(name)} in a thought that is left out")
        asked, answers = (
            [turn._replace(thought="") for turn in turns] for turns in (self.asked, self.answers)
        )
        return self._replace(asked=asked, answers=answers)


def conversation(columns: Columns, preference: Preference) -> Conversation:
    """The record as a conversation that LLaMA-Factory neither drops nor fails on.

    Raises Unusable.
    """
    system = _text(columns, "system")
    if columns.get("messages") is not None:
        first, turns = _turns(columns["messages"])
        if first and system and first != system:
            raise Unusable("two_systems", "a system turn beside another system prompt")
        system, question, written = first or system, None, None
    else:
        turns = _history(columns)
        question, written = _question(columns), _written(columns)
        turns.append(Turn("user", "\n".join(part for part in question if part)))
    if preference == "ranking":
        answers = [_preferred(columns, name) for name in ("chosen", "rejected")]
    else:
        answers = [_answer(turns, written, question is not None)]
    _check_order(turns, answers)
    if preference != "none":
        _check_learned(answers)
    return Conversation(
        system,
        check_tools(columns.get("tools")),
        turns,
        question or (turns[-1].said, ""),
        answers,
        _label(columns) if preference == "kto" else None,
        _media(columns, turns, answers) if any(name in columns for name in MEDIA) else {},
    )


def _text(columns: Columns, name: str) -> str:
    value = columns.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Unusable("not_text", name)
    return value


def _question(columns: Columns) -> tuple[str, str]:
    if columns.get("instruction") is None and columns.get("input") is None:
        unread = next((name for name in _TALKS if columns.get(name)), None)
        raise Unusable("no_prompt", f"{unread} is no list of turns" if unread else None)
    return _text(columns, "instruction"), _text(columns, "input")


def _written(columns: Columns) -> Turn | None:
    if columns.get("output") is None:
        return None
    return answer(_text(columns, "output"), _text(columns, "reasoning"))


def _history(columns: Columns) -> list[Turn]:
    pairs = columns.get("history")
    turns: list[Turn] = []
    if pairs is None:
        return turns
    if not isinstance(pairs, list | tuple):
        raise Unusable("bad_history", f"not a list of pairs: {type(pairs).__name__}")
    for number, pair in enumerate(pairs, 1):
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise Unusable("bad_history", f"item {number} is not a pair of texts")
        if not all(isinstance(text, str) for text in pair):
            raise Unusable("bad_history", f"item {number} is not a pair of texts")
        turns += [Turn("user", pair[0]), answer(pair[1])]
    return turns


def _turns(messages: Any) -> tuple[str, list[Turn]]:
    """The system prompt and the turns of a message list."""
    if not isinstance(messages, list | tuple) or not messages:
        raise Unusable("bad_messages", "not a list of messages")
    turns = read_turns(messages)
    if turns[0].role == "system":
        return turns[0].said, turns[1:]
    return "", turns


def _answer(turns: list[Turn], written: Turn | None, is_asked: bool) -> Turn:
    if is_asked:
        if written is None:
            raise Unusable("no_answer")
        return written
    if not turns or turns[-1].role not in ANSWERS:
        raise Unusable("no_answer", f"{len(turns)} turns")
    return turns.pop()


def _preferred(columns: Columns, name: str) -> Turn:
    value = columns.get(name)
    if isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    if isinstance(value, str):
        return answer(value)
    if not isinstance(value, Mapping):
        raise Unusable("not_a_pair", f"{name} is no answer")
    turn = read_turn(value, name)
    if turn.role not in ANSWERS:
        raise Unusable("not_a_pair", f"role of {name} is '{turn.role}'")
    return turn


def _label(columns: Columns) -> bool:
    if not isinstance(columns.get("label"), bool):
        raise Unusable("no_label")
    return bool(columns["label"])


def _check_order(turns: Sequence[Turn], answers: Sequence[Turn]) -> None:
    """User or tool, then assistant or tool call, and so on: LLaMA-Factory drops the others."""
    for number, turn in enumerate(turns):
        if turn.role not in (_ASKS, ANSWERS)[number % 2]:
            known = turn.role in _ROLES or turn.role == "system"
            where = f"turn {number + 1}: '{turn.role}'"
            raise Unusable("roles_alternate" if known else "bad_role", where)
    if len(turns) % 2 == 0:
        raise Unusable("no_prompt" if not turns else "roles_alternate", f"{len(turns)} turns")


def _check_learned(answers: Sequence[Turn]) -> None:
    """Of pairs and judgements the answer alone is learned; the turns before it never are."""
    if not all(turn.learned for turn in answers):
        raise Unusable("masked_turn", "the answer")


def masks(talk: Conversation) -> Masks:
    """Which of the answers are learned. Raises Unusable where `mask_history` cannot tell it."""
    learned = [turn.learned for turn in talk.turns if turn.role in ANSWERS]
    if all(learned):
        return "any" if len(learned) == 1 else "all"
    if learned[-1] and not any(learned[:-1]):
        return "last"
    raise Unusable("masked_turn", f"answer {learned.index(False) + 1} of {len(learned)}")


def up_to_each_learned(talk: Conversation) -> Iterator[Conversation]:
    """The conversation up to each answer that is learned, which is then the last one."""
    turns = talk.turns
    for at, turn in enumerate(turns):
        if turn.role not in ANSWERS or not turn.learned:
            continue
        asked = turns[:at]
        question = talk.question if at == len(turns) - 1 else (asked[-1].said, "")
        media = {
            name: paths[: _places(name, turns[: at + 1])] for name, paths in talk.media.items()
        }
        media = {name: paths for name, paths in media.items() if paths}
        yield talk._replace(asked=asked, question=question, answers=[turn], media=media)


def check_tools(value: Any) -> str:
    """The tools as JSON text, in the form that every template of LLaMA-Factory can print.

    Raises Unusable.
    """
    if value is None or value in ("", []):
        return ""
    if not isinstance(value, str):
        value = json.dumps(value, ensure_ascii=False)
    try:
        tools = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise Unusable("bad_tools", f"not JSON: {error}") from error
    if not isinstance(tools, list):
        raise Unusable("bad_tools", "not a list of tools")
    whole = [_with_parameters(tool) for tool in tools]
    for number, tool in enumerate(whole, 1):
        if not _is_tool(tool):
            raise Unusable("bad_tools", f"tool {number} lacks a name, or properties of parameters")
    return str(value) if whole == tools else json.dumps(whole, ensure_ascii=False)


_BARE = frozenset({"name", "description", "strict", "parameters"})
_NO_PARAMETERS: tuple[Any, ...] = (None, {}, {"type": "object"})


def _with_parameters(tool: Any) -> Any:
    """A tool that takes nothing, with the empty parameters that OpenAI lets people leave out."""
    if not isinstance(tool, dict):
        return tool
    if tool.get("type") == "function" and isinstance(tool.get("function"), dict):
        inner = _with_parameters(tool["function"])
        return tool if inner is tool["function"] else {**tool, "function": inner}
    if tool.keys() <= _BARE and tool.get("parameters") in _NO_PARAMETERS:
        return {**tool, "parameters": {"type": "object", "properties": {}}}
    return tool


def _is_tool(tool: Any) -> bool:
    if isinstance(tool, dict) and tool.get("type") == "function":
        tool = tool.get("function")
    if not isinstance(tool, dict) or not isinstance(tool.get("name"), str):
        return False
    parameters = tool.get("parameters")
    if not isinstance(parameters, dict) or not isinstance(parameters.get("required", []), list):
        return False
    properties = parameters.get("properties")
    if not isinstance(properties, dict):
        return False
    return all(_is_parameter(parameter) for parameter in properties.values())


def _is_parameter(parameter: Any) -> bool:
    if not isinstance(parameter, dict):
        return False
    choices, items = parameter.get("enum") or (), parameter.get("items") or {}
    return all(isinstance(choice, str) for choice in choices) and isinstance(items, dict)


def _media(
    columns: Columns, turns: Sequence[Turn], answers: Sequence[Turn]
) -> dict[str, Sequence[Any]]:
    """Paths of pictures, films and sounds, as many as the texts have places for."""
    media: dict[str, Sequence[Any]] = {}
    for name in MEDIA:
        value = columns.get(name)
        if not value:
            continue
        paths = [value] if isinstance(value, str) else value
        if not isinstance(paths, list | tuple) or not all(isinstance(path, str) for path in paths):
            raise Unusable("bad_media", f"{name} is not a list of paths")
        for given in answers:
            places = _places(name, [*turns, given])
            if places != len(paths):
                found = f"{len(paths)} {name}, {places} times {_place(name)}"
                raise Unusable("media_count", found)
        media[name] = paths
    return media


def _place(name: str) -> str:
    return f"<{name[:-1]}>"


def _places(name: str, turns: Sequence[Turn]) -> int:
    return sum(turn.content().count(_place(name)) for turn in turns)
