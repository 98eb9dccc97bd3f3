"""A small classifier of unsafe rows: a logistic regression on the packaged sentence embedding.

Learned by benchmarks/filters/train_safety.py; weights of 8 bits, some 6 kB.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from sftrecipe_registry.shared.vectors.packaged_embedding import load_embedder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sftrecipe_registry.shared.vectors.packaged_embedding import Embed

LONGEST = 600
"""Characters of the question and of the answer that are embedded."""


def features(pairs: Sequence[tuple[str, str]], embed: Embed) -> NDArray[np.float32]:
    """A row for every question and answer: their vectors, and the product of the two."""
    import numpy as np  # noqa: PLC0415 - numpy

    texts = [text[:LONGEST] or " " for pair in pairs for text in pair]
    vectors = embed(texts)
    asked, answered = vectors[::2], vectors[1::2]
    scale = np.float32(vectors.shape[1] ** 0.5)
    return np.hstack([asked, answered, asked * answered * scale])


@cache
def load_classifier() -> Callable[[str, str], float]:
    """A function that gives the chance that a question with this answer is unsafe.

    Raises PluginRefused where the package with the embedding is not installed.
    """
    import numpy as np  # noqa: PLC0415 - numpy

    embed = load_embedder()
    table = json.loads((files(__package__) / "safety_weights.json").read_text("utf-8"))
    weights = np.array(table["weights"], dtype=np.float32) * np.float32(table["scale"])
    bias = float(table["bias"])

    def chance(asked: str, answered: str) -> float:
        value = float(features([(asked, answered)], embed)[0] @ weights) + bias
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, value))))

    return chance
