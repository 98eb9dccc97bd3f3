"""DataFlex as the trainer: LLaMA-Factory's arguments and its own, and its components beside."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import yaml

from sftrecipe.plugin import (
    Finding,
    Inputs,
    MachineCheck,
    OptionFiles,
    OptionProblem,
    PluginRefused,
    Text,
    Texts,
    Trained,
    Training,
    TrainingForecast,
    install_into,
)
from sftrecipe_registry.llamafactory.arguments.argument import ArgumentTable
from sftrecipe_registry.llamafactory.arguments.current_table import argument_table
from sftrecipe_registry.llamafactory.dataflex.components import (
    BUCKETS,
    KNOWN,
    components_file,
    dataflex_folder,
    dataflex_table,
    shipped_settings,
)
from sftrecipe_registry.llamafactory.trainer import LlamaFactory
from sftrecipe_registry.llamafactory.training.environment import (
    installed_programs,
    training_python,
)
from sftrecipe_registry.llamafactory.training.output import listed
from sftrecipe_registry.llamafactory.v1.version import SWITCH, speaks_v1

texts = Texts(__package__)


class DataFlex(LlamaFactory):
    """Train with DataFlex: LLaMA-Factory, whose training picks its rows (`train_type:
    dynamic_select`) or weighs them (`dynamic_weight`) by the model's own losses while it goes.

    Takes LLaMA-Factory's argument names and DataFlex's. The training environment needs it beside:
    `uv pip install --python PYTHON --no-deps dataflex`. An interrupted training starts over.
    """

    program: ClassVar[tuple[str, ...]] = ("-c", "from dataflex.cli import main; main()")
    paper: ClassVar[str] = "DataFlex (arXiv 2603.26164)"
    example: ClassVar[str] = """\
use: dataflex
with:
  stage: sft
  model_name_or_path: Qwen/Qwen2.5-0.5B-Instruct
  template: qwen
  train_type: dynamic_select
  component_name: loss
  warmup_step: 10
  update_step: 10
  update_times: 4
