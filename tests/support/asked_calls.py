"""Models of the stand-in server, for the tests of this folder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sftrecipe.calls.session import Session, open_session
from sftrecipe.plugin.asked_model import Model, Reply
from sftrecipe.plugin.provider import CallFailed
from sftrecipe.recipe.recipe import Block, Budget
from sftrecipe_registry.providers.openai.provider import OpenAI

FAST = {"timeout": 5.0}


def provider(url: str, name: str = "teacher", **options: Any) -> dict[str, Block]:
    """A recipe's providers: the stand-in as an OpenAI-compatible endpoint."""
    given = {"model": "m", "base_url": url, "api_key": "", "limits": FAST, **options}
    return {name: Block("providers", name, "openai", OpenAI.model_validate(given))}


@asynccontextmanager
async def session(
    url: str,
    folder: Path,
    *,
    budget: Budget | None = None,
    concurrency: int = 16,
    run: str = "run",
    **options: Any,
) -> AsyncIterator[Session]:
    """A session with one provider, `teacher`."""
    async with open_session(
        provider(url, **options),
        folder / ".sftrecipe" / "ledger.sqlite",
        run=run,
        budget=budget or Budget(),
        concurrency=concurrency,
    ) as opened:
        yield opened


async def say(model: Model, text: str, **options: Any) -> Reply:
    """One chat turn."""
    return await model.chat([{"role": "user", "content": text}], **options)


async def say_all(model: Model, texts: Sequence[str]) -> list[Reply | CallFailed]:
    """Many at once, failures among the replies."""

    async def one(text: str) -> Reply | CallFailed:
        try:
            return await say(model, text)
        except CallFailed as failure:
            return failure

    return await asyncio.gather(*(one(text) for text in texts))
