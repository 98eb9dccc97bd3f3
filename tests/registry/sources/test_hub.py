"""The hub, which the tests cannot reach: what a user is told, and what is never loaded."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("datasets")
ROOT = Path(__file__).parents[3]
READ = """
import sys
from pathlib import Path
from sftrecipe import PluginRefused
from tests.support.source_rows import read
try:
    read("huggingface", Path("."), name=sys.argv[1])
except PluginRefused as refusal:
    print(refusal)
"""


def refusal(name: str, home: Path) -> str:
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(home), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", READ, name],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, **offline},
    )
    return done.stdout


def test_offline_the_user_is_told_what_to_do(tmp_path: Path) -> None:
    said = refusal("llamafactory/alpaca_zh", tmp_path)
    assert "data set 'llamafactory/alpaca_zh' of the Hugging Face hub cannot be loaded" in said
    assert "hf download llamafactory/alpaca_zh --repo-type dataset" in said
    assert "HF_ENDPOINT" in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("name", ["json", "recipes/medical"])
def test_what_lies_here_is_not_taken_for_the_hub(name: str, tmp_path: Path) -> None:
    assert "is no name on the hub" in refusal(name, tmp_path)
