"""Everything that is wrong with a LLaMA-Factory training, told before it starts.

The arguments, the catalogue, the rows and the folders are looked at here; template, truncation and
GPU in a process of the training environment, by LLaMA-Factory's own code.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import yaml

from sftrecipe.plugin import Finding, PluginRefused, Texts, Training, error_text
from sftrecipe_registry.llamafactory.arguments.argument import ArgumentTable
from sftrecipe_registry.llamafactory.preflight.arguments import (
    Settings,
    argument_findings,
    val_size_findings,
)
from sftrecipe_registry.llamafactory.preflight.catalogue import Attributes, Catalogue
from sftrecipe_registry.llamafactory.preflight.data import DataCheck, Spool
from sftrecipe_registry.llamafactory.preflight.encoding import encoding_findings, encoding_report
from sftrecipe_registry.llamafactory.preflight.machine import (
    deepspeed_findings,
    gpu_findings,
    package_findings,
)
from sftrecipe_registry.llamafactory.preflight.model import model_findings, output_findings
from sftrecipe_registry.llamafactory.preflight.tally import State
from sftrecipe_registry.llamafactory.preflight.template import template_findings
from sftrecipe_registry.llamafactory.training.environment import training_python
from sftrecipe_registry.llamafactory.training.masks import mask_findings
from sftrecipe_registry.llamafactory.training.output import listed
from sftrecipe_registry.shared.processes.python_environment import TRAINING_ENVIRONMENT

texts = Texts(__package__)

_ELSEWHERE = ("ONLINE", "REMOTE:")


def findings(training: Training, config: Path, table: ArgumentTable) -> Iterator[Finding]:
    """All findings of a written `train.yaml`, the cheap ones first."""
    settings: Settings = yaml.safe_load(config.read_text(encoding="utf-8")) or {}
    yield from argument_findings(settings, table)
    yield from mask_findings(settings, training.data)
    yield from output_findings(settings, training)
    yield from deepspeed_findings(settings, training)
    model = list(model_findings(settings, training))
    yield from model
    python = training_python()
    with tempfile.TemporaryDirectory(prefix="sftrecipe-preflight-") as folder:
        rows = Path(folder) / "rows.jsonl"
        with rows.open("wb") as file:
            spool = None if python is None else Spool(rows, file)
            yield from _data_findings(training, settings, spool)
        if python is None or spool is None:
            yield _unchecked()
            return
        yield from _environment_findings(python, training, settings, spool, not model)


def _unchecked() -> Finding:
    advice = texts("make-environment", variable=TRAINING_ENVIRONMENT)
    return Finding("warning", "environment", texts("no-environment"), advice)


def _data_findings(
    training: Training, settings: Settings, spool: Spool | None
) -> Iterator[Finding]:
    """The catalogue and the rows of every data set that is named."""
    shown = str(settings.get("dataset_dir", "data"))
    if shown.startswith(_ELSEWHERE):
        text = texts("hub-not-checked", folder=shown)
        yield Finding("warning", "catalogue", text, texts("download-data"))
        return
    stage, folder = str(settings.get("stage", "sft")), training.folder / shown
    media = training.folder / str(settings.get("media_dir") or shown)
    catalogue = Catalogue(folder, shown)
    wanted = [*listed(settings.get("dataset")), *listed(settings.get("eval_dataset"))]
    found = list(catalogue.read())
    yield from found
    if not (folder / "dataset_info.json").is_file() or (found and not catalogue.entries):
        return
    rows = 0
    for name in dict.fromkeys(wanted):
        for each in catalogue.look_up(name, stage):
            if not isinstance(each, Attributes):
                yield each
                continue
            check = DataCheck(each, stage, media, spool)
            yield from check.findings()
            if name in listed(settings.get("dataset")):
                rows += _taken(check.rows, each.num_samples, settings.get("max_samples"))
    yield from val_size_findings(settings, rows)


def _taken(rows: int, num_samples: int | None, max_samples: object) -> int:
    """Rows of a data set that are trained on."""
    taken = rows if num_samples is None else num_samples
    return min(taken, max_samples) if isinstance(max_samples, int) else taken


def _environment_findings(
    python: Path, training: Training, settings: Settings, spool: Spool, model_stands: bool
) -> Iterator[Finding]:
    """Template, truncation and GPU, from a process of the training environment."""
    training.say("reading the rows with the model's tokenizer")
    try:
        report = encoding_report(python, settings, training.folder, spool.path)
    except PluginRefused as error:
        yield Finding("fault", "environment", error_text(error), texts("look-at-it"))
        return
    yield from package_findings(settings, report["machine"]["packages"])
    yield from gpu_findings(settings, report["machine"])
    if "error" in report:
        if model_stands:  # else what is wrong with the model is told already
            text = texts("tokenizer-unreadable", cause=report["error"].splitlines()[0])
            is_hub = not (training.folder / str(settings.get("model_name_or_path"))).is_dir()
            state: State = "warning" if is_hub else "fault"
            yield Finding(state, "model", text, texts("download-model"))
        return
    yield from template_findings(settings, report)
    yield from encoding_findings(settings, report, spool)
