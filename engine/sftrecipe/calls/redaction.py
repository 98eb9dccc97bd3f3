"""Keys of this process, and taking them out of every text that is kept or shown.

Servers and proxies quote a key whole, cut, masked in the middle (`sk-ab****yz`), over two lines, or
as they sent it on: in a header, an address, a JSON text.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sftrecipe.plugin.provider import Answer

HIDDEN = "***"
SHORTEST = 6
"""A shorter value is no secret, and would be found in every text."""
_KEY_LENGTH = 16
"""From here on a value is no ordinary word, and is taken out of replies too, which become data."""
_PIECE = 8
"""Characters of a key that tell something of it."""
LONGEST_MESSAGE = 20_000
SHOWN = 600
"""Characters of a message that are kept."""
_MASKS = re.compile(r"[*•·●…#]+|\.{3,}|[xX]{4,}|<[a-z]+>|\[[A-Za-z]+\]")
_BETWEEN = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class _Secret:
    """One key, and what it looks like elsewhere."""

    value: str
    whole: tuple[str, ...]
    """Itself and other writings of it, the longest first."""
    signs: tuple[str, ...]
    """Texts of which one stands in everything that holds a large piece of it."""
    blocks: tuple[str, ...]
    """Smaller parts."""
    letters: str
    """Its letters and digits, in one case."""


_known: dict[str, _Secret] = {}


def remember(value: str) -> None:
    """Take this value out of every text from now on, if it is long enough to be a secret."""
    if len(value) >= SHORTEST and value not in _known:
        _known[value] = _secret(value)


def scrub_message(text: str) -> str:
    """A message, short enough to be kept, without keys and pieces of keys.

    One that holds none is the same object: a `Text` is told in any language.
    """
    scrubbed = text[:LONGEST_MESSAGE] if _known else text
    for secret in _known.values():
        scrubbed = _without_pieces(_without(scrubbed, secret.whole), secret, _PIECE)
        scrubbed = _without_broken(_without_masked(scrubbed, secret), secret)
    if len(scrubbed) > SHOWN:
        return f"{scrubbed[:SHOWN]}…"
    return text if scrubbed == text else scrubbed


def scrub_output(text: str) -> str:
    """What is shown, without keys; its length stays about what it is."""
    for secret in _known.values():
        text = _without(text, secret.whole)
    return text


def scrub_answer(answer: Answer) -> Answer:
    """An answer without keys, also in its raw body; short ones could be ordinary words of it."""
    if not _known:
        return answer
    if len(answer.finish_reason) + len(answer.note) >= _PIECE:  # reasons and warnings, no data
        finish, note = scrub_message(answer.finish_reason), scrub_message(answer.note)
        answer = answer._replace(finish_reason=finish, note=note)
    closed = "".join((answer.text, answer.reasoning, str(answer.tool_calls or "")))
    closed = closed.replace(" ", "").replace("\n", "").casefold()
    for secret in _known.values():
        if len(secret.value) < _KEY_LENGTH:
            continue
        told = any(sign in answer.raw for sign in secret.signs) or secret.value.casefold() in closed
        if told or not answer.raw:
            answer = answer._replace(
                text=_cleaned(answer.text, secret),
                reasoning=_cleaned(answer.reasoning, secret),
                tool_calls=tuple(_cleaned_value(call, secret) for call in answer.tool_calls),
                raw=_cleaned(answer.raw, secret),
            )
    return answer


def _cleaned_value(value: Any, secret: _Secret) -> Any:
    """A value with all the texts in it cleaned."""
    if isinstance(value, str):
        return _cleaned(value, secret)
    if isinstance(value, list):
        return [_cleaned_value(each, secret) for each in value]
    if isinstance(value, dict):
        return {
            _cleaned(name, secret): _cleaned_value(each, secret) for name, each in value.items()
        }
    return value


def _cleaned(text: str, secret: _Secret) -> str:
    least = max(_PIECE, len(secret.value) // 4)
    return _without_broken(_without_pieces(_without(text, secret.whole), secret, least), secret)


def _secret(value: str) -> _Secret:
    coded = list(_coded(value))
    whole = tuple(sorted({*_written(value), *coded}, key=len, reverse=True))
    quarters = _blocks(value, max(_PIECE, len(value) // 4))
    blocks, letters = tuple(_blocks(value, _PIECE // 2)), _BETWEEN.sub("", value).casefold()
    return _Secret(value, whole, (*quarters, *coded), blocks, letters)


def _written(value: str) -> Iterator[str]:
    """The key, also as an address and as JSON have it."""
    escaped = json.dumps(value)[1:-1]
    yield from (value, quote(value, safe=""), quote(value), escaped, escaped.replace("/", "\\/"))


def _coded(value: str) -> Iterator[str]:
    """The key in base64, in which its middle is the same whatever stands around it; and with
    every character escaped."""
    content = value.encode("utf-8", "surrogatepass")
    yield from (content.hex(), content.hex().upper(), "".join(f"%{byte:02X}" for byte in content))
    for form in ("\\u{:04x}", "\\u{:04X}", "\\x{:02x}", "&#{};", "&#x{:x};", "&#x{:X};"):
        yield "".join(form.format(ord(each)) for each in value)
    for before in (b"", b"\0", b"\0\0"):
        coded = base64.b64encode(before + content)
        inner = coded[4 if before else 0 : len(coded) - 4].decode()
        if len(inner) >= _PIECE:
            yield from dict.fromkeys((inner, inner.replace("+", "-").replace("/", "_")))


def _blocks(value: str, size: int) -> Iterator[str]:
    for start in range(0, len(value) - size + 1, size):
        yield value[start : start + size]
    yield value[-size:]


def _without(text: str, writings: tuple[str, ...]) -> str:
    for writing in writings:
        if writing in text:
            text = text.replace(writing, HIDDEN)
    return text


def _without_pieces(text: str, secret: _Secret, least: int) -> str:
    """Every run of characters that stands in the key too, if it is so long or half of the key."""
    least = min(least, max(SHORTEST, len(secret.value) // 2))
    at = 0
    for block in secret.blocks:
        at = text.find(block)
        while at >= 0:
            start, end = _grown(text, at, block, secret.value)
            if end - start >= least:
                text = text[:start] + HIDDEN + text[end:]
                end = start + len(HIDDEN)
            at = text.find(block, max(end, at + 1))
    return text


def _grown(text: str, at: int, block: str, value: str) -> tuple[int, int]:
    """The longest part of the key around a block of it."""
    best = (at, at + len(block))
    place = value.find(block)
    while place >= 0:
        start, before = at, place
        while start > 0 and before > 0 and text[start - 1] == value[before - 1]:
            start, before = start - 1, before - 1
        end, after = at + len(block), place + len(block)
        while end < len(text) and after < len(value) and text[end] == value[after]:
            end, after = end + 1, after + 1
        if end - start > best[1] - best[0]:
            best = (start, end)
        place = value.find(block, place + 1)
    return best


def _without_masked(text: str, secret: _Secret) -> str:
    """A key of which the middle is masked: what is left of its beginning and its end."""
    parts, done = [], 0
    for mask in _MASKS.finditer(text):
        before, after = text[done : mask.start()], text[mask.end() : mask.end() + 40]
        head = _overlap(before, secret.value, at_start=True)
        tail = _overlap(after, secret.value, at_start=False)
        if head >= 4 or (head >= 2 and tail >= 2) or tail >= 4:
            parts += [before[: len(before) - head], HIDDEN]
            done = mask.end() + tail
    return "".join((*parts, text[done:]))


def _overlap(text: str, value: str, *, at_start: bool) -> int:
    """How many characters of the key's beginning end a text, or of its end begin one."""
    for count in range(min(len(text), len(value) - 1, 40), 1, -1):
        if at_start and text.endswith(value[:count]):
            return count
        if not at_start and text.startswith(value[-count:]):
            return count
    return 0


def _without_broken(text: str, secret: _Secret) -> str:
    """A key that is broken by what is no letter and no digit, in any case: over two lines, in
    groups, with spaces."""
    if len(secret.letters) < _PIECE or secret.letters not in _BETWEEN.sub("", text).casefold():
        return text
    broken = r"[\W_]*".join(map(re.escape, secret.letters))
    return re.sub(broken, HIDDEN, text, flags=re.IGNORECASE)
