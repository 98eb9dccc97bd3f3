"""Guessing the encoding of a text that says nothing about it."""

from __future__ import annotations

import codecs
from typing import NamedTuple

_CANDIDATES = ["gb18030", "big5", "cp932", "euc_jp", "cp949", "cp1252", "cp1251"]
"""Fewer are surer: the other Windows code pages differ from these in single letters."""
_SURE_BYTES = 128
"""From so many bytes that are not ASCII on, charset-normalizer knows Chinese from Korean."""
_FEW_LINES = 3
_FEW_BYTES = 64
_SHARE_OF_ZEROS = 0.2


def wide_encoding(head: bytes) -> str | None:
    """UTF-16 or UTF-32 without a byte order mark, by where the zero bytes stand."""
    head = head[: len(head) // 4 * 4]
    if not head or head.count(0) < _SHARE_OF_ZEROS * len(head):
        return None
    zeros = [head[place::4].count(0) * 4 / len(head) for place in range(4)]
    if min(zeros[2:]) > 0.9 and zeros[0] < 0.1:
        return "utf-32-le"
    if min(zeros[:2]) > 0.9 and zeros[3] < 0.1:
        return "utf-32-be"
    even, odd = zeros[0] + zeros[2], zeros[1] + zeros[3]
    if max(even, odd) > 2 * _SHARE_OF_ZEROS and min(even, odd) < max(even, odd) / 4:
        return "utf-16-le" if odd > even else "utf-16-be"
    return None


class _Evidence(NamedTuple):
    """The lines of a sample that are not ASCII."""

    utf8: int
    other: list[bytes]


def guess(sample: bytes, *, is_all: bool) -> str:
    """The encoding of a sample that begins at a line's start.

    UTF-8 unless most of what is not ASCII is no UTF-8; a single odd line in a long file is a
    damaged line and tells nothing. A character that is cut at the sample's end counts for nothing.
    """
    evidence = _evidence(sample, is_all)
    odd = b"\n".join(evidence.other)
    if len(evidence.other) <= evidence.utf8:
        return "utf-8"
    if not is_all and len(evidence.other) < _FEW_LINES and _special(odd) < _FEW_BYTES:
        return "utf-8"
    return _detected(odd)


def _special(text: bytes) -> int:
    """How many bytes of the text's beginning are not ASCII."""
    return sum(byte > 127 for byte in text[: 16 * _SURE_BYTES])


def _evidence(sample: bytes, is_all: bool) -> _Evidence:
    lines = sample.split(b"\n")
    if not is_all and len(lines) > 1:
        lines.pop()
    utf8, other = 0, []
    for line in lines:
        if line.isascii():
            continue
        try:
            line.decode()
            utf8 += 1
        except UnicodeDecodeError as error:
            if not is_all and len(lines) == 1 and error.start > len(line) - 4:
                utf8 += 1
            else:
                other.append(line)
    return _Evidence(utf8, other)


def _detected(text: bytes) -> str:
    """What charset-normalizer finds; of little text, GB18030 where that gives common Chinese."""
    if _special(text) < _SURE_BYTES and _is_common_chinese(text):
        return "gb18030"
    from charset_normalizer import from_bytes  # noqa: PLC0415 - only files that are not UTF-8

    best = from_bytes(text, cp_isolation=_CANDIDATES).best()
    if best is not None and best.encoding in _CANDIDATES:
        return best.encoding
    return "gb18030" if _decoded(text) is not None else "utf-8"


def _decoded(text: bytes) -> str | None:
    """As GB18030, but for a character that is cut at the end."""
    try:
        return codecs.getincrementaldecoder("gb18030")().decode(text)
    except UnicodeDecodeError:
        return None


def _is_common_chinese(text: bytes) -> bool:
    """Whether the text is GB18030 with little but common characters."""
    chars = [char for char in _decoded(text) or "" if not char.isascii()]
    common = sum(_is_common(char) for char in chars)
    return len(chars) >= 2 and common >= 0.9 * len(chars)


def _is_common(char: str) -> bool:
    """One of the 3,755 characters of GB 2312's first level, or full-width punctuation."""
    try:
        lead = char.encode("gb2312")[0]
    except UnicodeEncodeError:
        return False
    return 0xB0 <= lead <= 0xD7 or lead in (0xA1, 0xA3)
