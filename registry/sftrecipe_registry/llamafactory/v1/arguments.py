"""v1's arguments, read from its sources in the training environment; else a shipped snapshot."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from sftrecipe_registry.llamafactory.arguments.argument import Argument, ArgumentTable
from sftrecipe_registry.llamafactory.arguments.table import read_snapshot
from sftrecipe_registry.llamafactory.training.environment import training_site_packages
from sftrecipe_registry.llamafactory.v1.version import v1_folder
from sftrecipe_registry.shared.processes.python_environment import installed_version

_SNAPSHOT = Path(__file__).with_name("snapshot.json")
_GROUPS = {
    "model": ("model_args", "ModelArguments"),
    "data": ("data_args", "DataArguments"),
    "training": ("training_args", "TrainingArguments"),
    "sample": ("sample_args", "SampleArguments"),
}


@lru_cache(maxsize=1)
def v1_table() -> ArgumentTable:
    """The arguments of the environment's v1; of the snapshot where no environment has one."""
    site_packages = training_site_packages()
    folder = None if site_packages is None else v1_folder(site_packages)
    if site_packages is None or folder is None:
        return read_snapshot(_SNAPSHOT)
    return read_table(site_packages, folder)


def read_table(site_packages: Path, folder: Path) -> ArgumentTable:
    """The arguments that v1's sources declare; none of them is imported."""
    from sftrecipe_registry.llamafactory.arguments.sources import (  # noqa: PLC0415 - parses Python
        declared_arguments,
    )

    files = {
        group: (folder / "config" / f"{file}.py", name) for group, (file, name) in _GROUPS.items()
    }
    declared = declared_arguments(site_packages, files)
    arguments = {name: _plain(each) for name, each in declared.items()}
    version = f"v1 of llamafactory {installed_version(site_packages, 'llamafactory') or 'unknown'}"
    return ArgumentTable(version, arguments, frozenset(_templates(folder)))


def _plain(argument: Argument) -> Argument:
    """A plugin's configuration is a mapping in YAML."""
    types = tuple("dict" if each == "PluginConfig" else each for each in argument.types)
    return replace(argument, types=types)


def _templates(folder: Path) -> list[str]:
    """What it renders by itself; none where it takes the model's own chat template."""
    plugins = folder / "plugins" / "model_plugins" / "templates"
    names = [file.stem for file in sorted(plugins.glob("*.py")) if file.stem != "__init__"]
    return ["chatml", *names] if names else []


if __name__ == "__main__":
    from sftrecipe_registry.llamafactory.arguments.table import snapshot

    place = Path(sys.argv[1])
    found = v1_folder(place)
    if found is not None:
        sys.stdout.write(snapshot(read_table(place, found)))
