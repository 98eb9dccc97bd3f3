"""The trainer checks LLaMA-Factory's arguments and writes a train.yaml that runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from sftrecipe import Context, PluginRefused
from sftrecipe.plugin import DataSet, OptionFiles, Training
from sftrecipe.plugin.discovery import plugin_class
from sftrecipe.testing import plain_files
from sftrecipe_registry.llamafactory import trainer as llamafactory
from sftrecipe_registry.llamafactory.formats.rows import Formatting, entry
from sftrecipe_registry.llamafactory.trainer import LlamaFactory
from sftrecipe_registry.llamafactory.training import environment as training_environment
from sftrecipe_registry.llamafactory.training.config_file import read_settings
from sftrecipe_registry.llamafactory.training.masks import mask_findings
from sftrecipe_registry.shared.models import packaged_checkpoint
from sftrecipe_registry.shared.processes.python_environment import TRAINING_ENVIRONMENT

from ...support.training_environment import ABSENT, training_python

BASE = {"model_name_or_path": "m", "template": "qwen"}


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(TRAINING_ENVIRONMENT, "")
    monkeypatch.setattr(training_environment.shutil, "which", lambda name: None)
    llamafactory.argument_table.cache_clear()
    yield
    llamafactory.argument_table.cache_clear()


def trainer(**arguments: Any) -> LlamaFactory:
    return LlamaFactory.model_validate({**BASE, **arguments})


def data_set(name: str, kind: str = "answers", rows: int = 100) -> DataSet:
    used = {
        "answers": {"instruction", "input", "output"},
        "pairs": {"instruction", "chosen", "rejected"},
        "judged": {"messages", "label"},
        "text": {"text"},
    }[kind]
    formatting: Formatting = "text" if kind == "text" else "alpaca"
    preference = "ranking" if kind == "pairs" else "none"
    made = entry(f"{name}.json", formatting, preference, used)  # type: ignore[arg-type]
    role = "holdout" if name.endswith("_holdout") else "train"
    return DataSet(name, (f"{name}.json",), rows, made, role)  # type: ignore[arg-type]


def config(folder: Path, *data: DataSet, **arguments: Any) -> dict[str, Any]:
    training = Training(data, folder, Context("train", seed=7), plain_files(folder))
    path = trainer(**arguments).write_config(training)
    assert path == folder / "train.yaml"
    loaded: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return loaded


def problems(**arguments: Any) -> list[tuple[str, str | None]]:
    found = trainer(**arguments).problems(None, OptionFiles({}))
    return [(problem.message, problem.hint) for problem in found]


def test_it_is_found_and_keeps_every_argument() -> None:
    assert plugin_class("trainer", "llamafactory") is LlamaFactory
    assert trainer(lora_rank=8).identity() == {**BASE, "lora_rank": 8}


def test_the_recipes_arguments_stand_verbatim_and_the_rest_is_filled_in(tmp_path: Path) -> None:
    written = config(
        tmp_path,
        *(data_set("demo"), data_set("demo_holdout")),
        **{"learning_rate": 1e-5, "default_system": "你是医生", "output_dir": "out"},
    )
    assert written == {
        **BASE,
        **{"learning_rate": 1e-5, "default_system": "你是医生", "output_dir": "out.by-hand"},
        **{"dataset": "demo", "dataset_dir": ".", "eval_dataset": "demo_holdout"},
        **{"do_train": True, "do_eval": True, "report_to": "none", "seed": 7},
        **{"overwrite_output_dir": True, "overwrite_cache": True},
        **{"logging_steps": 0.01, "save_steps": 0.1, "save_total_limit": 1},
    }


@pytest.mark.parametrize("value", [1e-5, "1e-5", "1E-5", 0.00001])
def test_small_numbers_are_written_as_every_yaml_reads_them(tmp_path: Path, value: object) -> None:
    config(tmp_path, data_set("demo"), learning_rate=value)
    assert "learning_rate: 1.0e-05\n" in (tmp_path / "train.yaml").read_text()


def test_text_stays_as_it_is(tmp_path: Path) -> None:
    text = "costs ${x}: no\n# 5"
    assert config(tmp_path, data_set("demo"), default_system=text)["default_system"] == text


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        *(("sft", "chat"), ("ppo", "chat"), ("dpo", "pref"), ("rm", "pref")),
        *(("kto", "label"), ("pt", "corpus")),
    ],
)
def test_a_stage_takes_the_data_of_its_kind(tmp_path: Path, stage: str, expected: str) -> None:
    data = [
        *(data_set("corpus", "text"), data_set("chat"), data_set("pref", "pairs")),
        *(data_set("label", "judged"), DataSet("plain", ("plain.jsonl",), 3)),
    ]
    assert config(tmp_path, *data, stage=stage)["dataset"] == expected


def test_a_stage_without_data_of_its_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PluginRefused, match=r"stage 'dpo' trains on pairs .*: demo \(answers\)"):
        config(tmp_path, data_set("demo"), stage="dpo")
    with pytest.raises(PluginRefused, match="exported for LLaMA-Factory: none"):
        config(tmp_path, DataSet("plain", (), 3))


def test_the_same_rows_in_two_formats_are_trained_on_once(tmp_path: Path) -> None:
    data = [data_set("a"), data_set("a_holdout"), data_set("b"), data_set("b_holdout")]
    written = config(tmp_path, *data)
    assert (written["dataset"], written["eval_dataset"]) == ("a", "a_holdout")
    written = config(tmp_path, *data, dataset="b")
    assert (written["dataset"], written["eval_dataset"]) == ("b", "b_holdout")


def needing(mask_history: bool) -> DataSet:
    return replace(data_set("demo"), needs={"mask_history": mask_history})


@pytest.mark.parametrize(
    ("needs", "arguments", "written", "told"),
    [
        (True, {}, True, []),
        (True, {"mask_history": True}, True, []),
        (True, {"mask_history": False}, False, ["fault"]),
        (False, {}, None, []),
        (False, {"mask_history": True}, True, ["warning"]),
        (True, {"stage": "ppo"}, None, []),
    ],
)
def test_what_the_rows_need_is_written_and_checked(
    tmp_path: Path, needs: bool, arguments: dict[str, Any], written: bool | None, told: list[str]
) -> None:
    settings = config(tmp_path, needing(needs), **arguments)
    assert settings.get("mask_history") is written
    found = [*mask_findings(settings, [needing(needs)])]
    assert [each.state for each in found] == told


def test_evaluation_of_the_users_own_is_left_alone(tmp_path: Path) -> None:
    data = [data_set("demo"), data_set("demo_holdout")]
    assert "eval_dataset" not in config(tmp_path, *data, val_size=0.1)
    assert "do_eval" not in config(tmp_path, *data, eval_dataset="demo_holdout")
    assert "eval_dataset" not in config(tmp_path, *data, stage="ppo")


def test_several_blocks_take_their_own_data_and_names(tmp_path: Path) -> None:
    kinds = {"corpus": "text", "chat": "answers", "pref": "pairs"}
    data = [
        data_set(f"{name}{part}", kind) for name, kind in kinds.items() for part in ("", "_holdout")
    ]
    models = {"pt": tmp_path / "model-pt" / "merged", "sft": Path("/elsewhere/model")}
    expected = [
        ("pt", "pt", "m", "corpus", "m"),
        ("sft", "sft", "trained:pt", "chat", "model-pt/merged"),
        ("rm", "rm", "trained", "pref", "/elsewhere/model"),
    ]
    for block, stage, base, name, folder in expected:
        training = Training(
            *(data, tmp_path, Context(block), plain_files(tmp_path), block),
            models={**models, "rm": Path("itself")} if block == "rm" else models,
        )
        path = trainer(stage=stage, model_name_or_path=base).write_config(training)
        assert path.name == f"train-{block}.yaml"
        written = yaml.safe_load(path.read_text("utf-8"))
        assert (written["dataset"], written["eval_dataset"]) == (name, f"{name}_holdout")
        assert written["model_name_or_path"] == folder
        assert written["output_dir"] == f"model-{block}.by-hand"
        assert f"train train-{block}.yaml" in path.read_text("utf-8")


def test_it_says_from_which_model_it_goes_on_and_who_asks_it() -> None:
    assert trainer().goes_on_from() is None
    assert trainer(model_name_or_path="trained:pt").goes_on_from() == "trained:pt"
    assert problems(model_name_or_path="trained:pt") == []
    assert trainer().answers("base") == {"use": "transformers", "model": "m"}
    assert trainer().answers("tuned") == {"use": "transformers", "model": "trained"}
    assert trainer(stage="rm").answers("tuned") is None


def test_a_model_beside_the_recipe_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    beside = tmp_path / "recipes" / "models" / "small"
    beside.mkdir(parents=True)
    (beside / "config.json").touch()
    context = Context("train", folder=tmp_path / "recipes")
    training = Training([data_set("demo")], tmp_path, context, plain_files(tmp_path))
    for named, base in {
        "models/small": str(beside),
        "Qwen/Qwen2.5-0.5B": "Qwen/Qwen2.5-0.5B",
        "~/models/m": "/home/somebody/models/m",
    }.items():
        path = trainer(model_name_or_path=named).write_config(training)
        assert yaml.safe_load(path.read_text("utf-8"))["model_name_or_path"] == base


@pytest.mark.parametrize(
    "arguments",
    [{"finetuning_type": "full"}, {"save_strategy": "no"}, {"save_steps": 5}],
)
def test_checkpoints_are_the_users_where_they_are_large_or_asked_for(
    tmp_path: Path, arguments: dict[str, object]
) -> None:
    written = config(tmp_path, data_set("demo"), **arguments)
    assert "save_total_limit" not in written
    assert written.get("save_steps") == arguments.get("save_steps")


def test_data_sets_that_the_catalogue_lacks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PluginRefused, match="data set 'identity' is not exported"):
        config(tmp_path, data_set("demo"), dataset="demo, identity")
    written = config(tmp_path, data_set("demo"), dataset="identity", dataset_dir="/data")
    assert (written["dataset"], written["dataset_dir"]) == ("identity", "/data")


def test_a_validation_part_that_leaves_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PluginRefused, match="val_size 100 leaves nothing of 100 rows"):
        config(tmp_path, data_set("demo"), val_size=100)


def test_resuming_keeps_the_output_folder(tmp_path: Path) -> None:
    written = config(tmp_path, data_set("demo"), resume_from_checkpoint="model/checkpoint-1")
    assert written["overwrite_output_dir"] is False


VERSION = "LLaMA-Factory (llamafactory 0.9.5, transformers 5.6.0, snapshot)"


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (
            {"evaluation_strategy": "no"},
            f"training argument 'evaluation_strategy' does not exist in {VERSION}",
            "it is called 'eval_strategy'",
        ),
        (
            {"lora_ranc": 4},
            f"training argument 'lora_ranc' does not exist in {VERSION}",
            "did you mean 'lora_rank'?",
        ),
        (
            {"nonsense": 4},
            f"training argument 'nonsense' does not exist in {VERSION}",
            None,
        ),
        (
            {"cutoff_len": "128"},
            f"training argument 'cutoff_len' is '128', must be a whole number in {VERSION}",
            "write 128",
        ),
        (
            {"save_strategy": False},
            "training argument 'save_strategy' is 'False', must be "
            f"one of no, steps, epoch, best in {VERSION}",
            "write 'no'",
        ),
        (
            {"do_train": "false"},
            f"training argument 'do_train' is 'false', must be true or false in {VERSION}",
            "write false",
        ),
        (
            {"template": "qwenn"},
            f"training argument 'template' is 'qwenn', must be a template's name in {VERSION}",
            "write qwen",
        ),
        (
            {"default_system": "costs ${"},
            "training argument 'default_system' holds '${', which LLaMA-Factory cannot read",
            None,
        ),
        (
            {"model_name_or_path": ""},
            "trainer 'llamafactory' has no model_name_or_path",
            None,
        ),
        (
            {"eval_dataset": "a", "val_size": 0.1},
            "val_size and eval_dataset exclude one another",
            "keep one of them",
        ),
    ],
)
def test_problems_are_found_at_validate(
    arguments: dict[str, Any], message: str, hint: str | None
) -> None:
    assert problems(**arguments) == [(message, hint)]


def test_nothing_is_wrong_with_what_llamafactory_takes() -> None:
    assert problems(learning_rate="1e-5", lora_target="all", bf16=True, stage="dpo") == []


def test_the_installed_version_is_asked_when_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    python = training_python()
    if python is None:
        pytest.skip(ABSENT)
    monkeypatch.setenv(TRAINING_ENVIRONMENT, str(python.parents[1]))
    llamafactory.argument_table.cache_clear()
    ((message, _),) = problems(nonsense=1)
    assert "snapshot" not in message


def test_editors_are_given_the_names() -> None:
    schema = LlamaFactory.model_json_schema()
    assert schema["properties"]["lora_rank"]["description"].startswith(
        "int; default 8; of the finetuning"
    )
    assert schema["additionalProperties"] is True


@pytest.mark.parametrize(
    "folder", ["/etc", "../model", "a/../../b", "~/x", "C:\\x", "${oc.env:HOME}"]
)
def test_folders_to_write_stay_inside_the_runs(folder: str) -> None:
    told = "training argument 'output_dir' leads out of the run's folder"
    assert told in [message for message, _ in problems(output_dir=folder)]
    assert told not in [message for message, _ in problems(output_dir="saves/model.v2")]


def test_smollm2_is_trained_with_the_system_prompt_that_it_is_asked_with(tmp_path: Path) -> None:
    gguf = pytest.importorskip("gguf")
    model = gguf.GGUFReader(packaged_checkpoint._packaged_gguf())
    own = packaged_checkpoint._tokenizer_config(model)["chat_template"]
    data = data_set("demo")
    written = config(tmp_path, data, template="smollm2")["default_system"]
    assert f"<|im_start|>system\n{written}<|im_end|>" in own.replace("\\n", "\n")
    assert config(tmp_path, data, template="smollm2", default_system="x")["default_system"] == "x"
    assert "default_system" not in config(tmp_path, data)


@pytest.mark.parametrize("folder", ["out", "saves/x/", "./saves/模型"])
def test_a_run_reads_the_recipes_own_folder(tmp_path: Path, folder: str) -> None:
    written = config(tmp_path, data_set("demo"), output_dir=folder)
    by_hand = (tmp_path / written["output_dir"]).resolve()
    assert not by_hand.is_relative_to((tmp_path / folder).resolve())
    assert read_settings(tmp_path / "train.yaml") == {**written, "output_dir": folder}
