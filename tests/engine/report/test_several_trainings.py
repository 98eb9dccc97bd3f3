"""The page of a recipe that trains once, several times or not at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sftrecipe.report.pages.run.facts.lengths import _cutoff

RECIPE = """\
version: 1
name: several
sources: {rows: {use: jsonl, path: rows.jsonl}}
export: [{use: llamafactory, with: {formatting: alpaca, holdout: 2}}]
"""
TRAIN = (
    "{%suse: llamafactory, with: {stage: sft, model_name_or_path: org/m, template: qwen, "
    "finetuning_type: lora%s}}"
)
EVALUATE = "evaluate: [{id: foreseen, use: loss, on: holdout, with: {models: [tuned, base]}}]\n"


def block(number: int, cutoff: int | None = None) -> str:
    return TRAIN % (f"id: sft{number}, ", f", cutoff_len: {cutoff}" if cutoff else "")


TRAININGS = {
    "none": "",
    "a mapping": f"train: {TRAIN % ('', ', cutoff_len: 64')}\n",
    "a list of one": f"train: [{block(1, 64)}]\n",
    "two": f"train: [{block(1, 128)}, {block(2, 64)}]\n",
    "three": f"train: [{block(1)}, {block(2, 64)}, {block(3, 256)}]\n",
}


def said(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """What the command says on a machine that cannot train."""
    nowhere = {"SFTRECIPE_LANG": "en", "SFTRECIPE_TRAIN_ENV": str(folder / "absent")}
    return subprocess.run(
        [sys.executable, "-m", "sftrecipe.cli.main", *words],
        cwd=folder, capture_output=True, text=True, check=False, env=os.environ | nowhere,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "judged"),
    [
        (name, judged)
        for name in TRAININGS
        for judged in (False, True)
        if name != "none" or not judged
    ],
)
def test_the_report_is_written(tmp_path: Path, name: str, judged: bool) -> None:
    rows = [{"instruction": f"Ask {number}?", "output": "Say. " * 40} for number in range(8)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "dataset_info.json").write_text("{}")
    text = RECIPE + TRAININGS[name] + (EVALUATE if judged else "")
    (tmp_path / "recipe.yaml").write_text(text)
    done = said(tmp_path, "run", "recipe.yaml")
    assert done.returncode == (1 if judged else 0), done.stderr
    assert "report was not written" not in done.stderr and "internal" not in done.stderr
    assert ("error[data-only]" in done.stderr) is judged
    out = tmp_path / "runs" / "several"
    assert "<h1>" in (out / "report.html").read_text()
    configured = sorted(file.name for file in out.glob("train*.yaml"))
    assert len(configured) == TRAININGS[name].count("stage: sft")


@pytest.mark.parametrize(
    ("train", "cutoff"),
    [
        (None, None),
        ({"with": {"cutoff_len": 64}}, 64),
        ([{"id": "a", "use": "x"}], None),
        ([{"id": "a", "use": "x", "with": {"cutoff_len": 64}}], 64),
        ([{"use": "x", "with": {"cutoff_len": c}} for c in (128, 64, 256)], 64),
        ([{"use": "x", "with": None}, {"use": "x", "with": {"cutoff_len": 32}}], 32),
    ],
)
def test_the_shortest_cutoff_counts(train: Any, cutoff: int | None) -> None:
    assert _cutoff({"train": train} if train else {}) == cutoff
