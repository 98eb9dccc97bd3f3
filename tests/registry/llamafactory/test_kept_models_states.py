"""Changes, trainings, failures and clearing away in any order: no model lost, no wrong one."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sftrecipe.errors import SftrecipeError
from sftrecipe.plan.steps import plan_recipe
from sftrecipe.recipe.load import check_recipe
from sftrecipe.run.leftovers import free, leftovers
from sftrecipe.run.progress import Silent
from sftrecipe.run.run_plan import run_plan
from sftrecipe.store.project import Project
from sftrecipe_registry.llamafactory.training import merge, run

RATES, ROWS = ("0.001", "0.002"), ("a", "b")


class Program:
    """What is started in LLaMA-Factory's place: its weights say what it was trained with."""

    starts = 0
    stops = False

    async def __call__(
        self,
        arguments: list[str],
        folder: Path,
        log: Path,
        *,
        look: Callable[[float], None],
        **_: object,
    ) -> str:
        command, config, *more = arguments
        told: dict[str, Any] = json.loads(json.dumps(_read(folder / config)))
        given = dict(each.split("=") for each in more)
        if command == "export":
            target = folder / told["export_dir"]
            target.mkdir(parents=True)
            weights = folder / told["adapter_name_or_path"] / "adapter_model.safetensors"
            (target / "model.safetensors").write_text(weights.read_text())
            (target / "config.json").write_text("{}")
            return "exit status 0"
        self.starts += 1
        output = folder / given["output_dir"]
        trained = f"{told['learning_rate']} {(folder / 'kept.json').read_text()}"
        if checkpoint := given.get("resume_from_checkpoint"):
            assert (folder / checkpoint / "of").read_text() == trained
        saved = output / "checkpoint-2"
        saved.mkdir(parents=True, exist_ok=True)
        for name, text in {"of": trained, "optimizer.pt": "", "trainer_state.json": _STATE}.items():
            (saved / name).write_text(text)
        look(1.0)
        if self.stops:
            raise RuntimeError("killed")
        (output / "adapter_model.safetensors").write_text(trained)
        (output / "all_results.json").write_text('{"train_loss": 0.5}')
        return "exit status 0"


_STATE = '{"global_step": 2}'


def _read(path: Path) -> Any:
    import yaml  # noqa: PLC0415 - as the trainer reads it

    return yaml.safe_load(path.read_text())


class Keeping(RuleBasedStateMachine):
    """One project; what is kept in it is counted beside."""

    def __init__(self) -> None:
        super().__init__()
        self.place = tempfile.TemporaryDirectory()
        self.folder = Path(self.place.name).resolve()
        self.project = Project(self.folder)
        self.out = self.folder / "runs" / "kept"
        self.program = Program()
        self.rate, self.rows = RATES[0], ROWS[0]
        self.kept: set[tuple[str, str]] = set()
        self.current: tuple[str, str] | None = None
        self.write()

    def teardown(self) -> None:
        self.place.cleanup()

    def write(self) -> None:
        (self.folder / "rows.jsonl").write_text(
            json.dumps({"instruction": f"question {self.rows}", "output": "an answer"}) + "\n"
        )
        training: dict[str, object] = {"model_name_or_path": "org/m", "template": "qwen"}
        training["learning_rate"] = float(self.rate)
        recipe = {
            "version": 1,
            "name": "kept",
            "sources": {"rows": {"use": "jsonl", "path": "rows.jsonl"}},
            "export": [{"use": "llamafactory", "with": {"formatting": "alpaca"}}],
            "train": {
                "use": "llamafactory",
                "with": training | {"learning_rate": float(self.rate)},
            },
        }
        (self.folder / "recipe.yaml").write_text(json.dumps(recipe))

    def change_to(self, rate: str, rows: str) -> None:
        self.rate, self.rows = rate, rows
        self.write()

    def run(self) -> None:
        recipe = check_recipe(self.folder / "recipe.yaml")
        plan = plan_recipe(recipe, self.project, "train")
        command = f"{sys.executable} fake -m cli"
        with (
            patch.dict(os.environ, {"SFTRECIPE_TRAIN_ENV": command}),
            patch.object(run, "run_command", self.program),
            patch.object(merge, "run_command", self.program),
        ):
            asyncio.run(run_plan(plan, self.project, self.out, Silent()))

    @rule(rate=st.sampled_from(RATES), rows=st.sampled_from(ROWS))
    def change(self, rate: str, rows: str) -> None:
        self.change_to(rate, rows)

    @rule()
    def train(self) -> None:
        self.program.stops, before = False, self.program.starts
        self.run()
        wanted = self.rate, self.rows
        assert self.program.starts - before == (wanted not in self.kept)
        self.kept.add(wanted)
        self.current = wanted

    @precondition(lambda self: (self.rate, self.rows) not in self.kept)
    @rule()
    def train_and_fail(self) -> None:
        self.program.stops = True
        try:
            self.run()
        except SftrecipeError as error:
            assert "killed" in str(error.problem.values)
        else:
            raise AssertionError("it did not fail")

    @rule()
    def clear_away(self) -> None:
        for each in leftovers(self.project).found:
            free(each)
        self.kept &= {self.current} if self.current else set()

    @precondition(lambda self: self.current is not None)
    @rule()
    def lose_the_link(self) -> None:
        (self.out / "model").unlink()
        rate, rows = self.rate, self.rows
        assert self.current is not None
        self.change_to(*self.current)
        self.train()
        self.change_to(rate, rows)

    @invariant()
    def the_current_model_is_the_one_that_was_trained_last(self) -> None:
        if self.current is not None:
            rate, rows = self.current
            weights = (self.out / "model" / "merged" / "model.safetensors").read_text()
            assert weights.startswith(f"{rate} ")
            assert f"question {rows}" in weights


TestKeeping = Keeping.TestCase
TestKeeping.settings = settings(max_examples=4, stateful_step_count=8)
