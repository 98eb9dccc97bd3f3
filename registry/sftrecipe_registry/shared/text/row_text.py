"""The text of a row: of the columns that a filter looks at, of its turns, of its last answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, NamedTuple

from annotated_types import MinLen

from sftrecipe.plugin import (
    OF_TURNS,
    ColumnName,
    Columns,
    OptionProblem,
    Record,
    Texts,
    Turn,
    chat,
    join_thought,
)

texts = Texts(__package__)
TextOf = Callable[[Record], str]
Field = ColumnName | Annotated[tuple[ColumnName, ...], MinLen(1)] | None
"""The option that says which columns a filter looks at."""

CONTENT = (
    "system",
    "history",
    "instruction",
    "input",
    "reasoning",
    "output",
    "messages",
    "text",
    "chosen",
    "rejected",
)
"""The canonical columns that hold what is said."""
MEDIA = ("images", "videos", "audios")
"""Those that hold what is shown."""

_NO_TEXTS = frozenset({"messages", "history", "tools", "label", *MEDIA})
_CALL = {"name", "arguments"}
_ALOUD = tuple(name for name in CONTENT if name != "reasoning")


def text_of(field: str | tuple[str, ...] | None, default: TextOf) -> TextOf:
    """A function that gives the text of the named columns, several joined by a line break.

    `default` serves where no column is named. Thoughts in turns are seen by whom `whole_text`
    serves. Of chat turns `instruction`, `output` … are what plain rows have there.
    """
    if field is None:
        return default
    texts = said if default is whole_text else said_aloud
    names = (field,) if isinstance(field, str) else field
    read = [_one_column(name, texts) for name in names]
    if len(read) == 1:
        return read[0]
    return lambda row: "\n".join(filter(None, (text(row) for text in read)))


def _one_column(name: str, texts: Callable[[Any], Iterator[str]]) -> TextOf:
    def text(row: Record) -> str:
        value = row.columns.get(name)
        if type(value) is str:
            return value
        if value is None:
            return of_turns(row.columns, name) or ""
        return "\n".join(texts(value)) if name in CONTENT else row.text(name)

    return text


def no_text(name: str, path: tuple[str | int, ...]) -> Iterator[OptionProblem]:
    """A column that a generator cannot take for a text."""
    if name in _NO_TEXTS:
        yield OptionProblem(path, texts("no-text", column=name))


def of_turns(columns: Columns, name: str) -> str | None:
    """What a row of chat turns has where a plain one has this column; None where that is nothing,
    or the row has no turns."""
    turns = columns.get("messages")
    if not turns or name not in OF_TURNS:
        return None
    if name == "instruction":
        return _last_turn(columns, "user").get("content")
    if name == "system":
        return turns[0]["content"] if turns[0]["role"] == "system" else None
    if turns[-1]["role"] != "assistant":
        return None
    return turns[-1].get("reasoning") if name == "reasoning" else "\n".join(said_aloud(turns[-1]))


def seen_columns(columns: Columns, names: Sequence[str]) -> list[str]:
    """The columns to look into for these: `messages` for those that a row of chat turns has
    there."""
    in_turns = "messages" in columns
    return list(
        dict.fromkeys(
            "messages" if in_turns and name in OF_TURNS and name not in columns else name
            for name in names
        )
    )


def answer_text(row: Record) -> str:
    """The answer (`output`, or the last assistant turn) without its thought, else the instruction,
    else the text."""
    columns = row.columns
    for name in ("output", "instruction", "text", "chosen"):
        value = columns.get(name)
        if value:
            return value if type(value) is str else "\n".join(said_aloud(value))
    return "\n".join(said_aloud(_last_turn(columns, "assistant")))


def instruction_text(row: Record) -> str:
    """The instruction, else the last user turn, else the text."""
    columns = row.columns
    for name in ("instruction", "text"):
        value = columns.get(name)
        if value:
            return value if type(value) is str else row.text(name)
    return str(_last_turn(columns, "user").get("content", ""))


def whole_text(row: Record) -> str:
    """All that is said in the row, thoughts and the arguments of calls too: for whoever looks for
    what must not be there."""
    return _joined(row.columns, CONTENT, said)


def text_aloud(row: Record) -> str:
    """All that is said in the row without the thoughts: for whoever compares or measures rows."""
    return _joined(row.columns, _ALOUD, said_aloud)


def text_and_media(row: Record) -> str:
    """The same with what is shown beside it: rows are no repeats that ask the same of two
    pictures."""
    text = text_aloud(row)
    if all(row.columns.get(name) is None for name in MEDIA):
        return text
    return "\n".join([text, *said([row.columns.get(name) for name in MEDIA])])


def said(value: Any) -> Iterator[str]:
    """The texts in a column's value: of chat turns thought, content and the arguments of calls, of
    history every utterance."""
    if isinstance(value, str):
        if value:
            yield value
    elif isinstance(value, dict):
        yield from said(value.get("reasoning"))
        yield from said(value.get("content"))
        for call in _calls(value):
            yield from _leaves(call["arguments"])
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from said(item)


def said_aloud(value: Any) -> Iterator[str]:
    """The same without the thoughts, calls as a whole."""
    if isinstance(value, dict):
        yield from said(value.get("content"))
        yield from map(called, _calls(value))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from said_aloud(item)
    else:
        yield from said(value)


def with_said(value: Any, change: Callable[[str], str]) -> Any:
    """A column's value with every text that `said` gives replaced by what `change` makes of it, in
    the same order."""
    if isinstance(value, str):
        return change(value) if value else value
    if isinstance(value, dict):
        changed = {
            name: with_said(value[name], change)
            for name in ("reasoning", "content")
            if name in value
        }
        if calls := _calls(value):
            changed["tool_calls"] = [
                {**call, "arguments": _with_leaves(call["arguments"], change)} for call in calls
            ]
        return {name: changed.get(name, part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [with_said(item, change) for item in value]
    return value


def _calls(value: dict[str, Any]) -> list[dict[str, Any]]:
    """A turn's calls; of another object none."""
    calls = value.get("tool_calls")
    found = calls if isinstance(calls, list) else []
    return found if all(isinstance(call, dict) and call.keys() >= _CALL for call in found) else []


