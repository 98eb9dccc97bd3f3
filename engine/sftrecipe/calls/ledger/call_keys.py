"""What a call is named by: a hash of everything that its reply depends on."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import orjson

from sftrecipe.plugin.provider import Request


def provider_part(use: str, identity: Mapping[str, Any]) -> bytes:
    """What every key of a provider begins with: its kind's name, model and revision."""
    return orjson.dumps([use, identity], option=orjson.OPT_SORT_KEYS)


def request_json(request: Request, *, without_limit: bool = False) -> bytes:
    """The request as canonical JSON: parts that are not used are left out; `without_limit`: nor
    does it say how long the reply may get."""
    sampling = request.sampling
    if without_limit:
        sampling = {name: sampling[name] for name in sampling if name != "max_tokens"}
    parts: dict[str, Any] = {"kind": request.kind}
    if request.messages:
        parts["messages"] = request.messages
    if request.prompt:
        parts["prompt"] = request.prompt
    if request.answer:
        parts["answer"] = request.answer
    if sampling:
        parts["sampling"] = sampling
    if request.schema is not None:
        parts["schema"] = request.schema
    if request.tools:
        parts["tools"] = request.tools
    if request.sample:
        parts["sample"] = request.sample
    return orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)


def call_key(provider: bytes, request: bytes) -> str:
    """32 hexadecimal digits that name a call."""
    return blake2b(provider + b"\n" + request, digest_size=16).hexdigest()
