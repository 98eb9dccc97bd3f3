"""A server that refuses a parameter: the step ends at its first call, with the line to write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sftrecipe.plugin.vendors.vendor_quirks import quirks_of
from sftrecipe_registry.shared.http.failures import failure_of
from sftrecipe_registry.shared.http.refused_parameters import blamed
from sftrecipe_registry.shared.http.steering import Steering

from ...support.odd_server import Sent, fault, odd_server, told
from ...support.scripted_replies import responding

BODY = {
    "model": "m", "messages": [], "temperature": 0.2, "top_p": 0.9, "min_p": 0.1, "stop": ["x"],
    "max_tokens": 5, "seed": 1, "logprobs": True, "top_logprobs": 1, "reasoning_effort": "low",
    "response_format": {}, "tools": [], "custom_thing": 1,
}  # fmt: skip
_DASHSCOPE = "parameter.enable_thinking must be set to false for non-streaming calls"
REFUSED: list[tuple[Sent, str, str]] = [
    (fault(400, "Unsupported value: 'temperature' does not support 0.2 with this model.",
           code="unsupported_value", param="temperature"), "temperature", "omit: [temperature]"),
    (fault(400, "Unsupported parameter: 'top_p' is not supported with this model.",
           param="top_p", code="unsupported_parameter"), "top_p", "omit: [top_p]"),
    (fault(400, "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
           "'max_completion_tokens' instead.", param="max_tokens"), "max_tokens", "vendor: openai"),
    (fault(400, "max_tokens is too large: 900000. This model supports at most 16384 completion "
           "tokens", param="max_tokens"), "max_tokens", "omit: [max_tokens]"),
    (fault(400, "Unrecognized request argument supplied: min_p"), "min_p", "omit: [min_p]"),
    (fault(400, _DASHSCOPE, code="invalid_parameter_error"), "enable_thinking",
     "extra: {enable_thinking: false}"),
    (fault(400, "This model only support stream mode, please enable the stream parameter to access "
           "the model."), "stream", "stream: true"),
    (fault(400, "该模型仅支持流式调用"), "stream", "stream: true"),
    (fault(400, "temperature: Input should be less than or equal to 1"), "temperature",
     "omit: [temperature]"),
    (fault(400, "`temperature` and `top_p` cannot both be specified for this model."),
     "temperature", "omit: [temperature]"),
    (fault(400, "`temperature` is deprecated for this model."), "temperature",
     "omit: [temperature]"),
    (fault(400, "max_tokens: Field required"), "max_tokens", "with: {max_tokens: 1024}"),
    (fault(400, "invalid temperature: only 1 is allowed for this model"), "temperature",
     "omit: [temperature]"),
    (fault(400, "参数 temperature 取值范围错误", code="1210"), "temperature",
     "omit: [temperature]"),
    (fault(400, "不支持参数 top_p，请去掉后重试"), "top_p", "omit: [top_p]"),
    (fault(400, "parameter stop is not supported"), "stop", "omit: [stop]"),
    (fault(400, "Model x does not support parameter topP."), "top_p", "omit: [top_p]"),
    (fault(400, "temperature 参数不合法", code="1214"), "temperature", "omit: [temperature]"),
    (fault(400, "Your organization must be verified to generate reasoning summaries.",
           param="reasoning.summary"), "reasoning", "omit: [reasoning_effort]"),
    (fault(400, "parameter.enable_thinking only support stream call"), "stream", "stream: true"),
    (fault(400, "Non-streaming requests are not supported for this model"), "stream",
     "stream: true"),
    (fault(400, "stream参数必须为true"), "stream", "stream: true"),
    (fault(400, "temperature参数非法。请检查文档。", code="1214"), "temperature",
     "omit: [temperature]"),
    (fault(400, "当前模型不支持top_p和seed字段"), "top_p", "omit: [top_p]"),
    (fault(400, "Temperature must be between 0 and 1."), "temperature", "omit: [temperature]"),
    (fault(400, "thinking.type must be enabled for this model"), "thinking", ""),
    (fault(400, "The value of the enable_thinking parameter is restricted to True."),
     "enable_thinking", "extra: {enable_thinking: true}"),
    (fault(400, "enable_thinking参数必须为true"), "enable_thinking",
     "extra: {enable_thinking: true}"),
    (fault(400, "This model does not support 'reasoning_effort'."), "reasoning_effort",
     "omit: [reasoning_effort]"),
    (fault(400, "Invalid parameter: 'response_format' of type 'json_schema' is not supported with "
           "this model.", param=None), "response_format", "structured: false"),
    (fault(400, "custom_thing is not supported"), "custom_thing",
     "extra: {}  # without custom_thing"),
    (Sent(422, json.dumps({"detail": [{"type": "extra_forbidden", "loc": ["body", "min_p"],
                                       "msg": "Extra inputs are not permitted"}]}).encode()),
     "min_p", "omit: [min_p]"),
    (fault(400, "[{'type': 'extra_forbidden', 'loc': ('body', 'seed'), 'msg': 'Extra inputs are "
           "not permitted'}]", type="BadRequestError"), "seed", "omit: [seed]"),
    (Sent(400, b'{"object": "error", "message": "min_p must be in [0, 1], got 7.", "code": 400}'),
     "min_p", "omit: [min_p]"),
    (Sent(400, json.dumps({"error": {
        "message": "Provider returned error", "code": 400, "metadata": {"raw": json.dumps(
            {"error": {"message": "Unsupported value", "param": "top_p"}})}}}).encode()),
     "top_p", "omit: [top_p]"),
    (fault(400, "gpt-5 models don't support temperature=0.2. It is supported when "
           "enable_thinking=False or thinking_budget=0"), "temperature", "omit: [temperature]"),
    (fault(400, "Reasoning effort is not enabled for this model"), "reasoning_effort",
     "omit: [reasoning_effort]"),
    (fault(400, '"m" does not support thinking'), "reasoning_effort", "omit: [reasoning_effort]"),
    (fault(400, "该模型不支持关闭思考"), "reasoning_effort", "omit: [reasoning_effort]"),
    (fault(400, "未正常接收到top_p参数。", code="1213"), "top_p", "omit: [top_p]"),
    (fault(400, "This response_format type is unavailable now"), "response_format",
     "structured: false"),
    (fault(400, "the parameter top_p is not supported by the model", code="invalid_model_param"),
     "top_p", "omit: [top_p]"),
]  # fmt: skip
OF_THE_ROW = [
    fault(400, "Invalid 'messages[0].content': string too short.", param="messages[0].content"),
    fault(400, "Invalid value for 'content': expected a string, got null.",
          param="messages.[0].content"),
    fault(400, "Invalid schema for function 'f'", param="tools[0].function.parameters"),
    fault(400, "the sum of input tokens and max_tokens exceeds 8192"),
    fault(400, "输入长度与 max_tokens 之和不能超过 8192"),
    fault(400, "This model's maximum context length is 128 tokens; 'max_tokens' is too large"),
    fault(400, "max_tokens must be at least 1, got -120."),
    fault(400, "max_tokens必须大于等于1，当前为-20"),
    fault(400, "请求内容过长，超出模型最大上下文长度 8192，prompt 与 max_tokens 合计 9000"),
    fault(400, "您的输入包含敏感信息，请修改 temperature 后重试"),
    fault(400, "Please stop asking for such things"),
    fault(400, "Your seed must germinate before it can be planted"),
    fault(400, "invalid request"),
    Sent(422, json.dumps({"detail": [{"loc": ["body", "messages", 0, "content"],
                                      "msg": "field required"}]}).encode()),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "name", "line"), REFUSED, ids=lambda each: str(each)[-60:])
def test_a_parameter_is_named_in_many_words(sent: Sent, name: str, line: str) -> None:
    failure = failure_of(sent.status, sent.body, sent.headers)
    steering = Steering(extra={"custom_thing": 1})
    found = blamed(failure, BODY, steering)
    assert (found.blame, found.parameter, found.remedy) == ("recipe", name, line)


@pytest.mark.parametrize("sent", OF_THE_ROW, ids=lambda each: str(each.body)[:60])
def test_a_rows_own_fault_is_the_rows(sent: Sent) -> None:
    found = blamed(failure_of(sent.status, sent.body, sent.headers), BODY, Steering())
    assert found.remedy == "" and (found.blame == "row" or not found.parameter)


def test_what_a_gateway_hands_on_is_what_it_means() -> None:
    for more, outcome, blame in (
        ({"raw": "prompt is too long: 9000 tokens"}, "final", "row"),
        ({"flagged_input": "x", "reasons": ["violence"]}, "refused", "row"),
        ({"raw": ""}, "final", ""),
    ):
        error = {"message": "Provider returned error", "code": 400, "metadata": more}
        found = failure_of(400, json.dumps({"error": error}).encode(), {})
        assert (found.outcome, found.blame) == (outcome, blame)


def test_the_line_is_in_the_words_of_a_known_vendor() -> None:
    steering = Steering(quirks=quirks_of("qwen", "", "qwen-plus"))
    failure = failure_of(400, fault(400, _DASHSCOPE).body, {})
    assert blamed(failure, BODY, steering).remedy == "thinking: off"


def test_the_line_for_what_is_an_option_of_its_own() -> None:
    for message, body, line in (
        ("thinking.type is not supported", {"thinking": {}}, "thinking: null"),
        ("service_tier is not available", {"service_tier": "flex"}, "service_tier: null"),
        ("当前模型不支持 SSE 调用方式", {"stream": True}, "stream: false"),
    ):
        steering = Steering(thinking="on", quirks=quirks_of("doubao", "", "m"))
        failure = failure_of(400, fault(400, message).body, {})
        assert blamed(failure, {**BODY, **body}, steering).remedy == line


NAMED = {
    "OpenAI": (REFUSED[0][0], "temperature", {"sampling": "{temperature: 0.2}"}),
    "of extra": (fault(400, "unknown field: `guided`"), "guided", {"extra": "{guided: 1}"}),
}


@pytest.mark.parametrize("name", NAMED)
def test_the_command_stops_and_tells_the_line(tmp_path: Path, name: str) -> None:
    """No row is lost: once the line is written, every row is there."""
    sent, parameter, options = NAMED[name]
    with odd_server(lambda said, before: sent if refusing else told(f"to {said}")) as server:
        refusing = True
        texts = [f"row {n}" for n in range(40)]
        project = responding(tmp_path, server.url, texts, "{concurrency: 4}", **options)
        error = project.run(status=2)["error"]
        assert "error[step-parameter]" in error and parameter in error
        assert server.asked.total() <= 5
        if name == "OpenAI":
            doctor = project.command("doctor", "recipe.yaml")
            line = error.rpartition("step: ")[2].strip()
            assert doctor.returncode == 1 and line in doctor.stdout
        refusing = False
        project.run()
    assert len(json.loads((project.out / "whole.json").read_text())) == 40
    assert not (project.out / "rejects.jsonl").read_text()


def test_one_row_that_is_refused_is_a_reject(tmp_path: Path) -> None:
    bad: Any = OF_THE_ROW[0]
    with odd_server(lambda said, before: bad if "BAD" in said else told(f"to {said}")) as server:
        project = responding(tmp_path, server.url, ["BAD", "good", "fine"], "{concurrency: 1}")
        project.run()
    assert len(json.loads((project.out / "whole.json").read_text())) == 2
