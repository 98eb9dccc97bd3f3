"""Reading what servers send as JSON: as much of it as can be read, and what was put right.

`orjson` refuses a whole reply for half a surrogate pair (`"\\ud83d"`, an emoji that a token limit
cut), for `NaN` and for a byte that is no UTF-8; the row's text is read all the same, and what is
replaced is told.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from sftrecipe.plugin import Texts

texts = Texts(__package__)
MOST_TOKENS = 2**53
"""A count above it is no count."""
REPLACED = "\ufffd"
_SHOWN = 500
_MOST_DIGITS = 400


class Parsed(NamedTuple):
    """A reply's value, and what was put right in it."""

    value: Any
    note: str = ""


def parse_json(content: bytes) -> Parsed | None:
    """The JSON value in a body; None where there is none."""
    try:
        return Parsed(orjson.loads(content))
    except orjson.JSONDecodeError:
        pass
    text = content.decode("utf-8-sig", "replace")
    note = texts("bytes-replaced", by=REPLACED) if REPLACED in text else ""
    try:
        value = json.loads(text, strict=False, parse_int=_integer)
        mended = _mended(value)
    except (ValueError, RecursionError):
        return None
    if mended != value:
        note = texts("half-replaced", by=REPLACED)
    return Parsed(mended, note)


def in_utf8(content: bytes, content_type: str) -> bytes:
    """A body of another encoding that its header names; any other as it is."""
    charset = content_type.partition("charset=")[2].partition(";")[0].strip(" \"'")
    if not charset or charset.lower().replace("-", "") in ("utf8", "usascii"):
        return content
    try:
        content.decode()  # JSON is UTF-8, whatever a header says
    except UnicodeDecodeError:
        try:
            return content.decode(charset, "replace").encode("utf-8", "replace")
        except (LookupError, UnicodeError):
            pass
    return content


def _integer(text: str) -> float:
    """A whole number, however many digits it has."""
    return int(text) if len(text) <= _MOST_DIGITS else math.inf


def _mended(value: Any) -> Any:
    """The value without halves of surrogate pairs."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_mended(each) for each in value]
    if isinstance(value, dict):
        return {_mended(name): _mended(each) for name, each in value.items()}
    return value


def mapping_in(value: Any, name: str) -> Mapping[str, Any]:
    """The object under a name; empty where there is none."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def count_in(value: Any, name: str) -> int:
    """The count under a name; 0 where it tells nothing that can be believed."""
    found = value.get(name) if isinstance(value, Mapping) else None
    believed = isinstance(found, int) and not isinstance(found, bool) and 0 <= found <= MOST_TOKENS
    return int(found) if believed and found else 0


def plain_text(value: Any) -> str:
    """A text as it is; anything else as JSON, shortened."""
    if isinstance(value, str):
        return value
    return json_text(value)[:_SHOWN]


def json_text(value: Any) -> str:
    """A value of a reply as JSON text."""
    try:
        return orjson.dumps(value).decode()
    except (orjson.JSONEncodeError, RecursionError):
        return json.dumps(value, ensure_ascii=False)
