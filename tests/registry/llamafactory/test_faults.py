"""Every deliberate fault of faults.yaml is found before training, by the preflight's own code."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sftrecipe import Context
from sftrecipe.plugin import Finding, Training
from sftrecipe.testing import plain_files
from sftrecipe_registry.llamafactory import trainer as llamafactory
from sftrecipe_registry.llamafactory.arguments.table import shipped
from sftrecipe_registry.llamafactory.preflight import model as model_part
from sftrecipe_registry.llamafactory.preflight.machine import gpu_findings, package_findings
from sftrecipe_registry.llamafactory.preflight.modules import (
    module_findings,
    refused_finding,
    unfit_finding,
)
from sftrecipe_registry.llamafactory.training import environment as training_environment

from ...support.training_environment import (
    ABSENT,
    training_process_environment,
    training_python,
)
from .faulty_trainings import CASES, SETTINGS, make_folder, settings_of

SCRIPT = Path(__file__).parents[2] / "support" / "llamafactory_models.py"
WORKER = Path(model_part.__file__).with_name("model_worker.py")
BY_MODEL = [case for case in CASES if case.get("by") == "model"]
OTHERS = [case for case in CASES if "by" not in case]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faults")
    make_folder(folder)
    return folder


@pytest.fixture
def no_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(training_environment, "_places", lambda: iter(()))
    llamafactory.argument_table.cache_clear()
    yield
    llamafactory.argument_table.cache_clear()


def found(folder: Path, settings: dict[str, Any]) -> list[Finding]:
    """What is found on a machine without GPUs and packages."""
    (folder / "train.yaml").write_text(yaml.safe_dump(settings))
    training = Training((), folder, Context("train", seed=7), plain_files(folder))
    machine = {"gpus": [], "bf16": False}
    return [
        *llamafactory.LlamaFactory.model_validate({}).preflight(training),
        *package_findings(settings, []),
        *gpu_findings(settings, machine),
    ]


def check(case: dict[str, Any], findings: list[Finding]) -> None:
    told = [each for each in findings if case["found"] in each.message]
    assert told, [each.message for each in findings]
    assert told[0].advice or "must be" in told[0].message
    if case.get("by") == "model":
        assert re.search(r"write \w+: \S", str(told[0].advice)), told[0].advice


@pytest.mark.usefixtures("no_environment")
def test_nothing_is_found_where_nothing_is_wrong(folder: Path) -> None:
    settings = settings_of({"with": {}})
    assert [each for each in found(folder, settings) if each.check != "environment"] == []
    going_on = {**settings, "resume_from_checkpoint": "lora/checkpoint-8"}
    assert [each for each in found(folder, going_on) if each.check != "environment"] == []


@pytest.mark.usefixtures("no_environment")
@pytest.mark.parametrize("case", OTHERS, ids=lambda case: str(case["name"]))
def test_the_fault_is_found(folder: Path, case: dict[str, Any]) -> None:
    check(case, found(folder, settings_of(case)))


@pytest.mark.usefixtures("no_environment")
def test_a_file_that_is_called_as_a_checkpoint_is_none(folder: Path) -> None:
    place = folder / "packed"
    place.mkdir()
    (place / "checkpoint-500.zip").touch()
    settings = settings_of({"with": {"resume_from_checkpoint": "packed/checkpoint-9"}})
    told = [each for each in found(folder, settings) if each.check == "checkpoint"]
    assert ["leave resume_from_checkpoint out" in str(each.advice) for each in told] == [True]


@pytest.fixture(scope="module")
def looked_at(folder: Path) -> dict[str, Any]:
    """What the models are like: one process of the training environment for all cases."""
    python = training_python()
    if python is None:
        pytest.skip(ABSENT)
    settings = [settings_of(case) for case in [{"with": {}}, *BY_MODEL]]
    done = subprocess.run(
        [python, SCRIPT, WORKER],
        input=json.dumps(settings),
        capture_output=True,
        text=True,
        env=training_process_environment(),
        check=True,
        cwd=folder,
    )
    names = ["", *(str(case["name"]) for case in BY_MODEL)]
    return dict(zip(names, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("case", BY_MODEL, ids=lambda case: str(case["name"]))
def test_the_model_tells(looked_at: dict[str, Any], case: dict[str, Any]) -> None:
    told, settings = looked_at[case["name"]], settings_of(case)
    findings = [
        *refused_finding(settings, told, shipped()),
        *module_findings(settings, told),
        *unfit_finding(settings, told, shipped()),
    ]
    check(case, findings)


@pytest.mark.parametrize(
    ("settings", "words", "expected"),
    [
        (
            {"max_samples": 5, "streaming": True},
            "ValueError: `max_samples` is incompatible with `streaming`.",
            "write one of: max_samples: null; streaming: false",
        ),
        (
            {"streaming": True},
            "ValueError: Please specify `max_steps` in streaming mode.",
            "write max_steps: 30",
        ),
        (
            {"stage": "ppo", "shift_attn": True},
            "ValueError: PPO training is incompatible with S^2-Attn.",
            "write shift_attn: false",
        ),
        (
            {"do_predict": True},
            "ValueError: Please enable `predict_with_generate` to save model predictions.",
            "write predict_with_generate: true",
        ),
        (
            {"quantization_bit": 4, "adapter_name_or_path": "a,b"},
            "ValueError: Quantized model only accepts a single adapter. Merge them first.",
            "write one of: adapter_name_or_path: null; quantization_bit: null",
        ),
        (
            {"stage": "ppo"},
            "ValueError: `reward_model` is necessary for PPO training.",
            "set reward_model, which it asks for",
        ),
        ({}, "RuntimeError: who knows", "change what it names, or leave it out"),
    ],
    ids=str,
)
def test_a_refusal_tells_what_to_write(settings: dict[str, Any], words: str, expected: str) -> None:
    found = list(refused_finding(settings, {"refused": words}, shipped(), 30))
    assert [str(each.advice) for each in found] == [expected]


def test_the_model_is_counted(looked_at: dict[str, Any]) -> None:
    told = looked_at[""]
    assert {"refused", "unfit", "error"}.isdisjoint(told)
    assert told["layers"] == 2
    assert "q_proj" in told["linear"]
    # Two layers, two modules each: 32 to 8 and 8 to 32 for q_proj, to 16 for v_proj.
    assert told["trained_parameters"] == 2 * (8 * 32 + 32 * 8 + 8 * 32 + 16 * 8)


def test_there_are_thirty() -> None:
    assert len({case["name"] for case in CASES}) >= 30
    assert SETTINGS["do_train"] is True
