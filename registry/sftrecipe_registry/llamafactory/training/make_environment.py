"""Makes the environment that LLaMA-Factory trains in, of the pins beside this file.

It is one of its own, since its pins (transformers <=5.6, datasets <=4.0) fit neither the engine's
packages nor vLLM's. What is left out: its web page, and torchaudio, which it imports at the top of
a module and training on text never calls; without a GPU torchvision and the model hubs' clients
too, as the registry's torchvision is built for CUDA and fails beside a CPU's torch.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from sftrecipe.plugin import (
    ENVIRONMENT_MADE,
    ENVIRONMENT_UNFINISHED,
    PluginRefused,
    Texts,
    environment_of,
)
from sftrecipe_registry.shared.processes.maker_lock import locked_mark
from sftrecipe_registry.shared.processes.package_installer import run_installer, uv_command
from sftrecipe_registry.shared.processes.python_environment import TRAINING_ENVIRONMENT

texts = Texts(__package__)

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
_LEFT_OUT = ("gradio", "hf-transfer", "torchaudio")
_LEFT_OUT_WITHOUT_GPU = (*_LEFT_OUT, "torchvision", "modelscope")
_FOR_GPU = ("llamafactory", "bitsandbytes")
"""What is asked for there, with the pins as bounds: torch then brings the libraries of its CUDA;
bitsandbytes is QLoRA's."""
_GIB = 1 << 30
_SPACE = {True: 3 * _GIB, False: 16 * _GIB}
"""Free disk that it takes, the downloads in between included; with a CPU's torch, and CUDA's."""
_TORCHAUDIO = (
    '"""Stands in for torchaudio, which LLaMA-Factory imports and training never calls."""\n'
)
_IMPORT = "import llamafactory.train.tuner"


def make_environment(folder: Path, say: Callable[[str], None], *, cpu: bool) -> None:
    """Make it, unless it stands already for these pins.

    Raises PluginRefused where the folder is somebody else's, or the network or the disk fails.
    """
    wanted = _identity(cpu)
    if _is_made(folder, wanted):
        say(f"the environment in {folder} is complete")
        return
    _claim(folder)
    _check_space(folder, cpu)
    unfinished = folder / ENVIRONMENT_UNFINISHED
    waiting = f"waiting: another process still writes into {folder}"
    try:
        with locked_mark(unfinished, partial(say, waiting)) as held:
            if not _is_made(folder, wanted):  # by whom it was waited for
                _empty(folder)
                _make(folder, say, held, cpu=cpu)
                _write_mark(folder / ENVIRONMENT_MADE, wanted)
            unfinished.unlink()
    except OSError as error:
        raise PluginRefused(texts("cannot-be-made", cause=str(error))) from error
    say(f"the environment in {folder} is complete")
    if environment_of(TRAINING_ENVIRONMENT) != str(folder):
        say(f"to train in it: export {TRAINING_ENVIRONMENT}={folder}")


def _make(folder: Path, say: Callable[[str], None], held: int, *, cpu: bool) -> None:
    def run(command: Sequence[str], more: Mapping[str, str] | None = None, /) -> None:
        run_installer(command, say, held=held, more=more)

    with _uv(say, run) as uv:
        _install(folder, uv, say, run, cpu=cpu)
    say("trying it out")
    # The proof that it works; it also writes the .pyc files.
    run([str(folder / "bin" / "python"), "-c", _IMPORT], {"OMP_NUM_THREADS": "1"})


def _is_made(folder: Path, wanted: str) -> bool:
    mark = folder / ENVIRONMENT_MADE
    return mark.is_file() and mark.read_text("utf-8").strip() == wanted


def _write_mark(mark: Path, wanted: str) -> None:
    """At once or not at all: half a mark would be that of other pins."""
    written = mark.with_suffix(".part")
    written.write_text(wanted, "utf-8")
    written.replace(mark)


def _identity(cpu: bool) -> str:
    """Changes with what is installed."""
    pins = [line for line in REQUIREMENTS.read_text("utf-8").splitlines() if line[:1] != "#"]
    left_out = _LEFT_OUT_WITHOUT_GPU if cpu else (*_LEFT_OUT, *_FOR_GPU)
    return sha256("\n".join([*pins, *left_out]).encode()).hexdigest()


