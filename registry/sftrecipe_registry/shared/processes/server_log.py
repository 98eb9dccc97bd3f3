"""What a server's log says in a few words: its last line, and why it ended."""

from __future__ import annotations

import re
from pathlib import Path

_READ = 512 * 1024
"""Bytes at the end of a log that are looked at."""
_LONGEST = 400
_MOST = 3
# (EngineCore pid=23929) ERROR 11-21 08:16:49 [core.py:1512] …
# [rank0]: …
_PREFIX = re.compile(
    r"^(?:\([^)]*pid=\d+\) ?|\[rank\d+\]: ?)?"
    r"(?:(?:DEBUG|INFO|WARNING|ERROR|CRITICAL) [\d-]+ [\d:.]+ \[[^\]]*\] ?)?"
)
_EXCEPTION = re.compile(r"^(?:[A-Za-z_]\w*\.)*\w*(?:Error|Exception|Interrupt|Exit)(?:: .+|$)")
_OF_COMMAND_LINE = re.compile(r"^\S+: error: |^\S*/python[\d.]*: ")
_GOES_ON = re.compile(r"validation errors? for \w+$")
_FOLLOWS_FROM_ANOTHER = re.compile(
    r"initialization failed|EngineDeadError|CancelledError|SystemExit|(?i:stack trace|root cause)"
    r"|ChildFailedError|CalledProcessError"
)


def last_line(log: Path) -> str:
    """The last line that says something, without its time and place."""
    lines = [line for line in _lines(log) if any(sign.isalnum() for sign in line)]
    return _short(lines[-1]) if lines else ""


def telling_lines(log: Path) -> str:
    """The exceptions at the end of a log, those that only follow from others left out; the last
    lines where there is none."""
    lines = _lines(log)
    found: list[str] = []
    for place, line in enumerate(lines):
        if _EXCEPTION.match(line) or _OF_COMMAND_LINE.match(line):
            rest = lines[place + 1 : place + 3] if _GOES_ON.search(line) else []
            found.append(_short(" ".join([line, *(more.strip() for more in rest)])))
    distinct = list(dict.fromkeys(found))
    causes = [line for line in distinct if not _FOLLOWS_FROM_ANOTHER.search(line)] or distinct
    if len(causes) > _MOST:
        causes = [*causes[: _MOST - 1], causes[-1]]
    return "; ".join(causes or [_short(line.strip()) for line in lines[-_MOST:]])


def _lines(log: Path) -> list[str]:
    try:
        with log.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _READ))
            text = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return []
    # A progress bar writes over itself: of such a line the last state counts.
    written = (line.rstrip("\r").rpartition("\r")[2].rstrip() for line in text.split("\n"))
    return [_PREFIX.sub("", line) for line in written if line]


def _short(line: str) -> str:
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} …"
