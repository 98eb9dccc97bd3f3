"""Finding the items of a JSON list in what a model wrote around it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

_DECODER = json.JSONDecoder(strict=False)
_ITEM_START = re.compile(r"[{\[]")
_SHOWN = 300


class Found(NamedTuple):
    """What a reply holds, in its order."""

    items: list[dict[str, Any]]
    lost: list[tuple[str, str]]
    """What is not an item: (reason, text): `not_json`, `not_an_object`, `cut_off`."""


def find_items(text: str) -> Found:
    """The objects of the JSON list in a reply.

    Code fences and chatter around the list are passed over; objects one a line and a single object
    are taken as a list too; a list that breaks off gives its whole objects, the rest is `cut_off`.
    Never raises: what holds no JSON is one loss, `not_json`.
    """
    found = Found([], [])
    place = _list_start(text)
    for value, end in _values(text, place):
        _sort_in(value, found)
        place = end
    rest = text[place:].strip()
    if rest.lstrip(", \n").startswith("{"):
        found.lost.append(("cut_off", rest[:_SHOWN]))
    elif not found.items and not found.lost:
        found.lost.append(("not_json", text.strip()[:_SHOWN]))
    return found


def _list_start(text: str) -> int:
    """Just inside the list that holds objects, or at the first object."""
    opened = re.search(r"\[\s*(?=\{)", text)
    first = text.find("{")
    if opened and opened.end() <= first:
        return opened.end()
    return first if first >= 0 else len(text)


def _values(text: str, place: int) -> Iterator[tuple[Any, int]]:
    """JSON values from `place` on with where each ends; commas and line ends lie between."""
    while start := _ITEM_START.search(text, place):
        if text[place : start.start()].strip(", \t\r\n]`"):
            return  # prose: the list is over
        try:
            value, place = _DECODER.raw_decode(text, start.start())
        except (ValueError, RecursionError):
            return
        yield value, place


def _sort_in(value: Any, found: Found) -> None:
    if isinstance(value, dict):
        found.items.append(value)
    elif isinstance(value, list):
        for item in value:
            _sort_in(item, found)
    else:
        found.lost.append(("not_an_object", json.dumps(value, ensure_ascii=False)[:_SHOWN]))
