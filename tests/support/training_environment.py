"""Find the training environment, the venv that `.ci/llamafactory-env` makes."""

from __future__ import annotations

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
ABSENT = "the training environment is absent: make it with .ci/llamafactory-env"


def training_python() -> Path | None:
    """Return the training environment's python, or None where there is no such environment."""
    environment = os.environ.get("SFTRECIPE_TRAIN_ENV") or ".env-llamafactory"
    # Not resolved: a venv's python is a link, and what it links to is not the venv's.
    python = REPOSITORY / environment / "bin" / "python"
    complete = python.exists() and (REPOSITORY / environment / ".complete").exists()
    return python if complete else None


def training_process_environment() -> dict[str, str]:
    """Return the environment variables for a process there: offline, and one thread a process."""
    # More threads than idle cores make a small training several times slower, not faster.
    return {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
