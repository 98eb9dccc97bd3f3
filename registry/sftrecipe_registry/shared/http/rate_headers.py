"""The headers in which vendors tell their rate limits.

OpenAI's names are used by most. The limit on requests is one a minute at OpenAI and Qianfan (whose
headers tell no reset: it comes within 60 seconds), one a day at Groq; tokens are a minute's
everywhere. OpenAI's reset is the time until all is given back, bit by bit; others give it back at
once. Sources: platform.openai.com/docs/guides/rate-limits, console.groq.com/docs/rate-limits,
cloud.baidu.com/doc/qianfan-api, docs.anthropic.com/en/api/rate-limits.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from datetime import datetime

from sftrecipe.plugin import LimitSeen, LimitsSeen

_LONGEST = 40
"""Characters of a header's value that can be a number or a time."""
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_OPENAI = "x-ratelimit-{what}-{unit}"
_ANTHROPIC = "anthropic-ratelimit-{unit}-{what}"
_WHAT = ("limit", "remaining", "reset")
_NAMES = tuple(
    tuple(
        tuple(form.format(what=what, unit=unit) for what in _WHAT)
        for unit in ("requests", "tokens")
    )
    for form in (_OPENAI, _ANTHROPIC)
)
_NOTHING = LimitSeen()


def limits_in(headers: Mapping[str, str]) -> LimitsSeen | None:
    """The limits that a reply's headers tell, None where they tell none; nonsense is passed over.

    Names are looked up in lower case: a plain dictionary must have them so.
    """
    for requests, tokens in _NAMES:
        if requests[0] in headers or tokens[0] in headers or requests[1] in headers:
            seen = LimitsSeen(_limit(headers, requests), _limit(headers, tokens))
            return None if seen == (_NOTHING, _NOTHING) else seen
    return None


def _limit(headers: Mapping[str, str], names: tuple[str, ...]) -> LimitSeen:
    limit, remaining, reset = (headers.get(name) for name in names)
    most = _number(limit)
    return LimitSeen(most or None, _number(remaining), seconds_until(reset))


def _number(text: str | None) -> float | None:
    """A number from 0 up; some write -1 for no limit."""
    if text is None or len(text) > _LONGEST:
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number < math.inf else None


def seconds_until(text: str | None) -> float | None:
    """Seconds, from `1s`, `6m0s`, `12ms`, plain seconds, seconds since 1970 or an ISO time."""
    if text is None or len(text) > _LONGEST:
        return None
    if (number := _number(text)) is not None:
        return max(0.0, number - time.time()) if number > 1e9 else number
    parts = _PART.findall(text)
    if parts and "".join(f"{number}{unit}" for number, unit in parts) == text:
        return math.fsum(float(number) * _SECONDS[unit] for number, unit in parts)
    try:
        return max(0.0, datetime.fromisoformat(text).timestamp() - time.time())
    except (ValueError, OverflowError, OSError):
        return None
