"""v1's `train.yaml`, and the YAML that names its data sets, from a recipe's arguments."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from sftrecipe.plugin import DataSet, Texts, Training
from sftrecipe_registry.llamafactory.arguments.argument import ArgumentTable
from sftrecipe_registry.llamafactory.arguments.table import from_environment, shipped
from sftrecipe_registry.llamafactory.formats.content_lists import FORMATTING
from sftrecipe_registry.llamafactory.training.config_file import written_config
from sftrecipe_registry.llamafactory.training.environment import COMMAND, training_site_packages
from sftrecipe_registry.llamafactory.training.output import listed
from sftrecipe_registry.llamafactory.v1.arguments import v1_table
from sftrecipe_registry.llamafactory.v1.settings import (
    OWN,
    Refused,
    Translation,
    steps_of,
    translated,
)
from sftrecipe_registry.llamafactory.v1.version import SWITCH, v1_folder

texts = Texts(__package__)


def with_own_names(site_packages: Path | None) -> ArgumentTable:
    """The table of the version before, whose names recipes use, and v1's own that may stand beside.

    `site_packages`: the training environment's; what it lacks is the shipped snapshot's.
    """
    old, own = old_table(site_packages), v1_table()
    named = {name: each for name, each in own.arguments.items() if name in OWN}
    return ArgumentTable(own.version, {**named, **old.arguments}, old.templates | own.templates)


def old_table(site_packages: Path | None) -> ArgumentTable:
    """The arguments of the version before: v1 environments may no longer carry it."""
    try:
        return shipped() if site_packages is None else from_environment(site_packages)
    except (FileNotFoundError, ValueError):
        return shipped()


def refused_by_v1(given: Mapping[str, Any]) -> Iterator[Refused]:
    """Arguments of a recipe, all of the right type, that v1 cannot be given."""
    site_packages = training_site_packages()
    if site_packages is not None and v1_folder(site_packages) is None:
        yield Refused("", texts("carries-no-v1"), texts("unset-or-newer", variable=SWITCH))
    yield from translated(given, v1_table(), old_table(site_packages)).refused


def write_v1(training: Training, config: str, given: Mapping[str, Any]) -> Path:
    """Write v1's configuration, and the YAML of its data sets, into the output folder.

    `given` has `dataset`, the names of the data sets, and `output_dir` beside the recipe's own.
    """
    made = v1_settings(given, training)
    names = listed(given.get("dataset"))
    sets = data_sets(each for each in training.data if each.name in names)
    with training.create(made.settings["train_dataset"]) as file:
        file.write(_dumped(sets))
    stage = given.get("stage", "sft")
    command = f"{SWITCH}=1 {COMMAND} {stage} {config}"
    with training.create(config) as file:
        file.write(written_config(command, made.settings))
    return training.folder / config


def v1_settings(given: Mapping[str, Any], training: Training) -> Translation:
    """The translated arguments; steps are those of the data sets that are exported."""
    made = translated(given, v1_table(), old_table(training_site_packages()), devices())
    settings = made.settings
    settings["train_dataset"] = data_file(training.id)
    every = settings.get("save_steps")
    if isinstance(every, float):
        names = listed(given.get("dataset"))
        rows = sum(each.rows for each in training.data if each.name in names)
        steps = steps_of(settings, rows, devices())
        settings["save_steps"] = max(int(every * steps if every < 1 else every), 1)
    return made


def data_file(block: str) -> str:
    """The name of the YAML that lists a train block's data sets."""
    return "train_data.yaml" if block == "train" else f"train_data-{block}.yaml"


def data_sets(chosen: Iterable[DataSet]) -> dict[str, Any]:
    """What v1 loads, by name; the paths are seen from the run's folder, where it starts."""
    return {
        each.name: {"path": each.files[0], "source": "local"}
        for each in chosen
        if (each.entry or {}).get("formatting") == FORMATTING
    }


@lru_cache(maxsize=1)
def devices() -> int:
    """How many processes v1's launcher starts here: one a device, on all nodes."""
    nodes = os.environ.get("NNODES", "1")
    here = os.environ.get("NPROC_PER_NODE", "")
    if not here.isdecimal():
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        there = len(list(Path("/dev").glob("nvidia[0-9]*")))
        here = str(there if visible is None else len(listed(visible)))
    return max(int(here), 1) * (int(nodes) if nodes.isdecimal() else 1)


def _dumped(values: Mapping[str, Any]) -> bytes:
    return yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True).encode()
