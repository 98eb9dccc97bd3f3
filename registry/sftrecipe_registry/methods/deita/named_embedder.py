"""Embeddings of the provider that an option names, or of the packaged model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sftrecipe.plugin import Context
from sftrecipe_registry.shared.vectors.embedded_texts import Vectors, embedded


async def embedded_by(embedder: str | None, spoken: Iterable[str], ctx: Context) -> Vectors:
    """The texts' vectors, in order; by the packaged model where no provider is named."""
    if embedder is None:
        return await embedded(spoken, "packaged", ctx)
    return await embedded(spoken, "provider", replace(ctx, models={"": ctx.models[embedder]}))
