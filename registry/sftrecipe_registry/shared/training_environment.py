"""The Python environment that LLaMA-Factory trains in, looked at from outside."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from sftrecipe.kinds import MachineCheck
from sftrecipe_registry.shared.llamafactory_arguments import find_site_packages

ENVIRONMENT = "SFTRECIPE_TRAIN_ENV"
COMMAND = "llamafactory-cli"
_SECONDS = 180.0
"""torch is read from disk: cold, on a small machine, that takes a minute."""
_INSTALL = (
    f"install it in an environment of its own (python -m venv train; train/bin/pip install "
    f"llamafactory) and name its folder in {ENVIRONMENT}; without it a run still writes train.yaml"
)
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
    """Where LLaMA-Factory is: the environment that the user names, else the command's."""
    for place in (os.environ.get(ENVIRONMENT), shutil.which(COMMAND)):
        folder = find_site_packages(place) if place else None
        if folder is not None:
            return folder
    return None


def check_training() -> Iterator[MachineCheck]:
    """Whether LLaMA-Factory can be imported there, its version, and on what it would train."""
    folder = training_site_packages()
    if folder is None:
        named = os.environ.get(ENVIRONMENT)
        where = f"in '{named}' ({ENVIRONMENT})" if named else "on this machine"
        yield MachineCheck("warning", f"LLaMA-Factory is not found {where}", _INSTALL)
        return
    python = next(
        (found for up in folder.parents[1:4] if (found := up / "bin" / "python").exists()), None
    )
    if python is None:
        text = f"'{folder}' has LLaMA-Factory, but no python is beside it"
        yield MachineCheck("fault", text, _INSTALL)
        return
    yield _looked(python)


def _looked(python: Path) -> MachineCheck:
    try:
        done = subprocess.run(  # noqa: S603 - the user's own training environment
            [python, "-c", _LOOK], capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (subprocess.TimeoutExpired, OSError) as error:
        return MachineCheck("fault", f"{python} cannot be asked: {error}")
    if done.returncode != 0:
        last = (done.stderr.strip() or "no message").splitlines()[-1]
        text = f"LLaMA-Factory cannot be imported by {python}: {last}"
        return MachineCheck("fault", text, f"repair it: {python} -m pip install llamafactory")
    found = json.loads(done.stdout.splitlines()[-1])
    text = (
        f"LLaMA-Factory {found['llamafactory']}, torch {found['torch']}, Python {found['python']}, "
        f"{python.parent.parent}"
    )
    if gpus := found["gpus"]:
        return MachineCheck("ok", f"{text}; GPU: {', '.join(gpus)}")
    advice = "a model of some size needs one; a tiny one trains on the CPU"
    return MachineCheck("warning", f"{text}; no GPU is seen", advice)
