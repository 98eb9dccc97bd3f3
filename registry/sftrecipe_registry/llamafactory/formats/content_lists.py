"""Rows of v1: messages whose content is a list of parts, and what each message weighs in the loss.

Follows llamafactory/v1/utils/types.py of 0.9.5 (SFTSample, DPOSample).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sftrecipe_registry.llamafactory.formats.conversation import Conversation, Preference
from sftrecipe_registry.llamafactory.formats.turns import ANSWERS, BETWEEN_RESULTS, Turn, Unusable

if TYPE_CHECKING:
    import pyarrow as pa

FORMATTING = "v1"
"""What a catalogue entry of such rows says."""
_ROLES = {"function_call": "assistant", "observation": "tool"}


def content_row(talk: Conversation) -> dict[str, Any]:
    """The conversation as `messages`, or as `chosen_messages` and `rejected_messages`.

    An answer that is not to be learned has `loss_weight` 0.
    """
    asked = [Turn("system", talk.system)] if talk.system else []
    asked += talk.asked
    names = ("messages",) if len(talk.answers) == 1 else ("chosen_messages", "rejected_messages")
    row: dict[str, Any] = {
        name: [message for turn in (*asked, answer) for message in _messages(turn)]
        for name, answer in zip(names, talk.answers, strict=True)
    }
    return row | ({"tools": talk.tools} if talk.tools else {})


def check_content(talk: Conversation) -> None:
    """Raises Unusable for pictures, films and sounds, and where no answer is to be learned."""
    if talk.media:
        raise Unusable("unread_part", next(iter(talk.media)))
    if not any(turn.learned for turn in talk.turns if turn.role in ANSWERS):
        raise Unusable("masked_turn", "no answer is to be learned")


def content_entry(file: str, preference: Preference) -> dict[str, Any]:
    """The data set's entry of `dataset_info.json`; v1 itself is told by the trainer's YAML."""
    return {"file_name": file, "formatting": FORMATTING, "ranking": preference == "ranking"}


def content_schema(preference: Preference) -> pa.Schema:
    """The columns with their types, for Parquet."""
    import pyarrow as pa  # noqa: PLC0415 - 60 ms, and only Parquet needs it

    part = pa.struct([("type", pa.string()), ("value", pa.string())])
    message = pa.struct(
        [("role", pa.string()), ("content", pa.list_(part)), ("loss_weight", pa.float64())]
    )
    names = ("chosen_messages", "rejected_messages") if preference == "ranking" else ("messages",)
    return pa.schema([*((name, pa.list_(message)) for name in names), ("tools", pa.string())])


def _messages(turn: Turn) -> Iterator[dict[str, Any]]:
    """A turn's message; the results of several calls are one each."""
    role = _ROLES.get(turn.role, turn.role)
    weight = 1.0 if turn.role in ANSWERS and turn.learned else 0.0
    said = turn.said.split(BETWEEN_RESULTS) if role == "tool" else [turn.said]
    for text in said:
        parts = list(_parts(turn._replace(said=text)))
        yield {"role": role, "content": parts, "loss_weight": weight}


def _parts(turn: Turn) -> Iterator[dict[str, str]]:
    if turn.thought:
        yield {"type": "reasoning", "value": turn.thought}
    if turn.said or not turn.calls:
        yield {"type": "text", "value": turn.said}
    calls = json.loads(turn.calls) if turn.calls else []
    for call in calls if isinstance(calls, list) else [calls]:
        yield {"type": "tool_call", "value": json.dumps(call, ensure_ascii=False)}
