# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = ["litellm==1.106.2"]
# [tool.uv]
# exclude-newer = "2026-11-20T00:00:00Z"
# ///
"""litellm alone: `acompletion` under a semaphore, with its own retries.

uv run litellm_bare.py URL [PROMPTS] [CONCURRENCY] [TIMEOUT] [FOLDER]

Installs from the registry as it is. It fetches a price map at import unless
`LITELLM_LOCAL_MODEL_COST_MAP` is set, as here. FOLDER is not used: it keeps nothing.
"""

import asyncio
import os
import sys
from importlib.metadata import version

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import litellm

litellm.suppress_debug_info = True
RETRIES = 6
"""What ours makes of attempts by default."""


async def main(url: str, prompts: int = 2000, concurrency: int = 256, seconds: float = 60) -> None:
    """Ask, and print how many were answered."""
    places = asyncio.Semaphore(concurrency)

    async def ask(number: int) -> bool:
        async with places:
            try:
                reply = await litellm.acompletion(
                    model="openai/m",
                    messages=[{"role": "user", "content": f"question {number}"}],
                    api_base=url,
                    api_key="none",
                    timeout=seconds,
                    num_retries=RETRIES,
                )
                return bool(reply.choices[0].message.content)
            except Exception as error:  # it raises errors of many kinds, and others' too
                print(f"{type(error).__name__}: {error}"[:200], file=sys.stderr)
                return False

    answered = sum(await asyncio.gather(*(ask(number) for number in range(prompts))))
    print(answered, "answered by litellm", version("litellm"))


given = sys.argv[1:5]
kinds = (str, int, int, float)
asyncio.run(main(*(kind(text) for kind, text in zip(kinds, given, strict=False))))
