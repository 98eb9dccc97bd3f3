"""An embedding that is not as wide as the others costs its row, and nothing else."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from tests.odd_server import Sent, odd_server
from tests.run.whole import Whole

RECIPE = """\
version: 1
name: whole
providers:
  p: {{use: openai, base_url: "{url}", model: m, api_key: ""}}
sources: {{seeds: {{use: jsonl, path: seeds.jsonl}}}}
filter:
  - {{id: f, use: {filter}}}
export:
  - {{use: llamafactory, with: {{formatting: alpaca}}}}
"""
FILTERS = {
    "semantic_dedup": "semantic_dedup, provider: p, with: {cosine: 0.99, embedding: provider}",
    "superfilter": "superfilter, provider: p, with: {rate: 1.0}",
}


def _embedding(said: str, before: int) -> Sent:
    numbers = random.Random(said)
    vector = [numbers.gauss() for _ in range(3 if "odd" in said else 8)]
    body = {"data": [{"index": 0, "embedding": vector}], "usage": {"prompt_tokens": 3}}
    return Sent(200, json.dumps(body).encode())


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("first", [True, False])
def test_another_width_costs_its_row(tmp_path: Path, name: str, first: bool) -> None:
    with odd_server(_embedding) as server:
        whole = Whole(tmp_path, server.url)
        (tmp_path / "recipe.yaml").write_text(RECIPE.format(url=server.url, filter=FILTERS[name]))
        good = [{"instruction": f"a question {n}", "output": f"so {n}"} for n in range(6)]
        odd = [{"instruction": "an odd one", "output": "odd"}]
        rows = odd + good if first else good + odd
        (tmp_path / "seeds.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        whole.run()
    assert len(json.loads((whole.out / "whole.json").read_text())) == 6
    lost = [json.loads(line) for line in (whole.out / "rejects.jsonl").open()]
    assert [reject["reason"] for reject in lost] == ["odd_embedding"]
    assert "3 numbers, most embeddings have 8" in json.dumps(lost)
