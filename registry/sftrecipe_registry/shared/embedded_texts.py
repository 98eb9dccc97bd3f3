"""The vectors of many texts, from a provider or from the packaged model."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import AsyncIterator, Iterable
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sftrecipe import CallFailed, Context, PluginRefused, Reply
from sftrecipe_registry.shared.packaged_embedding import EmbeddedBy, load_embedder

_TOGETHER = 64
"""Texts that the packaged model is given at once."""

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
    """The texts' vectors, in order; empty texts have none (`no_text`), nor have failed calls.

    Raises PluginRefused where vectors are not of one length, or the model is not installed.
    """
    numbers = array("f")
    width = 0
    found = Vectors(np.zeros((0, 1), np.float32), {}, {}, [])
    place = 0
    async for vector, call in _asked(texts, ctx) if by == "provider" else _packaged(texts):
        if isinstance(vector, Failed):
            found.failed[place] = vector
        elif width and len(vector) != width:
            raise PluginRefused(
                f"an embedding has {len(vector)} numbers, those before {width}: "
                "embed all rows by one model"
            )
        else:
            found.row_of[place] = len(found.row_of)
            width = len(vector)
            numbers.frombytes(vector.tobytes())
        found.calls.append(call)
        place += 1
    return found._replace(unit=np.frombuffer(numbers, np.float32).reshape(-1, width or 1))


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


async def _packaged(texts: Iterable[str]) -> AsyncIterator[Part]:
    embed = load_embedder()
    remaining = iter(texts)
    while batch := [*islice(remaining, _TOGETHER)]:
        # In a thread: others go on, and Ctrl-C is heard.
        vectors = iter(await asyncio.to_thread(embed, [*filter(str.strip, batch)]))
        for text in batch:
            yield next(vectors) if text.strip() else Failed(_NO_TEXT), ""
