"""The Python of another environment, as a recipe or the machine names it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from sftrecipe.plugin import (
    MachineCheck,
    OptionProblem,
    Permission,
    PluginError,
    Text,
    Texts,
    environment_of,
    unfinished_environment,
)

texts = Texts(__package__)
TRAINING_ENVIRONMENT = "SFTRECIPE_TRAIN_ENV"
"""The variable that names the environment which trainings, and models with PyTorch, run in."""


def make_training_environment() -> Text:
    """What to do where the machine has none, or half of one."""
    if folder := unfinished_environment(TRAINING_ENVIRONMENT):
        return texts("make-again", folder=folder)
    return texts("make-training-environment", variable=TRAINING_ENVIRONMENT)


def half_made(folder: Path) -> Text:
    """What is said of an environment whose making was interrupted, or goes on still."""
    return texts("half-made", folder=folder)


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


class PythonEnvironment(NamedTuple):
    """The environment that has a package: the one that a recipe names, else the machine's."""

    named: str
    """By the recipe; empty where it names none."""
    variable: str
    """What names the machine's."""
    package: Callable[[], str]
    """What it has, as messages name it."""

    def problem(self, *strangers: Path) -> Text | None:
        """What is wrong with it; None where it can be started.

        `strangers`: folders that come with the recipe, of which its word starts nothing.
        """
        if not self.named and (folder := unfinished_environment(self.variable)):
            return half_made(folder)
        if not self.named and not environment_of(self.variable):
            return texts("none-named", package=self.package())
        if self.named.startswith("~"):
            return texts("not-absolute", python=self.named)
        if problem := _setting_problem(named_environment(self.named, self.variable)):
            return problem
        if self.named and any(within(environment_python(self.named), each) for each in strangers):
            return texts("in-project", python=self.named)
        return None

    def problems(self, path: tuple[str, ...]) -> Iterator[OptionProblem]:
        """What is wrong with the recipe's word, which stands there."""
        if self.named and (problem := self.problem(Path.cwd())):
            yield OptionProblem(path, problem, texts("set-variable", variable=self.variable))

    def permissions(self, path: tuple[str, ...]) -> Iterator[Permission]:
        """A program that a recipe names is code; what the user's own variable names too is not
        asked.

        Where it lies says nothing: a stranger may know of one that somebody else put there.
        """
        own = environment_of(self.variable)
        if self.named and (not own or environment_python(own) != environment_python(self.named)):
            yield Permission(path, "python", "code", self.named)

    def missing(self, advice: Callable[[], str]) -> Iterator[MachineCheck]:
        """The machine's, where it cannot be started; of the recipe's, `problems` tells."""
        if not self.named and (problem := self.problem()):
            yield MachineCheck("fault", problem, advice())

    def versions(self, *names: str) -> dict[str, str | None]:
        """Versions of packages that it has installed; None: it has none, or is not there."""
        found: dict[str, str | None] = dict.fromkeys(names)
        if not self.named and not environment_of(self.variable):
            return found
        python = environment_python(named_environment(self.named, self.variable))
        for folder in sorted(python.parent.parent.glob("lib/*/site-packages")):
            found |= {name: installed_version(folder, name) or found[name] for name in names}
        return found

    def python(self, project: Path) -> Path:
        """What to start for a recipe of a project. Raises PluginError.

        Looked at again: what was found at `validate` may be gone, and the project is known now.
        """
        if problem := self.problem(Path.cwd(), project):
            raise PluginError(
                "server-python",
                "server-python",
                error=problem,
                package=self.package(),
                variable=self.variable,
            )
        return environment_python(named_environment(self.named, self.variable))


def within(python: Path, folder: Path) -> bool:
    """Whether a python, or its environment, lies in a folder, links followed.

    A recipe may come from a stranger together with its folder: what lies there is not started on
    the recipe's word.
    """
    return any(path.is_relative_to(folder.resolve()) for path in _places(python))


def _places(python: Path) -> Iterator[Path]:
    yield python.resolve()
    yield python.parent.resolve()


def installed_version(site_packages: Path, package: str) -> str | None:
    """The version of an installed package, as its metadata's folder says; None: there is none."""
    names = sorted(path.name for path in site_packages.glob(f"{package}-*.dist-info"))
    return names[-1].removeprefix(f"{package}-").removesuffix(".dist-info") if names else None
