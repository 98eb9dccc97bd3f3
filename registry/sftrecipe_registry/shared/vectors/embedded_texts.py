"""The vectors of many texts, from a provider or from the packaged model."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import AsyncIterator, Iterable
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sftrecipe.plugin import CallFailed, Context, Reply
from sftrecipe_registry.shared.vectors.embedding_width import ODD_EMBEDDING, told_width, usual_width
from sftrecipe_registry.shared.vectors.packaged_embedding import EmbeddedBy, load_embedder

_TOGETHER = 64
"""Texts that the packaged model is given at once."""
_LONGEST = 20_000
"""Characters of a text that the packaged model reads: its time and memory grow with the square."""
_REMEMBERED = 4096
"""Texts whose vectors are at hand where they come again: 8 MB."""

_NO_TEXT = "no_text"


class Failed(NamedTuple):
    """Why a text has no vector."""

    reason: str
    message: str = ""


class Vectors(NamedTuple):
    """Vectors of length 1, and what goes with them."""

    unit: NDArray[np.float32]
    """A row for each text that has one."""
    row_of: dict[int, int]
    """Its number, by the text's place."""
    failed: dict[int, Failed]
    """The other texts, by place."""
    calls: list[str]
    """Ledger key of every text's call; empty where there was none."""

    def without_text(self, start: int) -> int:
        """How many texts from this place on are empty."""
        failed = self.failed.items()
        return sum(place >= start and fault.reason == _NO_TEXT for place, fault in failed)


async def embedded(texts: Iterable[str], by: EmbeddedBy, ctx: Context) -> Vectors:
    """The texts' vectors, in order; empty texts have none (`no_text`), nor have failed calls, nor
    those whose vector is not as wide as most (`odd_embedding`). The packaged model reads the first
    20,000 characters of a text, which is counted.

    Raises PluginRefused where the model is not installed.
    """
    of_width: dict[int, _OneWidth] = {}
    found = Vectors(np.zeros((0, 1), np.float32), {}, {}, [])
    place = 0
    async for vector, call in _asked(texts, ctx) if by == "provider" else _packaged(texts, ctx):
        if isinstance(vector, Failed):
            found.failed[place] = vector
        else:
            one = of_width.setdefault(len(vector), _OneWidth(array("f"), []))
            one.numbers.frombytes(vector.tobytes())
            one.places.append(place)
        found.calls.append(call)
        place += 1
        ctx.progress(place)
    usual = usual_width(width for width, one in of_width.items() for _ in one.places)
    for width, one in of_width.items():
        if width != usual:
            fault = Failed(ODD_EMBEDDING, told_width(width, usual))
            found.failed.update(dict.fromkeys(one.places, fault))
    if not usual:
        return found
    kept = of_width[usual]
    found.row_of.update((place, row) for row, place in enumerate(kept.places))
    return found._replace(unit=np.frombuffer(kept.numbers, np.float32).reshape(-1, usual))


class _OneWidth(NamedTuple):
    """The vectors of so many numbers."""

    numbers: array[float]
    places: list[int]
    """Of their texts."""


Part = tuple[NDArray[np.float32] | Failed, str]


async def _asked(texts: Iterable[str], ctx: Context) -> AsyncIterator[Part]:
    async def embed(text: str) -> Reply | None:
        return await ctx.model.embed(text) if text.strip() else None

    async for _, reply in ctx.map(embed, texts):
        if reply is None:
            yield Failed(_NO_TEXT), ""
        elif isinstance(reply, CallFailed):
            yield Failed(reply.reason, reply.message), reply.key
        elif not any(reply.vector):
            yield Failed("no_embedding"), reply.key
        else:
            numbers = np.array(reply.vector, np.float64)
            yield (numbers / np.linalg.norm(numbers)).astype(np.float32), reply.key


async def _packaged(texts: Iterable[str], ctx: Context) -> AsyncIterator[Part]:
    embed = load_embedder()
    known: dict[str, NDArray[np.float32]] = {}
    remaining = (_cut(text, ctx) for text in texts)
    while batch := [*islice(remaining, _TOGETHER)]:
        new = [text for text in dict.fromkeys(batch) if text.strip() and text not in known]
        # In a thread: others go on, and Ctrl-C is heard.
        known.update(zip(new, await asyncio.to_thread(embed, new), strict=True))
        for text in batch:
            yield known[text] if text.strip() else Failed(_NO_TEXT), ""
        for text in [*islice(known, max(len(known) - _REMEMBERED, 0))]:
            del known[text]


def _cut(text: str, ctx: Context) -> str:
    if len(text) <= _LONGEST:
        return text
    ctx.count("texts cut before they were embedded")
    return text[:_LONGEST]
