"""What this process writes to a terminal: visible characters alone, in any encoding, without keys.

Rows, replies, servers' messages and file names may hold sequences that a terminal obeys. Both
streams are wrapped, so that nothing has to think of it where it prints.
"""

from __future__ import annotations

import codecs
import os
import sys
from collections.abc import Iterable
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
        self._stream.write(_shown(text))
        return len(text)

    def write_styled(self, parts: Iterable[tuple[str, str]]) -> None:
        """Write texts as `write` does, each in its colour: codes of a terminal, or none."""
        for codes, text in parts:
            shown = _shown(text)
            self._stream.write(f"\x1b[{codes}m{shown}\x1b[0m" if codes else shown)

    @property
    def has_colour(self) -> bool:
        """Whether colours are wanted: a terminal that has them, or the user's word."""
        asked = os.environ.get
        if asked("NO_COLOR"):
            return False
        if any(asked(name, "0") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
            return True
        return asked("CLICOLOR") != "0" and asked("TERM") != "dumb" and self._stream.isatty()

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


def _shown(text: str) -> str:
    """The text as a terminal may have it: no keys, visible characters alone."""
    scrubbing = sys.modules.get("sftrecipe.calls.redaction")  # else no key was read yet
    return visible(scrubbing.scrub_output(text) if scrubbing else text)


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
