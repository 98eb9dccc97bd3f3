"""A project of one step that asks a server whose replies a test writes."""

from __future__ import annotations

import json
from pathlib import Path

from tests.run.whole import Whole

RECIPE = """\
version: 1
name: whole
providers:
  p:
    use: openai
    model: m
    base_url: "{url}"
    api_key: ""
    limits: {limits}
    price: {price}
sources:
  s: {{use: jsonl, path: seeds.jsonl}}
generate:
  - {{id: g, use: respond, from: s, provider: p}}
export:
  - {{use: llamafactory}}
"""


def responding(
    folder: Path, url: str, texts: list[str], limits: str = "{}", price: str = "null"
) -> Whole:
    """The project; `limits` and `price` are the provider's, as YAML."""
    whole = Whole(folder, url)
    (folder / "recipe.yaml").write_text(RECIPE.format(url=url, limits=limits, price=price))
    write_texts(whole, texts)
    return whole


def write_texts(whole: Whole, texts: list[str]) -> None:
    """A row of each text."""
    lines = "".join(json.dumps({"instruction": text}) + "\n" for text in texts)
    (whole.folder / "seeds.jsonl").write_text(lines)
