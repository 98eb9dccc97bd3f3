"""The tokens of a reply: as the server tells them, or counted from the texts where it does not.

Servers tell nothing, null, a text, -5 or 10**30. Whatever an adapter hands on, what is booked is a
number of tokens that the texts can have had, and never 0 for a text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import orjson

from sftrecipe.calls.replies.reply_lengths import WRITING
from sftrecipe.calls.replies.reply_parts import calls_text
from sftrecipe.plugin.provider import MOST_TOKENS, Answer, Request, TokenCounter
from sftrecipe.plugin.token_estimate import tokens_of

_BYTES_A_TOKEN = 48
"""Bytes of a reply's text that one token holds at most, on average."""


def believed(
    answer: Answer, request: Request, asked: int, counter: Callable[[], TokenCounter | None]
) -> tuple[Answer, bool]:
    """The answer with tokens to reckon with, and whether any of them are estimated.

    `asked`: what was set aside for the request.
    """
    writes = request.kind in WRITING
    read, written = _told(answer.input_tokens), _told(answer.output_tokens)
    if writes and written * _BYTES_A_TOKEN < len(answer.text) + len(answer.reasoning):
        written = 0
    estimated = not read or (writes and not written)
    if estimated:
        count = _counting(counter)
        told = bool(read)
        read = read or max(1, _counted(count, request) or asked)
        if writes and not written:
            written = _written(answer, count)
        estimated = not told or written > 0  # an empty reply has no tokens to be told
    cached = min(_told(answer.cached_tokens), read)
    return answer._replace(
        input_tokens=read, output_tokens=written, cached_tokens=cached
    ), estimated


def _told(value: object) -> int:
    """A number of tokens, however it is written; 0 for everything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return int(value) if 0 <= value <= MOST_TOKENS else 0


def _written(answer: Answer, count: Callable[[Request], int] | None) -> int:
    """Tokens of everything that the model wrote, its thoughts among them."""
    text = "\n".join(filter(None, (answer.reasoning, answer.text, calls_text(answer.tool_calls))))
    try:
        said = "\n".join(_strings(orjson.loads(answer.raw)["choices"]))
        text = max(text, said, key=len)
    except (ValueError, KeyError, TypeError):
        pass  # no reply of the usual form, or none was kept
    return _counted(count, Request("complete", prompt=text)) or tokens_of(text)


def _strings(value: Any) -> Iterator[str]:
    """The texts of a reply's choices that are no marks of its form."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in ("role", "finish_reason", "logprobs", "type", "id", "stop_reason"):
                yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
    elif isinstance(value, str):
        yield value


def _counting(counter: Callable[[], TokenCounter | None]) -> TokenCounter | None:
    try:
        return counter()
    except Exception:  # somebody's tokenizer file: an estimate will do
        return None


def _counted(count: TokenCounter | None, request: Request) -> int:
    """Tokens by the model's tokenizer; 0 where there is none that takes the text."""
    if count is None:
        return 0
    try:
        return max(0, int(count(request)))
    except Exception:  # somebody's chat template: an estimate will do
        return 0