def _joined(columns: Columns, names: Sequence[str], texts: Callable[[Any], Iterator[str]]) -> str:
    get = columns.get
    parts = []
    for name in names:
        value = get(name)
        if value:
            parts.append(value if type(value) is str else "\n".join(texts(value)))
    return "\n".join(parts)


def _leaves(value: Any) -> Iterator[str]:
    """Every text within arguments."""
    if isinstance(value, str):
        if value:
            yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _leaves(item)


def _with_leaves(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value) if value else value
    if isinstance(value, dict):
        return {name: _with_leaves(item, change) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_with_leaves(item, change) for item in value]
    return value


def _last_turn(columns: Columns, role: str) -> dict[str, Any]:
    turns = columns.get("messages") or ()
    return next((turn for turn in reversed(turns) if turn["role"] == role), {})


def spoken(turns: Sequence[Turn]) -> str:
    """A lone turn's text; several as `role: text` lines; the system prompt is left out.

    A call of a tool stands as `name(arguments)`; thoughts are nobody's who judges what was said.
    """
    said = [turn for turn in turns if turn["role"] != "system"]
    if len(said) == 1:
        return _text(said[0])
    return "\n".join(f"{turn['role']}: {_text(turn)}" for turn in said)


def called(call: Mapping[str, Any]) -> str:
    """A call of a tool as `name(arguments)`."""
    return f"{call['name']}({json.dumps(call['arguments'], ensure_ascii=False)})"


def _text(turn: Turn) -> str:
    calls = map(called, turn.get("tool_calls", ()))
    return "\n".join(part for part in (turn["content"], *calls) if part)


_WHERE = {
    "system": ("system", "content"),
    "instruction": ("user", "content"),
    "reasoning": ("assistant", "reasoning"),
}
"""Column of a plain row → role and part of the turn that has it; the last such."""


class Parted(NamedTuple):
    """A row's chat turns."""

    before: list[Turn]
    """All up to the last answer."""
    answer: str | None
    """What it says, calls of tools as `name(arguments)`; None where the row has none."""
    calls: bool = False
    """Whether it calls tools: no text stands for it in a row."""


def parted(columns: Columns) -> Parted:
    """What was said before the last answer, and that answer."""
    turns = chat(columns)
    if turns and turns[-1]["role"] == "assistant":
        return Parted(turns[:-1], spoken(turns[-1:]), bool(turns[-1].get("tool_calls")))
    return Parted(turns, None)


def trained_answer(columns: Columns) -> str:
    """The last answer behind its thought, as a training learns it; empty where the row has none."""
    turns = chat(columns)
    return trained_text(turns[-1]) if turns and turns[-1]["role"] == "assistant" else ""


def trained_text(turn: Turn) -> str:
    """What a turn says, an assistant's behind its thought."""
    if turn["role"] != "assistant":
        return turn["content"]
    return join_thought(turn.get("reasoning", ""), spoken([turn]))


def with_answer(columns: Columns, answer: str, reasoning: str = "") -> dict[str, Any]:
    """The columns with this answer in the last one's place, or behind the question.

    The thought before the last answer goes with it; the new one's takes its place.
    """
    if "messages" not in columns:
        kept = {name: value for name, value in columns.items() if name != "reasoning"}
        return {**kept, "output": answer, **({"reasoning": reasoning} if reasoning else {})}
    last: Turn = {"role": "assistant", "content": answer}
    if reasoning:
        last["reasoning"] = reasoning
    return {**columns, "messages": [*parted(columns).before, last]}


def column_text(row: Record, name: str) -> str:
    """A column's text; of an answer that is a turn what it says, of chat turns what a plain row
    has there."""
    value = row.columns.get(name)
    if value is None:
        return of_turns(row.columns, name) or ""
    if isinstance(value, dict) and "content" in value:
        return spoken([value])  # type: ignore[list-item]
    return row.text(name)


def with_text(columns: Columns, name: str, text: str) -> dict[str, Any]:
    """The columns with this text where `column_text` finds the old one."""
    if name in columns or "messages" not in columns:
        return {**columns, name: text}
    if name == "output":
        answered = with_answer(columns, text)
        if columns["messages"][-1].get("train") is False:
            answered["messages"][-1]["train"] = False
        return answered
    role, part = _WHERE[name]
    turns = list(columns["messages"])
    place = max(place for place, turn in enumerate(turns) if turn["role"] == role)
    turns[place] = {**turns[place], part: text}
    return {**columns, "messages": turns}
