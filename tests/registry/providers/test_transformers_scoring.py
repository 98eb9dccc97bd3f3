"""The worker's log-probabilities: of many texts in one row they are those of each text alone."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ...support.training_environment import ABSENT, training_process_environment, training_python

REFERENCE = Path(__file__).with_name("scoring_reference.py")
PACKED: list[tuple[str, dict[str, Any]]] = [
    ("Llama", {"num_key_value_heads": 2}),
    ("Qwen3", {"num_key_value_heads": 2, "head_dim": 8}),
    ("Mistral", {"num_key_value_heads": 2, "sliding_window": None}),
    ("GPT2", {"n_embd": 32, "n_layer": 2, "n_head": 4}),
    ("GPTNeoX", {}),
]
PADDED: list[tuple[str, dict[str, Any]]] = [
    ("Mistral", {"num_key_value_heads": 2, "sliding_window": 64}),
    ("Gemma2", {"num_key_value_heads": 2, "head_dim": 8}),  # caps what it attends to
    ("Bloom", {"n_layer": 2, "n_head": 4}),  # nearness by the place in the row
    ("Mamba", {}),  # a state that goes on from text to text
]


@pytest.mark.heavy
def test_texts_are_scored_as_alone() -> None:
    python = training_python()
    if python is None:
        pytest.skip(ABSENT)
    done = subprocess.run(
        [python, REFERENCE],
        input=json.dumps([*PACKED, *PADDED]),
        capture_output=True,
        text=True,
        env=training_process_environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout[done.stdout.rindex("[[") :])
    assert [packs for packs, _ in told] == [True] * len(PACKED) + [False] * len(PADDED)
    assert max(apart for _, apart in told) < 1e-4
