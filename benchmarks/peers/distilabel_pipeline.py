# /// script
# requires-python = ">=3.11,<3.13"
# dependencies = ["distilabel[openai]==1.5.3", "requests"]
# [tool.uv]
# exclude-newer = "2026-11-20T00:00:00Z"
# ///
"""distilabel: a pipeline of loading and `TextGeneration` with its `OpenAILLM` (openai's client).

uv run distilabel_pipeline.py URL [PROMPTS] [CONCURRENCY] [TIMEOUT] [FOLDER]

It imports `requests`, which it does not ask for: hence the second dependency. It starts without a
network. Its concurrency is the batch's size: a batch leaves when the one before is back whole.
"""

import os
import sys
import tempfile
from importlib.metadata import version

folder = sys.argv[5] if len(sys.argv) > 5 else tempfile.mkdtemp()
os.environ |= {
    "DISTILABEL_LOG_LEVEL": "WARNING",  # it writes a line for every request else
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_CACHE": f"{folder}/datasets",
}

from distilabel.models import OpenAILLM  # noqa: E402
from distilabel.pipeline import Pipeline  # noqa: E402
from distilabel.steps import LoadDataFromDicts  # noqa: E402
from distilabel.steps.tasks import TextGeneration  # noqa: E402


def main(url: str, prompts: int = 2000, concurrency: int = 256, seconds: float = 60) -> None:
    """Ask, and print how many were answered."""
    with Pipeline(name="peer", cache_dir=f"{folder}/pipeline") as pipeline:
        rows = [{"instruction": f"question {number}"} for number in range(prompts)]
        load = LoadDataFromDicts(data=rows, batch_size=concurrency)
        model = OpenAILLM(model="m", base_url=url, api_key="none", timeout=max(1, int(seconds)))
        ask = TextGeneration(llm=model, input_batch_size=concurrency)
        load >> ask
    made = pipeline.run(use_cache=False)["default"]["train"]
    answered = sum(bool(text) for text in made["generation"])
    print(answered, "answered by distilabel", version("distilabel"))


if __name__ == "__main__":
    kinds = (str, int, int, float)
    main(*(kind(text) for kind, text in zip(kinds, sys.argv[1:5], strict=False)))
