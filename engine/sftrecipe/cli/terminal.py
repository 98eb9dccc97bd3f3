"""What this process writes to a terminal: visible characters alone, in any encoding, without keys.

Rows, replies, servers' messages and file names may hold sequences that a terminal obeys. Both
streams are wrapped, so that nothing has to think of it where it prints.
"""

from __future__ import annotations

import codecs
import sys
from typing import Any, TextIO

_JOINERS = "\u200c\u200d"
"""Scripts and emoji need them."""
_ESCAPING = "sftrecipe-escaping"


def visible(text: str) -> str:
    r"""The text with everything written as `\u001b` that is no visible character or line break.

    Inside a JSON text that is an escape, so that JSON stays what it was.
    """
    if text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return "".join(each if _is_plain(each) else _escaped(each) for each in text)


class Terminal:
    """A stream that writes visible characters alone; all else is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        if name == "buffer":  # click would write to it, past this
            raise AttributeError(name)
        return getattr(self._stream, name)

    def __iter__(self) -> Any:
        return iter(self._stream)

    def write(self, text: str) -> int:
        """Write the text, made visible; its length."""
        scrubbing = sys.modules.get("sftrecipe.calls.redaction")  # else no key was read yet
        shown = scrubbing.scrub_output(text) if scrubbing else text
        self._stream.write(visible(shown))
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Write them all."""
        for line in lines:
            self.write(line)


def guard_streams() -> None:
    """Have stdout and stderr write visible characters alone, escaped where they have no such."""
    codecs.register_error(_ESCAPING, _unencodable)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None or isinstance(stream, Terminal):
            continue
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=_ESCAPING)
        setattr(sys, name, Terminal(stream))


def _is_plain(character: str) -> bool:
    if character.isprintable() or character in "\n\t" or character in _JOINERS:
        return True
    import unicodedata  # noqa: PLC0415 - most texts need it not

    return unicodedata.category(character) in ("Zs", "Co")  # spaces of other widths; private use


def _escaped(text: str) -> str:
    units = text.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def _unencodable(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return _escaped(error.object[error.start : error.end]), error.end
