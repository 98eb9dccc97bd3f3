"""Requests are named as they were: what was paid for is answered from the ledger."""

from __future__ import annotations

import pytest

from sftrecipe.calls.ledger.call_keys import call_key, provider_part, request_json
from sftrecipe.plugin import Request

from .pinned import hold

MEANING = """\
Calls that users have paid for would be made again: the ledger looks for their replies under another
key."""
ASKED = {"role": "user", "content": "What helps against a cold? 感冒了怎么办？"}
REPLIED = {"role": "assistant", "content": "Rest."}
LIST = {"type": "object", "properties": {"items": {"type": "array", "items": {"type": "string"}}}}
TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}
REQUESTS = {
    "chat": Request("chat", (ASKED,)),
    "chat with sampling options": Request(
        "chat",
        ({"role": "system", "content": "Be brief."}, ASKED),
        sampling={"temperature": 0.7, "top_p": 0.9, "max_tokens": 128, "stop": ["\n"], "seed": 42},
        sample=3,
    ),
    "chat with tools": Request("chat", (ASKED,), tools=(TOOL,)),
    "complete": Request("complete", prompt="1. ", sampling={"max_tokens": 40, "min_p": 0.1}),
    "structured": Request("chat", (ASKED,), sampling={"temperature": 0.0}, schema=LIST),
    "loglikelihood": Request("loglikelihood", prompt="Question?\n", answer=" Answer."),
    "embed": Request("embed", prompt="感冒了怎么办？"),
    "reward": Request("reward", (ASKED, REPLIED)),
}
PROVIDER = provider_part("openai", {"model": "gpt-5.4-mini", "revision": None, "thinking": False})


@pytest.mark.parametrize("name", REQUESTS)
def test_keys_stay(name: str) -> None:
    hold("call_keys", {name: call_key(PROVIDER, request_json(REQUESTS[name]))}, MEANING)
