"""A Hugging Face tokenizer as llama.cpp reads it: byte-level BPE of known splitting."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sftrecipe.plugin import PluginRefused, Texts

if TYPE_CHECKING:
    import gguf

texts = Texts(__package__)
_NORMAL, _CONTROL, _USER_DEFINED, _UNUSED = 1, 3, 4, 5
_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_QWEN2 = _LLAMA3.replace("{1,3}", "")
_SPLITTINGS: Mapping[tuple[str, ...], str] = {
    ("gpt2",): "gpt-2",
    ("digits", "gpt2"): "smollm",
    (_LLAMA3,): "llama-bpe",
    (_QWEN2,): "qwen2",
}
"""llama.cpp's names (`tokenizer.ggml.pre`) by the steps that split a text before the merges."""
_ROLES = ("bos", "eos", "unk", "pad")


def add_vocabulary(writer: gguf.GGUFWriter, folder: Path, size: int) -> None:
    """Write a folder's tokenizer: `size` tokens, as many as the model has rows for.

    Raises PluginRefused where it splits texts, or finds its tokens, in a way that llama.cpp may not
    follow.
    """
    tokenizer = read_json(folder / "tokenizer.json")
    model = tokenizer.get("model") or {}
    if model.get("type") != "BPE" or model.get("byte_fallback"):
        kind = "SentencePiece" if model.get("byte_fallback") else model.get("type")
        raise PluginRefused(texts("tokenizer-unknown", kind=kind))
    tokens, kinds = _tokens(tokenizer, size)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(_splitting(tokenizer))
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(list(_merges(model)))
    settings = read_json(folder / "tokenizer_config.json")
    config = read_json(folder / "config.json")
    numbers = {token: number for number, token in enumerate(tokens)}
    for role in _ROLES:
        if (number := _role(role, settings, config, numbers)) is not None:
            getattr(writer, f"add_{role}_token_id")(number)
    _add_ends(writer, tokenizer, settings)
    writer.add_add_space_prefix(False)
    if template := chat_template(folder, settings):
        writer.add_chat_template(template)


def chat_template(folder: Path, settings: Mapping[str, Any]) -> str | None:
    """The template of a chat: a file of its own, or in the tokenizer's settings."""
    own = folder / "chat_template.jinja"
    if own.is_file():
        return own.read_text("utf-8")
    found = settings.get("chat_template")
    if isinstance(found, list):
        found = next((each["template"] for each in found if each.get("name") == "default"), None)
    return found if isinstance(found, str) else None


def read_json(file: Path) -> dict[str, Any]:
    """An object in a file. Raises PluginRefused where there is none."""
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        text = texts("file-missing", file=file.name, folder=file.parent)
        raise PluginRefused(text) from error
    return found if isinstance(found, dict) else {}


def _tokens(tokenizer: Mapping[str, Any], size: int) -> tuple[list[str], list[int]]:
    """Every token, and what kind it is; rows that no token has are filled up."""
    tokens = [f"[PAD{number}]" for number in range(size)]
    kinds = [_UNUSED] * size
    for token, number in tokenizer["model"]["vocab"].items():
        if number >= size:
            raise PluginRefused(texts("token-without-row", token=token, size=size))
        tokens[number], kinds[number] = token, _NORMAL
    for added in tokenizer.get("added_tokens") or ():
        token, number = str(added["content"]), int(added["id"])
        if number >= size:
            raise PluginRefused(texts("token-without-row", token=token, size=size))
        if added.get("lstrip") or added.get("rstrip") or added.get("single_word"):
            raise PluginRefused(texts("token-takes-spaces", token=token))
        tokens[number] = token
        kinds[number] = _CONTROL if added.get("special") else _USER_DEFINED
    return tokens, kinds


def _merges(model: Mapping[str, Any]) -> Iterator[str]:
    for merge in model.get("merges") or ():
        yield merge if isinstance(merge, str) else " ".join(merge)


def _splitting(tokenizer: Mapping[str, Any]) -> str:
    """llama.cpp's name for how the text is split."""
    steps = tuple(_steps(tokenizer.get("pre_tokenizer") or {}))
    if steps not in _SPLITTINGS:
        raise PluginRefused(texts("splitting-unknown", steps=json.dumps(steps)))
    normalizer = tokenizer.get("normalizer")
    # llama.cpp does not compose letters and accents: composed texts, nearly all, are the same.
    if normalizer is not None and normalizer.get("type") != "NFC":
        raise PluginRefused(texts("normalizer-unknown", kind=normalizer.get("type")))
    # Llama 3's takes a word that is a token as it is, before any merge; the others do not.
    name = _SPLITTINGS[steps]
    if bool(tokenizer["model"].get("ignore_merges")) != (name == "llama-bpe"):
        raise PluginRefused(texts("splitting-unknown", steps=f"{name}, ignore_merges"))
    return name


def _steps(splitter: Mapping[str, Any]) -> Iterator[str]:
    kind = splitter.get("type")
    if kind == "Sequence":
        for each in splitter["pretokenizers"]:
            yield from _steps(each)
    elif kind == "ByteLevel" and not splitter.get("add_prefix_space"):
        if splitter.get("use_regex", True):
            yield "gpt2"
    elif kind == "Digits" and splitter.get("individual_digits"):
        yield "digits"
    elif kind == "Split" and splitter.get("behavior") == "Isolated" and not splitter.get("invert"):
        pattern = str((splitter.get("pattern") or {}).get("Regex"))
        yield "gpt2" if pattern == _GPT2 else pattern
    else:
        yield str(kind)


def _role(
    role: str, settings: Mapping[str, Any], config: Mapping[str, Any], numbers: Mapping[str, int]
) -> int | None:
    """The number of the token that begins, ends or fills."""
    token = _role_token(role, settings)
    if token in numbers:
        return numbers[token]
    number = config.get(f"{role}_token_id")
    number = number[0] if isinstance(number, list) and number else number
    return number if isinstance(number, int) else None


def _role_token(role: str, settings: Mapping[str, Any]) -> str:
    token = settings.get(f"{role}_token")
    return str((token.get("content") if isinstance(token, dict) else token) or "")


def _add_ends(
    writer: gguf.GGUFWriter, tokenizer: Mapping[str, Any], settings: Mapping[str, Any]
) -> None:
    """Whether the tokenizer itself puts a beginning and an end around a text."""
    around = list(_around(tokenizer.get("post_processor") or {}))
    for role in ("bos", "eos"):
        getattr(writer, f"add_add_{role}_token")(_role_token(role, settings) in around)


def _around(processor: Mapping[str, Any]) -> Iterator[str]:
    if processor.get("type") == "Sequence":
        for each in processor["processors"]:
            yield from _around(each)
    elif processor.get("type") == "TemplateProcessing":
        pieces: Sequence[Mapping[str, Any]] = processor["single"]
        yield from (str(piece["SpecialToken"]["id"]) for piece in pieces if "SpecialToken" in piece)
