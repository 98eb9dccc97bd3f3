"""Tokens of prompts that no tokenizer counts: by their characters, as this model counted before."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cache

from sftrecipe.calls.ledger.history import EarlierCall, asked_text
from sftrecipe.plugin.provider import Request

_TURN = 4
"""Tokens of a chat turn's role and marks."""
_CHARACTERS = {"cjk": 1.5, "ascii": 4.0, "other": 2.5}
"""Characters a token, as tokenizers of bilingual models have them (Qwen's and ERNIE's for Chinese,
OpenAI's o200k for the others)."""
_ENOUGH = 5


class CharacterCounter:
    """Guesses tokens from characters, put right by calls whose tokens the vendor counted."""

    def __init__(self, calls: Iterable[EarlierCall]) -> None:
        counted: dict[str, int] = defaultdict(int)
        guessed: dict[str, float] = defaultdict(float)
        self._calls: dict[str, int] = defaultdict(int)
        for call in calls:
            if call.input_tokens:
                script = _script(call.text)
                counted[script] += call.input_tokens
                guessed[script] += _guess(call.text, call.turns)
                self._calls[script] += 1
        self._scales = {script: counted[script] / guessed[script] for script in counted}

    def count(self, request: Request) -> float:
        """A request's tokens."""
        text, turns = _text(request)
        return _guess(text, turns) * self._scales.get(_script(text), 1.0)

    def knows(self, request: Request) -> bool:
        """Whether enough earlier calls were in the request's script."""
        return self._calls.get(_script(_text(request)[0]), 0) >= _ENOUGH


def _text(request: Request) -> tuple[str, int]:
    return asked_text({"messages": request.messages, "prompt": request.prompt})


def _guess(text: str, turns: int) -> float:
    cjk = 0 if text.isascii() else len(_cjk().findall(text))
    other = 0 if text.isascii() else sum(not letter.isascii() for letter in text) - cjk
    plain = len(text) - cjk - other
    characters = _CHARACTERS
    tokens = cjk / characters["cjk"] + plain / characters["ascii"] + other / characters["other"]
    return tokens + _TURN * turns + 1


def _script(text: str) -> str:
    """The script that most of a text's tokens are in."""
    if text.isascii():
        return "ascii"
    cjk = len(_cjk().findall(text))
    return "cjk" if cjk * _CHARACTERS["ascii"] > (len(text) - cjk) * _CHARACTERS["cjk"] else "ascii"


@cache
def _cjk() -> re.Pattern[str]:
    return re.compile(
        "[\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]"
    )
