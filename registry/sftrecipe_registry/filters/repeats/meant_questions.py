"""Questions of a benchmark that rows ask in other words, or in another language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sftrecipe.plugin import Context, PluginRefused, Record, Texts
from sftrecipe_registry.filters.repeats.benchmark_items import Item
from sftrecipe_registry.filters.repeats.same_question import (
    Pair,
    SameQuestion,
    answer_texts,
    is_translated,
)
from sftrecipe_registry.shared.text.asked import answered_text, asked_text
from sftrecipe_registry.shared.vectors.embedded_texts import Vectors, embedded
from sftrecipe_registry.shared.vectors.packaged_embedding import EmbeddedBy

texts = Texts(__package__)

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
    """By place of the rows the question that each asks too.

    Raises PluginRefused where no question has a vector.
    """
    asking = [item for item in items if item.asks]
    asked = [asked_text(row) for row in rows]
    vectors = await embedded([*(item.text for item in asking), *asked], by, ctx)
    if not any(place in vectors.row_of for place in range(len(asking))):
        raise PluginRefused(texts("no-benchmark-text"))
    same = SameQuestion(packaged=by == "packaged")
    found: dict[int, Meant] = {}
    unsure: list[tuple[int, Pair]] = []
    for place, item, cosine in _near(vectors, len(asking), at_least):
        if place in found:
            continue
        pair = Pair(asking[item], asked[place], _answer(rows[place], asked[place]), cosine)
        if (told := same(pair)) is None:
            unsure.append((place, pair))
        elif told:
            found[place] = Meant(pair.item, cosine)
    for place, pair in await _translated(unsure, by, ctx):
        found.setdefault(place, Meant(pair.item, pair.cosine))
    return found


def _answer(row: Record, asked: str) -> str:
    """Empty where the row has no more than what it asks."""
    answer = answered_text(row)
    return "" if answer in asked else answer


async def _translated(
    unsure: Sequence[tuple[int, Pair]], by: EmbeddedBy, ctx: Context
) -> list[tuple[int, Pair]]:
    """Those of which the answer is the question's too, by its vector."""
    told = [answer_texts(pair) for _, pair in unsure]
    spoken = list(dict.fromkeys(text for each in told for text in (each.given, *each.choices)))
    vectors = await embedded(spoken, by, ctx)
    row_of = {text: vectors.row_of[at] for at, text in enumerate(spoken) if at in vectors.row_of}
    found: list[tuple[int, Pair]] = []
    for (place, pair), each in zip(unsure, told, strict=True):
        known = all(text in row_of for text in (each.given, *each.choices))
        given = vectors.unit[row_of[each.given]] if known else None
        cosines = [float(vectors.unit[row_of[text]] @ given) for text in each.choices if known]
        if is_translated(pair, each, cosines):
            found.append((place, pair))
    return found


def _near(vectors: Vectors, items: int, at_least: float) -> Iterator[tuple[int, int, float]]:
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
