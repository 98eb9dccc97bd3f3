"""The provider is judged, never a row: the real command among failures of either."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.odd_server import Sent, fault, odd_server, told
from tests.support.scripted_replies import responding, write_texts
from tests.support.standin_runs import Whole

from sftrecipe_registry.shared.http.failures import failure_of

TOO_LONG = {
    "OpenAI": fault(400, "This model's maximum context length is 8192 tokens.",
                    code="context_length_exceeded"),
    "vLLM": Sent(400, b'{"object": "error", "code": 400, "message": "This model\'s maximum context '
                 b'length is 128 tokens. However, you requested 300 tokens."}'),
    "llama.cpp": fault(400, "the request exceeds the available context size, try increasing it",
                       code=400, type="exceed_context_size_error"),
    "Anthropic": fault(400, "prompt is too long: 208310 tokens > 200000 maximum",
                       type="invalid_request_error"),
    "Gemini": fault(400, "The input token count (1200000) exceeds the maximum number of tokens "
                    "allowed (1048576).", status="INVALID_ARGUMENT"),
    "DashScope": fault(400, "Range of input length should be [1, 129024]",
                       code="invalid_parameter_error"),
    "Qianfan": fault(400, "prompt tokens too long", code="tokens_too_long"),
    "Zhipu": fault(400, "Prompt 超长", code="1261"),
    "Moonshot": fault(400, "Invalid request: Your request exceeded model token limit: 8192",
                      type="invalid_request_error"),
    "Ark": fault(400, "Total tokens of image and text exceed max message tokens",
                 code="InvalidParameter"),
    "SGLang": fault(400, "The input (300 tokens) is longer than the model's context length (128 "
                    "tokens)."),
    "large": Sent(413, b"<html>Request Entity Too Large</html>"),
}  # fmt: skip


def _left(whole: Whole) -> tuple[int, list[str]]:
    """Rows, and the reasons of lost ones."""
    rows = json.loads((whole.out / "whole.json").read_text())
    return len(rows), [json.loads(line)["reason"] for line in (whole.out / "rejects.jsonl").open()]


def _broken(said: str, before: int) -> Sent:
    return fault(500, f"request {time.monotonic()}") if "BAD" in said else told(f"to {said}")


@pytest.mark.parametrize("order", ["added", "first", "alone at last"])
def test_one_bad_row_is_a_reject_whatever_the_order(tmp_path: Path, order: str) -> None:
    good = [f"good {n}" for n in range(3)]
    with odd_server(_broken) as server:
        limits = "{attempts: 2, concurrency: 1}"
        whole = responding(tmp_path, server.url, good, limits)
        if order == "added":
            whole.run()
        write_texts(whole, ["BAD", *good] if order == "first" else [*good, "BAD"])
        whole.run()
        assert _left(whole) == (3, ["call_failed"])
        left = [(whole.out / name).read_bytes() for name in ("whole.json", "rejects.jsonl")]
        assert server.asked["BAD"] == 2
        whole.run()
        assert server.asked["BAD"] == 2
        whole.run("--retry-failed")  # the server words its failure anew
        assert server.asked["BAD"] == 4
    again = [(whole.out / name).read_bytes() for name in ("whole.json", "rejects.jsonl")]
    assert again == left


def test_rows_beyond_the_context_are_asked_once(tmp_path: Path) -> None:
    def answers(said: str, before: int) -> Sent:
        return next((TOO_LONG[name] for name in TOO_LONG if name in said), told(f"to {said}"))

    texts = [f"{name} {n}" for name in TOO_LONG for n in range(3)] + [
        f"short {n}" for n in range(9)
    ]
    with odd_server(answers) as server:
        whole = responding(tmp_path, server.url, texts, "{concurrency: 4}")
        whole.run()
        rows, reasons = _left(whole)
        assert (rows, len(reasons)) == (9, 3 * len(TOO_LONG))
        assert set(reasons) == {"context_too_long", "request_too_large"}
        assert server.asked.total() == len(texts)
        write_texts(whole, [*texts, "short of all"])  # made anew: nothing is asked again
        whole.run()
        assert server.asked.total() == len(texts) + 1


def test_where_calls_lost_most_rows_the_way_on_is_to_ask_again(tmp_path: Path) -> None:
    def answers(said: str, before: int) -> Sent:
        return TOO_LONG["OpenAI"] if said == "long" else fault(502, "gateway")

    with odd_server(lambda said, before: told()) as server:
        whole = responding(tmp_path, server.url, ["row 0"], "{attempts: 2, concurrency: 1}")
        whole.run()  # the provider is alive
        server.answers = answers
        write_texts(whole, ["long", "row 1", "row 2", "row 3"])
        error = whole.run(status=1)["error"]
        assert "error[nothing-left]" in error
        assert "--retry-failed" in error
        server.answers = lambda said, before: told(f"to {said}")
        whole.run("--retry-failed")
        assert _left(whole) == (4, [])


FINAL = {
    "key": fault(401, "wrong key", code="invalid_api_key"),
    "rights": fault(403, "no access", code="permission_denied"),
    "quota": fault(429, "no money", code="insufficient_quota"),
    "money": fault(402, "Insufficient Balance"),
    "model": fault(404, "The model `m` does not exist", code="model_not_found"),
    "Gemini's key": fault(400, "API key not valid. Please pass a valid API key."),
    "gone": Sent(0),
}


@pytest.mark.parametrize("name", FINAL)
def test_what_concerns_every_row_stops_the_run_at_once(tmp_path: Path, name: str) -> None:
    """After 20 replies; the next run goes on, and the data is whole."""

    def answers(said: str, before: int) -> Sent:
        return told(f"to {said}") if server.asked.total() <= 20 or well else FINAL[name]

    well = False
    with odd_server(answers) as server:
        limits = "{concurrency: 4, attempts: 2, timeout: 3, stop_after_failures: 3}"
        whole = responding(tmp_path, server.url, [f"row {n}" for n in range(80)], limits)
        error = whole.run(status=1)["error"]
        assert "error[provider-" in error
        assert server.asked.total() < 20 + (60 if name == "gone" else 20)  # that may pass
        well = True
        whole.run()
        assert _left(whole) == (80, [])


def test_a_parameter_that_no_row_can_do_without_ends_the_step(tmp_path: Path) -> None:
    refused = fault(400, "Unsupported value: 'temperature' does not support 0.5 with this model.",
                    code="unsupported_value", param="temperature")  # fmt: skip
    with odd_server(lambda said, before: refused) as server:
        whole = responding(
            tmp_path, server.url, [f"row {n}" for n in range(60)], "{concurrency: 2}"
        )
        error = whole.run(status=2)["error"]
        assert "error[step-parameter]" in error and "omit: [temperature]" in error
        assert "temperature" in error
        assert server.asked.total() <= 5


def test_a_storm_is_waited_out_and_a_part_that_always_fails_is_lost(tmp_path: Path) -> None:
    began = time.monotonic()

    def answers(said: str, before: int) -> Sent:
        if server.asked.total() > 10 and time.monotonic() - began < 12:
            return fault(500, "storm")
        return fault(500, "always") if said.endswith("3") else told(f"to {said}")

    with odd_server(answers) as server:
        limits = "{concurrency: 4, attempts: 4, stop_after_failures: 4}"
        whole = responding(tmp_path, server.url, [f"row {n}" for n in range(60)], limits)
        whole.run()
        rows, reasons = _left(whole)
        # Where all that are at work fail, the first that is given up shows that others wait.
        assert rows in (53, 54) and set(reasons) == {"call_failed"}


WAITS: dict[str, Callable[[], Sent]] = {
    "0": lambda: fault(429, "slow down", {"Retry-After": "0"}),
    "-5": lambda: fault(429, "slow down", {"Retry-After": "-5"}),
    "nan": lambda: fault(429, "slow down", {"Retry-After": "nan"}),
    "inf": lambda: fault(503, "slow down", {"Retry-After": "inf"}),
    "1e9": lambda: fault(429, "slow down", {"Retry-After": "1e9"}),
    "past": lambda: fault(429, "slow down", {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}),
    "ms": lambda: fault(503, "slow down", {"retry-after-ms": "0.001"}),
    "headers": lambda: fault(429, "slow down", {
        "x-ratelimit-limit-requests": "5", "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "nan",
    }),
    "body": lambda: Sent(200, b'{"error": {"message": "slow down", "code": "rate_limit"}}'),
    "redirect": lambda: Sent(307, b"slow down", {"Location": "/v1/chat/completions"}),
}  # fmt: skip


@pytest.mark.parametrize("name", WAITS)
def test_being_told_to_wait_for_ever_ends(tmp_path: Path, name: str) -> None:
    with odd_server(lambda said, before: WAITS[name]()) as server:
        limits = "{attempts: 2, timeout: 3}"
        whole = responding(tmp_path, server.url, ["row"], limits)
        began = time.monotonic()
        error = whole.run(status=1)["error"]
        assert "error[provider-unusable]" in error
        assert "slow down" in error
        assert server.asked.total() <= 8
        assert time.monotonic() - began < 60


def test_a_row_that_waits_in_vain_is_lost_alone(tmp_path: Path) -> None:
    def answers(said: str, before: int) -> Sent:
        return fault(429, "slow down") if said == "row 3" else told(f"to {said}")

    with odd_server(answers) as server:
        texts = [f"row {n}" for n in range(30)]
        whole = responding(tmp_path, server.url, texts, "{concurrency: 2, timeout: 1.5}")
        whole.run()
        assert _left(whole) == (29, ["call_failed"])
        assert server.asked["row 3"] < 12


def test_long_waits_are_told(tmp_path: Path) -> None:
    def answers(said: str, before: int) -> Sent:
        return told() if before else fault(429, "slow down", {"Retry-After": "11"})

    with odd_server(answers) as server:
        whole = responding(tmp_path, server.url, ["row"], "{attempts: 2}")
        process = whole.start()
        _, said = process.communicate(timeout=100)
        assert process.returncode == 0
        assert "provider 'p' is waited for 1" in said
        assert "HTTP 429: slow down" in said


def test_half_a_character_is_told(tmp_path: Path) -> None:
    body = b'{"choices":[{"message":{"content":"hi \\ud83d"},"finish_reason":"stop"}]}'
    with odd_server(lambda said, before: Sent(200, body)) as server:
        whole = responding(tmp_path, server.url, ["row"], "{attempts: 2}")
        process = whole.start()
        _, said = process.communicate(timeout=100)
        assert process.returncode == 0
        assert "half a character was replaced" in said
        (row,) = json.loads((whole.out / "whole.json").read_text())
        assert row["output"] == "hi \ufffd"
        whole.run()
        assert server.asked.total() == 1


ROWS_OWN = {
    "context_too_long": (
        fault(400, "Input length 33000 exceeds the maximum length 32768", code="InvalidParameter"),
        fault(400, "the length of the prompt exceeds the limit"),
        fault(500, "input (2000 tokens) is too large to process. increase the physical batch size"),
        fault(400, "Token 数量超过最大限制"),
        fault(400, "上下文长度超限"),
        Sent(400, '{"error": {"message": "输入过长，请缩短"}}'.encode("gbk"),
             {"Content-Type": "application/json; charset=gbk"}),
        Sent(200, b'{"base_resp": {"status_code": 2013, "status_msg": '
             b'"context window exceeds limit"}}'),
    ),
    "refused": (
        fault(400, "输入内容审核不通过，涉嫌违规", code="10013"),
        fault(400, "your prompt was flagged as potentially violating our usage policy"),
    ),
    "cut_off": (
        told("", finish_reason="length", message={"content": None, "reasoning_content": "hm"}),
        told("<think>hm", finish_reason="max_tokens"),
    ),
    "call_failed": (fault(401, "no", code="invalid_api_key"),),
}  # fmt: skip
WHOLE = told("so it is").body
STILL_WHOLE = (
    Sent(201, WHOLE),
    Sent(200, WHOLE[:-1] + b', "error": {"message": "", "type": "", "code": null}}'),
    Sent(200, WHOLE[:-1] + b', "base_resp": {"status_code": 0, "status_msg": ""}}'),
    Sent(200, WHOLE.replace(b": 4}", b": " + b"9" * 5000 + b"}")),
    Sent(200, gzip.compress(WHOLE) + bytes(20), {"Content-Encoding": "gzip"}),
    Sent(200, WHOLE, {"Content-Encoding": "utf-8"}),
    Sent(200, WHOLE.replace(b"so it is", "好的".encode("gbk")),
         {"Content-Type": "application/json; charset=gbk"}),
    told("so it is", finish_reason=" stop "),
)  # fmt: skip


def test_odd_servers_cost_the_row_at_most(tmp_path: Path) -> None:
    lost = [(reason, sent) for reason, kinds in ROWS_OWN.items() for sent in kinds]
    rows = {f"good {number}": sent for number, sent in enumerate(STILL_WHOLE)}
    rows |= {f"lost {number}": sent for number, (_, sent) in enumerate(lost)}
    rows["good at last"] = told()
    with odd_server(lambda said, before: rows[said]) as server:
        whole = responding(tmp_path, server.url, list(rows), "{attempts: 2, concurrency: 1}")
        whole.run()
        kept, reasons = _left(whole)
        assert kept == len(STILL_WHOLE) + 1
        assert sorted(reasons) == sorted(reason for reason, _ in lost)
        texts = (whole.out / "whole.json").read_text()
        assert "�" not in texts
        assert "好的" in json.dumps(json.loads(texts), ensure_ascii=False)
        rejects = (whole.out / "rejects.jsonl").read_text()
        assert rejects.count("the thought took all of max_tokens") == 2


@pytest.mark.parametrize(
    "text",
    [
        "max_tokens is too large: 5000. This model supports at most 4096 completion tokens",
        "Range of max_tokens should be [1, 2000]",
        "Tokens per minute limit exceeded",
        "You exceeded your current quota, check your tokens",
        "账户 tokens 余额超出限制",
        "model name is case sensitive",
    ],
)
def test_parameters_rates_and_money_are_no_lengths(text: str) -> None:
    assert failure_of(400, json.dumps({"error": {"message": text}}).encode(), {}).blame != "row"
