"""Bodies of replies, inflated piece by piece: a small one may stand for gigabytes."""

from __future__ import annotations

import zlib
from collections.abc import AsyncGenerator, Iterator
from typing import TYPE_CHECKING

from sftrecipe.plugin import UNREADABLE_REPLY, CallFailed, Texts

if TYPE_CHECKING:
    import aiohttp

texts = Texts(__package__)
ACCEPTED = "gzip, deflate"
"""What servers are told to compress by. A session must not inflate (`auto_decompress`) itself."""
_PLAIN = ("", "identity", "none", "utf-8", "utf8")
"""The last three are no encodings, but some servers send them for none."""
_PIECE = 1 << 16
_GZIP, _ZLIB, _RAW = 31, 15, -15
"""zlib's `wbits`."""
_GZIP_MARK = b"\x1f"


async def inflated(response: aiohttp.ClientResponse) -> AsyncGenerator[bytes]:
    """A body's pieces, none above 64 KiB where it is compressed. Raises CallFailed."""
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in (*_PLAIN, "gzip", "x-gzip", "deflate"):
        raise unreadable(texts("other-compression", encoding=encoding[:80]))
    stream = None if encoding in _PLAIN else Inflating(encoding == "deflate")
    async for part in response.content.iter_any():
        if stream is None:
            yield part
        else:
            for piece in stream.pieces(part):
                yield piece


class Inflating:
    """A compressed stream, of which never more than a piece is inflated at once."""

    def __init__(self, deflate: bool) -> None:
        self._deflate = deflate
        self._stream: zlib._Decompress | None = None
        self._ended = False

    def pieces(self, part: bytes) -> Iterator[bytes]:
        """What a further part of it holds. Raises CallFailed."""
        rest = part
        while rest:
            if self._stream is None:
                if self._ended and (self._deflate or not rest.startswith(_GZIP_MARK)):
                    return  # padding behind the end
                self._stream = zlib.decompressobj(self._form(rest))
            stream = self._stream
            try:
                piece = stream.decompress(rest, _PIECE)
            except zlib.error as error:
                raise mangled(texts("not-inflated", error=error)) from None
            yield piece
            rest = stream.unconsumed_tail
            if stream.eof:  # gzip may come in several members
                self._stream, rest, self._ended = None, stream.unused_data, True

    def _form(self, start: bytes) -> int:
        if not self._deflate:
            return _GZIP
        # What HTTP calls deflate is zlib's format; some send the bare stream.
        zlibs = start[0] & 0x0F == 8 and int.from_bytes(start[:2].ljust(2, b"\0")) % 31 == 0
        return _ZLIB if zlibs else _RAW


def mangled(message: str) -> CallFailed:
    """A reply that was cut or mangled on its way: the next one may be whole."""
    return CallFailed("retry", message, status=200, reason=UNREADABLE_REPLY)


def not_an_object() -> CallFailed:
    """A reply that is JSON, and no object."""
    return mangled(texts("not-an-object"))


def unreadable(message: str) -> CallFailed:
    """A reply that came, was paid, and cannot be read: another one would be no better."""
    return CallFailed("final", message, status=200, reason=UNREADABLE_REPLY)
