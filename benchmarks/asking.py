"""The engine's asking: ledger, limits, retries, as a step does it.

python asking.py URL PROMPTS CONCURRENCY TIMEOUT FOLDER [openai|litellm]
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from sftrecipe import Context
from sftrecipe.calls.session import open_session
from sftrecipe.plugin.context import Reply
from sftrecipe.plugin.discovery import plugin_class
from sftrecipe.plugin.provider import Limits
from sftrecipe.recipe.checked import Block


async def main(
    url: str, prompts: int, concurrency: int, seconds: float, folder: str, use: str = "openai"
) -> None:
    """Ask through a step's context, and print what was asked."""
    model_name = "m" if use == "openai" else "openai/m"
    plugin = plugin_class("provider", use).model_validate(
        {"model": model_name, "base_url": url, "api_key": "", "limits": Limits(timeout=seconds)}
    )
    providers = {"teacher": Block("providers", "teacher", use, plugin)}
    ledger = Path(folder) / "ledger.sqlite"
    answered = 0
    async with open_session(providers, ledger, run="r", concurrency=concurrency) as session:
        model = session.model("teacher", "ask")
        ctx = Context(step="ask", models={"": model}, concurrency=concurrency)

        async def ask(number: int) -> Reply:
            return await ctx.model.chat([{"role": "user", "content": f"question {number}"}])

        async for _, reply in ctx.map(ask, range(prompts)):
            answered += isinstance(reply, Reply) and bool(reply.text)
        total = session.total()
    counts = f"{total.asked} asked, {total.requests} requests, {total.cached} cached"
    print(answered, f"answered by sftrecipe ({use}): {counts}")


kinds = (str, int, int, float, str, str)
asyncio.run(main(*(kind(text) for kind, text in zip(kinds, sys.argv[1:], strict=False))))
