"""The cases in tests/cases/exporter: rows, options, and what lies in the folder afterwards."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from sftrecipe import PluginRefused
from sftrecipe.plugin import OptionFiles
from sftrecipe.plugin.discovery import plugin_class
from sftrecipe.testing import RowList

from ...support.exports import export

FOLDER = Path(__file__).parents[2] / "cases" / "exporter"
CASES = [
    pytest.param(file.stem, case, id=f"{file.stem}: {case['case']}")
    for file in sorted(FOLDER.glob("*.yaml"))
    for case in yaml.safe_load(file.read_text("utf-8"))
]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_case(name: str, case: dict[str, Any], tmp_path: Path) -> None:
    if find_spec(case.get("needs", "sys")) is None:
        pytest.skip(f"needs the package {case['needs']}")
    plugin = plugin_class("exporter", name).model_validate(case["with"])
    problems = [problem.message for problem in plugin.problems(None, OptionFiles({}))]
    assert problems == case.get("problems", [])
    if problems:
        return
    rows = RowList.of(*case["rows"])
    if "refused" in case:
        with pytest.raises(PluginRefused) as refusal:
            export(name, rows, tmp_path, **case["with"])
        assert case["refused"] in str(refusal.value)
        assert list(tmp_path.iterdir()) == []
        return
    made = export(name, rows, tmp_path, **case["with"])
    assert [[reason, value] for _, reason, value in made.rejects] == case.get("rejects", [])
    written = {file for data_set in made.sets for file in data_set.files}
    assert {file: content(tmp_path / file) for file in written} == case["files"]
    assert len(rows) == sum(data_set.rows for data_set in made.sets) + len(made.rejects)


def content(path: Path) -> list[Any]:
    """The rows of a file or folder."""
    if path.is_dir():
        import datasets  # noqa: PLC0415

        return list(datasets.load_from_disk(str(path)))
    if path.suffix == ".parquet":
        return list(pq.read_table(path).to_pylist())
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_bytes().splitlines()]
    return list(json.loads(path.read_bytes()))
