"""A request that a server turns down for one of its parameters: which one, and what to write.

The parameter must be one that was sent, or that a recipe can set: words that only look like one are
not believed. What the row itself says (its turns, its tools) is never a parameter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sftrecipe.plugin import CallFailed
from sftrecipe_registry.shared.http.failure_words import CONTENT
from sftrecipe_registry.shared.http.steering import OMITTABLE, SWITCHES, Steering

_STATUSES = (200, 400, 404, 415, 422, 500)
_SETTABLE = frozenset(
    ("enable_thinking", "thinking", "thinking_budget", "reasoning", "reasoning_effort", "stream")
)
"""Parameters that are named though they were not sent: a recipe can send them."""
_SWITCHES = (*SWITCHES, "think")
_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
_REFUSING = re.compile(
    r"(?:un|not )support|un(?:known|recogni[sz]ed|expected)|invalid|deprecated|no longer"
    r"|(?:is|are|was|were)(?: not|n't) (?:permitted|allowed|accepted|available|valid|enabled)"
    r"|(?:does|do)(?: not|n't) (?:accept|take|allow|support|have)|cannot|can't|must|should|only"
    r"|required|missing|forbidden|not permitted|extra (?:inputs?|fields?)|extra_forbidden"
    r"|\brange\b|less than|greater than|between|incompatible|restricted to|unavailable"
    r"|please (?:use|set|remove)"
    r"|不支持|不合法|不正确|有误|超出|不允许|不接受|不能|不可|无法|无效|非法|错误|未知|必须|必填|应为|应该|仅支持|只支持|只能"
    r"|需要|缺少|取值|范围|弃用|废弃|暂不|未(?:正常)?(?:接收|收|传|提供|设置)|请(?:使用|设置|移除|去掉)",
    re.IGNORECASE,
)
_LOCATION = re.compile(r"loc['\"]?\s*[:=]\s*[\[(]\s*['\"](?:body['\"],\s*['\"])?(\w+)['\"]")
"""FastAPI's, as JSON or as Python writes it."""
_STREAM_ONLY = re.compile(
    r"only supports? (?:the )?stream|stream(?:ing)?(?: mode)? only|(?:streaming|stream) is required"
    r"|must (?:be called|be used|use|set|enable) .{0,20}stream|requires? (?:the )?stream"
    r"|`?stream`? must be (?:set to )?true|please (?:enable|use) (?:the )?stream"
    r"|(?:仅|只)(?:支持|能).{0,6}流式|必须.{0,8}流式|请(?:使用|开启).{0,6}流式"
    r"|non-?streaming (?:calls?|requests?|mode|responses?)? ?(?:is|are) (?:not |un)support"
    r"|`?stream`? ?[=:] ?`?false`? (?:is|are) (?:not |un)support"
    r"|(?:不支持|暂不支持)非流式|非流式.{0,6}不支持"
    r"|`?stream`? ?(?:参数)?(?:必须|应|需要?)(?:设置)?为 ?true",
    re.IGNORECASE,
)
_NO_STREAM = re.compile(r"不支持.{0,4}(?:SSE|流式)", re.IGNORECASE)
_NO_SWITCH = re.compile(
    r"(?:does(?: not|n't)|not) support (?:thinking|reasoning)\b|only works in thinking mode"
    r"|不支持.{0,6}(?:思考|推理)",
    re.IGNORECASE,
)
"""Thinking itself is refused, or not thinking, by no parameter's name."""
_MISSING = re.compile(r"field required|is required|missing|缺少|必填|不能为空", re.IGNORECASE)
_WITH_THE_ROW = re.compile(
    r"input|prompt|context|messages|got -\d|输入|提示|上下文|总长|总和|之和|为 ?-\d", re.IGNORECASE
)
"""Words by which `max_tokens` is too many for one row, which is long; servers that fill it in come
below zero."""
_NOT_THINKING = re.compile(
    r"must be (?:set to )?(?:false|disabled|off)|non.?streaming|not supported|unsupported"
    r"|(?:必须|应|需|请).{0,8}(?:false|关闭|disabled)|不支持",
    re.IGNORECASE,
)
_THINKING = re.compile(
    r"(?:must be|restricted to|should be|only)\b.{0,20}\btrue\b"
    r"|(?:必须|应|需|只能|仅).{0,8}(?:true|开启)",
    re.IGNORECASE,
)
_LINES = {
    "reasoning": "omit: [reasoning_effort]",
    "response_format": "structured: false",
    "text": "structured: false",
    "service_tier": "service_tier: null",
}
"""What to write for parameters that stand for others of the recipe."""
_BARE = r"(?<![a-z0-9_-]){name}(?![a-z0-9_-])"
"""Chinese stands beside a name without a space."""
_NAMED = (
    r"(?:[`'\"“「『]{name}[`'\"”」』]"
    rf"|(?:parameter|param|argument|field|参数|字段)s?(?:\(s\))?[:：.]?\s*{_BARE}"
    rf"|{_BARE}\s*(?:parameter|argument|参数|字段)|{_BARE}\s*[:：]|supplied:\s*{_BARE}"
    r"|(?<![\w.-]){name}(?-i:\.[a-z_]+))"
)


