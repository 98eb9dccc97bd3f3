"""Texts that a chat tokenizer reads as control tokens wherever they stand."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"<\|[^|<>\s]{1,40}\|>"  # <|im_end|> <|eot_id|> <|endoftext|> <|user|> …
    r"|<｜[^｜<>]{1,40}｜>"  # DeepSeek
    r"|</?s>|<(?:bos|eos|pad|unk|sop|eop)>"  # Llama 2, Gemma, ChatGLM
    r"|<(?:start|end)_of_turn>|<(?:reserved_|unused)\d+>"  # Gemma, Baichuan
    r"|\[/?INST\]|<</?SYS>>|\[gMASK\]"  # Llama 2, Mistral, ChatGLM
    r"|\{\{idx\}\}"  # LLaMA-Factory puts the number of the turn there
)


def control_token(text: str) -> str | None:
    """The first control token in the text of one of the usual chat models, if there is one."""
    if "<" not in text and "[" not in text and "{{idx}}" not in text:
        return None
    found = _TOKEN.search(text)
    return found[0] if found else None
