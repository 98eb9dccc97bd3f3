"""The cases in tests/cases/filter: rows, options, and the verdict on every row."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from sftrecipe import Context, Filter, PluginRefused, RowFilter, Verdict
from sftrecipe.kinds import OptionFiles
from sftrecipe.plugin.discovery import plugin_class
from sftrecipe.testing import RowList

FOLDER = Path(__file__).parents[1] / "cases" / "filter"
PLUGINS = ("augcon_filter", "length", "regex", "blacklist", "exact_dedup", "rouge_novelty")
CASES = [
    pytest.param(name, case, id=f"{name}: {case['case']}")
    for name in PLUGINS
    for case in yaml.safe_load((FOLDER / f"{name}.yaml").read_text("utf-8"))
]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_case(name: str, case: dict[str, Any], tmp_path: Path) -> None:
    plugin = plugin_class("filter", name).model_validate(case["with"])
    assert isinstance(plugin, Filter)
    if find_spec(case.get("needs", "sys")) is None:
        pytest.skip(f"needs the package {case['needs']}")
    files = OptionFiles({value: str(tmp_path / value) for value in case.get("files", {})})
    problems = [problem.message for problem in plugin.problems(None, files)]
    assert problems == case.get("problems", [])
    if problems:
        return
    for value, text in case.get("files", {}).items():
        (tmp_path / value).write_text(text, "utf-8")
    context = Context("step", language=case.get("language", "en"), files=files)
    context.streams = {
        stream: RowList.of(*rows, stream=stream) for stream, rows in case.get("streams", {}).items()
    }
    rows = RowList.of(*(columns for columns, _ in case["rows"]))
    if "refused" in case:
        with pytest.raises(PluginRefused) as refusal:
            list(plugin.judge(rows, context))  # type: ignore[arg-type]
        assert case["refused"] in str(refusal.value)
        return
    verdicts: list[Verdict] = list(plugin.judge(rows, context))  # type: ignore[arg-type]
    assert len(verdicts) == len(rows)
    for verdict, (_, expected) in zip(verdicts, case["rows"], strict=True):
        _check(verdict, expected, rows)
    if isinstance(plugin, RowFilter):
        assert [plugin.judge_row(row, context) for row in rows] == verdicts


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
