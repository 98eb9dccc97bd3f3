"""What a vendor's status codes and error bodies mean for the call."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from sftrecipe.plugin import (
    CALL_FAILED,
    CONTEXT_TOO_LONG,
    KEPT_REASONS,
    REQUEST_TOO_LARGE,
    Blame,
    CallFailed,
    Outcome,
)
from sftrecipe_registry.shared.http import failure_words as words
from sftrecipe_registry.shared.http.reply_json import in_utf8, mapping_in, parse_json, plain_text

SHOWN = 20_000
"""Characters of a vendor's message that are read; the engine cuts it, once no key is in it."""

_STATUS = re.compile(r"[45][0-9]{2}")


class Fault(NamedTuple):
    """What an error body says."""

    code: str
    message: str
    parameter: str = ""
    """The part of the request that it names."""


def fault_in(body: bytes) -> Fault | None:
    """The error that a body tells of, in any of the usual shapes; None: it is no error."""
    parsed = parse_json(body)
    if parsed is None:
        return None
    # Gemini's compatible interface wraps its errors in a list.
    value = parsed.value[0] if isinstance(parsed.value, list) and parsed.value else parsed.value
    return fault_of(value) if isinstance(value, dict) else None


def fault_of(reply: Mapping[str, Any]) -> Fault | None:
    """The error that a reply tells of, whatever its status."""
    error = reply.get("error")
    if isinstance(error, Mapping) and not _is_empty(error):
        if (inner := _handed_on(error)) is not None:
            return inner
        names = ("code", "type", "status")
        code = " ".join(plain_text(error[name]) for name in names if error.get(name))
        return Fault(code, plain_text(error.get("message") or error), _parameter(error))
    if error and not isinstance(error, Mapping):
        told = reply.get("error_description") or reply.get("message") or error
        return Fault(plain_text(reply.get("code") or error), plain_text(told), _parameter(reply))
    if "choices" in reply or "data" in reply:
        return _of_a_choice(reply.get("choices")) or _minimax(reply)
    return _bare(reply)


def _handed_on(error: Mapping[str, Any]) -> Fault | None:
    """The vendor's own error, which a gateway hands on within one of its own (OpenRouter)."""
    more = mapping_in(error, "metadata")
    raw, outer = more.get("raw"), plain_text(error.get("message") or "")
    code = plain_text(error.get("code") or "")
    if "flagged_input" in more:
        return Fault(f"{code} moderation".strip(), outer)
    if not isinstance(raw, str) or not raw.strip():
        return None
    told = fault_in(raw.encode("utf-8", "replace")) or Fault("", raw)
    code = " ".join(filter(None, (code, told.code)))
    return Fault(code, f"{outer}: {told.message}" if outer else told.message, told.parameter)


def _of_a_choice(choices: Any) -> Fault | None:
    """The error that ended a reply half-way (OpenRouter)."""
    choice = choices[0] if isinstance(choices, list) and choices else None
    error = choice.get("error") if isinstance(choice, Mapping) else None
    return fault_of({"error": error}) if error else None


def _bare(reply: Mapping[str, Any]) -> Fault | None:
    """The error that a reply is as a whole."""
    for code, text in (("code", "message"), ("code", "msg"), ("error_code", "error_msg")):
        if code in reply and text in reply:
            kind = f" {reply['type']}" if isinstance(reply.get("type"), str) else ""
            told = f"{plain_text(reply[code])}{kind}" if code == "code" else plain_text(reply[code])
            return Fault(told, plain_text(reply[text]), _parameter(reply))
    if reply.get("object") == "error" or "detail" in reply:
        said = reply.get("message") or reply.get("detail")
        return Fault(plain_text(reply.get("type", "")), plain_text(said), _parameter(reply))
    return _minimax(reply)


def _is_empty(error: Mapping[str, Any]) -> bool:
    """Whether it says that nothing is wrong: some gateways add such a one to every reply."""
    good = (None, "", 0, 200, "0", "200", "success", "ok")
    return all(isinstance(each, (str, int, type(None))) and each in good for each in error.values())


def _minimax(reply: Mapping[str, Any]) -> Fault | None:
    told = mapping_in(reply, "base_resp")
    code = told.get("status_code")
    if not code:
        return None
    known = words.MINIMAX.get(code, "") if isinstance(code, int) else ""
    text = plain_text(told.get("status_msg") or told)
    return Fault(f"{plain_text(code)} {known}".strip(), text)


def _parameter(error: Mapping[str, Any]) -> str:
    named = error.get("param")
    return named if isinstance(named, str) else ""


