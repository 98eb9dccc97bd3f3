"""Questions of a benchmark that rows ask in other words, or in another language."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sftrecipe.plugin import Context, PluginRefused, Record, Texts
from sftrecipe_registry.filters.repeats.benchmark_items import Item
from sftrecipe_registry.shared.meaning.difference import difference
from sftrecipe_registry.shared.text.asked import asked_text
from sftrecipe_registry.shared.text.scripts import has_unspaced
from sftrecipe_registry.shared.vectors.embedded_texts import Vectors, embedded
from sftrecipe_registry.shared.vectors.packaged_embedding import EmbeddedBy

texts = Texts(__package__)

_FACTS = frozenset({"number", "negation", "opposite"})
"""Differences that make another question, whatever the vectors say."""
_FIGURES = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_BLOCK = 1024
_TRIED = 3
"""Questions that a row is compared with, the nearest first."""


class Meant(NamedTuple):
    """The question that a row asks in other words."""

    item: Item
    cosine: float


async def meant_questions(
    items: Iterable[Item], rows: Sequence[Record], by: EmbeddedBy, at_least: float, ctx: Context
) -> dict[int, Meant]:
    """By place of the rows the question that each asks too: near by its vector, and with the same
    numbers.

    Raises PluginRefused where no question has a vector.
    """
    asking = [item for item in items if item.asks]
    asked = [asked_text(row) for row in rows]
    vectors = await embedded([*(item.text for item in asking), *asked], by, ctx)
    if not any(place in vectors.row_of for place in range(len(asking))):
        raise PluginRefused(texts("no-benchmark-text"))
    found: dict[int, Meant] = {}
    for place, item, cosine in _near(vectors, len(asking), at_least):
        if place not in found and _same_facts(asking[item].text, asked[place]):
            found[place] = Meant(asking[item], cosine)
    return found


def _near(vectors: Vectors, items: int, at_least: float) -> Iterable[tuple[int, int, float]]:
    """Rows and questions whose vectors are near, each row's nearest first."""
    import numpy as np  # noqa: PLC0415 - 70 ms

    numbers = vectors.row_of
    questions = [place for place in range(items) if place in numbers]
    of_rows = [place for place in sorted(numbers) if place >= items]
    known = vectors.unit[[numbers[place] for place in questions]]
    for start in range(0, len(of_rows), _BLOCK):
        some = of_rows[start : start + _BLOCK]
        cosines = vectors.unit[[numbers[place] for place in some]] @ known.T
        nearest = np.argsort(-cosines, axis=1, kind="stable")[:, :_TRIED]
        for row, order in enumerate(nearest.tolist()):
            for question in order:
                if cosines[row, question] >= at_least:
                    yield some[row] - items, questions[question], float(cosines[row, question])


def _same_facts(question: str, asked: str) -> bool:
    """No other number and no negation; between languages the figures alone are compared."""
    if has_unspaced(question) != has_unspaced(asked):
        mine, others = set(_FIGURES.findall(question)), set(_FIGURES.findall(asked))
        return not mine or not others or mine == others
    differs = difference(question, asked)
    return differs is None or differs.kind not in _FACTS
