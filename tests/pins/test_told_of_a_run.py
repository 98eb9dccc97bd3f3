"""What a run, a plan and a sweep tell of themselves has the keys that it had: others read it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.standin import StandIn, stand_in
from tests.support.sweep_runs import Sweeping

from .pinned import hold

MEANING = """\
What is told of a run in JSON has other keys: scripts of users that read it break, and runs that an
older version left cannot be read by code that looks for the new ones alone."""
OF_THE_RECIPE = ("document", "USD")
"""Keys that the recipe decides, or below which it does."""
BLOCKS = {
    "generate": [
        {"id": "asked", "use": "respond", "from": "a", "provider": "teacher",
         "with": {"replace": True, "max_tokens": 60}},
    ],
    "filter": [
        {"id": "long_enough", "use": "length", "on": "asked",
         "with": {"field": "output", "min_chars": 2}},
        {"id": "once", "use": "exact_dedup", "on": "b"},
    ],
    "mix": {"total": 12, "weights": {"asked": 1, "b": 1}, "on_shortage": "scale"},
    "export": [
        {"use": "llamafactory", "with": {"formatting": "alpaca", "holdout": 2}},
        {"id": "lines", "use": "jsonl"},
    ],
    "train": {"use": "toy", "on": "lines"},
    "evaluate": [
        {"id": "judged", "use": "toy", "on": "exam", "provider": "tuned",
         "gate": {"loss": {"at_most": 99}}},
    ],
    "budget": {"max_calls": 500, "max_tokens": 100000},
}  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with stand_in() as running:
        yield running


@pytest.fixture
def project(server: StandIn, tmp_path: Path) -> Sweeping:
    project = Sweeping(tmp_path / "project")
    price = {"input": 1, "output": 2, "currency": "USD"}
    teacher = {"use": "openai", "base_url": server.url, "model": "m", "api_key": "", "price": price}
    whole = BLOCKS | {"providers": {"teacher": teacher}}
    # Half of a stream twice, so that something is rejected.
    rows = [{"instruction": f"b {n % 10}", "output": "x"} for n in range(20)]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (project.folder / "b.jsonl").write_text(text)
    project.write(None, **whole)
    return project


def shape(value: Any) -> Any:
    """The keys of what is told, without the values.

    Items of a list are laid over one another, but for steps, which have the keys of their section.
    """
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items() if name not in OF_THE_RECIPE}
    together: Any = "value"
    for item in value if isinstance(value, list) else ():
        if isinstance(item, dict):
            name = f"of {item['section']}" if "parts" in item else "each"
            together = _laid_over(together, {name: shape(item)})
    return together


def _laid_over(below: Any, above: Any) -> Any:
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return below if isinstance(below, dict) else above
    both = {name: _laid_over(below[name], above[name]) for name in below if name in above}
    return below | above | both


def held(**told: Any) -> None:
    hold("told_keys", {name: shape(value) for name, value in told.items()}, MEANING)


def test_a_run(project: Sweeping) -> None:
    planned = json.loads(project.command("plan", "recipe.yaml", "--json").stdout)
    done = project.command("run", "recipe.yaml", "--json")
    assert done.returncode == 0, done.stderr
    left = json.loads((project.out / "run.json").read_text())
    assert [step["section"] for step in left["steps"]] == [
        *("sources", "sources", "filter", "sources", "generate", "filter", "mix"),
        *("export", "export", "train", "evaluate"),
    ]
    finished = json.loads(project.command("plan", "recipe.yaml", "--json").stdout)
    told = {"run --json": json.loads(done.stdout), "plan --json": planned}
    held(**{"run.json": left, **told, "plan --json, all cached": finished})


def test_a_sweep(project: Sweeping) -> None:
    project.write({})
    held(**{"sweep --json": project.sweep()})
    held(**{"sweep.json": json.loads((project.out / "sweep.json").read_text())})
