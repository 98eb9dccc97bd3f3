"""`sftrecipe train --check` before the data is made, and when a part of it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

RECIPE = """\
version: 1
name: early
sources:
  s: {{use: jsonl, path: a.jsonl}}
export:
  - {{use: llamafactory, with: {{holdout: 2}}}}
train:
  use: llamafactory
  with: {{model_name_or_path: ./base, template: qwen, max_steps: 20, {more}}}
"""


def said(folder: Path, *words: str, lang: str = "en") -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "sftrecipe.cli.main", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SFTRECIPE_LANG": lang, "SFTRECIPE_TRAIN_ENV": str(folder / "none")},
    )
    return done.returncode, done.stdout + done.stderr


def recipe(folder: Path, more: str) -> None:
    rows = [{"instruction": f"Ask {at}?", "output": f"Say {at}."} for at in range(12)]
    (folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    base = folder / "base"
    base.mkdir(exist_ok=True)
    for name in ("config.json", "tokenizer.json"):
        (base / name).write_text("{}")
    (base / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    (folder / "recipe.yaml").write_text(RECIPE.format(more=more))


def test_what_is_wrong_is_told_before_a_row_is_made(tmp_path: Path) -> None:
    recipe(tmp_path, "warmup_steps: 50, eval_strategy: steps, metric_for_best_model: bleu-4")
    status, text = said(tmp_path, "train", "--check", "recipe.yaml")
    assert status == 1
    assert "warmup_steps is 50, and the training has 20 steps" in text
    assert "hint: write warmup_steps: 2" in text
    assert "metric_for_best_model is 'bleu-4', and the evaluation gives eval_loss" in text
    assert "data set early, early_holdout is not made yet" in text
    assert "sftrecipe run recipe.yaml --to data" in text
    assert not (tmp_path / "runs").exists()
    status, text = said(tmp_path, "train", "--check", "recipe.yaml", lang="zh")
    assert (status, "数据集 early, early_holdout 还没有生成" in text) == (1, True)


def test_nothing_wrong_is_no_fault_and_the_rows_are_seen_later(tmp_path: Path) -> None:
    recipe(tmp_path, "learning_rate: 1.0e-4, eval_strategy: steps")
    status, text = said(tmp_path, "train", "--check", "recipe.yaml")
    assert (status, "is not made yet" in text) == (0, True)
    assert said(tmp_path, "run", "recipe.yaml", "--to", "data")[0] == 0
    status, text = said(tmp_path, "train", "--check", "recipe.yaml")
    assert (status, "is not made yet" in text) == (0, False)
    assert (tmp_path / "runs" / "early" / "train.yaml").is_file()
