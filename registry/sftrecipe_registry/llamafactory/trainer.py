"""LLaMA-Factory as the trainer: its own arguments, checked, a `train.yaml`, and a trained model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import ConfigDict, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from sftrecipe.plugin import (
    KEPT,
    Finding,
    Inputs,
    MachineCheck,
    OptionFiles,
    OptionProblem,
    Permission,
    Places,
    RowKind,
    Texts,
    Trained,
    Training,
    TrainingForecast,
    trained_block,
)
from sftrecipe_registry.llamafactory.arguments.argument import ArgumentTable
from sftrecipe_registry.llamafactory.arguments.argument_schema import argument_schema
from sftrecipe_registry.llamafactory.arguments.argument_values import all_texts, leads_out
from sftrecipe_registry.llamafactory.arguments.current_table import argument_table
from sftrecipe_registry.llamafactory.arguments.stages import fitting, taken
from sftrecipe_registry.llamafactory.arguments.table import (
    check_arguments,
    explained,
    normalized,
    shipped,
)
from sftrecipe_registry.llamafactory.chosen_data_sets import (
    check_names,
    check_val_size,
    held_out_names,
    name_of_kind,
)
from sftrecipe_registry.llamafactory.hub.model_delivery import ModelDelivery
from sftrecipe_registry.llamafactory.training.config_file import read_settings, written_config
from sftrecipe_registry.llamafactory.training.environment import (
    COMMAND,
    check_training,
    installed_programs,
    missing_training,
)
from sftrecipe_registry.llamafactory.training.masks import needed
from sftrecipe_registry.llamafactory.training.output import (
    RESUMABLE,
    listed,
)
from sftrecipe_registry.llamafactory.training.permissions import (
    WRITTEN,
    argument_permissions,
    placed_arguments,
)
from sftrecipe_registry.llamafactory.training.trackers import TRACKERS, named_trackers
from sftrecipe_registry.llamafactory.v1.config import refused_by_v1, write_v1
from sftrecipe_registry.llamafactory.v1.version import speaks_v1
from sftrecipe_registry.shared.models.model_folder import is_path
from sftrecipe_registry.shared.models.packaged_checkpoint import (
    PACKAGED_SYSTEM,
    fetch_packaged,
    packaged_checkpoint,
    packaged_folder,
    packaged_problems,
)
from sftrecipe_registry.shared.models.packaged_models import PACKAGED

if TYPE_CHECKING:
    from sftrecipe_registry.llamafactory.estimate.outlook import Outlook

texts = Texts(__package__)

_OWN_SYSTEM = {"smollm2": PACKAGED_SYSTEM}
"""Default system prompts of models whose template has another one (a full stop more): trained on
that, the model would be asked with another prompt than it learned."""
_REFERENCE = re.compile(r"(?<!\\)\$\{\w[\w.]*\}")
"""What its YAML reader, OmegaConf, leaves as it stands; at any other `${` it stops."""


class LlamaFactory(ModelDelivery):
    """Train with LLaMA-Factory: `with` takes its own argument names, verbatim.

    Writes `train.yaml` beside the data sets and trains as it says, in LLaMA-Factory's own
    environment, which `sftrecipe env train` makes. The model comes into `model/`; what is trained
    beside a model (LoRA, QLoRA, OFT) is merged with it into `model/merged/`, a reward model's value
    head in a file of its own. A training that was interrupted goes on from its last whole
    checkpoint (stages rm and ppo start over). `model_name_or_path` may be a folder beside the
    recipe, `trained:ID`, the model of an earlier train block, or `embedded`, the small model that
    the extra `embedded` brings.

    Where the recipe does not say otherwise, the loss is noted a hundred times, and an adapter's
    checkpoint is kept at every tenth of the way, the last one alone.
    """

    model_config = ConfigDict(extra="allow", protected_namespaces=())

    program: ClassVar[tuple[str, ...]] = ()
    """What its environment's python starts; empty: LLaMA-Factory's command."""
    paper: ClassVar[str] = "LlamaFactory (arXiv 2403.13372)"
    example: ClassVar[str] = """\
use: llamafactory
with:
  stage: sft
  model_name_or_path: Qwen/Qwen2.5-0.5B-Instruct
  template: qwen
  finetuning_type: lora
  learning_rate: 1.0e-4
