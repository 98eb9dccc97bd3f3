"""Everything that is wrong with a LLaMA-Factory training, told before it starts.

The arguments, the catalogue, the rows and the folders are looked at here; template, truncation and
GPU in a process of the training environment, by LLaMA-Factory's own code.
"""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sftrecipe.plugin import Finding, PluginRefused, Texts, Training, error_text
from sftrecipe_registry.llamafactory.arguments.argument import ArgumentTable
from sftrecipe_registry.llamafactory.arguments.schedule import (
    Schedule,
    number,
    schedule,
    split_rows,
    training_processes,
    warmup_steps,
)
from sftrecipe_registry.llamafactory.estimate.row_lengths import keep_lengths
from sftrecipe_registry.llamafactory.preflight.arguments import (
    Settings,
    argument_findings,
    val_size_findings,
)
from sftrecipe_registry.llamafactory.preflight.best_model import best_model_findings
from sftrecipe_registry.llamafactory.preflight.catalogue import Attributes, Catalogue
from sftrecipe_registry.llamafactory.preflight.checkpoint import (
    checkpoint_findings,
    progress_findings,
)
from sftrecipe_registry.llamafactory.preflight.data import DataCheck, Spool
from sftrecipe_registry.llamafactory.preflight.deepspeed_config import (
    deepspeed_findings,
    refused_by_deepspeed,
)
from sftrecipe_registry.llamafactory.preflight.encoding import encoding_findings, encoding_report
from sftrecipe_registry.llamafactory.preflight.machine import (
    gpu_findings,
    package_findings,
)
from sftrecipe_registry.llamafactory.preflight.model import model_findings, output_findings
from sftrecipe_registry.llamafactory.preflight.modules import (
    module_findings,
    refused_finding,
    unfit_finding,
)
from sftrecipe_registry.llamafactory.preflight.steps import (
    end_findings,
    rate_findings,
    sample_findings,
    step_findings,
)
from sftrecipe_registry.llamafactory.preflight.tally import State
from sftrecipe_registry.llamafactory.preflight.template import template_findings
from sftrecipe_registry.llamafactory.preflight.unsloth_arguments import unsloth_findings
from sftrecipe_registry.llamafactory.training.environment import training_python
from sftrecipe_registry.llamafactory.training.masks import mask_findings
from sftrecipe_registry.llamafactory.training.output import listed
from sftrecipe_registry.shared.processes.python_environment import TRAINING_ENVIRONMENT

texts = Texts(__package__)


class _Known(NamedTuple):
    """What was found before the training environment is asked."""

    told: Sequence[Finding]
    table: ArgumentTable
    rows: int
    """That are trained on, at least."""


_ELSEWHERE = ("ONLINE", "REMOTE:")


def findings(training: Training, settings: Settings, table: ArgumentTable) -> Iterator[Finding]:
    """All findings of what a `train.yaml` says, the cheap ones first.

    Data sets that are not made yet are passed over, and what hangs on their rows.
    """
    told = [
        *_argument_findings(settings, training, table),
        *model_findings(settings, training),
    ]
    yield from told
    python = training_python()
    with tempfile.TemporaryDirectory(prefix="sftrecipe-preflight-") as folder:
        rows = Path(folder) / "rows.jsonl"
        with rows.open("wb") as file:
            spool = None if python is None else Spool(rows, file)
            taken = yield from _data_findings(training, settings, spool)
        if python is None or spool is None:
            yield from _step_findings(training, settings, taken, {})
            yield _unchecked()
            return
        report = yield from _report(python, training, settings, spool)
        installed = report.get("machine", {}).get("packages", ())
        yield from refused_by_deepspeed(python, settings, training.folder, installed)
        keep_lengths(settings, training.folder, report.get("row_lengths"))
        known = _Known(told, table, sum(taken.values()))
        yield from _environment_findings(settings, training, spool, report, known)
        yield from _step_findings(training, settings, taken, report)


def _argument_findings(
    settings: Settings, training: Training, table: ArgumentTable
) -> Iterator[Finding]:
    """What the arguments alone tell, and the folders that they name."""
    yield from argument_findings(settings, table)
    yield from best_model_findings(settings)
    yield from rate_findings(settings)
    yield from mask_findings(settings, training.data)
    yield from output_findings(settings, training)
    yield from deepspeed_findings(settings, training)
    yield from unsloth_findings(settings)
    yield from checkpoint_findings(settings, training)


def _unchecked() -> Finding:
    advice = texts("make-environment", variable=TRAINING_ENVIRONMENT)
    return Finding("warning", "environment", texts("no-environment"), advice)


