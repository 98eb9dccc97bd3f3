"""The cases in tests/cases/filter: rows, options, and the verdict on every row."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.registry.filters.judging import judged

from sftrecipe import Context, Filter, PluginRefused, RowFilter, Verdict
from sftrecipe.plugin import OptionFiles
from sftrecipe.plugin.discovery import plugin_class
from sftrecipe.testing import RowList

FOLDER = Path(__file__).parents[2] / "cases" / "filter"
CASES = [
    pytest.param(path.stem, case, id=f"{path.stem}: {case['case']}")
    for path in sorted(FOLDER.glob("*.yaml"))
    if not plugin_class("filter", path.stem).needs  # those that ask models have tests of their own
    for case in yaml.safe_load(path.read_text("utf-8"))
]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_case(name: str, case: dict[str, Any], tmp_path: Path) -> None:
    plugin = plugin_class("filter", name).model_validate(case["with"])
    assert isinstance(plugin, Filter)
    if find_spec(case.get("needs", "sys")) is None:
        pytest.skip(f"needs the package {case['needs']}")
    files = OptionFiles({value: str(tmp_path / value) for value in case.get("files", {})})
    inputs = frozenset(case["columns"]) if "columns" in case else None
    problems = [problem.message for problem in plugin.problems(inputs, files)]
    assert problems == case.get("problems", [])
    if problems:
        return
    for value, text in case.get("files", {}).items():
        (tmp_path / value).write_text(text, "utf-8")
    context = Context("step", language=case.get("language", "en"), files=files)
    context.streams = {
        stream: RowList.of(*rows, stream=stream) for stream, rows in case.get("streams", {}).items()
    }
    rows, expectations = _rows(case)
    if "refused" in case:
        with pytest.raises(PluginRefused) as refusal:
            judged(plugin, rows, context)
        assert case["refused"] in str(refusal.value)
        return
    verdicts = judged(plugin, rows, context)
    assert len(verdicts) == len(rows)
    for verdict, expected in zip(verdicts, expectations, strict=True):
        _check(verdict, expected, rows)
    if isinstance(plugin, RowFilter):
        assert [plugin.judge_row(row, context) for row in rows] == verdicts


def _rows(case: dict[str, Any]) -> tuple[RowList, list[str | dict[str, Any]]]:
    """The case's rows and what is expected of each.

    A row is `[columns, expected]`, or `{columns, tags, scores}` with what is expected beside them.
    """
    given = [
        {"columns": row[0], "expected": row[1]} if isinstance(row, list) else dict(row)
        for row in case["rows"]
    ]
    rows = RowList.of(*(row.pop("columns") for row in given))
    for place, row in enumerate(given):
        scores = dict(row.pop("scores", {}))
        for name, values in case.get("scores", {}).items():
            scores |= {} if values[place] is None else {name: values[place]}
        rows[place] = rows[place]._replace(scores=scores, tags=row.pop("tags", {}))
    return rows, [row.pop("expected", row or "keep") for row in given]


def _check(verdict: Verdict, expected: str | dict[str, Any], rows: RowList) -> None:
    if expected == "keep":
        assert verdict.keep, verdict
        return
    assert isinstance(expected, dict)
    wanted = dict(expected)
    assert verdict.keep is wanted.pop("keep", False), verdict
    if "repeats" in wanted:
        assert verdict.detail.split(" ")[0] == rows[wanted.pop("repeats")].id
    if "value" in wanted:
        assert verdict.value == pytest.approx(wanted.pop("value"), abs=1e-12)
    assert {key: getattr(verdict, key) for key in wanted} == wanted