"""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The schema with the arguments of the shipped snapshot, for editors to complete."""
        schema = handler.resolve_ref_schema(
            super().__get_pydantic_json_schema__(core_schema, handler)
        )
        table = shipped()
        schema.setdefault("properties", {}).update(
            (name, argument_schema(argument, table))
            for name, argument in sorted(table.arguments.items())
        )
        return schema

    @property
    def arguments(self) -> Mapping[str, Any]:
        """LLaMA-Factory's arguments as the recipe gives them."""
        return self.model_extra or {}

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """Arguments that LLaMA-Factory refuses, or takes and fails on later."""
        table = self._table()
        found = list(check_arguments(self.arguments, table))
        for problem in found:
            at_key = problem.kind in ("unknown", "renamed")
            yield OptionProblem((problem.name,), *explained(problem, table), at_key=at_key)
        if not found and speaks_v1():
            for refused in refused_by_v1(self.arguments):
                yield OptionProblem((refused.name,) if refused.name else (), *refused[1:])
        for name in sorted(WRITTEN & set(self.arguments)):
            if leads_out(str(self.arguments[name])):
                message = texts("leads-out", name=name)
                yield OptionProblem((name,), message, texts("name-folder-inside"))
        for name in named_trackers(self.arguments):
            if name not in TRACKERS:
                known = texts("known-trackers", trackers=", ".join(TRACKERS))
                yield OptionProblem(("report_to",), texts("tracker-unknown", name=name), known)
        if not self.arguments.get("model_name_or_path"):
            yield OptionProblem((), texts("no-model"))
        yield from packaged_problems(self._base(), "model_name_or_path")
        for name, value in self.arguments.items():
            if any("${" in _REFERENCE.sub("", text) for text in all_texts(value)):
                yield OptionProblem((name,), texts("holds-reference", name=name))
        yield from self.delivery_problems(self.arguments)
        if self.arguments.get("eval_dataset") and self.arguments.get("val_size"):
            yield OptionProblem(("val_size",), texts("two-evaluations"), texts("keep-one"))

    def asks_permission(self, places: Places) -> Iterator[Permission]:
        """Arguments that load code, reach the network, name secrets or lead out of the folders."""
        table = self._table()
        known = {name: each for name, each in self.arguments.items() if name in table.arguments}
        return argument_permissions(known, places)

    def takes(self) -> RowKind | None:
        """What its stage trains on, where it trains on what the recipe exports."""
        stage = self.arguments.get("stage", "sft")
        if "dataset" in self.arguments or not isinstance(stage, str):
            return None
        return taken(stage)

    def programs(self) -> Mapping[str, str | None]:
        """LLaMA-Factory, as the training environment has it."""
        return installed_programs("llamafactory")

    def missing(self) -> Iterator[MachineCheck]:
        """LLaMA-Factory's environment."""
        return missing_training()

    def fetch(self, say: Callable[[str], None]) -> None:
        """The embedded model's weights, where the training starts from them."""
        fetch_packaged(self._base(), say)

    def check_machine(self) -> Iterator[MachineCheck]:
        """LLaMA-Factory in its environment, and a GPU."""
        return check_training()

    def write_config(self, training: Training) -> Path:
        """Write `train.yaml`, or `train-ID.yaml`, into the output folder.

        Raises PluginRefused when no exported data set is of the kind that the stage trains on.
        """
        config = f"{_named('train', training.id)}.yaml"
        given, added = self._given(training), self._added(training)
        if speaks_v1():
            return write_v1(training, config, {**added, **given})
        with training.create(config) as file:
            file.write(written_config(f"{COMMAND} train {config}", given, added))
        return training.folder / config

    def writes(self, block: str) -> Sequence[str]:
        """Its configurations, and the folder of the model."""
        model = str(PurePosixPath(str(self.arguments.get("output_dir") or _named("model", block))))
        kinds = ("train", "merge", *(("train_data",) if speaks_v1() else ()))
        files = [f"{_named(kind, block)}.yaml" for kind in kinds]
        return [*files, KEPT] if model == "." else [*files, model, KEPT]

    def preflight(self, training: Training) -> Iterator[Finding]:
        """What LLaMA-Factory would fail on, leave out or misread, of all that it is given."""
        from sftrecipe_registry.llamafactory.preflight.findings import findings  # noqa: PLC0415

        self._make_base()
        config = training.folder / f"{_named('train', training.id)}.yaml"
        if speaks_v1():
            from sftrecipe_registry.llamafactory.v1.findings import v1_findings  # noqa: PLC0415

            if not training.awaits:
                given = {**self._added(training), **self._given(training)}
                yield from v1_findings(training, config, given)
            return
        made = None if training.awaits else read_settings(config)
        given = {**self._added(training), **self._given(training)} if made is None else made
        own = {name: each for name, each in given.items() if name not in self._beside()}
        yield from findings(training, own, self._table())
        yield from self._outlook(training).findings()

    def forecast(self, training: Training) -> TrainingForecast:
        """Memory, time, tokens and disk, by the model's files, the rows and the last run."""
        return self._outlook(training).forecast()

    async def probe(self, training: Training, folder: Path) -> TrainingForecast:
        """The same by five real steps on exported rows, the longest among them."""
        self._make_base()
        return await self._outlook(training).probed(folder)

    async def train(self, training: Training, config: Path) -> Trained:
        """Run LLaMA-Factory, or go on where it was interrupted, and merge an adapter.

        Raises PluginRefused with its own last words.
        """
        from sftrecipe_registry.llamafactory.training.run import train  # noqa: PLC0415 - 30 ms

        self._make_base()
        stage = str(self.arguments.get("stage", "sft")) if speaks_v1() else None
        return await train(training, config, stage, self.program)

    def goes_on_from(self) -> str | None:
        """`trained:ID` where that is its `model_name_or_path`."""
        base = self._base()
        return None if trained_block(base) is None else base

    def answers(self, which: Literal["base", "tuned"]) -> Mapping[str, Any] | None:
        """Asked by transformers, which is where the training is; a reward model answers nothing."""
        if self.arguments.get("stage") == "rm" and which == "tuned":
            return None
        return {"use": "transformers", "model": self._base() if which == "base" else "trained"}

    @classmethod
    def make_environment(cls, folder: Path, say: Callable[[str], None], *, cpu: bool) -> None:
        """Install LLaMA-Factory in an environment of its own. Raises PluginRefused."""
        from sftrecipe_registry.llamafactory.training.make_environment import (  # noqa: PLC0415 - used once
            make_environment,
        )

        make_environment(folder, say, cpu=cpu)

    def _table(self) -> ArgumentTable:
        """What it may be given."""
        return argument_table()

    def _beside(self) -> frozenset[str]:
        """Arguments that are another program's, not LLaMA-Factory's."""
        return frozenset()

    def _base(self) -> str:
        return str(self.arguments.get("model_name_or_path", ""))

    def _make_base(self) -> None:
        """Write the embedded model's folder where the training starts from it."""
        if self._base() == PACKAGED:
            packaged_checkpoint()

    def _outlook(self, training: Training) -> Outlook:
        """What is known of the training beforehand, as far as its data stands."""
        from sftrecipe_registry.llamafactory.estimate.outlook import Outlook  # noqa: PLC0415

        added = self._added(training) if training.data else _checkpoints(self.arguments)
        return Outlook({**added, **self._given(training)}, training)

    def _given(self, training: Training) -> dict[str, Any]:
        """The recipe's arguments as LLaMA-Factory reads them in the output folder."""
        given = placed_arguments(normalized(self.arguments, self._table()), training.places)
        if base := given.get("model_name_or_path"):
            given["model_name_or_path"] = _base_model(str(base), training)
        return given

    def _added(self, training: Training) -> dict[str, object]:
        """What LLaMA-Factory needs beside the recipe's arguments to train on these data sets."""
        given = self.arguments
        stage = str(given.get("stage", "sft"))
        fit = [*fitting(stage, training.data), *training.awaits]
        added: dict[str, object] = {}
        if "dataset" not in given:
            added["dataset"] = name_of_kind(stage, fit, training.data)
        elif "dataset_dir" not in given:
            check_names(given["dataset"], [*training.data, *training.awaits])
        added["dataset_dir"] = "."
        if not training.awaits:
            check_val_size(given, fit)
        held_out = held_out_names(listed(given.get("dataset", added.get("dataset"))), fit)
        no_evaluation = stage == "ppo" or given.get("val_size") or "eval_dataset" in given
        if held_out and not no_evaluation:
            added |= {"eval_dataset": ",".join(held_out), "do_eval": True}
        if stage == "sft" and needed(listed(given.get("dataset", added.get("dataset"))), fit):
            added["mask_history"] = True
        if stage != "pt" and (system := _OWN_SYSTEM.get(str(given.get("template")))):
            added["default_system"] = system
        return added | {
            "output_dir": _named("model", training.id),
            # Without do_train it ends well, having trained nothing.
            "do_train": True,
            # A folder with the checkpoints of other data would be resumed without a word.
            "overwrite_output_dir": "resume_from_checkpoint" not in given,
            "overwrite_cache": True,
            "report_to": "none",
            "seed": training.context.seed,
            # Its own default, 500 steps, leaves a short training without a curve.
            "logging_steps": 0.01,
            **_checkpoints(given),
        }