def _data_findings(
    training: Training, settings: Settings, spool: Spool | None
) -> Generator[Finding, None, Mapping[str, int]]:
    """The catalogue and the rows of every data set that is named; how many of each are taken."""
    shown = str(settings.get("dataset_dir", "data"))
    if shown.startswith(_ELSEWHERE):
        text = texts("hub-not-checked", folder=shown)
        yield Finding("warning", "catalogue", text, texts("download-data"))
        return {}
    stage, folder = str(settings.get("stage", "sft")), training.folder / shown
    media = training.folder / str(settings.get("media_dir") or shown)
    catalogue = Catalogue(folder, shown)
    awaited = {each.name for each in training.awaits}
    named = [*listed(settings.get("dataset")), *listed(settings.get("eval_dataset"))]
    wanted = [name for name in named if name not in awaited]
    if awaited and not wanted:
        return {}
    found = list(catalogue.read())
    yield from found
    if not (folder / "dataset_info.json").is_file() or (found and not catalogue.entries):
        return {}
    taken, rows = {}, {}
    for name in dict.fromkeys(wanted):
        for each in catalogue.look_up(name, stage):
            if not isinstance(each, Attributes):
                yield each
                continue
            check = DataCheck(each, stage, media, spool)
            yield from check.findings()
            rows[name] = check.rows
            if name in listed(settings.get("dataset")):
                taken[name] = _taken(check.rows, each.num_samples, settings.get("max_samples"))
    yield from sample_findings(settings, rows)
    yield from val_size_findings(settings, sum(taken.values()))
    return taken


def _taken(rows: int, num_samples: int | None, max_samples: object) -> int:
    """Rows of a data set that are trained on."""
    taken = rows if num_samples is None else num_samples
    return min(taken, max_samples) if isinstance(max_samples, int) else taken


def _report(
    python: Path, training: Training, settings: Settings, spool: Spool
) -> Generator[Finding, None, Mapping[str, Any]]:
    """What a process of the training environment tells; empty where it fails."""
    training.say("reading the rows with the model's tokenizer")
    try:
        # Before anything is made, the run's folder is not there.
        folder = training.folder if training.folder.is_dir() else training.context.folder
        return encoding_report(python, settings, folder, spool.path)
    except PluginRefused as error:
        yield Finding("fault", "environment", error_text(error), texts("look-at-it"))
        return {}


def _environment_findings(
    settings: Settings,
    training: Training,
    spool: Spool,
    report: Mapping[str, Any],
    known: _Known,
) -> Iterator[Finding]:
    """Packages, GPU, modules, template and truncation; what was told is not said again."""
    if not report:
        return
    told, table = known.told, known.table
    machine = [
        *package_findings(settings, report["machine"]["packages"]),
        *gpu_findings(settings, report["machine"]),
    ]
    yield from machine
    model_stands = not any(each.check == "model" for each in told)
    if not any(each.state == "fault" for each in (*told, *machine)):
        steps = schedule({**settings, "max_steps": -1}, known.rows, 1).steps
        yield from refused_finding(settings, report["model"], table, steps)
        yield from unfit_finding(settings, report["model"], table)
    if model_stands:
        yield from module_findings(settings, report["model"])
    if "error" in report:
        if model_stands:  # else what is wrong with the model is told already
            text = texts("tokenizer-unreadable", cause=report["error"].splitlines()[0])
            is_hub = not (training.folder / str(settings.get("model_name_or_path"))).is_dir()
            state: State = "warning" if is_hub else "fault"
            yield Finding(state, "model", text, texts("download-model"))
        return
    yield from template_findings(settings, report)
    yield from encoding_findings(settings, report, spool)


def _step_findings(
    training: Training, settings: Settings, taken: Mapping[str, int], report: Mapping[str, Any]
) -> Iterator[Finding]:
    """Steps, warm-up and checkpoints, where it is known how many examples there are."""
    examples = _examples(settings, taken, report)
    if not examples:
        yield from _known_steps(settings, training)
        return
    gpus = len(report["machine"]["gpus"]) if report else 0
    processes = training_processes(gpus, settings)
    yield from step_findings(settings, examples, processes)
    plan = schedule(settings, examples, processes)
    yield from progress_findings(settings, training, plan)


def _known_steps(settings: Settings, training: Training) -> Iterator[Finding]:
    """What `max_steps` tells where it is not known how many examples there are."""
    steps = int(number(settings, "max_steps"))
    if steps > 0:
        plan = Schedule(0, 0, 0, steps, warmup_steps(settings, steps))
        yield from end_findings(settings, plan)
        yield from progress_findings(settings, training, plan)


def _examples(settings: Settings, taken: Mapping[str, int], report: Mapping[str, Any]) -> int:
    """Rows, or the blocks that they are packed into; 0: not known."""
    if settings.get("streaming") is True or str(settings.get("mix_strategy", "concat")) != "concat":
        return 0
    if len(taken) < len(set(listed(settings.get("dataset")))):
        return 0
    packed = report.get("packed")
    if "blocks" in report:  # they are counted of all that is read
        return 0 if settings.get("eval_dataset") else int(report["blocks"]["blocks"])
    if packed is not None:
        taken = {name: packed.get(name, 0) for name in taken}
    elif settings.get("packing") is True:
        return 0
    return split_rows(settings, sum(taken.values()))[0]
