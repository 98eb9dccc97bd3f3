"""Excerpts of two long texts that show where they differ."""

from __future__ import annotations

_CUT = "…"


def excerpts(was: str, now: str, most: int) -> tuple[str, str]:
    """So many characters of both, from a little before the first that differs."""
    if max(len(was), len(now)) <= most:
        return was, now
    at = enumerate(zip(was, now, strict=False))
    same = next((place for place, (old, new) in at if old != new), min(len(was), len(now)))
    begin = max(same - most // 4, 0) if was != now else 0
    one, two = (_part(text, begin, most) for text in (was, now))
    return one, two


def _part(text: str, begin: int, most: int) -> str:
    end = begin + most
    return _CUT * (begin > 0) + text[begin:end] + _CUT * (len(text) > end)
