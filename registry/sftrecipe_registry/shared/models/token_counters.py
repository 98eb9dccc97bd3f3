"""Counting a request's tokens with the model's own tokenizer, from files on this machine."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from hashlib import sha1
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson

from sftrecipe.plugin import Request, TokenCounter
from sftrecipe_registry.shared.models.byte_pairs import BytePairs
from sftrecipe_registry.shared.models.gguf_header import read_gguf_header
from sftrecipe_registry.shared.replies.chat_template import (
    TURN_TOKENS,
    Turns,
    chat_renderer,
    turns_text,
)

_CONTROL = 3
_ENCODINGS = "https://openaipublic.blob.core.windows.net/encodings/{name}.tiktoken"
_ENCODING_FILES = {"o200k_harmony": "o200k_base"}
"""Encodings that are made from another one's file."""


def gguf_counter(path: Path) -> TokenCounter | None:
    """By a GGUF's vocabulary, where it is SmolLM's kind; weights and llama.cpp are not loaded."""
    names = ("model", "pre", "tokens", "token_type", "merges")
    keys = [*(f"tokenizer.ggml.{name}" for name in names), "tokenizer.chat_template"]
    found = read_gguf_header(path, keys)
    if len(found) < len(keys) or (found[keys[0]], found[keys[1]]) != (b"gpt2", b"smollm"):
        return None
    tokens, kinds = found["tokenizer.ggml.tokens"], found["tokenizer.ggml.token_type"]
    special = [
        token.decode() for token, kind in zip(tokens, kinds, strict=True) if kind == _CONTROL
    ]
    vocabulary = BytePairs(found["tokenizer.ggml.merges"], special)
    return _by_template(found["tokenizer.chat_template"].decode(), vocabulary.count)


def folder_counter(folder: Path) -> TokenCounter | None:
    """By a Hugging Face model folder's `tokenizer.json`, where `tokenizers` is installed."""
    file = folder / "tokenizer.json"
    if not file.is_file() or find_spec("tokenizers") is None:
        return None
    from tokenizers import Tokenizer  # noqa: PLC0415 - only for such a folder

    tokenizer = Tokenizer.from_file(str(file))

    def count(text: str) -> int:
        return len(tokenizer.encode(text, add_special_tokens=False).ids)

    settings = _json(folder / "tokenizer_config.json")
    own = folder / "chat_template.jinja"
    template = own.read_text(encoding="utf-8") if own.is_file() else settings.get("chat_template")
    tokens = {
        name: value["content"] if isinstance(value, dict) else value
        for name, value in settings.items()
        if name in ("bos_token", "eos_token") and value
    }
    if not isinstance(template, str):
        return _counter(count, lambda turns: count(turns_text(turns)) + TURN_TOKENS * len(turns))
    return _by_template(template, count, **tokens)


def openai_counter(model: str) -> TokenCounter | None:
    """By OpenAI's encoding, where tiktoken is installed and the encoding's file is there."""
    if find_spec("tiktoken") is None:
        return None
    import tiktoken  # noqa: PLC0415 - only for OpenAI's models

    try:
        name = tiktoken.encoding_name_for_model(model)
    except KeyError:
        return None
    folder = _folder_with(_ENCODING_FILES.get(name, name))
    if folder is None:  # tiktoken would fetch it
        return None
    os.environ["TIKTOKEN_CACHE_DIR"] = str(folder)
    encoding = tiktoken.get_encoding(name)

    def count(text: str) -> int:
        return len(encoding.encode_ordinary(text))

    # Three tokens and a role a turn, three before the reply (OpenAI's cookbook, "How to count
    # tokens with tiktoken").
    return _counter(count, lambda turns: 3 + sum(4 + count(turns_text([turn])) for turn in turns))


def _by_template(template: str, count: Callable[[str], int], **tokens: str) -> TokenCounter:
    render = chat_renderer(template, **tokens)
    return _counter(count, lambda turns: count(render(turns)))


def _counter(count: Callable[[str], int], of_turns: Callable[[Turns], int]) -> TokenCounter:
    def counted(request: Request) -> int:
        if request.kind in ("chat", "reward"):
            return of_turns(request.messages)
        return count(request.prompt)

    return counted


def _folder_with(encoding: str) -> Path | None:
    """Where tiktoken, or litellm, keeps the file of an encoding on this machine."""
    file = sha1(_ENCODINGS.format(name=encoding).encode(), usedforsecurity=False).hexdigest()
    folders = [Path(tempfile.gettempdir()) / "data-gym-cache"]
    asked = os.environ.get("TIKTOKEN_CACHE_DIR") or os.environ.get("DATA_GYM_CACHE_DIR")
    if asked:
        folders = [Path(asked)]
    found = find_spec("litellm")
    for package in (found.submodule_search_locations or ()) if found else ():
        folders.append(Path(package) / "litellm_core_utils" / "tokenizers")
    return next((folder for folder in folders if (folder / file).is_file()), None)


def _json(path: Path) -> Mapping[str, Any]:
    content = orjson.loads(path.read_bytes()) if path.is_file() else {}
    return content if isinstance(content, dict) else {}
