"""What `doctor` finds of the environment that LLaMA-Factory trains in."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

import pytest

from sftrecipe import PluginRefused
from sftrecipe_registry.llamafactory.preflight import encoding as preflight_encoding
from sftrecipe_registry.llamafactory.preflight.encoding import encoding_report
from sftrecipe_registry.llamafactory.training import environment as training_environment
from sftrecipe_registry.llamafactory.training.environment import check_training
from sftrecipe_registry.shared.processes.python_environment import TRAINING_ENVIRONMENT

from ...support.training_environment import ABSENT, training_python


@pytest.fixture(autouse=True)
def no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_environment.shutil, "which", lambda name: None)
    monkeypatch.delenv(TRAINING_ENVIRONMENT, raising=False)


def _environment(folder: Path) -> Path:
    package = folder / "lib" / "python3.11" / "site-packages" / "llamafactory"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    return folder


def test_there_is_none() -> None:
    (found,) = check_training()
    assert found.state == "warning"
    assert TRAINING_ENVIRONMENT in (found.advice or "")


def test_the_named_folder_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TRAINING_ENVIRONMENT, str(tmp_path))
    (found,) = check_training()
    assert str(tmp_path) in found.found


def test_there_is_no_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TRAINING_ENVIRONMENT, str(_environment(tmp_path)))
    (found,) = check_training()
    assert (found.state, "no python" in found.found) == ("fault", True)


def test_it_cannot_be_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TRAINING_ENVIRONMENT, str(_environment(tmp_path)))
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    python.chmod(0o755)
    (found,) = check_training()
    assert found.state == "fault"
    assert "No module named 'torch'" in found.found


@pytest.mark.parametrize("says", ["", "no {json"])
def test_what_is_no_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str) -> None:
    monkeypatch.setenv(TRAINING_ENVIRONMENT, str(_environment(tmp_path)))
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin" / "python"
    python.write_text(f"#!/bin/sh\nprintf '{says}'\n")
    python.chmod(0o755)
    (found,) = check_training()
    assert found.state == "fault"
    assert "is no python that works" in found.found
    (tmp_path / "rows.jsonl").touch()
    with pytest.raises(PluginRefused, match="is no python that works"):
        encoding_report(python, {}, tmp_path, tmp_path / "rows.jsonl")


@pytest.mark.heavy
def test_the_real_one(monkeypatch: pytest.MonkeyPatch) -> None:
    python = training_python()
    if python is None:
        pytest.skip(ABSENT)
    monkeypatch.setenv(TRAINING_ENVIRONMENT, str(python.parents[1]))
    (found,) = check_training()
    assert found.found.startswith("LLaMA-Factory 0.")
    gpu = shutil.which("nvidia-smi") is not None
    assert found.state == ("ok" if gpu else "warning"), found


def test_a_python_that_does_not_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TRAINING_ENVIRONMENT, str(_environment(tmp_path)))
    monkeypatch.setattr(training_environment, "_SECONDS", 0.5)
    monkeypatch.setattr(preflight_encoding, "SECONDS", 0.5)
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    started = tmp_path / "started"
    # What it started holds its pipes open, and would go on.
    python.write_text(f"#!/bin/sh\nsleep 600 &\necho $! >> {started}\nwait\n")
    python.chmod(0o755)
    begun = time.monotonic()
    (found,) = check_training()
    assert (found.state, "within 0.5 s" in found.found) == ("fault", True)
    with pytest.raises(PluginRefused, match=r"did not encode the rows within 0\.5 s"):
        encoding_report(python, {"stage": "sft"}, tmp_path, tmp_path / "rows")
    assert time.monotonic() - begun < 30
    for number in started.read_text().split():
        assert (
            not Path(f"/proc/{number}/cmdline").exists()
            or not Path(f"/proc/{number}/cmdline").read_bytes()
        )
