"""Whether two words mean about the same, by their vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sftrecipe_registry.shared.meaning.difference import Alike
from sftrecipe_registry.shared.vectors.packaged_embedding import load_embedder, model_is_missing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_ALIKE = 0.85
"""Cosine of two words from which on they are synonyms: `buy` and `purchase` have 0.92, `cat` and
`dog` 0.67, `Monday` and `Friday` 0.77. Opposites have it too; lists know those."""


def alike_by_vectors() -> Alike | None:
    """A function that compares words by the packaged model; None where it is not installed."""
    if model_is_missing():
        return None
    embed = load_embedder()
    vectors: dict[str, NDArray[np.float32]] = {}

    def vector(word: str) -> NDArray[np.float32]:
        if word not in vectors:
            vectors[word] = embed([word])[0]
        return vectors[word]

    def alike(one: str, other: str) -> bool:
        return bool(vector(one) @ vector(other) >= _ALIKE)

    return alike


def word_vectors() -> Callable[[Sequence[str]], NDArray[np.float32]]:
    """A function that gives the packaged model's vectors of words, each made once."""
    import numpy as np  # noqa: PLC0415 - 70 ms

    embed = load_embedder()
    known: dict[str, NDArray[np.float32]] = {}

    def vectors(words: Sequence[str]) -> NDArray[np.float32]:
        if new := [word for word in dict.fromkeys(words) if word not in known]:
            known.update(zip(new, embed(new), strict=True))
        return np.stack([known[word] for word in words])

    return vectors