"""

    component_params: dict[str, float | int | bool | str] = {}
    """Settings of the component that are to be others than DataFlex's own, by name."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """As LLaMA-Factory's, and components that are not known."""
        if speaks_v1():
            yield OptionProblem((), texts("not-with-v1"), texts("unset", variable=SWITCH))
            return
        yield from super().problems(inputs, files)
        kind, name = self._component()
        if kind not in BUCKETS:
            message = texts("unknown-type", value=kind)
            yield OptionProblem(("train_type",), message, _takes(tuple(BUCKETS)))
            return
        if name not in KNOWN[kind]:
            message = texts("unknown-component", name=name, kind=kind)
            yield OptionProblem(("component_name",), message, _takes(tuple(KNOWN[kind])))
        if self.arguments.get("stage", "sft") not in ("sft", "pt"):
            message = texts("unknown-stage", value=self.arguments["stage"])
            yield OptionProblem(("stage",), message, _takes(("sft", "pt")))
        if "components_cfg_file" in self.arguments:
            yield OptionProblem(
                ("components_cfg_file",), texts("file-is-written"), texts("by-params")
            )
        if name in KNOWN[kind]:
            yield from self._unknown_params(kind, name)
        if kind == "dynamic_select":
            yield from self._schedule_problems(name)

    def programs(self) -> Mapping[str, str | None]:
        """LLaMA-Factory and DataFlex, as the training environment has them."""
        return installed_programs("llamafactory", "dataflex")

    def missing(self) -> Iterator[MachineCheck]:
        """LLaMA-Factory's environment, and DataFlex in it."""
        lacking = list(super().missing())
        yield from lacking
        if not lacking and dataflex_folder() is None:
            python = training_python() or Path(sys.executable)
            advice = texts("install", command=install_into(python))
            yield MachineCheck("fault", texts("not-installed"), advice)

    def write_config(self, training: Training) -> Path:
        """Write `train.yaml`, and the component's settings beside it."""
        kind, name = self._component()
        place = f"{_components(training.id)}-cache"
        content = components_file(kind, name, self.component_params, place)
        with training.create(f"{_components(training.id)}.yaml") as file:
            file.write(yaml.safe_dump(content, sort_keys=False, allow_unicode=True).encode())
        return super().write_config(training)

    def writes(self, block: str) -> Sequence[str]:
        """As LLaMA-Factory's, the component's settings, and what it notes of its picks."""
        own = _components(block)
        return [*super().writes(block), f"{own}.yaml", f"{own}-cache"]

    def preflight(self, training: Training) -> Iterator[Finding]:
        """As LLaMA-Factory's, and choices of more rows than there are."""
        yield from super().preflight(training)
        if self._component()[0] != "dynamic_select" or training.awaits:
            return
        given = {**self._added(training), **self._given(training)}
        learned = set(listed(given["dataset"]))
        rows = sum(each.rows for each in training.data if each.name in learned)
        batch = int(given.get("per_device_train_batch_size", 8))
        batch *= int(given.get("gradient_accumulation_steps", 1))
        for name in ("warmup_step", "update_step"):
            if 0 < rows < (drawn := batch * int(given.get(name, 0))):
                message = texts("draws-too-many", name=name, drawn=drawn, rows=rows)
                advice = texts("lower-draw", name=name, most=rows // batch)
                yield Finding("fault", "dataflex", message, advice)

    async def train(self, training: Training, config: Path) -> Trained:
        """As LLaMA-Factory's. DataFlex goes by what it noted of its picks, whatever the data and
        the model were then: what an earlier training noted is taken away."""
        shutil.rmtree(training.folder / f"{_components(training.id)}-cache", ignore_errors=True)
        return await super().train(training, config)

    async def probe(self, training: Training, folder: Path) -> TrainingForecast:
        """Refused: its steps take what it picks, of which a probe has nothing."""
        raise PluginRefused(texts("no-probe"))

    def _added(self, training: Training) -> dict[str, object]:
        added = super()._added(training)
        added = {name: each for name, each in added.items() if not name.startswith("save_")}
        added["components_cfg_file"] = f"{_components(training.id)}.yaml"
        added["component_name"] = self._component()[1]  # DataFlex's default, `Loss`, is none
        # What it had picked is in no checkpoint.
        return added | ({} if "save_strategy" in self.arguments else {"save_strategy": "no"})

    def _table(self) -> ArgumentTable:
        return dataflex_table()

    def _beside(self) -> frozenset[str]:
        return frozenset(self._table().arguments) - frozenset(argument_table().arguments)

    def _component(self) -> tuple[str, str]:
        """Its kind and its name."""
        given: dict[str, Any] = dict(self.arguments)
        return str(given.get("train_type", "static")), str(given.get("component_name", "loss"))

    def _unknown_params(self, kind: str, name: str) -> Iterator[OptionProblem]:
        settings, installed = KNOWN[kind][name], shipped_settings(kind, name)
        for key, value in self.component_params.items():
            known = key in settings and (not installed or key in installed)
            if not known or not settings[key].fits(value):
                message = texts("unknown-param", name=key, component=name, value=value)
                taken = tuple(f"{each} ({setting.takes})" for each, setting in settings.items())
                yield OptionProblem(("component_params",), message, _takes(taken))

    def _schedule_problems(self, name: str) -> Iterator[OptionProblem]:
        """Steps that DataFlex divides by, or counts otherwise than the recipe says."""
        given = self.arguments
        if _number(given, "update_step", 0) < 1:
            place = ("update_step",) if "update_step" in given else ()
            yield OptionProblem(place, texts("no-update-step"), texts("set-update-step"))
        times = _number(given, "update_times", 1)
        if name == "delta_loss" and times < 2:
            place = ("update_times",) if "update_times" in given else ()
            message = texts("one-update", times=times)
            yield OptionProblem(place, message, texts("set-update-times"))
        if _number(given, "max_steps", -1) > 0:
            yield OptionProblem(("max_steps",), texts("max-steps-replaced"), texts("train-step"))


def _number(given: Mapping[str, Any], name: str, default: int) -> int:
    """A whole number that is given; the type of another value is a problem of its own."""
    value = given.get(name, default)
    return value if isinstance(value, int) and not isinstance(value, bool) else sys.maxsize


def _components(block: str) -> str:
    return "components" if block == "train" else f"components-{block}"


def _takes(known: tuple[str, ...]) -> Text:
    return texts("takes", known=", ".join(known))
