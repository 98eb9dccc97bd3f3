"""Searching a text in a process of its own, which the system ends when it takes too long.

`re` neither lets other threads run nor hears a signal in time while it goes through a long text.
"""

from __future__ import annotations

import pickle
import re
import signal
import subprocess
import sys
from contextlib import suppress

_ANY = re.compile("(?s:.*)")
_idle: list[subprocess.Popen[bytes]] = []


class TooLong(Exception):
    """The search was ended."""


def search_apart(pattern: re.Pattern[str], text: str, seconds: float) -> re.Match[str] | None:
    """What the pattern's `search` gives, except for groups. Raises TooLong after CPU seconds."""
    try:
        asked = _idle.pop()
    except IndexError:
        asked = _started()
    try:
        found = _answer(asked, (pattern.pattern, pattern.flags, text, seconds))
    except BaseException:
        _end(asked)
        raise
    _idle.append(asked)
    return None if found is None else _ANY.match(text, *found)


def _started() -> subprocess.Popen[bytes]:
    """The process; `-I -S`: it needs the standard library alone."""
    return subprocess.Popen(  # noqa: S603 - this file
        [sys.executable, "-I", "-S", __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # else whoever reads ours waits for a search that goes on
        start_new_session=True,
    )


def _answer(
    process: subprocess.Popen[bytes], question: tuple[str, int, str, float]
) -> tuple[int, int] | None:
    assert process.stdin is not None  # noqa: S101 - they were asked for
    assert process.stdout is not None  # noqa: S101
    try:
        pickle.dump(question, process.stdin)
        process.stdin.flush()
        found: tuple[int, int] | None = pickle.load(process.stdout)  # noqa: S301 - our own process
        return found
    except (BrokenPipeError, EOFError):
        if process.wait() == -signal.SIGVTALRM:
            raise TooLong from None
        raise


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    for stream in (process.stdin, process.stdout):
        with suppress(OSError):
            if stream is not None:
                stream.close()
    process.wait()


def _serve() -> None:
    """Answer until nobody asks; a search that takes too long ends the process."""
    read, write = sys.stdin.buffer, sys.stdout.buffer
    while True:
        try:
            pattern, flags, text, seconds = pickle.load(read)  # noqa: S301 - from our own process
        except EOFError:
            return
        search = re.compile(pattern, flags).search
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
        found = search(text)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        pickle.dump(found and found.span(), write)
        write.flush()


if __name__ == "__main__":
    _serve()
