"""An engine of its own process, to be killed: asks N questions and prints the replies' hash.

python engine.py URL FOLDER COUNT CONCURRENCY
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
from pathlib import Path

from sftrecipe.calls.session import open_session
from sftrecipe.recipe.recipe import Block
from sftrecipe_registry.providers.openai.provider import OpenAI


async def main(url: str, folder: str, count: int, concurrency: int) -> None:
    """Ask, and print `asked cached hash`."""
    plugin = OpenAI(model="m", base_url=url, api_key="")
    providers = {"teacher": Block("providers", "teacher", "openai", plugin)}
    ledger = Path(folder) / ".sftrecipe" / "ledger.sqlite"
    async with open_session(providers, ledger, run="r", concurrency=concurrency) as session:
        model = session.model("teacher", "ask")
        asking = (
            model.chat([{"role": "user", "content": f"question {number}"}])
            for number in range(count)
        )
        replies = await asyncio.gather(*asking)
        usage = session.usage["ask", "teacher"]
    told = hashlib.sha256("\n".join(reply.text for reply in replies).encode()).hexdigest()
    print(usage.asked, usage.cached, told, flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
