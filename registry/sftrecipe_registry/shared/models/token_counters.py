"""Counting a request's tokens with the model's own tokenizer, from files on this machine.

They are a GGUF file, of which what it says of its model before the weights begin is read, and
vocabularies: byte-level BPE of GPT-2's kind, SentencePiece's with scores.
"""

from __future__ import annotations

import mmap
import os
import re
import tempfile
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from hashlib import sha1
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from struct import Struct, calcsize, unpack_from
from typing import Any

import orjson

from sftrecipe.plugin import Request, TokenCounter
from sftrecipe_registry.shared.models.sentence_pieces import SentencePieces
from sftrecipe_registry.shared.processes.variables import set_meanwhile
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
    """By a GGUF's vocabulary, where it is SmolLM's kind or Gemma's; weights and llama.cpp are not
    loaded."""
    kind = read_gguf_header(path, ["tokenizer.ggml.model"]).get("tokenizer.ggml.model")
    return _gemma_counter(path) if kind == b"llama" else _smollm_counter(path)


def _smollm_counter(path: Path) -> TokenCounter | None:
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


def _gemma_counter(path: Path) -> TokenCounter | None:
    """Of completions alone: a base model has no template of a chat."""
    names = ("tokens", "scores", "token_type", "add_bos_token", "add_space_prefix")
    keys = [f"tokenizer.ggml.{name}" for name in names]
    found = read_gguf_header(path, keys)
    if len(found) < len(keys) or found[keys[-1]]:
        return None
    vocabulary = SentencePieces(*(found[key] for key in keys[:3]))
    begins = int(found[keys[3]])
    return _counter(
        lambda text: begins + vocabulary.count(text),
        lambda turns: begins + vocabulary.count(turns_text(turns)),
    )


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
    with set_meanwhile("TIKTOKEN_CACHE_DIR", str(folder)):
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


@cache
def _words() -> tuple[Any, Any]:
    import regex  # noqa: PLC0415 - only where tokens are counted

    # GPT-2's pattern (openai/gpt-2, encoder.py).
    words = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
    return regex.compile(words), regex.compile(r"(\p{N})")


@cache
def _visible() -> dict[int, str]:
    """GPT-2's character for every byte: printable ones stand for themselves."""
    own = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = (byte for byte in range(256) if byte not in set(own))
    shifted = {byte: chr(256 + number) for number, byte in enumerate(others)}
    return {**{byte: chr(byte) for byte in own}, **shifted}


class BytePairs:
    """A vocabulary by its merges; digits are tokens of their own (SmolLM's pre-tokenizer)."""

    def __init__(self, merges: Iterable[bytes], special: Iterable[str]) -> None:
        self._ranks: Mapping[bytes, int] = {merge: rank for rank, merge in enumerate(merges)}
        known = sorted(special, key=len, reverse=True)
        self._special = re.compile("|".join(map(re.escape, known)) or "(?!)")
        self._counted: dict[str, int] = {}

    def count(self, text: str) -> int:
        """Tokens of a text; special tokens in it count as one each."""
        specials = len(self._special.findall(text))
        return specials + sum(self._plain(part) for part in self._special.split(text) if part)

    def _plain(self, text: str) -> int:
        words, digits = _words()
        pieces = digits.split(text)
        return sum(self._word(word) for piece in pieces for word in words.findall(piece))

    def _word(self, word: str) -> int:
        count = self._counted.get(word)
        if count is None:
            count = self._counted[word] = self._merged(word)
        return count

    def _merged(self, word: str) -> int:
        visible, ranks = _visible(), self._ranks
        parts = [visible[byte].encode() for byte in word.encode()]
        while len(parts) > 1:
            pairs = (b"%b %b" % pair for pair in pairwise(parts))
            rank, at = min((ranks.get(pair, len(ranks)), at) for at, pair in enumerate(pairs))
            if rank == len(ranks):
                break
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
        return len(parts)


_NUMBERS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}
_TEXT, _LIST = 8, 9
_SIZE = Struct("<Q")


def read_gguf_header(path: Path, names: Collection[str]) -> dict[str, Any]:
    """The named entries; texts as UTF-8 bytes. Raises ValueError for another kind of file.

    Source: ggml's docs/gguf.md, versions 2 and 3.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if data[:4] != b"GGUF":
            raise ValueError(f"'{path}' is no GGUF file")
        (entries,) = _SIZE.unpack_from(data, 16)
        at, found, wanted = 24, {}, set(names)
        for _ in range(entries):
            name, at = _text(data, at)
            (kind,) = unpack_from("<I", data, at)
            value, at = _value(data, at + 4, kind)
            if name.decode() in wanted:
                found[name.decode()] = value
            if len(found) == len(wanted):
                break
        return found


def _value(data: mmap.mmap, at: int, kind: int) -> tuple[Any, int]:
    if kind == _TEXT:
        return _text(data, at)
    if kind == _LIST:
        inner, count = unpack_from("<IQ", data, at)
        return _list(data, at + 12, inner, count)
    form = f"<{_NUMBERS[kind]}"
    return unpack_from(form, data, at)[0], at + calcsize(form)


def _list(data: mmap.mmap, at: int, kind: int, count: int) -> tuple[Any, int]:
    if kind in _NUMBERS:
        form = f"<{count}{_NUMBERS[kind]}"
        return unpack_from(form, data, at), at + calcsize(form)
    values: list[Any] = []
    if kind == _TEXT:  # vocabularies: as few steps a token as can be
        add, size = values.append, _SIZE.unpack_from
        for _ in range(count):
            end = at + 8 + size(data, at)[0]
            add(data[at + 8 : end])
            at = end
        return values, at
    for _ in range(count):
        value, at = _value(data, at, kind)
        values.append(value)
    return values, at


def _text(data: mmap.mmap, at: int) -> tuple[bytes, int]:
    end = at + 8 + _SIZE.unpack_from(data, at)[0]
    return data[at + 8 : end], end
