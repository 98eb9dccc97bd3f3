"""Commands that a run names can be pasted: they go on with the same recipe, profile and folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.standin import stand_in

RECIPE = """\
version: 1
name: pasted
description: "${{vars.why}}"
vars: {{why: none}}
providers:
  p: {{use: openai, base_url: "{nobody}", model: m, api_key: "", limits: {{attempts: 1}}}}
sources:
  s: {{use: jsonl, path: s.jsonl}}
generate:
  - {{id: g, use: respond, from: s, provider: p}}
export:
  - {{use: llamafactory}}
profiles:
  real:
    providers:
      p: {{use: openai, base_url: "{url}", model: m, api_key: ""}}
"""
NOBODY = "http://127.0.0.1:9/v1"


def _shell(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["sh", "-c", command], cwd=folder, capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "PATH": path, "SFTRECIPE_LANG": "en"},
    )  # fmt: skip


def test_what_a_run_names_is_pasted(tmp_path: Path) -> None:
    with stand_in() as server:
        recipe = tmp_path / "my recipe.yaml"
        recipe.write_text(RECIPE.format(nobody=NOBODY, url=server.url))
        rows = [{"instruction": "[[400 x1]] One?"}, {"instruction": "Two?"}]
        (tmp_path / "s.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

        refused = _shell(tmp_path, "sftrecipe run 'my recipe.yaml'")
        assert refused.returncode == 1
        doctor = _named(refused.stderr, "doctor")
        assert "provider p" in _shell(tmp_path, f"{doctor} --timeout 2").stdout

        words = "--profile real --set why=some --out 'my folder'"
        first = _shell(tmp_path, f"sftrecipe run 'my recipe.yaml' {words}")
        assert first.returncode == 0, first.stderr
        again = _shell(tmp_path, _named(first.stdout, "run"))
        assert again.returncode == 0, again.stderr
        assert "rejected: 0 rows" in again.stdout
        assert len(json.loads((tmp_path / "my folder" / "pasted.json").read_text())) == 2
        assert not (tmp_path / "runs").joinpath("pasted", "pasted.json").exists()


def _named(told: str, command: str) -> str:
    found = re.search(rf"sftrecipe {command} .*", told)
    assert found, told
    return found[0]
