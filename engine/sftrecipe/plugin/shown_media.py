"""Pictures, films and sounds of the row at work: models are asked with texts alone."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from sftrecipe.plugin.provider import CallFailed, Request
from sftrecipe.record import Record
from sftrecipe.turns.media import PLACES

_shown: ContextVar[tuple[str, ...]] = ContextVar("shown", default=())
"""Columns of media that the row at work has."""


def work_on(item: object) -> None:
    """Note what is shown in the row, or in the row of a tuple, that this task is at work on."""
    for row in item if type(item) is tuple else (item,):
        if isinstance(row, Record):
            _shown.set(tuple(column for column in PLACES if row.columns.get(column)))


def check_asked(request: Request) -> None:
    """Raises CallFailed for a request that speaks of a picture which is not sent with it."""
    for column in _shown.get():
        if any(PLACES[column] in text for text in _texts(request)):
            told = f"{column} are not sent: models are asked with texts alone"
            raise CallFailed("final", told, reason="unread_part")


def _texts(request: Request) -> list[Any]:
    return [request.prompt, *(f"{turn.get('content') or ''}" for turn in request.messages)]
