"""Rows of LLaMA-Factory's formats, what is doubtful in them, and their catalogue entry."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from typing import Any, Literal

from sftrecipe.plugin import Columns
from sftrecipe_registry.llamafactory.formats.conversation import (
    MEDIA,
    Conversation,
    Preference,
)
from sftrecipe_registry.llamafactory.formats.turns import CALL, Turn, Unusable

_TOKEN = re.compile(
    r"<\|[^|<>\s]{1,40}\|>"  # <|im_end|> <|eot_id|> <|endoftext|> <|user|> …
    r"|<｜[^｜<>]{1,40}｜>"  # DeepSeek
    r"|</?s>|<(?:bos|eos|pad|unk|sop|eop)>"  # Llama 2, Gemma, ChatGLM
    r"|<(?:start|end)_of_turn>|<(?:reserved_|unused)\d+>"  # Gemma, Baichuan
    r"|\[/?INST\]|<</?SYS>>|\[gMASK\]"  # Llama 2, Mistral, ChatGLM
    r"|\{\{idx\}\}"  # LLaMA-Factory puts the number of the turn there
)


def control_token(text: str) -> str | None:
    """The first control token in the text of one of the usual chat models, if there is one."""
    if "<" not in text and "[" not in text and "{{idx}}" not in text:
        return None
    found = _TOKEN.search(text)
    return found[0] if found else None


Formatting = Literal["alpaca", "sharegpt", "text"]
Doubt = Literal["control_token", "empty_answer", "empty_prompt", "equal_pair", "media_place"]
"""What LLaMA-Factory trains on without a word and hardly anybody wants."""
Words = tuple[str, str]
"""What stands around a thought."""

TAGS = {
    "role_tag": "role",
    "content_tag": "content",
    "user_tag": "user",
    "assistant_tag": "assistant",
    "observation_tag": "observation",
    "function_tag": "function_call",
    "system_tag": "system",
}
_COLUMNS = {
    "prompt": "instruction",
    "query": "input",
    "response": "output",
    "history": "history",
    "messages": "messages",
    "system": "system",
    "tools": "tools",
    "images": "images",
    "videos": "videos",
    "audios": "audios",
    "chosen": "chosen",
    "rejected": "rejected",
    "kto_tag": "label",
}
_PLACES = tuple((name, f"<{name[:-1]}>") for name in MEDIA)


def entry(
    file: str, formatting: Formatting, preference: Preference, used: Set[str]
) -> dict[str, Any]:
    """The data set's entry of `dataset_info.json`, with all columns and all tags.

    LLaMA-Factory forgets its defaults for the unnamed ones as soon as one is named, and fails on
    a column that the file lacks.
    """
    names = {**_COLUMNS, "prompt": "text"} if formatting == "text" else _COLUMNS
    return {
        "file_name": file,
        "formatting": "sharegpt" if formatting == "sharegpt" else "alpaca",
        "ranking": preference == "ranking",
        "columns": {key: name if name in used else None for key, name in names.items()},
        "tags": dict(TAGS),
    }


def text_row(columns: Columns) -> dict[str, Any]:
    """A row for pre-training. Raises Unusable."""
    text = columns.get("text")
    if text is None:
        raise Unusable("no_text")
    if not isinstance(text, str):
        raise Unusable("not_text", "text")
    return {"text": text}


def alpaca_row(talk: Conversation, words: Words) -> dict[str, Any]:
    """The conversation as instruction, input and output.

    A column that is empty in all rows is left out of the file.
    """
    row: dict[str, Any] = {"instruction": talk.question[0], "input": talk.question[1]}
    if len(talk.answers) == 2:
        row["chosen"], row["rejected"] = (turn.content(words) for turn in talk.answers)
    else:
        row["output"] = talk.answers[0].content(words)
    if talk.system:
        row["system"] = talk.system
    if len(talk.asked) > 1:
        asked = talk.asked
        row["history"] = [
            [asked[at].content(words), asked[at + 1].content(words)]
            for at in range(0, len(asked) - 1, 2)
        ]
    return _with_rest(row, talk)


def sharegpt_row(talk: Conversation, words: Words) -> dict[str, Any]:
    """The conversation as messages with role and content."""

    def message(turn: Turn) -> dict[str, str]:
        return {"role": turn.role, "content": turn.content(words)}

    turns = [*talk.asked]
    if talk.system:
        turns.insert(0, Turn("system", talk.system))
    row: dict[str, Any] = {}
    if len(talk.answers) == 2:
        row["messages"] = [message(turn) for turn in turns]
        row["chosen"], row["rejected"] = map(message, talk.answers)
    else:
        row["messages"] = [message(turn) for turn in (*turns, *talk.answers)]
    return _with_rest(row, talk)


def _with_rest(row: dict[str, Any], talk: Conversation) -> dict[str, Any]:
    if talk.tools:
        row["tools"] = talk.tools
    if talk.label is not None:
        row["label"] = talk.label
    row.update(talk.media)
    return row


def check_alpaca(talk: Conversation) -> None:
    """Raises Unusable for what alpaca has no place for."""
    for turn in talk.turns:
        if turn.role in (CALL, "observation"):
            raise Unusable("tool_turns", f"'{turn.role}': only sharegpt has it")


def check(talk: Conversation, kept: Set[Doubt], words: Words) -> None:
    """Raises Unusable for the first doubt that is not to be kept, and for text that is no UTF-8."""
    whole = "\n".join((talk.system, talk.tools, *_texts(talk)))
    _check_encoding(whole)
    for paths in talk.media.values():
        _check_encoding("".join(paths))
    if talk.label is not None and not talk.turns[-1].content(words):
        raise Unusable("empty_answer")  # LLaMA-Factory tells good from bad by who is empty
    for reason, value in _doubts(talk, whole, words):
        if reason not in kept:
            raise Unusable(reason, value)


def _texts(talk: Conversation) -> Iterator[str]:
    for turn in talk.turns:
        yield turn.said
        if turn.thought or turn.calls:
            yield from (turn.thought, turn.calls)


def check_text(text: str, kept: Set[Doubt]) -> None:
    """The same for a text to pre-train on."""
    _check_encoding(text)
    if "empty_prompt" not in kept and not text.strip():
        raise Unusable("empty_prompt")
    if "control_token" not in kept and (token := control_token(text)):
        raise Unusable("control_token", token)


def _check_encoding(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Unusable("not_utf8", f"half a character: {text[error.start]!a}") from error


def _doubts(talk: Conversation, whole: str, words: Words) -> Iterator[tuple[Doubt, str | None]]:
    turns = talk.turns
    for number, turn in enumerate(turns, 1):
        if turn.role != "observation" and not turn.calls and not turn.said.strip():
            doubt: Doubt = "empty_prompt" if turn.role == "user" else "empty_answer"
            yield doubt, f"turn {number}" if len(turns) > 2 else None
    if len(talk.answers) == 2 and talk.answers[0] == talk.answers[1]:
        yield "equal_pair", None
    marks = [mark for word in words if (mark := word.strip()) in whole]
    if token := control_token(whole) or (_thought_mark(talk, marks) if marks else None):
        yield "control_token", token
    if "<" in whole:
        for name, place in _PLACES:
            if name not in talk.media and any(place in turn.content() for turn in turns):
                yield "media_place", place


def _thought_mark(talk: Conversation, marks: Sequence[str]) -> str | None:
    """The first mark of a thought within a thought or an answer, which ends or begins one."""
    for turn in talk.turns:
        if turn.role in ("user", "observation"):
            continue
        for mark in marks:
            if mark in turn.said or mark in turn.thought:
                return mark
    return None
