"""The media of a row: as many addresses in its columns as its texts have places for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sftrecipe.record import Turn
from sftrecipe.turns.faults import UnreadTurn
from sftrecipe.turns.media import PLACES, Medium

_ONE = {"images": "image", "videos": "video", "audios": "audio"}
"""Column → the name that it has where a data set's rows have one each."""
MEDIA_COLUMNS = frozenset((*_ONE, *_ONE.values()))


def with_media(
    columns: dict[str, Any], turns: Sequence[Turn], answers: Sequence[Any], media: Sequence[Medium]
) -> dict[str, Any]:
    """The columns with the addresses that the turns had.

    Raises UnreadTurn where there are more or fewer of them than places in the texts.
    """
    for column in PLACES:
        addresses = [medium.address for medium in media if medium.column == column]
        found = _of_columns(columns, column, turns)
        given = [address for address in addresses if address is not None]
        if given and (len(given) < len(addresses) or (found and found != given)):
            raise UnreadTurn("media_count", f"{column} stand in the turns and in the columns")
        found = found or given
        if not found and not addresses:
            continue  # `<image>` is a text of its own
        _check_count(column, len(found), turns, answers)
        columns[column] = found
    return columns


def _of_columns(columns: dict[str, Any], column: str, turns: Sequence[Turn]) -> list[str]:
    """The addresses that the row's column has."""
    one = _ONE[column]
    if not columns.get(column):
        found = _addresses(columns.get(one))
        if found and len(found) == _places(column, turns):  # LLaVA's
            del columns[one]
            return found
        return []
    found = _addresses(columns[column])
    if found is None:
        raise UnreadTurn("bad_media", f"{column} is not a list of paths")
    return found


def _addresses(value: Any) -> list[str] | None:
    values = value if isinstance(value, list | tuple) else [value]
    found = [_path(each) for each in values]
    return [each for each in found if each is not None] if None not in found else None


def _path(value: Any) -> str | None:
    """A path; of `datasets` it may stand in an object, beside the bytes that it was read for."""
    if isinstance(value, Mapping) and not value.get("bytes"):
        value = value.get("path")
    return value if isinstance(value, str) and value else None


def _places(column: str, turns: Sequence[Turn]) -> int:
    return sum(turn["content"].count(PLACES[column]) for turn in turns)


def _check_count(column: str, count: int, turns: Sequence[Turn], answers: Sequence[Any]) -> None:
    asked = _places(column, turns)
    for answer in answers or [None]:
        text = answer["content"] if isinstance(answer, Mapping) else answer or ""
        places = asked + text.count(PLACES[column])
        if places != count:
            raise UnreadTurn("media_count", f"{count} {column}, {places} times {PLACES[column]}")
