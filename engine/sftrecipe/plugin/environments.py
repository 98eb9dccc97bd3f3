"""Where lies what is made once for all projects of a user: Python environments, models."""

from __future__ import annotations

import os
import shutil
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from shlex import quote

ENVIRONMENT_MADE = ".complete"
"""The file in an environment that was made to its end."""


ENVIRONMENT_UNFINISHED = ".incomplete"
"""The file in one that is being made, or was interrupted."""


def environment_of(variable: str) -> str | None:
    """The environment that a variable such as `SFTRECIPE_TRAIN_ENV` names, else the one that
    `sftrecipe env train` made; None where neither is there."""
    if named := os.environ.get(variable):
        return named
    made = made_environment(_name(variable))
    return str(made) if (made / ENVIRONMENT_MADE).exists() else None


def unfinished_environment(variable: str) -> Path | None:
    """The environment that a variable names, else the one that `sftrecipe env train` makes, where
    it is made half."""
    named = os.environ.get(variable)
    folder = Path(named).expanduser() if named else made_environment(_name(variable))
    if not folder.is_dir():
        folder = folder.parent.parent  # it names the python
    is_made = (folder / ENVIRONMENT_MADE).exists()
    return folder if (folder / ENVIRONMENT_UNFINISHED).exists() and not is_made else None


def made_environment(name: str) -> Path:
    """The folder of an environment that `sftrecipe env` makes."""
    return user_data("envs", name)


def _name(variable: str) -> str:
    """`train` of `SFTRECIPE_TRAIN_ENV`."""
    return variable.removeprefix("SFTRECIPE_").removesuffix("_ENV").lower()


def user_data(*names: str) -> Path:
    """A path in the user's own data folder.

    Not in a project: a recipe may come from a stranger together with its project's folder, and
    nothing that lies there is started unasked.
    """
    home = Path.home()
    if sys.platform == "win32":
        data = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        data = home / "Library" / "Application Support"
    else:
        data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    return data.joinpath("sftrecipe", *names)


@cache
def install_command() -> str:
    """What installs a package beside sftrecipe, to be pasted: the shell's own `pip` may be that of
    another environment, and environments that uv makes have none."""
    python = Path(sys.executable)
    if find_spec("pip") is None:
        return f"{_uv_word()} pip install --python {quote(str(python))}"
    found = shutil.which("pip")
    if found is not None and Path(found).parent == python.parent:
        return "pip install"
    return f"{quote(str(python))} -m pip install"


def test_command() -> str:
    """What runs the tests of a package that `install_command` installed, to be pasted."""
    if install_command() == "pip install":
        return "pytest"
    return f"{quote(sys.executable)} -m pytest"


def install_into(python: Path) -> str:
    """What installs a package into another environment, which may have no pip, to be pasted."""
    if shutil.which("uv") is None and find_spec("pip"):
        return f"{quote(sys.executable)} -m pip --python {quote(str(python))} install"
    return f"{_uv_word()} pip install --python {quote(str(python))}"


def _uv_word() -> str:
    """The user's uv as a shell finds it: that of a clone's Quick start lies beside it."""
    beside = Path(sys.prefix).parent / ".uv" / "bin" / "uv"
    is_there = shutil.which("uv") is None and beside.is_file()
    return quote(str(beside)) if is_there else "uv"
