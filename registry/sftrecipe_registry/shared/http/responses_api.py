"""OpenAI's Responses API: a chat's body in its words, and its replies in a chat's.

Replies are brought into the form of chat completions, so that one place reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sftrecipe_registry.shared.http.event_stream import UNFINISHED
from sftrecipe_registry.shared.http.reply_json import count_in, json_text, mapping_in, plain_text

TAKEN = frozenset({"temperature", "top_p", "max_tokens", "extra", "omit", "thinking",
                   "reasoning_effort"})  # fmt: skip
"""What a block may write of its sampling: the API knows no more."""
_NAMES = {"max_tokens": "max_output_tokens", "max_completion_tokens": "max_output_tokens"}
_INSTRUCTING = ("system", "developer")
_ENDINGS = {"max_output_tokens": "length", "max_tokens": "length"}
_READ = frozenset({"message", "reasoning", "function_call"})
"""Types of output that are kept."""
_CONTENT = {"text": "input_text", "image_url": "input_image"}


def responses_body(body: Mapping[str, Any]) -> dict[str, Any]:
    """What is posted to `/responses` in place of a chat's body; nothing is stored there."""
    turns = list(body["messages"])
    told: list[str] = []
    while turns and turns[0].get("role") in _INSTRUCTING and _is_text(turns[0]):
        told.append(turns.pop(0)["content"])
    found: dict[str, Any] = {"model": body["model"], "store": False}
    if told:
        found["instructions"] = "\n\n".join(told)
    found["input"] = [item for turn in turns for item in _items(turn)]
    for name, value in body.items():
        if name not in ("model", "messages"):
            _put(found, name, value)
    return found


def _put(found: dict[str, Any], name: str, value: Any) -> None:
    if name == "response_format":
        found["text"] = {"format": {"type": value["type"], **value["json_schema"]}}
    elif name == "reasoning_effort":
        # Without asking for it there is no word of the thought.
        summary = {} if value == "none" else {"summary": "auto"}
        found["reasoning"] = {"effort": value, **summary}
    elif name == "reasoning" and isinstance(value, Mapping):  # of `extra`
        found["reasoning"] = {**found.get("reasoning", {}), **value}
    elif name == "tools":
        found["tools"] = [_flat(tool) for tool in value]
    elif name == "logprobs":
        if value:
            found["include"] = ["message.output_text.logprobs"]
    else:
        found[_NAMES.get(name, name)] = value


def _flat(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    function = tool.get("function")
    return {"type": "function", **function} if isinstance(function, Mapping) else tool


def _is_text(turn: Mapping[str, Any]) -> bool:
    return isinstance(turn.get("content"), str)


def _items(turn: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A turn as items of `input`: a call and its result are items of their own."""
    role, content = turn.get("role"), turn.get("content")
    if role == "tool":
        output = content if isinstance(content, str) else json_text(content)
        call = turn.get("tool_call_id", "")
        yield {"type": "function_call_output", "call_id": call, "output": output}
        return
    if content:
        yield {"role": role, "content": _parts(content)}
    for call in turn.get("tool_calls") or ():
        function = call.get("function") or call
        arguments = function.get("arguments", {})
        text = arguments if isinstance(arguments, str) else json_text(arguments)
        yield {
            "type": "function_call",
            "call_id": call.get("id", ""),
            "name": function.get("name", ""),
            "arguments": text,
        }


def _parts(content: Any) -> Any:
    """A text as it is; of parts each in this API's words."""
    if not isinstance(content, Sequence) or isinstance(content, str):
        return content
    return [_part(part) if isinstance(part, Mapping) else part for part in content]


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    found = {**part, "type": _CONTENT.get(str(part.get("type")), part.get("type"))}
    image = part.get("image_url")
    if isinstance(image, Mapping):
        found["image_url"] = image.get("url")
    return found


def responses_reply(reply: Mapping[str, Any]) -> dict[str, Any]:
    """The reply as a chat completion would be; what it cannot hold is left in the body's text."""
    output = reply.get("output")
    items = [item for item in _listed(output) if isinstance(item, Mapping)]
    message: dict[str, Any] = {"role": "assistant"}
    parts = [part for item in items if _kind(item) == "message" for part in _in(item)]
    message["content"] = "".join(_said(part, "output_text", "text") for part in parts)
    message["refusal"] = "".join(_said(part, "refusal", "refusal") for part in parts) or None
    message["reasoning_content"] = "\n\n".join(_thoughts(items))
    for kind in {_kind(item) for item in items} - _READ:
        message[f"output ({kind})"] = True  # told as what is not kept
    calls = [_call(item) for item in items if item.get("type") == "function_call"]
    if calls:
        message["tool_calls"] = calls
    logprobs = [each for part in parts for each in _listed(part.get("logprobs"))]
    choice: dict[str, Any] = {"index": 0, "message": message}
    choice["finish_reason"] = _ending(reply, called=bool(calls), broken=_is_broken(items))
    if logprobs:
        choice["logprobs"] = {"content": logprobs}
    found = {"id": reply.get("id"), "model": reply.get("model"), "usage": _usage(reply)}
    return {**found, "choices": [choice] if items or reply.get("status") else []}


def _kind(item: Mapping[str, Any]) -> str:
    """The type of an item; of what is said on the way to an answer, its phase."""
    phase = item.get("phase") if item.get("type") == "message" else None
    return "commentary" if phase == "commentary" else plain_text(item.get("type"))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _in(item: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    content = item.get("content")
    if isinstance(content, str):
        content = [{"type": "output_text", "text": content}]
    yield from (part for part in _listed(content) if isinstance(part, Mapping))


def _said(part: Mapping[str, Any], kind: str, name: str) -> str:
    said = part.get(name) if part.get("type") == kind else None
    return said if isinstance(said, str) else ""


def _thoughts(items: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The thoughts themselves where the server gives them (vLLM), else their summaries."""
    for item in items:
        if item.get("type") != "reasoning":
            continue
        whole = [_said(part, "reasoning_text", "text") for part in _in(item)]
        parts = [part for part in _listed(item.get("summary")) if isinstance(part, Mapping)]
        short = [_said(part, "summary_text", "text") for part in parts]
        yield from (text for text in (whole if any(whole) else short) if text)


def _call(item: Mapping[str, Any]) -> dict[str, Any]:
    function = {"name": item.get("name"), "arguments": item.get("arguments")}
    return {"id": item.get("call_id"), "type": "function", "function": function}


def _is_broken(items: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the last item was not written to its end."""
    return bool(items) and items[-1].get("status") == "incomplete"


def _ending(reply: Mapping[str, Any], *, called: bool, broken: bool) -> str:
    """In a chat's words; a status that is no end is one of those that nobody knows."""
    status = reply.get("status")
    if status == "completed":
        return UNFINISHED if broken else "tool_calls" if called else "stop"
    if status == "incomplete":
        reason = plain_text(mapping_in(reply, "incomplete_details").get("reason") or UNFINISHED)
        return _ENDINGS.get(reason, reason)
    return plain_text(status) if status else UNFINISHED


def _usage(reply: Mapping[str, Any]) -> dict[str, Any]:
    usage = reply.get("usage")
    cached = count_in(mapping_in(usage, "input_tokens_details"), "cached_tokens")
    thought = count_in(mapping_in(usage, "output_tokens_details"), "reasoning_tokens")
    return {
        "prompt_tokens": count_in(usage, "input_tokens"),
        "completion_tokens": count_in(usage, "output_tokens"),
        "prompt_tokens_details": {"cached_tokens": cached},
        "completion_tokens_details": {"reasoning_tokens": thought},
    }
