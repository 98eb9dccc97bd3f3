"""An embedding that is not as wide as the others costs its row, and nothing else."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from tests.support.odd_server import Sent, odd_server
from tests.support.standin_runs import Whole

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
    words = [at for at, letter in enumerate(said) if letter == " "]
    losses = {"text_offset": [0, *words], "token_logprobs": [None, *(-1.5 for _ in words)]}
    body = {
        "data": [{"index": 0, "embedding": vector}],
        "choices": [{"text": said, "logprobs": losses, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3},
    }
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


SCORING = """\
version: 1
name: whole
providers:
  p: {{use: openai, base_url: "{url}", model: m, api_key: ""}}
sources:
  seeds: {{use: jsonl, path: seeds.jsonl}}
  pairs: {{use: jsonl, path: pairs.jsonl}}
filter:
  - {{id: f, use: contrastive_scorer, on: seeds, provider: p,
      with: {{pairs: pairs, features: embedding, holdout: 0}}}}
export:
  - {{use: jsonl, from: seeds}}
"""
DRAWING = """\
version: 1
name: whole
providers:
  p: {{use: openai, base_url: "{url}", model: m, api_key: ""}}
  scorer: {{use: vllm, base_url: "{url}", model: m, api_key: ""}}
sources: {{seeds: {{use: jsonl, path: seeds.jsonl}}}}
generate:
  - {{id: drawn, use: pre_experience, from: seeds, provider: scorer,
      with: {{embedder: p, clusters: 2, per_cluster: 9}}}}
export:
  - {{use: jsonl, from: drawn}}
"""


def _between_odd_ones(rows: list[dict[str, str]], name: str) -> str:
    """JSON Lines of the rows, with an odd one before and behind them."""
    odd = [{**rows[0], name: f"{which} odd one?"} for which in ("an", "another")]
    return "".join(json.dumps(row) + "\n" for row in (odd[0], *rows, odd[1]))


def _odd_rejects(whole: Whole) -> list[str]:
    """What is told of the lost rows, all of them for their embedding."""
    lost = [json.loads(line) for line in (whole.out / "rejects.jsonl").open()]
    assert {reject["reason"] for reject in lost} == {"odd_embedding"}
    return [json.dumps(reject) for reject in lost]


def test_another_width_costs_a_row_or_a_pair_of_the_scorer(tmp_path: Path) -> None:
    rows = [{"context": f"text {n}", "instruction": f"question {n}?"} for n in range(5)]
    pairs = [{"context": f"text {n}", "chosen": f"good {n}?", "rejected": "eh?"} for n in range(6)]
    with odd_server(_embedding) as server:
        whole = Whole(tmp_path, server.url)
        (tmp_path / "recipe.yaml").write_text(SCORING.format(url=server.url))
        (tmp_path / "seeds.jsonl").write_text(_between_odd_ones(rows, "instruction"))
        (tmp_path / "pairs.jsonl").write_text(_between_odd_ones(pairs, "rejected"))
        whole.run()
    assert len((whole.out / "whole.jsonl").read_text().splitlines()) == 5
    assert ["most embeddings have 16" in told for told in _odd_rejects(whole)] == [True, True]
    steps = json.loads((whole.out / "run.json").read_text())["steps"]
    (counts,) = [step["counts"] for step in steps if step["id"] == "f"]
    assert (counts["train_pairs"], counts["pairs_without_embedding"]) == (6, 2)


def test_another_width_costs_a_row_of_the_drawing(tmp_path: Path) -> None:
    rows = [{"instruction": f"a question {n}", "output": f"so {n}"} for n in range(6)]
    with odd_server(_embedding) as server:
        whole = Whole(tmp_path, server.url)
        (tmp_path / "recipe.yaml").write_text(DRAWING.format(url=server.url))
        (tmp_path / "seeds.jsonl").write_text(_between_odd_ones(rows, "instruction"))
        whole.run()
    assert len((whole.out / "whole.jsonl").read_text().splitlines()) == 6
    told = _odd_rejects(whole)
    assert ["3 numbers, most embeddings have 8" in each for each in told] == [True, True]
