"""AugCon's tree with the real command: calls within the rule, and a kill in the midst of it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

FILE = Path(__file__).parents[3] / "benchmarks" / "augcon.py"


@pytest.fixture(name="benchmark")
def loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmark_augcon", FILE)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.heavy
def test_killed_in_the_tree_and_resumed(benchmark: ModuleType) -> None:
    facts = benchmark.measured(articles=6, concurrency=8)
    assert facts["contexts"] >= 48
    assert facts["calls"] <= facts["bound"]
    assert facts["killed_at"] < facts["calls"]
    assert facts["asked_twice"] <= facts["in_flight_at_most"]
    assert facts["rows"] == facts["calls"], "a row a node"
    assert facts["lost"] == 0