def blamed(failure: CallFailed, body: Mapping[str, Any], steering: Steering) -> CallFailed:
    """The failure, with the parameter that is at fault and the way out, where one is."""
    if failure.outcome != "final" or failure.status not in _STATUSES or failure.blame == "provider":
        return failure
    if failure.blame == "row":
        return failure
    text = failure.message
    if _STREAM_ONLY.search(text) and "stream" not in body:
        return _told(failure, "stream", "stream: true")
    if body.get("stream") is True and _NO_STREAM.search(text):
        return _told(failure, "stream", "stream: false")
    name = _named(failure, text, body) or _switch_refused(text, body)
    if name is None or (name in _LIMITS and _is_of_the_row(text)):
        failure.parameter = ""
        return failure
    return _told(failure, name, _remedy(name, text, steering))


def _told(failure: CallFailed, name: str, remedy: str) -> CallFailed:
    failure.blame, failure.parameter, failure.remedy = "recipe", name, remedy
    return failure


def _is_of_the_row(text: str) -> bool:
    told = _WITH_THE_ROW.search(text) is not None
    return told and "max_completion_tokens" not in text and not _MISSING.search(text)


def _named(failure: CallFailed, text: str, body: Mapping[str, Any]) -> str | None:
    """The parameter that is named, of those that were sent or can be set."""
    located = _LOCATION.search(text)
    for told in (failure.parameter, located[1] if located else ""):
        first = re.split(r"[.\[]", told.removeprefix("body.").removeprefix("parameter."))[0]
        if first in CONTENT:
            return None
        if first and (first in body or first in _SETTABLE | OMITTABLE):
            return first
    if not _REFUSING.search(text):
        return None
    return next((name for name in _candidates(body) if _is_named(name, text)), None)


def _switch_refused(text: str, body: Mapping[str, Any]) -> str | None:
    """The parameter by which the request told the model to think or not, where that is refused."""
    if not _NO_SWITCH.search(text):
        return None
    return next((name for name in (*_SWITCHES, "reasoning_effort") if name in body), None)


def _candidates(body: Mapping[str, Any]) -> Iterator[str]:
    """What was sent first, and of that longer names: `top_logprobs` holds `logprobs`."""
    names = {name for name in body if name not in (*CONTENT, "model")} | _SETTABLE
    yield from sorted(names, key=lambda name: (name not in body, -len(name), name))


def _is_named(name: str, text: str) -> bool:
    # A word of everyday language (`stop`, `seed`) counts where it is marked as a name.
    pattern = _BARE if "_" in name or name in ("temperature", "logprobs") else _NAMED
    first, *rest = name.split("_")
    camel = first + "".join(each.capitalize() for each in rest)  # some say it so
    either = f"(?:{re.escape(name)}|{re.escape(camel)}|{' '.join(name.split('_'))})"
    return bool(re.search(pattern.replace("{name}", either), text, re.IGNORECASE))


def _remedy(name: str, text: str, steering: Steering) -> str:
    """The line to write; empty where nobody knows one."""
    if name in _LIMITS:
        if name == "max_tokens" and "max_completion_tokens" in text:
            return "vendor: openai"
        return "with: {max_tokens: 1024}" if _MISSING.search(text) else "omit: [max_tokens]"
    if name == "stream":
        return "stream: false" if steering.streams else "stream: true"
    if name in steering.extra:
        return f"extra: {{}}  # without {name}"
    switched = _switched(text, steering) if name == "enable_thinking" else ""
    if switched or (name in _SWITCHES and steering.thinking is not None):
        return switched or "thinking: null"
    return _LINES.get(name, f"omit: [{name}]" if name in OMITTABLE else "")


def _switched(text: str, steering: Steering) -> str:
    """The line for a server that wants the other kind of replies; empty where it says neither."""
    is_known = steering.quirks.thinking == "enable_thinking"
    if _NOT_THINKING.search(text):
        return "thinking: off" if is_known else "extra: {enable_thinking: false}"
    if _THINKING.search(text):
        return "thinking: on" if is_known else "extra: {enable_thinking: true}"
    return ""
