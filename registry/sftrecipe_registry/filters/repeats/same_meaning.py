"""Whether two texts whose vectors are near say the same."""

from __future__ import annotations

from sftrecipe_registry.shared.meaning.courtesies import bare
from sftrecipe_registry.shared.meaning.difference import says_the_same
from sftrecipe_registry.shared.meaning.paraphrases import (
    LEAST,
    MOST,
    may_paraphrase,
    paraphrases,
    same_task,
    words_contrast,
)
from sftrecipe_registry.shared.meaning.word_vectors import word_vectors

_NEAR = 0.75
"""Cosine from which on two texts of any length may say the same but for synonyms."""
LONGEST = 4000
"""Characters beyond which texts are the same by their letters alone: to look for every word of one
in the other takes the product of both lengths."""


class SameMeaning:
    """Compares texts, with the packaged model or without it."""

    def __init__(self, *, packaged: bool) -> None:
        self._vectors = word_vectors() if packaged else None

    def __call__(self, first: str, second: str, cosine: float) -> bool:
        """Whether no fact differs, by synonyms or by what speaks for it altogether."""
        if max(len(first), len(second)) > LONGEST:
            return _letters(first) == _letters(second)
        if (
            cosine >= _NEAR
            and says_the_same(first, second)
            and same_task(first, second)
            and not words_contrast(first, second)
        ):
            return True
        return (
            self._vectors is not None
            and LEAST <= cosine < MOST
            and may_paraphrase(first, second)
            and paraphrases(first, second, cosine, self._vectors)
        )


def _letters(text: str) -> str:
    """What is asked, without spaces and signs."""
    return "".join(filter(str.isalnum, bare(text)))
