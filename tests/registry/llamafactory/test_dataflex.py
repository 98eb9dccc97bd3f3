"""DataFlex trains with LLaMA-Factory's arguments and its own, on components that it knows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sftrecipe import Context
from sftrecipe.plugin import OptionFiles, Trained, Training
from sftrecipe.plugin.discovery import plugin_class
from sftrecipe.testing import RowList, plain_files
from sftrecipe_registry.llamafactory.arguments.current_table import argument_table
from sftrecipe_registry.llamafactory.dataflex.components import dataflex_table
from sftrecipe_registry.llamafactory.dataflex.trainer import DataFlex
from sftrecipe_registry.llamafactory.trainer import LlamaFactory
from sftrecipe_registry.llamafactory.training.environment import COMMAND
from sftrecipe_registry.shared.processes.python_environment import TRAINING_ENVIRONMENT

from ...support.exports import export

GIVEN = {
    **{"model_name_or_path": "m", "template": "qwen", "train_type": "dynamic_select"},
    **{"component_name": "loss", "warmup_step": 2, "update_step": 2, "update_times": 2},
}
PARAMS = """
from dataclasses import dataclass, field
@dataclass
class {name}:
    {field}: {type} = {default}
"""
COMPONENTS = {
    "selectors": {
        "loss": {"params": {"cache_dir": "../far", "focus": "medium", "score_batch_size": 8}}
    }
}
LOSS = "it takes: focus (low | medium | high), score_batch_size (int >= 1)"


def made(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An environment with the sources that are read."""
    packages = tmp_path / "env/lib/python3.11/site-packages"
    classes = {
        **{"model_args": "ModelArguments", "data_args": "DataArguments"},
        **{"training_args": "TrainingArguments", "finetuning_args": "FinetuningArguments"},
        "generating_args": "GeneratingArguments",
    }
    fields = {"model_args": "model_name_or_path", "data_args": "template"}
    for module, name in classes.items():
        field = fields.get(module, f"{module}_field")
        text = PARAMS.format(name=name, field=field, type="str | None", default=None)
        made(packages / "llamafactory/hparams" / f"{module}.py", text)
    made(packages / "llamafactory/data/template.py", "register_template(name='qwen')")
    hparams = packages / "dataflex/train/hparams"
    training = "\n    ".join(
        ["class TrainingArguments:", "max_steps: int = -1", "num_train_epochs: float = 3"]
    )
    made(
        packages / "llamafactory/hparams/training_args.py",
        f"from dataclasses import dataclass\n@dataclass\n{training}",
    )
    own = ("train_type", "component_name", "components_cfg_file")
    lines = [f"    {name}: str = ''" for name in own]
    lines += [f"    {name}: int = 0" for name in ("warmup_step", "update_step", "update_times")]
    dynamic = "\n".join(["class DynamicFinetuningArguments:", *lines])
    made(hparams / "dynamic_params.py", dynamic)
    made(hparams / "dynamic_data_params.py", "class DataArguments:\n    rule: str = ''")
    made(packages / "dataflex/configs/components.yaml", yaml.safe_dump(COMPONENTS))
    for package in ("llamafactory", "dataflex"):
        made(packages / package / "__init__.py", "")
    monkeypatch.setenv(TRAINING_ENVIRONMENT, str(tmp_path / "env"))
    for table in (argument_table, dataflex_table):
        table.cache_clear()
    yield packages
    for table in (argument_table, dataflex_table):
        table.cache_clear()


def problems(**given: Any) -> list[tuple[str, str | None]]:
    trainer = DataFlex.model_validate({**GIVEN, **given})
    found = trainer.problems(None, OptionFiles({}))
    return [(str(each.message), each.hint and str(each.hint)) for each in found]


