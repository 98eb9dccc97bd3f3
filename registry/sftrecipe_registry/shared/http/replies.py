"""What a reply in OpenAI's form holds, however odd its parts are.

An odd part costs itself: the text of a reply that was paid is never lost for its log-probabilities,
its `usage` or its `finish_reason`. Raises CallFailed alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from sftrecipe.plugin import (
    BAD_TOOL_CALL,
    MOST_TOKENS,
    Answer,
    CallFailed,
    MessageParts,
    Texts,
    is_cut_off,
    message_parts,
    with_thought_beside,
)
from sftrecipe_registry.shared.http.failures import SHOWN
from sftrecipe_registry.shared.http.reply_inflation import mangled, unreadable
from sftrecipe_registry.shared.http.reply_json import count_in, mapping_in, plain_text

texts = Texts(__package__)
_LONGEST_WORD = 80
_LONGEST_LIST = 200
_LETTERS_A_TOKEN = 16
"""Characters of a thought and its answer that one token holds at most, on average."""


def chat_answer(reply: Mapping[str, Any], raw: str) -> Answer:
    """The answer in a chat reply, with the thought and the calls of tools that were sent apart."""
    choice = first_choice(reply)
    message = mapping_in(choice, "message")
    parts = message_parts(with_thought_beside(message, choice, reply))
    answer = answer_in(reply, choice, parts.text, raw)
    if parts.text and not any(parts[1:]):
        return answer
    answer = answer._replace(reasoning=parts.reasoning, tool_calls=parts.tool_calls)
    refusal = message.get("refusal")
    if not parts.text and isinstance(refusal, str) and refusal:
        failure = CallFailed("refused", refusal[:SHOWN], status=200)
        failure.reply = answer
        raise failure
    if parts.reasoning and _is_left_out(answer):
        answer = answer._replace(output_tokens=0)
    if parts.bad_calls and not is_cut_off(answer.finish_reason):
        answer = answer._replace(finish_reason=BAD_TOOL_CALL)
    notes = tuple(note for note in (answer.note, *_told(parts)) if note)
    return answer._replace(note=texts("notes", notes=notes) if notes else "")


def _is_left_out(answer: Answer) -> bool:
    """Whether the told tokens cannot be those of the thought too."""
    return answer.output_tokens * _LETTERS_A_TOKEN < len(answer.reasoning) + len(answer.text)


def _told(parts: MessageParts) -> Iterator[str]:
    """What of a message is not kept."""
    if parts.bad_calls:
        yield texts("bad-call")
    if parts.left_out:
        yield texts("not-kept", parts=", ".join(parts.left_out)[:_LONGEST_LIST])


def completion_answer(reply: Mapping[str, Any], raw: str) -> Answer:
    """The answer in a reply of `/completions`."""
    choice = first_choice(reply)
    text = choice.get("text")
    answer = answer_in(reply, choice, text if isinstance(text, str) else "", raw)
    beside = message_parts(with_thought_beside({}, choice, {})).reasoning
    return answer._replace(reasoning=beside) if beside else answer


def embedding_answer(reply: Mapping[str, Any]) -> Answer:
    """The vector in a reply of `/embeddings`. Raises CallFailed where it holds none."""
    data = reply.get("data")
    first = data[0] if isinstance(data, Sequence) and data else None
    vector = _numbers(first.get("embedding") if isinstance(first, Mapping) else None)
    if not vector:
        raise mangled(texts("no-embedding"))
    # The ledger keeps the vector itself: its text would be kept a second time.
    kept = ("model", "system_fingerprint", "usage")
    rest = orjson.dumps({name: reply[name] for name in kept if name in reply})
    tokens = count_in(reply.get("usage"), "prompt_tokens")
    return Answer("", input_tokens=tokens, vector=vector, raw=rest.decode())


def likelihood_answer(reply: Mapping[str, Any], prompt: str, answer: str, raw: str) -> Answer:
    """The log-probabilities of an answer that was echoed behind its prompt."""
    choice = first_choice(reply)
    found = mapping_in(choice, "logprobs")
    offsets, values = found.get("text_offset"), found.get("token_logprobs")
    if answer and not values:  # a lone token that nothing precedes has no value
        raise CallFailed("final", texts("no-prompt-logprobs"))
    offsets, values = offsets or [], values or []
    if not isinstance(offsets, list) or not isinstance(values, list) or len(offsets) != len(values):
        raise unreadable(texts("logprobs-unreadable"))
    start = len(prompt)
    told = [
        value
        for offset, value in zip(offsets, values, strict=True)
        if isinstance(offset, int) and offset >= start and value is not None
    ]
    kept = _numbers(told)
    if kept is None:
        raise unreadable(texts("logprobs-unreadable"))
    return answer_in(reply, {**choice, "logprobs": None}, "", raw)._replace(logprobs=kept)


def first_choice(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    """The reply's only choice. Raises CallFailed."""
    choices = reply.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, Mapping):
        raise mangled(texts("no-choices"))
    return choice


def answer_in(reply: Mapping[str, Any], choice: Mapping[str, Any], text: str, raw: str) -> Answer:
    """The answer that a choice is, with what the reply tells of it."""
    usage = reply.get("usage")
    asked, written = count_in(usage, "prompt_tokens"), _written(usage)
    cached = count_in(mapping_in(usage, "prompt_tokens_details"), "cached_tokens")
    cached = cached or count_in(usage, "prompt_cache_hit_tokens")
    logprobs = _logprobs(choice.get("logprobs"))
    return Answer(
        text,
        finish_word(choice.get("finish_reason")),
        asked,
        written,
        logprobs or (),
        raw=raw,
        cached_tokens=min(cached, asked),
        note="" if logprobs is not None else texts("logprobs-unreadable"),
        reasoning_tokens=min(_thought_tokens(usage), written or MOST_TOKENS),
    )


def _written(usage: Any) -> int:
    """Output tokens with the thoughts: some vendors count those apart, or in the total alone."""
    asked, written = count_in(usage, "prompt_tokens"), count_in(usage, "completion_tokens")
    thought = _thought_tokens(usage)
    if thought > written:
        written += thought
    beyond = count_in(usage, "total_tokens") - asked
    return beyond if asked and written < beyond <= MOST_TOKENS else written


def _thought_tokens(usage: Any) -> int:
    thought = count_in(mapping_in(usage, "completion_tokens_details"), "reasoning_tokens")
    return thought or count_in(usage, "reasoning_tokens")


def finish_word(told: Any) -> str:
    """The server's word for how the reply ended; `stop` where it says nothing."""
    return plain_text(told)[:_LONGEST_WORD] if told not in (None, "") else "stop"


def _logprobs(found: Any) -> tuple[float, ...] | None:
    """Those of the written tokens, all of them or none; None where they cannot be read."""
    if not isinstance(found, Mapping):
        return ()
    if values := found.get("token_logprobs"):
        if not isinstance(values, list):
            return None
        return _numbers(values[1:] if values[0] is None else values)
    tokens = found.get("content")
    if not tokens:
        return ()
    if not isinstance(tokens, list):
        return None
    return _numbers([each.get("logprob") if isinstance(each, Mapping) else None for each in tokens])


def _numbers(told: Any) -> tuple[float, ...] | None:
    """Finite numbers; None where one is none."""
    if not isinstance(told, Sequence) or isinstance(told, str):
        return None
    try:
        numbers = [
            float(each)
            for each in told
            if isinstance(each, (int, float)) and not isinstance(each, bool)
        ]
    except OverflowError:
        return None
    whole = len(numbers) == len(told) and all(map(math.isfinite, numbers))
    return tuple(numbers) if whole else None
