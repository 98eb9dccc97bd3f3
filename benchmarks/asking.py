"""The engine's asking: ledger, limits, retries, as a step does it.

python asking.py URL PROMPTS CONCURRENCY TIMEOUT FOLDER [openai|litellm]
"""

from __future__ import annotations

import asyncio
import sys
from importlib import import_module
from pathlib import Path

from sftrecipe import Context
from sftrecipe.calls.session import open_session
from sftrecipe.plugin.asked_model import Reply
from sftrecipe.plugin.provider import Limits
from sftrecipe.recipe.recipe import Block

CLASSES = {"openai": "OpenAI", "litellm": "LiteLLM"}


async def main(
    url: str, prompts: int, concurrency: int, seconds: float, folder: str, use: str = "openai"
) -> None:
    """Ask through a step's context, and print what was asked."""
    name = "m" if use == "openai" else "openai/m"
    module = import_module(f"sftrecipe_registry.providers.{use}.provider")
    plugin = getattr(module, CLASSES[use]).model_validate(
        {"model": name, "base_url": url, "api_key": "", "limits": Limits(timeout=seconds)}
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