def failure_of(status: int, body: bytes, headers: Mapping[str, str]) -> CallFailed:
    """The failure that a reply with an error status means."""
    body = in_utf8(body, headers.get("Content-Type", ""))
    fault = fault_in(body)
    if fault is None:
        plain = body[:SHOWN].decode("utf-8", "replace").strip()
        fault = Fault("", " ".join(plain.split()) or "no message")
    return classified(status, fault, retry_after(headers))


def classified(status: int, fault: Fault, pause: float | None = None) -> CallFailed:
    """The failure that a status and an error mean together."""
    text = f"{fault.message[:SHOWN]}"
    shown = " ".join(part for part in (f"HTTP {status}", fault.code[:SHOWN]) if part)
    told = _status_in(fault) if 200 <= status < 300 else None
    meaning = _meaning(told or status, fault)
    return CallFailed(
        meaning.outcome,
        f"{shown}: {text}",
        status=_billed_as(status, told, meaning) if 200 <= status < 300 else status,
        retry_after=pause,
        reason=meaning.reason,
        blame=meaning.blame,
        parameter=fault.parameter,
    )


def _billed_as(status: int, told: int | None, meaning: _Meaning) -> int:
    """The status of an error that came with a good one: what broke a reply off may have been
    paid, what turned the request away was not."""
    if told and told < 500:
        return told
    turned_away = meaning.outcome == "wait" or meaning.reason in KEPT_REASONS
    return 400 if turned_away else status


def _status_in(fault: Fault) -> int | None:
    """The status of an error that came with another one, as its code (gateways: OpenRouter)."""
    codes = (int(code) for code in fault.code.split() if _STATUS.fullmatch(code))
    return next(codes, None)


class _Meaning(NamedTuple):
    """What a failure means for the call, its row and its provider."""

    outcome: Outcome
    blame: Blame = ""
    reason: str = CALL_FAILED


def _meaning(status: int, fault: Fault) -> _Meaning:
    """What is known by its words first; else by its status."""
    code, text = fault.code.lower(), fault.message
    known = _of_the_row(status, code, text) or _of_the_provider(status, code, text)
    if known:
        return known
    if status in (429, 503, 529) or _any(words.BUSY, code):
        return _Meaning("wait")
    if status >= 500 or status in (408, 409, 425) or _any(words.BROKEN, code):
        return _Meaning("retry")
    named = fault.parameter.partition("[")[0].partition(".")[0]
    if named in words.CONTENT:
        return _Meaning("final", "row")
    if named or _any(words.PARAMETERS, code) or words.PARAMETER_TEXTS.search(text):
        return _Meaning("final", "recipe")
    return _Meaning("final")


def _of_the_row(status: int, code: str, text: str) -> _Meaning | None:
    codes = code.split()
    if (
        _any(words.REFUSED, code)
        or not {*words.REFUSED_CODES}.isdisjoint(codes)
        or (status in words.OF_A_REQUEST and words.REFUSED_TEXTS.search(text))
    ):
        return _Meaning("refused", "row")
    if status not in (401, 403, 404) and (
        _any(words.TOO_LONG, code)
        or not {*words.TOO_LONG_CODES}.isdisjoint(codes)
        or words.TOO_LONG_TEXTS.search(text)
        or (status in words.OF_A_REQUEST and words.is_too_long(text))
    ):
        return _Meaning("final", "row", CONTEXT_TOO_LONG)
    if status == 413 or (status == 429 and words.TOO_LARGE_TEXTS.search(text)):
        return _Meaning("final", "row", REQUEST_TOO_LARGE)
    return None


def _of_the_provider(status: int, code: str, text: str) -> _Meaning | None:
    """No money, no key, no such model: no other row fares better."""
    codes = code.split()
    unpaid = (
        status == 402
        or _any(words.UNPAID, code)
        or not {*words.UNPAID_CODES}.isdisjoint(codes)
        or words.UNPAID_TEXTS.search(text)
    )
    if unpaid or status == 401:
        return _Meaning("final", "provider")
    if status in (200, 400, 403) and (_any(words.KEYS, code) or words.KEY_TEXTS.search(text)):
        return _Meaning("final", "provider")
    if status in (200, 400, 404) and (
        _any(words.MODELS, code)
        or not {*words.MODEL_CODES}.isdisjoint(codes)
        or words.MODEL_TEXTS.search(text)
    ):
        return _Meaning("final", "provider")
    return None


def _any(parts: tuple[str, ...], code: str) -> bool:
    return any(part in code for part in parts)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait; None where it says nothing that can be waited for."""
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
        return max(0.0, parsedate_to_datetime(told).timestamp() - now)
    except (ValueError, TypeError, OverflowError, IndexError, OSError):
        return None


def _seconds(text: str, divisor: float) -> float | None:
    try:
        seconds = float(text) / divisor
    except ValueError:
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
