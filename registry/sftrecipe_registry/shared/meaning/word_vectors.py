"""Vectors of words, each made once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sftrecipe_registry.shared.vectors.packaged_embedding import load_embedder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


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
