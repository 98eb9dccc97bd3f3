"""The real command and what gateways do: errors within a good reply, thoughts told elsewhere."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.odd_server import Sent, fault, odd_server, told
from tests.support.scripted_replies import responding

from sftrecipe.calls.ledger.counted_calls import totals

PRICE = "{input: 1, output: 10}"


def _body(sent: Sent, **more: Any) -> Sent:
    return sent._replace(body=json.dumps(json.loads(sent.body) | more).encode())


TOLD = {
    "total": (_body(told(), usage={"prompt_tokens": 10, "completion_tokens": 20,
                                   "total_tokens": 5030}), 5020),
    "apart": (_body(told(), usage={"prompt_tokens": 10, "completion_tokens": 300,
                                   "total_tokens": 510,
                                   "completion_tokens_details": {"reasoning_tokens": 200}}), 500),
    "left out": (_body(told(message={"content": "so", "reasoning_content": "I think. " * 900})),
                 3601),
    "nonsense": (_body(told(), usage={"prompt_tokens": 10, "completion_tokens": 20,
                                      "total_tokens": 10**12}), 20),
}  # fmt: skip
"""Replies of models that think, and the output tokens that they are."""


def test_thoughts_count_wherever_they_are_told(tmp_path: Path) -> None:
    with odd_server(lambda said, before: TOLD[said][0]) as server:
        whole = responding(tmp_path, server.url, list(TOLD), price=PRICE)
        whole.run()
    [total] = totals(tmp_path / ".sftrecipe" / "ledger.sqlite")
    assert total.output_tokens == sum(written for _, written in TOLD.values())


HELD_BACK = {
    "filtered": told("half a", finish_reason="content_filter"),
    "refused": told(message={"content": None, "refusal": "I can't"}),
    "broken off": told("half a", finish_reason="error"),
    "busy": fault(200, "slow down", code="rate_limit_exceeded"),
}
"""Replies that are none, and tell what they took; the last one turned the request away."""


def test_what_is_held_back_costs_what_it_tells(tmp_path: Path) -> None:
    def answers(said: str, before: int) -> Sent:
        return told() if before or said == "row" else HELD_BACK[said]

    with odd_server(answers) as server:
        responding(tmp_path, server.url, ["row", *HELD_BACK], price=PRICE).run()
    [total] = totals(tmp_path / ".sftrecipe" / "ledger.sqlite")
    assert (total.calls, total.refused, total.lost_tokens) == (3, 2, 3 * 7)


def _stream(*ends: str | None) -> Sent:
    """A reply as events, one a word."""
    choices = [{"delta": {"content": word}, "finish_reason": None} for word in ("so ", "it ", "is")]
    choices += [{"delta": {}, "finish_reason": end} for end in ends]
    events = [{"choices": [choice]} for choice in choices]
    events.append({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}})
    lines = [": keep-alive", *(f"data: {json.dumps(event)}" for event in events)]
    return Sent(200, "\n\n".join(lines).encode(), {"Content-Type": "text/event-stream"})


WITHIN: dict[str, Callable[[], Sent]] = {
    "stream": _stream,
    "limit": lambda: fault(200, "Rate limit exceeded: free-models-per-min", code=429),
    "broken": lambda: fault(200, "Provider returned error", code=502),
    "text": lambda: fault(200, "Upstream is busy", code="503"),
    "choice": lambda: told("half a", finish_reason=None, error={"code": 502, "message": "gone"}),
}
"""Errors with HTTP 200 that pass, as OpenRouter sends them; a stream that breaks off."""


def test_errors_within_good_replies_are_asked_again(tmp_path: Path) -> None:
    def answers(said: str, before: int) -> Sent:
        if said == "events":
            return _stream("stop")
        return told() if before or said not in WITHIN else WITHIN[said]()

    with odd_server(answers) as server:
        whole = responding(tmp_path, server.url, ["row", "events", *WITHIN], price=PRICE)
        whole.run()
        rows = json.loads((whole.out / "whole.json").read_text())
        assert [row["output"] for row in rows] == ["so it is"] * 7
        assert server.asked == {"row": 1, "events": 1} | dict.fromkeys(WITHIN, 2)


def test_an_account_without_money_within_a_good_reply(tmp_path: Path) -> None:
    with odd_server(lambda said, before: fault(200, "Insufficient credits", code=402)) as server:
        whole = responding(
            tmp_path, server.url, [f"row {n}" for n in range(40)], "{concurrency: 2}", price=PRICE
        )
        assert "error[provider-unusable]" in whole.run(status=1)["error"]
        assert server.asked.total() <= 4


def test_a_limit_of_a_day_stops_the_run(tmp_path: Path) -> None:
    """Nobody waits for it, and it is no fault of the rows that come after it."""

    def answers(said: str, before: int) -> Sent:
        if server.asked.total() <= 30:
            return told(f"to {said}")
        return fault(429, "daily limit", {"Retry-After": "40000"})

    with odd_server(answers) as server:
        texts = [f"row {n}" for n in range(150)]
        whole = responding(tmp_path, server.url, texts, "{concurrency: 4}", price=PRICE)
        assert "daily limit" in whole.run(status=1)["error"]
        assert server.asked.total() < 70
        server.answers = lambda said, before: told(f"to {said}")
        whole.run()
        assert len(json.loads((whole.out / "whole.json").read_text())) == 150


def test_nobody_is_told_at_once_however_many_rows_wait(tmp_path: Path) -> None:
    whole = responding(
        tmp_path, "http://127.0.0.1:9/v1", [f"row {n}" for n in range(100)], price=PRICE
    )
    began = time.monotonic()
    assert "error[provider-unusable]" in whole.run(status=1)["error"]
    assert time.monotonic() - began < 30
