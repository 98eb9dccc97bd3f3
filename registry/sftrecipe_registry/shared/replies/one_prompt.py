"""Asking with one prompt: as a user's chat turn, or as a text to go on with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sftrecipe.plugin import Model, Reply


async def ask_once(
    model: Model,
    prompt: str,
    sampling: Mapping[str, Any],
    *,
    raw: bool = False,
    system: str = "",
    sample: int = 0,
    schema: Mapping[str, Any] | None = None,
) -> Reply:
    """The model's reply, by chat following a schema where there is one. Raises CallFailed.

    A raw completion has no system prompt, and follows no schema.
    """
    if raw:
        return await model.complete(prompt, sample=sample, sampling=sampling)
    turns = [{"role": "system", "content": system}] if system else []
    turns.append({"role": "user", "content": prompt})
    return await model.chat(turns, sample=sample, schema=schema, sampling=sampling)
