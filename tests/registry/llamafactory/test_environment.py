"""`sftrecipe env train`: what it refuses, how it fails, and that it is not made twice.

That it makes one that trains is seen by `.ci/llamafactory-env`, which is this command.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from sftrecipe import PluginRefused
from sftrecipe.plugin.environments import (
    environment_of,
    made_environment,
    unfinished_environment,
)
from sftrecipe_registry.llamafactory.training import make_environment as llamafactory_environment
from sftrecipe_registry.llamafactory.training.make_environment import _identity, make_environment
from sftrecipe_registry.shared.processes.maker_lock import locked_mark
from sftrecipe_registry.shared.processes.python_environment import named_environment

from ...support.training_environment import ABSENT, training_python

SFTRECIPE = Path(sys.executable).with_name("sftrecipe")


def refused(folder: Path, said: list[str] | None = None) -> str:
    with pytest.raises(PluginRefused) as refusal:
        make_environment(folder, (said if said is not None else []).append, cpu=True)
    return str(refusal.value)


def test_a_folder_of_somebody_elses_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").touch()
    assert "is not empty, and no environment of sftrecipe's" in refused(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["precious"]


def test_a_small_disk_is_told_before_anything_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1 << 32, 0, 1 << 30))
    assert "has 1.0 GiB of free disk, the environment needs 3" in refused(tmp_path / "env")


@pytest.mark.skipif(shutil.which("uv") is None, reason="needs uv")
def test_without_a_network_it_says_so_and_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path))
    said: list[str] = []
    folder = tmp_path / "env"
    message = refused(folder, said)
    assert message.startswith("uv failed (")
    assert "network" in message.lower()
    assert said[0] == f"making the environment in {folder}"
    assert not (folder / ".complete").exists()
    assert refused(folder) == message


def test_a_complete_one_is_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llamafactory_environment, "_install", None)
    (tmp_path / ".complete").write_text(_identity(True))
    said: list[str] = []
    make_environment(tmp_path, said.append, cpu=True)
    assert said == [f"the environment in {tmp_path} is complete"]


def test_the_one_of_the_tests_is_what_it_makes() -> None:
    python = training_python()
    if python is None:
        pytest.skip(ABSENT)
    assert (python.parents[1] / ".complete").read_text() == _identity(True)


def test_who_begins_anew_waits_for_what_a_killed_one_left(tmp_path: Path) -> None:
    """The installer of a killed maker goes on writing, and holds the mark."""
    mark = tmp_path / ".incomplete"
    with locked_mark(mark, pytest.fail) as held:
        sleeper = [sys.executable, "-c", "import time; time.sleep(1)"]
        left = subprocess.Popen(sleeper, pass_fds=(held,))
    waited: list[bool] = []
    with locked_mark(mark, lambda: waited.append(left.poll() is None)):
        assert left.wait(timeout=60) == 0
    assert waited == [True]


def test_one_that_is_made_anew_is_not_whole_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if it was killed at any moment of its emptying: the mark of a whole one goes first."""
    (tmp_path / ".complete").write_text("other pins")
    (tmp_path / "lib").mkdir()

    def killed(folder: Path) -> None:
        assert folder == tmp_path / "lib"
        assert not (tmp_path / ".complete").exists()
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        make_environment(tmp_path, lambda _: None, cpu=True)
    monkeypatch.setenv("SFTRECIPE_TRAIN_ENV", str(tmp_path))
    assert unfinished_environment("SFTRECIPE_TRAIN_ENV") == tmp_path


@pytest.mark.parametrize(
    ("platform", "variables", "folder"),
    [
        ("linux", {"XDG_DATA_HOME": "/data"}, "/data/sftrecipe/envs/train"),
        ("linux", {"XDG_DATA_HOME": ""}, "/home/me/.local/share/sftrecipe/envs/train"),
        ("darwin", {}, "/home/me/Library/Application Support/sftrecipe/envs/train"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/sftrecipe/envs/train"),
    ],
)
def test_it_lies_in_the_users_own_folder(
    platform: str, variables: dict[str, str], folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    for name, value in {"HOME": "/home/me", **variables}.items():
        monkeypatch.setenv(name, value)
    assert made_environment("train") == Path(folder)


def test_the_made_one_is_found_where_no_other_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.delenv("SFTRECIPE_TRAIN_ENV", raising=False)
    folder = made_environment("train")
    folder.mkdir(parents=True)
    assert environment_of("SFTRECIPE_TRAIN_ENV") is None  # not made to its end
    (folder / ".complete").touch()
    assert named_environment("", "SFTRECIPE_TRAIN_ENV") == str(folder)
    monkeypatch.setenv("SFTRECIPE_TRAIN_ENV", "/envs/other")
    assert named_environment("", "SFTRECIPE_TRAIN_ENV") == "/envs/other"


def command(*arguments: object, **more: Any) -> subprocess.CompletedProcess[str]:
    words = [str(SFTRECIPE), "env", "train", *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, check=False, **more)


def test_the_command_prints_the_folder(tmp_path: Path) -> None:
    (tmp_path / ".complete").write_text(_identity(True))
    done = command("--cpu", "--path", ".", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"{tmp_path}\n")
    assert "is complete" in done.stderr
    assert command("--cpu", "-q", "--path", tmp_path).stderr == ""


def test_the_command_tells_a_failure_and_an_unknown_trainer(tmp_path: Path) -> None:
    (tmp_path / "precious").touch()
    done = command("--cpu", "--path", tmp_path)
    assert done.returncode == 1
    assert f"error[environment-failed]: the environment in '{tmp_path}' could" in done.stderr
    assert "hint: put that right" in done.stderr
    unknown = command("--use", "axolotl")
    assert unknown.returncode == 2
    assert "no trainer 'axolotl': dataflex, llamafactory" in unknown.stderr
