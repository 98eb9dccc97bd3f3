"""A row's better and worse answer, each as the talk that it ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sftrecipe.plugin import PAIR, Columns, chat


def is_pair(columns: Columns) -> bool:
    """Whether a row has both answers."""
    return all(columns.get(name) for name in PAIR)


def pair_talks(columns: Columns) -> list[list[Mapping[str, Any]]]:
    """The turns up to the chosen answer, and those up to the rejected one."""
    said = {name: value for name, value in columns.items() if name != "output"}
    return [[*chat(said), answer_turn(columns[name])] for name in PAIR]


def answer_turn(answer: Any) -> Mapping[str, Any]:
    """An answer as a chat turn: of pairs it may be one already."""
    return answer if isinstance(answer, Mapping) else {"role": "assistant", "content": answer}
