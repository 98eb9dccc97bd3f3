"""The arguments of the final train.yaml, the catalogue's folder, and what cannot be checked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sftrecipe_registry.llamafactory import trainer as llamafactory
from sftrecipe_registry.llamafactory.training import environment as training_environment

from .preflighting import faults, preflight, preflight_as_written, told, write_data

ROWS = [{"instruction": "q", "input": "", "output": "a"}] * 4


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(training_environment, "_places", lambda: iter(()))
    llamafactory.argument_table.cache_clear()
    yield
    llamafactory.argument_table.cache_clear()


def messages(folder: Path, **arguments: Any) -> str:
    write_data(folder, "data.json", ROWS, {})
    given = {"dataset": "data", "dataset_dir": ".", "do_train": True, "model_name_or_path": "m"}
    found = preflight_as_written(folder, **{**given, **arguments})
    return "\n".join(f"{state} {check}: {message}" for state, check, message in told(found))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"do_train": False}, "fault arguments: do_train is not true: LLaMA-Factory ends well"),
        ({"do_train": None}, "fault arguments: do_train is not true"),
        ({"do_train": "false"}, "'do_train' is 'false', must be true or false"),
        ({"lora_rank": "4"}, "'lora_rank' is '4', must be a whole number"),
        ({"learning_rate": "fast"}, "'learning_rate' is 'fast', must be a number"),
        ({"save_strategy": False}, "'save_strategy' is 'False', must be one of no, steps"),
        ({"template": "qwenn"}, "'template' is 'qwenn'"),
        ({"num_epochs": 3}, "'num_epochs' does not exist"),
        ({"stage": "stf"}, "'stage' is 'stf', must be one of"),
        ({"dataset": None}, "fault arguments: dataset names no data set"),
        ({"val_size": 0.1, "eval_dataset": "data"}, "val_size and eval_dataset exclude"),
        ({"eval_dataset": "data"}, "warning evaluation: data set 'data' is trained on and evalu"),
        ({"load_best_model_at_end": True}, "load_best_model_at_end is set, and there is no data"),
        ({"adapter_name_or_path": "a", "finetuning_type": "full"}, "goes with finetuning_type"),
        ({"mask_history": True, "stage": "pt"}, "mask_history goes with stage sft alone"),
        ({"bf16": True, "fp16": True}, "bf16 and fp16 exclude one another"),
        ({"val_size": 4}, "val_size 4 leaves nothing of 4 rows to train on"),
        ({"val_size": 2, "max_samples": 2}, "val_size 2 leaves nothing of 2 rows"),
        ({"val_size": 1.0}, "val_size 1.0 leaves nothing of 4 rows"),
        ({"dataset_dir": "nowhere"}, "fault catalogue: dataset_dir 'nowhere' has no dataset_info"),
        ({"dataset_dir": "ONLINE"}, "warning catalogue: dataset_dir 'ONLINE' is a hub's"),
        ({"dataset": "dota"}, "fault catalogue: data set 'dota' is not in dataset_info.json"),
        ({"deepspeed": "ds.json"}, "fault packages: deepspeed configuration 'ds.json' does not"),
        ({"model_name_or_path": ""}, "fault model: model_name_or_path is not set"),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_wrong_is_told(tmp_path: Path, arguments: dict[str, Any], expected: str) -> None:
    assert expected in messages(tmp_path, **arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"learning_rate": "1e-5", "lora_rank": 8, "cutoff_len": 64},
        {"val_size": 0.25, "do_eval": True, "eval_strategy": "steps"},
        {"quantization_bit": 4},
        {"dataset": ["data"]},
    ],
    ids=str,
)
def test_nothing_is_wrong(tmp_path: Path, arguments: dict[str, Any]) -> None:
    assert messages(tmp_path, **arguments) == ""


def test_all_is_told_at_once(tmp_path: Path) -> None:
    wrong = [{"instruction": "q", "input": "", "output": None}, *ROWS]
    write_data(tmp_path / "data", "data.json", wrong, {"file_sha1": "0"})
    found = preflight(
        tmp_path / "run",
        **{"dataset": "data,other", "dataset_dir": "../data", "lora_rank": "4", "do_eval": True},
    )
    assert [each.check for each in found] == [
        *("arguments", "evaluation", "catalogue", "output", "catalogue", "environment"),
    ]
    assert found[3].examples == ("data.json, row 1 (line 1)",)
    assert "exporter rejects" in (found[3].advice or "")


def test_a_catalogue_elsewhere_is_pointed_at(tmp_path: Path) -> None:
    write_data(tmp_path / "data", "data.json", ROWS, {})
    found = preflight(tmp_path, dataset="data", dataset_dir="dta")
    (fault,) = faults(found)
    assert str(tmp_path / "data") in (fault.advice or "")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"{", "is no JSON"),
        (b"[]", "is no object of data sets"),
        (b'\xef\xbb\xbf{"data": {"file_name": "data.json"}}', "begins with a byte order mark"),
        (b'{"data": {"file_name": "data.json"}, "data": {"file_name": "x"}}', "stands twice"),
        (b'{"data": 3}', "entry 'data' of dataset_info.json is no object"),
        (b'{"data": {}}', "data set 'data': names no file"),
        (b'{"data": {"file_name": ["data.json"]}}', "must be a text"),
        (b'{"data": {"file_name": "data.json", "num_samples": 0}}', "num_samples is '0'"),
        (b'{"data": {"file_name": "data.json", "columns": {"prompt": 3}}}', "columns.prompt is"),
        (b'{"data": {"file_name": "data.json", "tags": []}}', "tags is no object"),
    ],
)
def test_a_broken_catalogue(tmp_path: Path, content: bytes, expected: str) -> None:
    (tmp_path / "data.json").write_text(json.dumps(ROWS))
    (tmp_path / "dataset_info.json").write_bytes(content)
    found = preflight(tmp_path, dataset="data", dataset_dir=".")
    assert expected in " ".join(fault.message for fault in faults(found))


@pytest.mark.parametrize("key", ["hf_hub_url", "ms_hub_url", "script_url", "cloud_file_name"])
def test_what_lies_elsewhere_is_not_checked(tmp_path: Path, key: str) -> None:
    write_data(tmp_path, "data.json", [{"instruction": 5}], {key: "a/b"})
    found = preflight(tmp_path, dataset="data", dataset_dir=".")
    ((state, check, message),) = told(found)
    assert (state, check) == ("warning", "catalogue")
    assert f"taken from {key} 'a/b' (its file_name is not read)" in message


def test_a_folder_of_files(tmp_path: Path) -> None:
    parts = tmp_path / "parts"
    parts.mkdir()
    for name in ("a.json", "b.json"):
        (parts / name).write_text(json.dumps(ROWS))
    entry = json.dumps({"data": {"file_name": "parts"}})
    (tmp_path / "dataset_info.json").write_text(entry)
    assert told(preflight(tmp_path, dataset="data", dataset_dir=".")) == []
    (parts / "c.csv").write_text("instruction,input,output\nq,,a\n")
    assert "files of several kinds: csv, json" in str(
        preflight(tmp_path, dataset="data", dataset_dir=".")
    )
    (parts / "README.md").write_text("")
    assert "'README.md' is of no kind" in str(preflight(tmp_path, dataset="data", dataset_dir="."))


def test_pictures_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "here.png").write_bytes(b"")
    rows = [
        {"instruction": "<image>q", "output": "a", "images": ["here.png"]},
        {"instruction": "<image>q", "output": "a", "images": ["gone.png"]},
        {"instruction": "q", "output": "a", "images": ["here.png"]},
    ]
    columns = {"prompt": "instruction", "response": "output", "images": "images"}
    write_data(tmp_path, "data.json", rows, {"columns": columns})
    found = faults(preflight(tmp_path, dataset="data", dataset_dir="."))
    assert [(each.check, each.examples) for each in found] == [
        ("media", ("data.json, row 2 (line 1): 'gone.png'",)),
        ("media", ("data.json, row 3 (line 1): '1 images, 0 places'",)),
    ]


def test_without_an_environment_that_is_told(tmp_path: Path) -> None:
    write_data(tmp_path, "data.json", ROWS, {})
    (found,) = preflight(tmp_path, dataset="data", dataset_dir=".")
    assert (found.state, found.check) == ("warning", "environment")
    assert "template, truncation, packages and GPU are not checked" in found.message
    assert "sftrecipe env train" in (found.advice or "")
