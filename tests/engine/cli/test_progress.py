"""A step that decides at its end tells how far it is all the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.odd_server import Sent, odd_server

from sftrecipe.cli import progress_display
from sftrecipe.cli.main import cli

RECIPE = """\
version: 1
name: told
providers:
  p: {{use: openai, base_url: "{url}", model: m, api_key: ""}}
sources: {{rows: {{use: jsonl, path: rows.jsonl}}}}
filter:
  - {{id: few, use: superfilter, provider: p, with: {{rate: 1.0}}}}
export:
  - {{use: jsonl}}
"""


def _embedding(said: str, before: int) -> Sent:
    vector = [float(len(said)), 1.0, float(before)]
    body = {"data": [{"index": 0, "embedding": vector}], "usage": {"prompt_tokens": 3}}
    return Sent(200, json.dumps(body).encode())


def test_rows_looked_at_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_display, "_EVERY", 0.0)
    monkeypatch.setenv("SFTRECIPE_PROJECT", str(tmp_path))
    monkeypatch.setenv("SFTRECIPE_LANG", "en")
    rows = [{"instruction": f"a question {number}", "output": "so"} for number in range(3)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with odd_server(_embedding) as server:
        (tmp_path / "recipe.yaml").write_text(RECIPE.format(url=server.url))
        done = CliRunner().invoke(cli, ["run", str(tmp_path / "recipe.yaml")])
    assert done.exit_code == 0, done.stderr
    told = [line for line in done.stderr.splitlines() if "looked at so far" in line]
    assert told == [f"few: {count} looked at so far" for count in (1, 2, 3)]