def _claim(folder: Path) -> None:
    """Take the folder. Raises PluginRefused where it was not made for this."""
    marks = (folder / ENVIRONMENT_MADE, folder / ENVIRONMENT_UNFINISHED)
    try:
        if folder.exists() and any(folder.iterdir()) and not any(map(Path.exists, marks)):
            raise PluginRefused(texts("folder-taken", folder=folder))
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        text = texts("folder-not-ready", folder=folder, cause=error.strerror)
        raise PluginRefused(text) from error


def _empty(folder: Path) -> None:
    """All but the mark of what is unfinished. That of the finished one goes first: a kill in
    between leaves no half of it that counts as whole."""
    try:
        (folder / ENVIRONMENT_MADE).unlink(missing_ok=True)
        for entry in folder.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            elif entry.name != ENVIRONMENT_UNFINISHED:
                entry.unlink()
    except OSError as error:
        text = texts("folder-not-ready", folder=folder, cause=error.strerror)
        raise PluginRefused(text) from error


def _check_space(folder: Path, cpu: bool) -> None:
    free = shutil.disk_usage(folder).free
    if free < _SPACE[cpu]:
        needed = _SPACE[cpu] / _GIB
        raise PluginRefused(texts("few-space", folder=folder, free=free / _GIB, needed=needed))


@contextmanager
def _uv(say: Callable[[str], None], run: Run) -> Iterator[list[str]]:
    """The command of uv: the user's, this Python's, or fetched for the moment."""
    if found := uv_command():
        yield found
    elif importlib.util.find_spec("pip") is None:
        raise PluginRefused(texts("no-uv"))
    else:
        with tempfile.TemporaryDirectory() as target:
            say("fetching uv")
            run((sys.executable, "-m", "pip", "install", "--quiet", "--target", target, "uv"))
            yield [str(Path(target, "bin", "uv"))]


def _install(
    folder: Path, uv: Sequence[str], say: Callable[[str], None], run: Run, *, cpu: bool
) -> None:
    say(f"making the environment in {folder}")
    # This Python's own version: it is there for certain, and the pins take 3.11 to 3.13.
    venv = ("venv", "--quiet", "--allow-existing", "--python", sys.executable, str(folder))
    run([*uv, *venv])
    python = folder / "bin" / "python"
    overrides = folder / "overrides.txt"
    left_out = _LEFT_OUT_WITHOUT_GPU if cpu else _LEFT_OUT
    overrides.write_text("".join(f"{name}; sys_platform == 'never'\n" for name in left_out))
    install = (*("pip", "install", "--python", str(python)), *("--overrides", str(overrides)))
    pins = str(REQUIREMENTS)
    if cpu:
        say("installing LLaMA-Factory with a CPU's torch: about 1.5 GB, some minutes")
        _install_for_cpu([*uv, *install, "--requirements", pins], say, run)
    else:
        say("installing LLaMA-Factory with torch and CUDA: about 8 GB, many minutes")
        run([*uv, *install, "--constraints", pins, *_FOR_GPU])
    modules = next(folder.glob("lib/python3*/site-packages"))
    (modules / "torchaudio.py").write_text(_TORCHAUDIO)


def _install_for_cpu(command: Sequence[str], say: Callable[[str], None], run: Run) -> None:
    """With PyTorch's builds for CPUs, where they can be had: the registry's bring all of CUDA."""
    if os.environ.get("UV_FIND_LINKS"):  # wheels beside the machine
        run(command)
        return
    try:
        run([*command, "--torch-backend", "cpu"], {"UV_HTTP_RETRIES": "1"})
    except PluginRefused:
        say("PyTorch's own index did not answer: taking the package registry's torch, with CUDA")
        run(command)


class Run(Protocol):
    """Runs a command, with more variables."""

    def __call__(self, command: Sequence[str], more: Mapping[str, str] = ..., /) -> None:
        """Raises PluginRefused where it fails."""
