"""The user's own uv or pip: it knows their mirrors, indexes, proxies, and how to log in there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

from sftrecipe.plugin import PluginRefused, Texts
from sftrecipe_registry.shared.processes.variables import process_variables

texts = Texts(__package__)
_FAMILIES = ("UV_", "PIP_")
_OWN = ("UV_KEYRING_PROVIDER", "PIP_KEYRING_PROVIDER", "NETRC", "SSH_AUTH_SOCK", "PYTHONPATH")
"""The installer's own settings: its registry (`UV_INDEX_…`) and how it says there who asks."""
_LINES = 4
_FEW_RETRIES = {"UV_HTTP_RETRIES": "1", "PIP_RETRIES": "1"}
"""Where nobody set them: without a network it is told within seconds."""
_AS_TOLD = {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}
"""Settings that do not go with a folder that is named."""


def uv_command() -> list[str] | None:
    """The command of the user's uv: `$UV`, on PATH, a package of this Python, or beside the clone
    that this environment belongs to; None where there is none."""
    named = os.environ.get("UV")
    if named and os.access(named, os.X_OK) and Path(named).is_file():
        return [named]
    if found := shutil.which("uv"):
        return [found]
    if find_spec("uv"):
        return [sys.executable, "-m", "uv"]
    beside = Path(sys.prefix).parent / ".uv" / "bin" / "uv"  # as the README's Quick start leaves it
    return [str(beside)] if beside.is_file() else None


def fetch_packages(requirements: Sequence[str], folder: Path, held: int) -> None:
    """Put wheels into a folder, without what they depend on; nothing of them is executed.

    The installer that brought sftrecipe is asked first, the others where it fails. `held` is
    inherited by them. Raises PluginRefused with what the last of them said.
    """
    refusal = PluginRefused(texts("no-installer"))
    for command in _installers(folder):
        try:
            # Its own folder: a project's uv.toml is none of the user's settings.
            run_installer([*command, *requirements], held=held, more=_more(), folder=folder)
            return
        except PluginRefused as error:
            refusal = error
    raise refusal


def _more() -> dict[str, str]:
    return {**_AS_TOLD, **{n: v for n, v in _FEW_RETRIES.items() if n not in os.environ}}


def _installers(folder: Path) -> Iterator[list[str]]:
    """Commands that install into the folder, that of whoever installed sftrecipe first."""
    wheels = ("--quiet", "--no-deps", "--only-binary", ":all:", "--target", str(folder))
    uv, found = uv_command(), []
    if uv is not None:
        found.append([*uv, "pip", "install", *wheels, "--python", sys.executable])
    if pip := _pip_command():
        quiet = ("--no-input", "--no-compile", "--disable-pip-version-check")
        found.append([*pip, "install", *wheels, *quiet])
    yield from reversed(found) if _installed_by() == "pip" else found


def _pip_command() -> list[str] | None:
    """This Python's own pip, else another's: a wheel without its dependencies is the same."""
    if find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    found = shutil.which("pip3") or shutil.which("pip")
    return [found] if found else None


def _installed_by() -> str:
    """`pip` or `uv`: who installed sftrecipe; empty where nobody said."""
    try:
        return (distribution("sftrecipe").read_text("INSTALLER") or "").strip()
    except PackageNotFoundError:
        return ""


def run_installer(
    command: Sequence[str],
    say: Callable[[str], None] = lambda _: None,
    *,
    held: int,
    more: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> None:
    """Run a command, its lines told. Raises PluginRefused with the last ones where it fails."""
    indexes = (name for name in os.environ if name.startswith("UV_INDEX_"))
    variables = process_variables(Path(sys.executable), {*_OWN, *indexes}, _FAMILIES)
    last: list[str] = []
    try:
        process = subprocess.Popen(  # noqa: S603 - uv, pip and the environment's own python
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env={**variables, **(more or {})},
            cwd=folder,
            pass_fds=(held,) if os.name == "posix" else (),
        )
    except OSError as error:
        text = texts("not-started", command=command[0], cause=error.strerror)
        raise PluginRefused(text) from error
    with process:
        assert process.stderr is not None  # noqa: S101 - it was asked for
        for line in process.stderr:
            if told := line.strip():
                last = [*last, told][-_LINES:]
                say(told)
    if process.returncode != 0:
        name = command[2] if command[1] == "-m" else Path(command[0]).name
        values = {"name": name, "status": process.returncode, "last": " ".join(last)}
        raise PluginRefused(texts("command-failed", **values))
