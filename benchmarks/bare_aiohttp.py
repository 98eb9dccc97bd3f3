"""The least that can be done: aiohttp, a pool of workers, no ledger, no retries.

python bare_aiohttp.py URL PROMPTS CONCURRENCY TIMEOUT
"""

import asyncio
import sys

import aiohttp


async def main(url: str, prompts: int, concurrency: int, seconds: float) -> None:
    """Ask, and print how many were answered."""
    numbers = iter(range(prompts))
    answered = 0
    connector = aiohttp.TCPConnector(limit=concurrency)
    async with aiohttp.ClientSession(connector=connector) as http:

        async def work() -> None:
            nonlocal answered
            for number in numbers:
                body = {
                    "model": "m",
                    "messages": [{"role": "user", "content": f"question {number}"}],
                }
                try:
                    timeout = aiohttp.ClientTimeout(total=seconds)
                    async with http.post(
                        f"{url}/chat/completions", json=body, timeout=timeout
                    ) as reply:
                        data = await reply.json()
                        answered += bool(data["choices"][0]["message"]["content"])
                except (aiohttp.ClientError, KeyError, ValueError, TimeoutError):
                    pass

        await asyncio.gather(*(work() for _ in range(concurrency)))
    print(answered, "answered")


asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
