"""Splitting texts into the tokens that ROUGE compares."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Literal

from sftrecipe.plugin import OptionProblem, PluginRefused, Texts, install_command
from sftrecipe_registry.shared.text.scripts import UNSPACED, base_language

texts = Texts(__package__)
TokenizerName = Literal["auto", "rouge_en", "word", "char", "jieba"]
Tokenize = Callable[[str], list[str]]

_INSTALL_JIEBA = f"{install_command()} 'sftrecipe[chinese]'"

_LATIN = re.compile(r"[a-z0-9]+")
_WORDS = re.compile(r"\w+")


def tokenizer(name: TokenizerName, language: str) -> Tokenize:
    """The function that splits a text.

    `rouge_en`: rouge_score's, runs of a-z and 0-9 in lower case, nothing else; `word`: runs of
    letters and digits of any script, in lower case; `char`: each Chinese or Japanese character,
    other scripts by words; `jieba`: Chinese words and punctuation as rouge-chinese takes them.
    `auto` takes `rouge_en` for English, `char` for Chinese and Japanese, `word` for the rest.
    Raises PluginRefused when jieba is not installed.
    """
    return {
        "rouge_en": _rouge_en,
        "word": _word,
        "char": _char,
        "jieba": _load_jieba,
    }[resolved(name, language)]()


def resolved(name: TokenizerName, language: str) -> str:
    """The tokenizer that `auto` stands for in a language."""
    if name != "auto":
        return name
    base = base_language(language)
    return "rouge_en" if base == "en" else "char" if base in {"zh", "ja"} else "word"


def _jieba_is_missing() -> bool:
    """Whether jieba is not installed, without importing it."""
    return find_spec("jieba") is None


def jieba_problems(*, asked: bool, option: str = "tokenizer") -> Iterator[OptionProblem]:
    """That jieba is not installed, where it is asked for by an option."""
    if asked and _jieba_is_missing():
        yield OptionProblem((option,), texts("needs-jieba"), _INSTALL_JIEBA)


def _rouge_en() -> Tokenize:
    return lambda text: _LATIN.findall(text.lower())


def _word() -> Tokenize:
    return lambda text: _WORDS.findall(text.lower())


def _char() -> Tokenize:
    find = re.compile(rf"[{UNSPACED}]|[^\W{UNSPACED}]+").findall
    return lambda text: find(text.lower())


def _load_jieba() -> Tokenize:
    if _jieba_is_missing():
        raise PluginRefused(texts("jieba-missing", command=_INSTALL_JIEBA))
    import logging  # noqa: PLC0415
    import warnings  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import jieba  # noqa: PLC0415 - a second, and a dictionary of 20 MB
    jieba.setLogLevel(logging.WARNING)

    def split(text: str) -> list[str]:
        return [token for word in jieba.lcut(text) for token in word.split()]

    return split
