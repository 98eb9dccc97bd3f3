"""Every trap in users' data and arguments is told before a training, and the real loader falls."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sftrecipe_registry.llamafactory import trainer as llamafactory
from sftrecipe_registry.llamafactory.training import environment as training_environment

from ...support.training_environment import ABSENT, training_python
from ...support.training_model import answered, small_model
from .preflight_cases import CASES, Case
from .preflighting import faults, preflight, told, write_data


@pytest.fixture
def no_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(training_environment, "_places", lambda: iter(()))
    llamafactory.argument_table.cache_clear()
    yield
    llamafactory.argument_table.cache_clear()


def _named(case: Case) -> str:
    return case.dataset or case.name


@pytest.mark.usefixtures("no_environment")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_trap_is_told(case: Case, tmp_path: Path) -> None:
    write_data(tmp_path / "data", f"{case.name}.{case.suffix}", case.content, case.entry)
    found = preflight(
        tmp_path / "run",
        **{"dataset": _named(case), "dataset_dir": "../data", "stage": case.stage},
        **case.arguments,
    )
    if case.state == "nothing":
        assert told(found) == []
        return
    assert any(
        (state, check) == (case.state, case.check) and case.message in message
        for state, check, message in told(found)
    ), told(found)
    if case.state == "warning":
        assert faults(found) == []


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What LLaMA-Factory makes of every case: one process for all."""
    python = training_python()
    if python is None:
        pytest.skip(ABSENT)
    folder = tmp_path_factory.mktemp("data")
    model = small_model(tmp_path_factory.mktemp("model"))
    asked = []
    for case in CASES:
        write_data(folder, f"{case.name}.{case.suffix}", case.content, case.entry)
        asked.append(
            {
                **{"dataset_dir": str(folder), "dataset": _named(case), "stage": case.stage},
                **{"template": "smollm2", "model": str(model), "arguments": case.arguments},
            }
        )
    answers = answered(python, asked)
    return dict(zip((case.name for case in CASES), answers, strict=True))


@pytest.mark.heavy
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_llamafactory_itself_says_little(case: Case, loaded: dict[str, dict[str, Any]]) -> None:
    answer = loaded[case.name]
    if case.outcome == "fails":
        assert case.seen in answer["error"]
        return
    assert answer["dropped"] == case.dropped
    if case.outcome == "drops" and answer["rows"] == case.dropped:
        assert "Cannot find valid samples" in answer["error"]
        return
    assert answer["error"] is None
    if case.outcome == "misreads":
        learned = "".join(run["text"] for run in answer["first"][0]["text"])
        assert case.seen in learned
    elif case.outcome == "drops":
        assert answer["examples"] == answer["rows"] - case.dropped
