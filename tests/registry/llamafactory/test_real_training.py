"""The real LLaMA-Factory takes the train.yaml, and trains on what was exported."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sftrecipe import Context
from sftrecipe.plugin import Training
from sftrecipe.testing import RowList, plain_files
from sftrecipe_registry.llamafactory.trainer import LlamaFactory

from ...support.exports import export
from ...support.training_environment import ABSENT, training_process_environment, training_python
from ...support.training_model import small_model

pytestmark = pytest.mark.heavy

# Its own reader (OmegaConf) and parser.
PARSE = """
import json, sys
from llamafactory.hparams import get_train_args, read_args
model, data, training, finetuning, generating = get_train_args(read_args())
print(json.dumps([training.learning_rate, training.do_train, data.dataset, data.eval_dataset,
                  data.default_system, finetuning.stage, training.seed, training.output_dir]))
"""


@pytest.fixture
def python() -> Path:
    found = training_python()
    if found is None:
        pytest.skip(ABSENT)
    return found


def written(folder: Path, **arguments: Any) -> None:
    rows = RowList.of(*({"instruction": f"q{n}", "output": f"a{n}"} for n in range(40)))
    made = export("llamafactory", rows, folder, holdout=5)
    training = Training(made.sets, folder, Context("train", seed=7), plain_files(folder))
    LlamaFactory.model_validate(arguments).write_config(training)


def test_its_parser_takes_the_file(python: Path, tmp_path: Path) -> None:
    written(
        tmp_path,
        **{"model_name_or_path": "m", "template": "smollm2", "learning_rate": "1e-5"},
        **{"default_system": "costs ${x}", "use_cpu": True, "lr_scheduler_kwargs": {"a": 1e-7}},
    )
    done = subprocess.run(
        [python, "-c", PARSE, "train.yaml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=training_process_environment(),
        check=True,
    )
    assert json.loads(done.stdout.splitlines()[-1]) == [
        *(1e-5, True, ["demo"], ["demo_holdout"], "costs ${x}", "sft", 7, "model.by-hand"),
    ]


def test_two_real_steps(
    python: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    written(
        tmp_path,
        **{"model_name_or_path": str(small_model(tmp_path_factory.mktemp("model")))},
        **{"stage": "sft", "template": "smollm2", "finetuning_type": "lora", "lora_rank": 4},
        **{"max_steps": 2, "per_device_train_batch_size": 2, "cutoff_len": 64, "use_cpu": True},
        **{"per_device_eval_batch_size": 8, "logging_steps": 1},
    )
    done = subprocess.run(
        [python.with_name("llamafactory-cli"), "train", "train.yaml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=training_process_environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    model = tmp_path / "model.by-hand"
    assert (model / "adapter_model.safetensors").exists()
    results = json.loads((model / "all_results.json").read_text())
    assert results["train_loss"] > 0
    assert results["eval_loss"] > 0
