"""Every argument of LLaMA-Factory has a class, and all but plain ones ask for the user's word."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sftrecipe.plugin import Permission, Places
from sftrecipe_registry.llamafactory.arguments.table import from_environment, shipped
from sftrecipe_registry.llamafactory.training.permissions import (
    CLASSES,
    argument_classes,
    argument_permissions,
    placed_arguments,
)
from sftrecipe_registry.llamafactory.training.trackers import TRACKERS, tracker_variables

from ...support.training_environment import ABSENT, training_process_environment, training_python

RUNS = int(os.environ.get("SFTRECIPE_TEST_RUNS", "100"))
KINDS = {"plain", "path", "base", "model", "settings", "tracker", "code", "network", "secret"}
SHIPPED = shipped().arguments
TOP = {name: kind for name, kind in argument_classes().items() if "." not in name}
FIELDS = """
import dataclasses, json
from llamafactory.hparams.parser import _TRAIN_ARGS
print(json.dumps(sorted({f.name for c in _TRAIN_ARGS for f in dataclasses.fields(c) if f.init})))
"""


@pytest.fixture
def places(tmp_path: Path) -> Places:
    recipe, output = tmp_path / "recipe", tmp_path / "runs" / "x"
    recipe.mkdir()
    output.mkdir(parents=True)
    return Places(recipe, (recipe,), output)


def asked(places: Places, **arguments: Any) -> list[Permission]:
    return [each for each in argument_permissions(arguments, places) if each.required]


def risks(places: Places, **arguments: Any) -> list[str]:
    return [each.risk for each in asked(places, **arguments)]


def test_the_table_is_one_argument_a_line() -> None:
    lines = [line for line in CLASSES.read_text().splitlines() if line and line[0] != "#"]
    assert len({line.split()[0] for line in lines}) == len(lines)
    assert {line.split()[1] for line in lines} == KINDS


def test_every_argument_of_the_snapshot_has_a_class_and_no_other() -> None:
    assert TOP.keys() == SHIPPED.keys()


def real_python() -> Path:
    python = training_python()
    if python is None:
        pytest.skip(ABSENT)
    return python


def test_every_argument_of_the_real_sources_has_a_class() -> None:
    packages = next(real_python().parents[1].glob("lib/python3*/site-packages"))
    assert from_environment(packages).arguments.keys() == TOP.keys()


@pytest.mark.heavy
def test_every_field_of_the_real_parser_has_a_class() -> None:
    done = subprocess.run(
        [real_python(), "-c", FIELDS],
        env=training_process_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    fields = set(json.loads(done.stdout.splitlines()[-1]))
    # The parser alone makes some, from others; a recipe cannot give them.
    assert TOP.keys() <= fields
    unknown = fields - TOP.keys()
    assert not unknown & SHIPPED.keys()
    assert len(unknown) < 20, unknown


VALUES = st.one_of(
    st.just(True),
    st.integers(1, 9),
    st.sampled_from(["x", "/etc/passwd", "../x", "~/x", "s3://b/x", "https://e.org", "a/b", "{}"]),
    st.text(min_size=1, max_size=20),
    st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=2),
    st.dictionaries(st.text(min_size=1, max_size=5), st.integers(), min_size=1, max_size=2),
)


@settings(max_examples=RUNS, deadline=None)
@given(name=st.sampled_from(sorted(TOP)), value=VALUES)
@example(name="trust_remote_code", value=True)
def test_code_network_and_secrets_ask_whatever_the_value(name: str, value: Any) -> None:
    places = Places(Path("/nowhere/recipe"), (Path("/nowhere/recipe"),), None)
    found = asked(places, **{name: value})
    kind = TOP[name]
    if kind == "plain":
        assert found == []
    elif kind in ("code", "network", "secret"):
        assert [(each.word, each.risk) for each in found] == [(name, kind)]
    elif value in ("/etc/passwd", "../x", "~/x", "s3://b/x", "https://e.org"):
        local = kind == "base" and "://" not in value
        assert {each.word for each in found} == (set() if kind == "tracker" or local else {name})


@settings(max_examples=RUNS, deadline=None)
@given(name=st.from_regex(r"[a-z][a-z_]{2,20}", fullmatch=True), value=VALUES)
def test_an_argument_that_nobody_has_classified_asks(name: str, value: Any) -> None:
    if name not in TOP:
        places = Places(Path("/nowhere"), (Path("/nowhere"),), None)
        assert [each.risk for each in asked(places, **{name: value})] == ["unknown"]


@pytest.mark.parametrize("value", [None, False, 0, "", [], {}])
def test_what_is_off_asks_nothing(places: Places, value: Any) -> None:
    assert asked(places, **dict.fromkeys(TOP, value)) == []


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ({"model_name_or_path": "Qwen/Qwen2.5-7B"}, []),
        ({"model_name_or_path": "gpt2"}, []),
        ({"model_name_or_path": "embedded"}, []),
        ({"model_name_or_path": "trained:pt"}, []),
        ({"model_name_or_path": "./inside"}, []),
        ({"model_name_or_path": "/models/x"}, []),
        ({"model_name_or_path": "~/x"}, []),
        ({"model_name_or_path": "https://e.org/x"}, ["network"]),
        ({"adapter_name_or_path": "org/a,model,/x"}, ["path"]),
        ({"adapter_name_or_path": ["../../y"]}, ["path"]),
        ({"adapter_name_or_path": "link"}, ["path"]),
        ({"adapter_name_or_path": "trained:pt"}, []),
        ({"ref_model": "/x", "reward_model": "org/r"}, ["path"]),
        ({"reward_model": "127.0.0.1", "reward_model_type": "api"}, ["network"]),
        ({"reward_model": "http://x/y"}, ["network"]),
        ({"generation_config": "/etc/x"}, ["path"]),
        ({"deepspeed": "/etc/passwd"}, ["path"]),
        ({"deepspeed": "inside/ds.json"}, []),
        ({"deepspeed": "inside/nvme.json"}, ["unknown"]),
        ({"deepspeed": "inside/no.json"}, ["unknown"]),
        ({"deepspeed": "inside/pipe"}, ["unknown"]),
        ({"deepspeed": {"zero_optimization": {"stage": 3}, "fp16": {"enabled": "auto"}}}, []),
        ({"deepspeed": {"optimizer": {"type": "AdamW", "params": {"lr": 1e-4}}}}, []),
        ({"deepspeed": '{"zero_optimization": {"stage": 3}}'}, []),
        ({"deepspeed": '{"wandb": {"enabled": true}}'}, ["unknown"]),
        ({"deepspeed": "{not json"}, ["unknown"]),
        ({"deepspeed": {"tensorboard": {"enabled": True, "output_path": "/x"}}}, ["unknown"]),
        ({"deepspeed": {"autotuning": {"results_dir": "/x"}}}, ["unknown"]),
        ({"deepspeed": {"zero_optimization": {"offload_param": {"nvme_path": "/x"}}}}, ["unknown"]),
        ({"fsdp_config": {"fsdp_transformer_layer_cls_to_wrap": "Block"}}, []),
        ({"fsdp_config": {"anything": 1}}, ["unknown"]),
        ({"accelerator_config": "inside/ds.json"}, ["unknown"]),
        ({"lr_scheduler_kwargs": {"min_lr": 1e-6}}, []),
        ({"gradient_checkpointing_kwargs": {"context_fn": "x"}}, ["unknown"]),
        ({"dataset_dir": "ONLINE"}, ["network"]),
        ({"dataset_dir": "REMOTE:org/x"}, ["network"]),
        ({"dataset_dir": "/data", "media_dir": "/media"}, ["path", "path"]),
        ({"tokenized_path": "s3://bucket/x"}, ["network"]),
        ({"cache_dir": "/tmp", "logging_dir": "logs"}, ["path"]),
        ({"resume_from_checkpoint": True}, []),
        ({"resume_from_checkpoint": "../other/checkpoint-1"}, ["path"]),
        ({"resume_from_checkpoint": "model/checkpoint-1"}, []),
        ({"kt_weight_path": "/x", "new_special_tokens_config": "/x"}, ["path", "path"]),
        ({"report_to": "none"}, []),
        ({"report_to": ["tensorboard"]}, []),
        ({"report_to": ["tensorboard", "wandb"]}, ["network"]),
        ({"ray_init_kwargs": {"address": "x"}, "master_addr": "x"}, ["network", "network"]),
        ({"swanlab_lark_webhook_url": "https://x", "hub_token": "x"}, ["secret", "secret"]),
        ({"vllm_config": {"trust_remote_code": True}}, ["code"]),
        ({"dataset_dir": "inside", "dataset": "plain"}, []),
        ({"dataset_dir": "inside", "dataset": "plain,script"}, ["code"]),
        ({"dataset_dir": "inside", "dataset": ["hub"], "eval_dataset": "ms"}, ["network"] * 2),
        ({"dataset_dir": "inside", "dataset": "cloud"}, ["network"]),
        ({"dataset_dir": "inside", "dataset": "outside"}, ["path"]),
        ({"dataset_dir": "inside", "dataset": "linked"}, ["path"]),
        ({"dataset": "run"}, ["code"]),
    ],
)
def test_values(places: Places, arguments: dict[str, Any], found: list[str]) -> None:
    inside = places.recipe / "inside"
    inside.mkdir()
    (places.recipe / "link").symlink_to("/etc")
    (inside / "ds.json").write_text('{"zero_optimization": {"stage": 2}}')
    nvme = {"zero_optimization": {"offload_optimizer": {"device": "nvme", "nvme_path": "/etc"}}}
    (inside / "nvme.json").write_text(json.dumps(nvme))
    os.mkfifo(inside / "pipe")
    (inside / "link.jsonl").symlink_to("/etc/passwd")
    entries = {
        "plain": {"file_name": "a.json"},
        "script": {"script_url": "x"},
        "hub": {"hf_hub_url": "org/x", "file_name": "a.json"},
        "ms": {"ms_hub_url": "org/x"},
        "cloud": {"cloud_file_name": "s3://x"},
        "outside": {"file_name": "../../secret.json"},
        "linked": {"file_name": "link.jsonl"},
    }
    (inside / "dataset_info.json").write_text(json.dumps(entries))
    assert places.output is not None
    (places.output / "dataset_info.json").write_text('{"run": {"script_url": "x"}}')
    assert risks(places, **arguments) == found


def test_links_in_the_output_folder_are_followed(places: Places) -> None:
    assert places.output is not None
    (places.output / "ds.json").symlink_to("/etc/passwd")
    assert risks(places._replace(output=None), deepspeed="ds.json") == ["unknown"]  # not there yet
    assert risks(places, deepspeed="ds.json") == ["path"]


def test_code_is_allowed_for_the_models_that_bring_it(places: Places) -> None:
    (one,) = asked(places, trust_remote_code=True, model_name_or_path="stranger/a")
    (two,) = asked(places, trust_remote_code=True, model_name_or_path="stranger/b")
    assert one.value != two.value


def test_a_secret_is_not_shown(places: Places) -> None:
    (one,) = asked(places, hub_token="hf_secret")
    assert "hf_secret" not in str(one)


def test_paths_beside_the_recipe_reach_the_trainer(places: Places) -> None:
    (places.recipe / "ds.json").write_text("{}")
    (places.recipe / "lora").mkdir()
    given = {"deepspeed": "ds.json", "adapter_name_or_path": "lora,org/x", "dataset_dir": "."}
    placed = placed_arguments({**given, "output_dir": "lora", "stage": "sft"}, places)
    assert placed == {
        "deepspeed": str(places.recipe / "ds.json"),
        "adapter_name_or_path": f"{places.recipe / 'lora'},org/x",
        "dataset_dir": ".",
        "output_dir": "lora",
        "stage": "sft",
    }


def test_a_tracker_is_handed_its_own_variables_alone() -> None:
    every = [name for each in TRACKERS.values() for name in each.variables]
    assert len(set(every)) == len(every)
    for name in ("all", "openai", "aws", "*", ""):
        assert tracker_variables({"report_to": name}) == set()
    assert "WANDB_API_KEY" in tracker_variables({"report_to": ["none", "wandb"]})
    assert "SWANLAB_API_KEY" in tracker_variables({"use_swanlab": True})
