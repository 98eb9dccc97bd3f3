"""A trainer: writes its configuration, runs another program, tells that program's error."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import ConfigDict

from sftrecipe import Context, PluginRefused, Trainer
from sftrecipe.plugin import DataSet, Trained, Training
from sftrecipe.testing import plain_files

PROGRAM = """
import json, sys, pathlib
asked = json.load(open(sys.argv[1]))
if asked.get("learning_rate", 0) > 1:
    sys.exit("ValueError: learning_rate is absurd")
rows = sum(len(open(file).readlines()) for file in asked["files"])
pathlib.Path(asked["output_dir"], "model.json").write_text(json.dumps({"rows": rows}))
print(json.dumps({"train_rows": rows}))
"""


class Program(Trainer):
    """Runs a training program with its own arguments, verbatim."""

    model_config = ConfigDict(extra="allow")

    output_dir: str = "model"
    """Folder of the model, in the run's output folder."""

    def arguments(self) -> dict[str, Any]:
        """What the recipe gives, under the program's own names."""
        return self.model_dump()

    def write_config(self, training: Training) -> Path:
        (training.folder / self.output_dir).mkdir()
        files = [
            str(training.folder / file)
            for data in training.data
            if data.role == "train"
            for file in data.files
        ]
        config = training.folder / "train.json"
        folder = str(training.folder / self.output_dir)
        config.write_text(json.dumps(self.arguments() | {"files": files, "output_dir": folder}))
        return config

    async def train(self, training: Training, config: Path) -> Trained:
        pipe = asyncio.subprocess.PIPE
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROGRAM, str(config), stdout=pipe, stderr=pipe
        )
        try:
            out, error = await program.communicate()
        finally:
            if program.returncode is None:
                program.kill()
        if program.returncode:
            raise PluginRefused(error.decode().strip().splitlines()[-1])
        return Trained(training.folder / self.output_dir, json.loads(out))


def training(folder: Path) -> Training:
    (folder / "train.jsonl").write_text("{}\n{}\n")
    (folder / "holdout.jsonl").write_text("{}\n")
    data: Sequence[DataSet] = [
        DataSet("demo", ("train.jsonl",), 2),
        DataSet("demo_holdout", ("holdout.jsonl",), 1, role="holdout"),
    ]
    return Training(data, folder, Context(step="train"), plain_files(folder))


async def test_trains_on_the_training_rows_alone(tmp_path: Path) -> None:
    trainer = Program.model_validate({"learning_rate": 1e-4, "lora_target": "all"})
    given = training(tmp_path)
    config = trainer.write_config(given)
    assert json.loads(config.read_text())["lora_target"] == "all"
    trained = await trainer.train(given, config)
    assert json.loads((trained.model / "model.json").read_text()) == {"rows": 2}
    assert trained.metrics == {"train_rows": 2}


async def test_tells_the_programs_own_error(tmp_path: Path) -> None:
    trainer = Program.model_validate({"learning_rate": 7})
    given = training(tmp_path)
    with pytest.raises(PluginRefused, match="learning_rate is absurd"):
        await trainer.train(given, trainer.write_config(given))


def test_options_that_are_not_declared_count_for_the_steps_key() -> None:
    one = Program.model_validate({"learning_rate": 1e-4})
    other = Program.model_validate({"learning_rate": 2e-4})
    assert one.identity() != other.identity()
