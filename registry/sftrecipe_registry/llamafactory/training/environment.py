"""The Python environment that LLaMA-Factory trains in, looked at from outside."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

from sftrecipe.plugin import (
    MachineCheck,
    Text,
    Texts,
    environment_of,
    install_into,
    unfinished_environment,
)
from sftrecipe_registry.llamafactory.arguments.table import find_site_packages
from sftrecipe_registry.llamafactory.training.variables import training_variables
from sftrecipe_registry.shared.processes.process_result import finished_process
from sftrecipe_registry.shared.processes.python_environment import (
    TRAINING_ENVIRONMENT,
    half_made,
    installed_version,
    make_training_environment,
)

texts = Texts(__package__)

COMMAND = "llamafactory-cli"
_SECONDS = 180.0
"""torch is read from disk: cold, on a small machine, that takes a minute."""
_LOOK = """
import importlib.metadata, json, platform, torch, llamafactory
cuda = torch.cuda.is_available()
print(json.dumps({
    "llamafactory": importlib.metadata.version("llamafactory"),
    "torch": torch.__version__,
    "python": platform.python_version(),
    "gpus": [torch.cuda.get_device_name(each) for each in range(torch.cuda.device_count())]
    if cuda else [],
}))
"""


def training_site_packages() -> Path | None:
    """Where LLaMA-Factory is: in the environment that the user names, else in the one that
    `sftrecipe env train` made, else beside the command."""
    for place in _places():
        folder = find_site_packages(place)
        if folder is not None:
            return folder
    return None


def training_python() -> Path | None:
    """The python that has LLaMA-Factory; None where there is none."""
    folder = training_site_packages()
    return None if folder is None else _python_of(folder)


def installed_programs(*names: str) -> dict[str, str | None]:
    """Versions of packages in the training environment; None: it has none, or is not there."""
    folder = training_site_packages()
    return {name: installed_version(folder, name) if folder else None for name in names}


def training_command() -> list[str] | None:
    """What starts LLaMA-Factory, before its own arguments; None where there is nothing.

    The user may name a whole command, such as `uv tool run --from llamafactory llamafactory-cli`.
    """
    named = os.environ.get(TRAINING_ENVIRONMENT) or ""
    words = shlex.split(named)
    if len(words) > 1 and not Path(named).expanduser().exists():
        program = shutil.which(words[0])
        return [str(Path(program).absolute()), *words[1:]] if program else None
    python = training_python()
    return None if python is None else [str(python), "-m", "llamafactory.cli"]


def _places() -> Iterator[str]:
    """Where to look, in this order."""
    environment = environment_of(TRAINING_ENVIRONMENT)
    if environment and unfinished_environment(TRAINING_ENVIRONMENT) is None:
        yield environment
    if command := shutil.which(COMMAND):
        yield command


def _python_of(site_packages: Path) -> Path | None:
    """The python beside the packages, to be started from any folder."""
    pythons = (up.absolute() / "bin" / "python" for up in site_packages.parents[1:4])
    return next((python for python in pythons if python.exists()), None)


def check_training() -> Iterator[MachineCheck]:
    """Whether LLaMA-Factory can be imported there, its version, and on what it would train."""
    folder = training_site_packages()
    if folder is None:
        is_half = unfinished_environment(TRAINING_ENVIRONMENT) is not None
        advice = make_training_environment()
        yield MachineCheck("fault" if is_half else "warning", training_not_found(), advice)
        return
    python = _python_of(folder)
    if python is None:
        yield MachineCheck("fault", texts("no-python", folder=folder), make_training_environment())
        return
    yield _looked(python)


def missing_training() -> Iterator[MachineCheck]:
    """LLaMA-Factory, where nothing starts it here."""
    if training_command() is None:
        yield MachineCheck("fault", training_not_found(), make_training_environment())


def training_not_found() -> Text:
    """Why nothing starts LLaMA-Factory here."""
    if folder := unfinished_environment(TRAINING_ENVIRONMENT):
        return half_made(folder)
    if named := os.environ.get(TRAINING_ENVIRONMENT):
        return texts("not-found-there", named=named, variable=TRAINING_ENVIRONMENT)
    return texts("not-found-here")


def _looked(python: Path) -> MachineCheck:
    try:
        done = finished_process(
            [str(python), "-c", _LOOK], _SECONDS, env=training_variables(python, {})
        )
    except OSError as error:
        return MachineCheck("fault", texts("python-fails", python=python, cause=str(error)))
    if done is None:
        return MachineCheck("fault", texts("torch-too-slow", python=python, seconds=_SECONDS))
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else texts("no-message")
        text = texts("not-importable", python=python, last=last)
        return MachineCheck("fault", text, texts("reinstall", command=install_into(python)))
    try:
        found = json.loads((done.stdout.splitlines() or [""])[-1])
    except ValueError:
        return MachineCheck(
            "fault", texts("told-nothing", python=python), make_training_environment()
        )
    versions = {
        "llamafactory": found["llamafactory"],
        "torch": found["torch"],
        "version": found["python"],
        "folder": python.parent.parent,
    }
    if gpus := found["gpus"]:
        return MachineCheck("ok", texts("found-with-gpu", gpus=", ".join(gpus), **versions))
    return MachineCheck("warning", texts("found-without-gpu", **versions), texts("needs-gpu"))