def _named(name: str, block: str) -> str:
    """A name that the block's own id follows where it has one."""
    return name if block == "train" else f"{name}-{block}"


def _base_model(base: str, training: Training) -> str:
    """The model to start from: of an earlier block, in a folder beside the recipe, or as it is."""
    block = trained_block(base)
    if base == PACKAGED:
        return str(packaged_folder())
    if block is None:
        if base.startswith("~"):
            return str(Path(base).expanduser())
        beside = training.places.seen_from(base).recipe / base
        is_folder = is_path(base) or (beside / "config.json").is_file()
        return str(beside.resolve()) if is_folder else base
    earlier = {name: model for name, model in training.models.items() if name != training.id}
    model = earlier[block] if block else list(earlier.values())[-1]
    if not model.is_absolute():  # what that block itself starts from: it has not run yet
        return _base_model(str(model), training)
    if model.is_relative_to(training.folder):
        return str(model.relative_to(training.folder))
    return str(model)


def _checkpoints(given: Mapping[str, Any]) -> dict[str, object]:
    """Checkpoints to go on from after an interruption: an adapter's are small."""
    whole_model = given.get("finetuning_type", "lora") in ("full", "freeze")
    says = any(name.startswith(("save_", "load_best_model_at_end")) for name in given)
    return {} if whole_model or says else dict(RESUMABLE)
