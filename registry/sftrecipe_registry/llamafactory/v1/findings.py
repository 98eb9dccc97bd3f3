"""What is wrong with one of v1's trainings, told before it starts.

The arguments and the folders are looked at here; the rows in the training environment, by v1's own
loader and renderer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sftrecipe.plugin import Finding, PluginRefused, Texts, Training, error_text
from sftrecipe_registry.llamafactory.arguments.table import check_arguments, explained
from sftrecipe_registry.llamafactory.preflight.encoding import SECONDS
from sftrecipe_registry.llamafactory.preflight.model import model_findings, output_findings
from sftrecipe_registry.llamafactory.training.config_file import read_settings
from sftrecipe_registry.llamafactory.training.environment import training_python
from sftrecipe_registry.llamafactory.training.variables import training_variables
from sftrecipe_registry.llamafactory.v1.arguments import v1_table
from sftrecipe_registry.llamafactory.v1.config import devices, v1_settings
from sftrecipe_registry.llamafactory.v1.settings import steps_of
from sftrecipe_registry.shared.processes.process_result import finished_process
from sftrecipe_registry.shared.processes.python_environment import TRAINING_ENVIRONMENT

texts = Texts(__package__)

_WORKER = Path(__file__).with_name("worker.py")
_ADVICE = {"failed": "advice-failed", "cut": "advice-cut", "empty": "advice-empty"}
_FOR_GPUS = {"dist_config": "deepspeed", "quant_config": "quantization_bit"}


def v1_findings(training: Training, config: Path, given: Mapping[str, Any]) -> Iterator[Finding]:
    """All findings of a written configuration; `given`: the arguments that it was made from."""
    settings = read_settings(config)
    table = v1_table()
    for problem in check_arguments(settings, table):
        message, advice = explained(problem, table)
        yield Finding("fault", "arguments", message, advice)
    old = {**settings, "model_name_or_path": settings["model"]}
    yield from output_findings(old, training)
    model = list(model_findings(old, training))
    yield from model
    for told in v1_settings(given, training).told:
        yield Finding("warning", "v1", told)
    if given.get("eval_dataset"):
        yield Finding("warning", "v1", texts("not-evaluated", name=given["eval_dataset"]))
    python = training_python()
    if python is None:
        advice = texts("make-environment", variable=TRAINING_ENVIRONMENT)
        yield Finding("warning", "environment", texts("no-environment"), advice)
    elif not model:
        yield from _rendered(python, training, settings)


def _rendered(python: Path, training: Training, settings: Mapping[str, Any]) -> Iterator[Finding]:
    training.say("rendering the rows with v1's own code")
    try:
        report = _report(python, training.folder, settings)
    except PluginRefused as error:
        yield Finding("fault", "environment", error_text(error))
        return
    if "error" in report:
        yield Finding("fault", "data", texts("not-loaded", cause=report["error"]))
        return
    rows, cutoff = report["rows"], settings.get("cutoff_len", 2048)
    counted = (
        ("failed", "fault", texts("not-rendered", rows=report["failed"]["rows"], of=rows)),
        ("cut", "warning", texts("cut", rows=report["cut"]["rows"], of=rows, cutoff=cutoff)),
        ("empty", "warning", texts("nothing-learned", rows=report["empty"]["rows"], of=rows)),
    )
    for name, state, text in counted:
        if found := report[name]["rows"]:
            is_fault = state == "fault" or found == rows
            advice = texts(_ADVICE[name])
            examples = tuple(report[name]["examples"])
            yield Finding("fault" if is_fault else "warning", "rows", text, advice, examples)
    if not steps_of(settings, rows, devices()):
        batch = settings.get("global_batch_size") or settings["micro_batch_size"] * devices()
        yield Finding(
            "fault", "rows", texts("no-step", rows=rows, batch=batch), texts("lower-batch")
        )
    for plugin, name in _FOR_GPUS.items():
        if plugin in settings and not report["gpu"]:
            yield Finding("fault", "gpu", texts("needs-gpu", name=name))


def _report(python: Path, folder: Path, settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """What worker.py tells. Raises PluginRefused where it fails."""
    words = [settings["model"], settings["train_dataset"], str(settings.get("cutoff_len", 2048))]
    words += [settings["template"]] if settings.get("template") else []
    done = finished_process(
        [str(python), str(_WORKER), *words],
        SECONDS,
        cwd=folder,
        env={**training_variables(python, {}), "HF_HUB_OFFLINE": "1"},
    )
    try:
        report: dict[str, Any] = json.loads((done.stdout.splitlines() or [""])[-1]) if done else {}
    except ValueError:
        report = {}
    if not report:
        said = done.stderr.strip().splitlines() if done else []
        raise PluginRefused(texts("worker-failed", python=python, last=said[-1] if said else "…"))
    return report
