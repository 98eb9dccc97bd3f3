"""The engine's asking: ledger, limits, retries, as a step does it.

python asking.py URL PROMPTS CONCURRENCY TIMEOUT FOLDER
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from sftrecipe import Context
from sftrecipe.calls.session import open_session
from sftrecipe.plugin.context import Reply
from sftrecipe.plugin.provider import Limits
from sftrecipe.recipe.checked import Block
from sftrecipe_registry.providers.openai import OpenAI


async def main(url: str, prompts: int, concurrency: int, seconds: float, folder: str) -> None:
    """Ask through a step's context, and print what was asked."""
    plugin = OpenAI(model="m", base_url=url, api_key="", limits=Limits(timeout=seconds))
    providers = {"teacher": Block("providers", "teacher", "openai", plugin)}
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
    print(answered, "answered:", total.asked, "asked", total.requests, "requests", total.cached)


asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), sys.argv[5]))
