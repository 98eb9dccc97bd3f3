"""The Python of another environment, as a recipe or the machine names it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from sftrecipe.plugin import MachineCheck, Permission, Text, Texts, environment_of

texts = Texts(__package__)
TRAINING_ENVIRONMENT = "SFTRECIPE_TRAIN_ENV"
"""The variable that names the environment which trainings, and models with PyTorch, run in."""


def make_training_environment() -> Text:
    """What to do where the machine has none."""
    return texts("make-training-environment", variable=TRAINING_ENVIRONMENT)


def set_variable(variable: str) -> Text:
    """What to do where the variable names no environment that can be started."""
    return texts("set-variable", variable=variable)


def environment_python(setting: str) -> Path:
    """The python of a setting: itself, or a virtual environment's folder."""
    path = Path(setting).expanduser()
    # Not resolved: a virtual environment's python is a link to one that is not the environment's.
    return path / "bin" / "python" if path.is_dir() else path


def _setting_problem(setting: str) -> Text | None:
    """What is wrong with a setting; None where its python can be started."""
    python = environment_python(setting)
    if not python.is_absolute():
        return texts("not-absolute", python=setting)
    if not python.exists():
        return texts("not-there", python=python)
    if not python.name.startswith("python") or not python.is_file():
        return texts("no-python", python=python)
    if not os.access(python, os.X_OK):
        return texts("not-executable", python=python)
    return None


def named_environment(named: str, variable: str) -> str:
    """The environment that a recipe names, else the machine's: a variable's, or a made one."""
    return named or os.path.abspath(environment_of(variable) or "")  # noqa: PTH100 - keeps links


def named_problem(
    named: str, variable: str, package: str, strangers: Sequence[Path]
) -> Text | None:
    """What is wrong with the environment that has a package; None where it can be started.

    `strangers`: folders that come with the recipe, of which its word starts nothing.
    """
    if not named and not environment_of(variable):
        return texts("none-named", package=package)
    if named.startswith("~"):
        return texts("not-absolute", python=named)
    if problem := _setting_problem(named_environment(named, variable)):
        return problem
    if named and any(within(environment_python(named), folder) for folder in strangers):
        return texts("in-project", python=named)
    return None


def python_permissions(path: tuple[str, ...], named: str, variable: str) -> Iterator[Permission]:
    """A program that a recipe names is code; what the user's own variable names too is not asked.

    Where it lies says nothing: a stranger may know of one that somebody else put there.
    """
    own = environment_of(variable)
    if named and (not own or environment_python(own) != environment_python(named)):
        yield Permission(path, "python", "code", named)


def missing_environment(
    named: str, variable: str, package: str, advice: Callable[[], str]
) -> Iterator[MachineCheck]:
    """The machine's environment that has a package, where it cannot be started.

    One that the recipe names is the recipe's own business: `named_problem` tells of it.
    """
    if not named and (problem := named_problem(named, variable, package, ())):
        yield MachineCheck("fault", problem, advice())


def within(python: Path, folder: Path) -> bool:
    """Whether a python, or its environment, lies in a folder, links followed.

    A recipe may come from a stranger together with its folder: what lies there is not started on
    the recipe's word.
    """
    return any(path.is_relative_to(folder.resolve()) for path in _places(python))


def _places(python: Path) -> Iterator[Path]:
    yield python.resolve()
    yield python.parent.resolve()
