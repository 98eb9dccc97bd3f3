# /// script
# requires-python = ">=3.11,<3.13"
# dependencies = ["py-data-juicer==1.6.1", "scipy", "aiohttp", "aiofiles", "ray", "torch"]
# [tool.uv]
# exclude-newer = "2026-11-20T00:00:00Z"
# ///
"""data-juicer: its nearest filters to ours (length, words, blacklist, exact) and its MinHash.

uv run juicer.py ROWS.jsonl FOLDER

It imports aiohttp, aiofiles, ray and torch for these filters, without asking for them.
The rows have the column `text`. One process, which costs it the least CPU time; no tracer, no
cache compression. It has no filter by regular expression: `words_num_filter` stands for it.
"""

import json
import os
import sys
from importlib.metadata import version
from pathlib import Path

os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_CACHE": f"{sys.argv[2]}/cache"}

from data_juicer.config import init_configs
from data_juicer.core import DefaultExecutor


def main(rows: str, folder: str) -> None:
    """Run its recipe, and print how many rows are left."""
    words = Path(folder) / "words"
    words.mkdir()
    (words / "flagged_words.json").write_text(json.dumps({"en": ["flowchart"]}))
    recipe = {
        "project_name": "peer",
        "dataset_path": rows,
        "export_path": f"{folder}/kept.jsonl",
        "work_dir": folder,
        "np": 1,
        "open_tracer": False,
        "process": [
            {"text_length_filter": {"min_len": 100, "max_len": 20000}},
            {"words_num_filter": {"min_num": 4}},
            {"flagged_words_filter": {"max_ratio": 0.0, "flagged_words_dir": str(words)}},
            {"document_deduplicator": {"lowercase": False}},
            {
                "document_minhash_deduplicator": {
                    "tokenization": "space",
                    "window_size": 5,
                    "lowercase": True,
                    "jaccard_threshold": 0.7,
                }
            },
        ],
    }
    file = Path(folder) / "recipe.json"
    file.write_text(json.dumps(recipe))
    DefaultExecutor(init_configs(["--config", str(file)])).run()
    with Path(folder, "kept.jsonl").open("rb") as kept:
        said = (sum(1 for _ in kept), "kept by data-juicer", version("py-data-juicer"))
    print(*said, file=sys.__stdout__)  # data-juicer takes sys.stdout for its log


if __name__ == "__main__":
    main(*sys.argv[1:3])
