"""A project that trains with a small program as LLaMA-Factory, and judges by a stand-in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from copy import copy
from pathlib import Path
from typing import Any

from tests.support import fake_llamafactory

RECIPE = """\
version: 1
name: judged
seed: 7
providers:
  tuned: {{use: openai, base_url: "{url}", model: tuned, api_key: ""}}
  base: {{use: openai, base_url: "{other}", model: base, api_key: ""}}
  referee: {{use: openai, base_url: "{url}", model: judge, api_key: ""}}
sources:
  rows: {{use: jsonl, path: rows.jsonl}}
export:
  - {{use: llamafactory, with: {{holdout: 12}}}}
train:
  use: llamafactory
  with: {{stage: sft, model_name_or_path: org/model, template: smollm2, finetuning_type: lora}}
evaluate:
  - use: pairwise
    provider: referee
    with: {{compare: [tuned, base]}}
    gate:
      winning_score: {{at_least: {gate}}}
      position_bias: {{at_most: 1}}
      invalid_share: {{at_most: 1}}
  - {{use: reference, with: {{models: [tuned, base]}}}}
"""


class Judged:
    """The project."""

    told = ""
    """What its run printed."""

    def __init__(
        self, folder: Path, url: str, other: str, gate: float = 0.0, rows: int = 40
    ) -> None:
        self._place(folder)
        (folder / ".sftrecipe").mkdir(parents=True)
        lines = [{"instruction": f"Question {n}?", "output": f"Answer {n}."} for n in range(rows)]
        (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in lines))
        recipe = RECIPE.format(url=url, other=other, gate=gate)
        (folder / "recipe.yaml").write_text(recipe)

    def _place(self, folder: Path) -> None:
        self.folder = folder
        self.out = folder / "runs" / "judged"

    def at(self, folder: Path) -> Judged:
        """This project as it lies in another folder."""
        other = copy(self)
        other._place(folder)
        return other

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The real command, in an environment where LLaMA-Factory is the small program."""
        trainer = f"{sys.executable} {fake_llamafactory.__file__} -m cli"
        return subprocess.run(
            [sys.executable, "-m", "sftrecipe.cli.main", *words],
            cwd=self.folder,
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, "SFTRECIPE_LANG": "en", "SFTRECIPE_TRAIN_ENV": trainer},
        )

    def facts(self) -> dict[str, Any]:
        """`run.json`."""
        found: dict[str, Any] = json.loads((self.out / "run.json").read_text())
        return found
