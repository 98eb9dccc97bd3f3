# /// script
# requires-python = ">=3.11,<3.13"
# dependencies = ["bespokelabs-curator==0.1.31"]
# [tool.uv]
# exclude-newer = "2026-11-20T00:00:00Z"
# ///
"""Bespoke Curator: one `LLM` over a list of prompts, its `openai` backend (aiohttp).

uv run curator.py URL [PROMPTS] [CONCURRENCY] [TIMEOUT] [FOLDER]

Installs from the registry as it is. At start it fetches a tokenizer (`cl100k_base`, by tiktoken)
and stops without it: here it is given the copy that litellm carries. It would also fetch litellm's
price map and send telemetry, both of which are off here. It sends one request with no messages
before the first prompt, to read rate limits off the reply.
"""

import os
import sys
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

_LITELLM = Path(find_spec("litellm").origin).parent
os.environ |= {
    "TIKTOKEN_CACHE_DIR": str(_LITELLM / "litellm_core_utils" / "tokenizers"),
    "TELEMETRY_ENABLED": "false",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "HF_HUB_OFFLINE": "1",
    "OPENAI_API_KEY": "none",
}

from bespokelabs import curator  # noqa: E402


def main(
    url: str,
    prompts: int = 2000,
    concurrency: int = 256,
    seconds: float = 60,
    folder: str | None = None,
) -> None:
    """Ask, and print how many were answered."""
    model = curator.LLM(
        model_name="m",
        backend="openai",
        backend_params={
            "base_url": url,
            "request_timeout": int(seconds),
            "max_concurrent_requests": concurrency,
            "max_requests_per_minute": 10_000_000,
            "max_tokens_per_minute": 10_000_000_000,
            "seconds_to_pause_on_rate_limit": 1,  # the least that it takes; 10 by default
            "require_all_responses": False,
        },
    )
    asked = [f"question {number}" for number in range(prompts)]
    rows = model(asked, working_dir=folder or tempfile.mkdtemp()).dataset
    answered = sum(bool(text) for text in rows["response"])
    print(answered, "answered by Curator", version("bespokelabs-curator"))


if __name__ == "__main__":
    kinds = (str, int, int, float, str)
    main(*(kind(text) for kind, text in zip(kinds, sys.argv[1:], strict=False)))
