"""A project of one step that asks a server whose replies a test writes."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.standin_runs import Whole

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
{more}sources:
  s: {{use: jsonl, path: seeds.jsonl}}
generate:
  - {{id: g, use: respond, from: s, provider: p, with: {sampling}}}
export:
  - {{use: llamafactory}}
"""


def responding(
    folder: Path,
    url: str,
    texts: list[str],
    limits: str = "{}",
    price: str = "null",
    *,
    sampling: str = "{}",
    **options: str,
) -> Whole:
    """The project; `limits`, `price` and the `options` are the provider's, `sampling` the step's,
    as YAML."""
    whole = Whole(folder, url)
    text = RECIPE.format(
        url=url,
        limits=limits,
        price=price,
        sampling=sampling,
        more="".join(f"    {name}: {value}\n" for name, value in options.items()),
    )
    (folder / "recipe.yaml").write_text(text)
    write_texts(whole, texts)
    return whole


def write_texts(whole: Whole, texts: list[str]) -> None:
    """A row of each text."""
    lines = "".join(json.dumps({"instruction": text}) + "\n" for text in texts)
    (whole.folder / "seeds.jsonl").write_text(lines)
