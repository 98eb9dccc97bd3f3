"""CPU a call of the engine's own path: asker, limits and ledger, with replies at once.

python benchmarks/at_once.py [CALLS] [--profile]
"""

from __future__ import annotations

import asyncio
import cProfile
import pstats
import sys
import tempfile
import time
from pathlib import Path

from sftrecipe import Context
from sftrecipe.calls.session import open_session
from sftrecipe.plugin.asked_model import Reply
from sftrecipe.plugin.provider import Answer, Request
from sftrecipe.recipe.recipe import Block
from sftrecipe_registry.providers.openai.provider import OpenAI

AT_ONCE = 256
TEXT = "What should a person do who has slept badly, works at night and drinks coffee? " * 6


class AtOnce:
    """An adapter whose replies are there in the next turn of the event loop."""

    async def __aenter__(self) -> AtOnce:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def send(self, request: Request) -> Answer:
        await asyncio.sleep(0)
        return Answer("An answer of some words.", "stop", 120, 20, raw='{"id": "as-1"}' * 20)


class Instant(OpenAI):
    """The openai provider, without its server."""

    def connect(self, connecting: object) -> AtOnce:  # type: ignore[override]
        return AtOnce()


async def ask(calls: int) -> float:
    """CPU-seconds of so many calls."""
    plugin = Instant(model="m", base_url="http://localhost", api_key="")
    providers = {"teacher": Block("providers", "teacher", "openai", plugin)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.sqlite"
        async with open_session(providers, path, run="r", concurrency=AT_ONCE) as session:
            model = session.model("teacher", "ask")
            ctx = Context(step="ask", models={"": model}, concurrency=AT_ONCE)

            async def call(number: int) -> Reply:
                return await ctx.model.chat([{"role": "user", "content": f"{number}: {TEXT}"}])

            async for _ in ctx.map(call, range(AT_ONCE)):
                pass
            began = time.process_time()
            async for _, reply in ctx.map(call, range(AT_ONCE, AT_ONCE + calls)):
                assert isinstance(reply, Reply)
            return time.process_time() - began


def main() -> None:
    """Print the microseconds of three rounds."""
    calls = next((int(each) for each in sys.argv[1:] if each.isdigit()), 5000)
    if "--profile" in sys.argv:
        profile = cProfile.Profile()
        profile.runcall(asyncio.run, ask(calls))
        pstats.Stats(profile).sort_stats("tottime").print_stats(45)
        return
    found = [1e6 * asyncio.run(ask(calls)) / calls for _ in range(3)]
    print("microseconds CPU a call:", *(f"{each:.0f}" for each in found))


if __name__ == "__main__":
    main()
