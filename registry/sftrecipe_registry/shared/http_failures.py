"""What a vendor's status codes and error bodies mean for the call."""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import orjson

from sftrecipe import CallFailed
from sftrecipe.plugin.provider import Outcome

SHOWN = 20_000
"""Characters of a vendor's message that are read; the engine cuts it, once no key is in it."""

REFUSED = (
    "content_filter",
    "content_policy",
    "data_inspection_failed",
    "moderation",
    "sensitive",
    "responsibleaipolicyviolation",
    "system_unsafe",
    "user_setting_unsafe",
    "functions_unsafe",
)
"""Parts of error codes that say the content was refused."""
UNPAID = (
    "insufficient_quota",
    "exceeded_current_quota",
    "billing",
    "arrearage",
    "overdue",
    "access_terminated",
)
"""Parts of the codes of a 429 that waiting does not cure."""
ZHIPU_REFUSED = ("1301",)
ZHIPU_UNPAID = ("1112", "1113", "1121")
"""Zhipu's codes are numbers: account locked, in arrears, blocked for violations."""
REFUSED_TEXTS = ("Content Exists Risk",)
"""Messages that say so where the code does not (DeepSeek)."""
BUSY = (
    "rate_limit",
    "ratelimit",
    "too_many_requests",
    "overloaded",
    "throttling",
    "limit_requests",
)
BROKEN = ("internal_error", "internal_server_error", "server_error", "service_unavailable")


class Fault(NamedTuple):
    """What an error body says."""

    code: str
    message: str


def fault_in(body: bytes) -> Fault | None:
    """The error that a body tells of, in any of the usual shapes; None: it is no error."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return fault_of(parsed) if isinstance(parsed, dict) else None


def fault_of(reply: Mapping[str, Any]) -> Fault | None:
    """The error that a reply tells of, whatever its status."""
    error = reply.get("error")
    if isinstance(error, Mapping):
        code = " ".join(str(error[name]) for name in ("code", "type", "status") if error.get(name))
        return Fault(code, str(error.get("message") or error))
    if error:
        return Fault(str(reply.get("code") or error), str(reply.get("error_description") or error))
    if "choices" in reply or "data" in reply:
        return None
    for code, text in (("code", "message"), ("code", "msg"), ("error_code", "error_msg")):
        if code in reply and text in reply:
            return Fault(str(reply[code]), str(reply[text]))
    if reply.get("object") == "error" or "detail" in reply:
        return Fault(str(reply.get("type", "")), str(reply.get("message") or reply.get("detail")))
    return None


def failure_of(status: int, body: bytes, headers: Mapping[str, str]) -> CallFailed:
    """The failure that a reply with an error status means."""
    fault = fault_in(body)
    if fault is None:
        plain = body[:SHOWN].decode("utf-8", "replace").strip()
        fault = Fault("", " ".join(plain.split()) or "no message")
    return classified(status, fault, retry_after(headers))


def classified(status: int, fault: Fault, pause: float | None = None) -> CallFailed:
    """The failure that a status and an error mean together."""
    text = f"{fault.message[:SHOWN]}"
    shown = " ".join(part for part in (f"HTTP {status}", fault.code) if part)
    return CallFailed(
        _outcome(status, fault),
        f"{shown}: {text}",
        status=status,
        retry_after=pause,
    )


def _outcome(status: int, fault: Fault) -> Outcome:
    code = fault.code.lower()
    if (
        any(part in code for part in REFUSED)
        or code in ZHIPU_REFUSED
        or any(part in fault.message for part in REFUSED_TEXTS)
    ):
        return "refused"
    if any(part in code for part in UNPAID) or code in ZHIPU_UNPAID or status == 402:
        return "final"
    if status in (429, 503, 529) or any(part in code for part in BUSY):
        return "wait"
    if status >= 500 or status in (408, 409, 425) or any(part in code for part in BROKEN):
        return "retry"
    return "final"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait."""
    if milliseconds := headers.get("retry-after-ms"):
        return _seconds(milliseconds, 1000)
    told = headers.get("Retry-After") or headers.get("retry-after")
    if told is None:
        return None
    if (seconds := _seconds(told, 1)) is not None:
        return seconds
    return _seconds_until(told, headers.get("Date") or headers.get("date"))


def _seconds_until(told: str, sent: str | None) -> float | None:
    """Seconds from when the reply was sent: by the server's own clock, this one may be wrong."""
    try:
        now = parsedate_to_datetime(sent).timestamp() if sent else time.time()
        return _seconds(str(parsedate_to_datetime(told).timestamp() - now), 1)
    except ValueError:
        return None


def _seconds(text: str, divisor: float) -> float | None:
    try:
        return max(0.0, min(float(text) / divisor, 3600.0))
    except ValueError:
        return None
