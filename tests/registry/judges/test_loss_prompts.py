"""The prompts that a loss is measured after are those that LLaMA-Factory trains with."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.support.training_environment import ABSENT, training_process_environment, training_python

from sftrecipe import Context
from sftrecipe.testing import own_files
from sftrecipe_registry.judges.loss import Loss
from sftrecipe_registry.shared.models.packaged_checkpoint import PACKAGED_SYSTEM

SCRIPT = Path(__file__).with_name("llamafactory_templates.py")
LONE = [{"role": "user", "content": "Sort.\n2 1"}]
LONGER = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "A"},
    {"role": "assistant", "content": "B"},
    {"role": "user", "content": "C {{ d }}"},
]
CASES = [
    (name, turns)
    for name in ("alpaca", "chatml", "qwen", "qwen3", "llama3", "smollm2")
    for turns in (LONE, LONGER)
]


@pytest.mark.heavy
def test_prompts_are_llamafactorys_templates() -> None:
    python = training_python()
    if python is None:
        pytest.skip(ABSENT)
    done = subprocess.run(
        [str(python), str(SCRIPT), json.dumps(CASES)],
        env=training_process_environment(),
        stdout=subprocess.PIPE,
        check=True,
        timeout=300,
    )
    theirs = json.loads(done.stdout.splitlines()[-1])
    for (name, turns), text in zip(CASES, theirs, strict=True):
        plugin = Loss(models=("base",), prompt=f"builtin:loss/{name}")
        ours = Context("loss", files=own_files(plugin)).prompt(plugin.prompt)
        # A tokenizer writes its first token itself; the end of earlier answers is told as a limit.
        marked = text.removeprefix("{bos_token}").replace("{eos_token}", "")
        if name == "smollm2":  # as the model's own: the trainer trains it so
            marked = marked.replace(f"{PACKAGED_SYSTEM}.", PACKAGED_SYSTEM)
        assert ours.render({"messages": turns}) == marked
