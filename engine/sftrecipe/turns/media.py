"""Pictures, films and sounds within a turn: a place in the text, and a path or address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sftrecipe.turns.faults import check_rest, is_empty, unread_part

PLACES: Mapping[str, str] = {"images": "<image>", "videos": "<video>", "audios": "<audio>"}
"""Column of the row → what stands for one of its media in the text."""

_OF_TYPE = {
    **dict.fromkeys(("image_url", "image", "input_image"), "images"),
    **dict.fromkeys(("video_url", "video", "input_video"), "videos"),
    **dict.fromkeys(("audio_url", "audio", "input_audio"), "audios"),
}
_KEYS = {
    "images": ("image_url", "image", "source"),
    "videos": ("video_url", "video", "source"),
    "audios": ("audio_url", "audio", "input_audio", "source"),
}
_ADDRESSES = ("url", "path", "uri", "fileUri", "file_uri")
_KINDS = ("media_type", "mimeType", "mime_type", "format")
_COLUMN_OF_KIND = {"image": "images", "video": "videos", "audio": "audios"}
_AROUND = frozenset({"type", "detail", "cache_control"})
_USUAL_DETAIL = (None, "", "auto")


class Medium(NamedTuple):
    """One of a turn's media."""

    column: str
    address: str | None
    """Path, address or data URI; None: the row's column has it."""


def column_of(kind: str) -> str | None:
    """The column of a content part of this type; None: it is no medium."""
    return _OF_TYPE.get(kind)


def read_medium(part: Mapping[str, Any], column: str, where: str) -> Medium:
    """What a content part of a medium's type shows. Raises UnreadTurn."""
    kind = str(part.get("type") or column)
    keys = (*_KEYS[column], *_ADDRESSES)
    check_rest(part, _AROUND | set(keys), where, f"{kind}.")
    given = [part[key] for key in keys if not is_empty(part.get(key))]
    _check_detail(part, where, kind)
    if not given:
        return Medium(column, None)
    if len(given) > 1:
        raise unread_part(where, f"{kind} with several addresses")
    return Medium(column, _address(given[0], column, where, kind))


def read_file(part: Any, where: str, kind: str) -> Medium:
    """Gemini's files and data, whose MIME type tells what they are. Raises UnreadTurn."""
    if isinstance(part, Mapping):
        mime = next((part[key] for key in _KINDS if isinstance(part.get(key), str)), "")
        column = _COLUMN_OF_KIND.get(mime.partition("/")[0])
        if column:
            return Medium(column, _address(part, column, where, kind))
    raise unread_part(where, kind)


def _address(found: Any, column: str, where: str, kind: str) -> str:
    if isinstance(found, str):
        return found
    if not isinstance(found, Mapping):
        raise unread_part(where, kind)
    check_rest(found, {*_ADDRESSES, *_KINDS, "data", "type", "detail"}, where, f"{kind}.")
    _check_detail(found, where, kind)
    given = [found[key] for key in (*_ADDRESSES, "data") if not is_empty(found.get(key))]
    if len(given) != 1 or not isinstance(given[0], str):
        raise unread_part(where, kind)
    if is_empty(found.get("data")):
        return given[0]
    mime = next((found[key] for key in _KINDS if isinstance(found.get(key), str)), "")
    if not mime:
        raise unread_part(where, f"{kind}.data without its format")
    return f"data:{mime if '/' in mime else f'{column[:-1]}/{mime}'};base64,{given[0]}"


def _check_detail(part: Mapping[str, Any], where: str, kind: str) -> None:
    if part.get("detail") not in _USUAL_DETAIL:
        raise unread_part(where, f"{kind}.detail {part['detail']!r}")
