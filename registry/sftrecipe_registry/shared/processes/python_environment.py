"""The Python of another environment, as a recipe or the machine names it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from sftrecipe.plugin import MachineCheck, Permission, environment_of

TRAINING_ENVIRONMENT = "SFTRECIPE_TRAIN_ENV"
"""The variable that names the environment which trainings, and models with PyTorch, run in."""
MAKE_TRAINING_ENVIRONMENT = (
    "make its environment: sftrecipe env train (--cpu without a GPU); or name one's folder in "
    f"{TRAINING_ENVIRONMENT}; without it a run still writes train.yaml"
)


def environment_python(setting: str) -> Path:
    """The python of a setting: itself, or a virtual environment's folder."""
    path = Path(setting).expanduser()
    # Not resolved: a virtual environment's python is a link to one that is not the environment's.
    return path / "bin" / "python" if path.is_dir() else path


def setting_problem(setting: str) -> str | None:
    """What is wrong with a setting; None where its python can be started."""
    python = environment_python(setting)
    if not python.is_absolute():
        return f"'{setting}' is not an absolute path"
    if not python.exists():
        return f"'{python}' does not exist"
    if not python.name.startswith("python") or not python.is_file():
        return f"'{python}' is neither a python nor a virtual environment"
    if not os.access(python, os.X_OK):
        return f"'{python}' cannot be executed"
    return None


def named_environment(named: str, variable: str) -> str:
    """The environment that a recipe names, else the machine's: a variable's, or a made one."""
    return named or os.path.abspath(environment_of(variable) or "")  # noqa: PTH100 - keeps links


def named_problem(named: str, variable: str, package: str, strangers: Sequence[Path]) -> str | None:
    """What is wrong with the environment that has a package; None where it can be started.

    `strangers`: folders that come with the recipe, of which its word starts nothing.
    """
    if not named and not environment_of(variable):
        return f"no environment that has {package} is named"
    if named.startswith("~"):
        return f"python '{named}' is not an absolute path"
    if message := setting_problem(named_environment(named, variable)):
        return f"python {message}"
    if named and any(within(environment_python(named), folder) for folder in strangers):
        return f"python '{named}' lies in the project, and a recipe starts nothing from there"
    return None


def python_permissions(path: tuple[str, ...], named: str, variable: str) -> Iterator[Permission]:
    """A program that a recipe names is code; what the user's own variable names too is not asked.

    Where it lies says nothing: a stranger may know of one that somebody else put there.
    """
    own = environment_of(variable)
    if named and (not own or environment_python(own) != environment_python(named)):
        yield Permission(path, "python", "code", named)


def missing_environment(
    named: str, variable: str, package: str, advice: str
) -> Iterator[MachineCheck]:
    """The machine's environment that has a package, where it cannot be started.

    One that the recipe names is the recipe's own business: `named_problem` tells of it.
    """
    if not named and (message := named_problem(named, variable, package, ())):
        yield MachineCheck("fault", message, advice)


def within(python: Path, folder: Path) -> bool:
    """Whether a python, or its environment, lies in a folder, links followed.

    A recipe may come from a stranger together with its folder: what lies there is not started on
    the recipe's word.
    """
    return any(path.is_relative_to(folder.resolve()) for path in _places(python))


def _places(python: Path) -> Iterator[Path]:
    yield python.resolve()
    yield python.parent.resolve()