def test_it_is_found_and_takes_its_own_arguments() -> None:
    assert plugin_class("trainer", "dataflex") is DataFlex
    assert problems() == []
    assert problems(component_params={"focus": "high"}) == []
    [(message, hint)] = problems(update_stepp=1)
    assert "'update_stepp'" in message
    assert hint == "did you mean 'update_step'?"


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ({"train_type": "dynamic_mix"}, "it takes: dynamic_select, dynamic_weight"),
        ({"component_name": "nice"}, "it takes: loss, delta_loss, random"),
        ({"components_cfg_file": "a.yaml"}, "write the settings under component_params"),
        ({"component_params": {"cache_dir": "../x"}}, LOSS),
        ({"component_params": {"score_batch_size": 0}}, LOSS),
        ({"component_params": {"focus": "hardest"}}, LOSS),
        ({"update_step": 0}, "write update_step: 10, or how many steps a choice is to last"),
        ({"max_steps": 4}, "write train_step in its place"),
        ({"component_name": "delta_loss", "update_times": 1}, "write update_times: 2 or more"),
    ],
)
def test_what_it_is_not_known_for_is_refused(given: dict[str, Any], hint: str) -> None:
    assert [advice for _, advice in problems(**given)] == [hint]


def test_the_component_is_written_beside_and_stays_in_the_run(tmp_path: Path) -> None:
    rows = RowList.of({"instruction": "q", "output": "a"})
    sets = export("llamafactory", rows, tmp_path).sets
    training = Training(sets, tmp_path, Context("train"), plain_files(tmp_path))
    trainer = DataFlex.model_validate({**GIVEN, "component_params": {"focus": "high"}})
    config = yaml.safe_load(trainer.write_config(training).read_text("utf-8"))
    assert config["components_cfg_file"] == "components.yaml"
    assert config["save_strategy"] == "no"
    assert config["component_name"] == "loss"
    assert "save_steps" not in config
    params = {"cache_dir": "components-cache", "focus": "high", "score_batch_size": 8}
    assert yaml.safe_load((tmp_path / "components.yaml").read_text("utf-8")) == {
        "selectors": {"loss": {"name": "loss", "params": params}}
    }
    assert {"components.yaml", "components-cache"} <= set(trainer.writes("train"))
    assert COMMAND not in trainer.program


def test_an_environment_without_it_is_told(environment: Path) -> None:
    (environment / "dataflex" / "__init__.py").unlink()
    (environment.parents[2] / "bin").mkdir()
    (environment.parents[2] / "bin" / "python").touch()
    [check] = DataFlex.model_validate(GIVEN).missing()
    assert check.state == "fault"
    assert str(check.found) == "the training environment has no DataFlex"
    [(message, hint)] = problems(update_stepp=1)
    assert "'update_stepp'" in message
    assert "dataflex 1.1.0, snapshot" in message
    assert hint == "did you mean 'update_step'?"


def test_a_weighing_takes_a_whole_number_for_a_fraction() -> None:
    given = {"train_type": "dynamic_weight", "component_params": {"delta": 2}}
    assert problems(**given) == []
    given["component_params"] = {"delta": True}
    assert len(problems(**given)) == 1


async def test_picks_of_an_earlier_training_are_taken_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    async def trains(self: LlamaFactory, training: Training, config: Path) -> Trained:
        seen.append(noted.exists())
        return Trained(tmp_path)

    monkeypatch.setattr(LlamaFactory, "train", trains)
    noted = tmp_path / "components-cache" / "step_2.json"
    made(noted, "{}")
    training = Training([], tmp_path, Context("train"), plain_files(tmp_path))
    await DataFlex.model_validate(GIVEN).train(training, tmp_path / "train.yaml")
    assert seen == [False]


def test_a_choice_of_more_rows_than_there_are_is_found_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LlamaFactory, "preflight", lambda *_: iter(()))
    rows = RowList.of(*({"instruction": f"q{n}", "output": "a"} for n in range(9)))
    sets = export("llamafactory", rows, tmp_path).sets
    training = Training(sets, tmp_path, Context("train"), plain_files(tmp_path))
    [found] = DataFlex.model_validate({**GIVEN, "warmup_step": 1}).preflight(training)
    assert (found.state, str(found.advice)) == (
        "fault",
        "write update_step: 1, or lower the batch",
    )
