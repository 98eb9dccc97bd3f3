"""Whether two texts whose vectors are near say the same."""

from __future__ import annotations

from sftrecipe_registry.shared.meaning.difference import says_the_same
from sftrecipe_registry.shared.meaning.paraphrases import LEAST, MOST, may_paraphrase, paraphrases
from sftrecipe_registry.shared.meaning.word_vectors import alike_by_vectors, word_vectors

_NEAR = 0.75
"""Cosine from which on two texts of any length may say the same but for synonyms."""


class SameMeaning:
    """Compares texts, with the packaged model or without it."""

    def __init__(self, *, packaged: bool) -> None:
        self._alike = alike_by_vectors()
        self._vectors = word_vectors() if packaged else None

    def __call__(self, first: str, second: str, cosine: float) -> bool:
        """Whether no fact differs, by synonyms or by what speaks for it altogether."""
        if cosine >= _NEAR and says_the_same(first, second, self._alike):
            return True
        return (
            self._vectors is not None
            and LEAST <= cosine < MOST
            and may_paraphrase(first, second)
            and paraphrases(first, second, cosine, self._vectors)
        )
