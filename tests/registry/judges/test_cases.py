"""The cases in tests/cases/judge: rows, options, scripted models, and what a judge finds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.registry.judges.scripted import asked_text, context_of, models_of

from sftrecipe import Judge, PluginRefused
from sftrecipe.plugin import OptionFiles
from sftrecipe.plugin.discovery import plugin_class, plugins
from sftrecipe.testing import RowList

FOLDER = Path(__file__).parents[2] / "cases" / "judge"
CASES = [
    pytest.param(path.stem, case, id=f"{path.stem}: {case['case']}")
    for path in sorted(FOLDER.glob("*.yaml"))
    for case in yaml.safe_load(path.read_text("utf-8"))
]


def test_every_judge_has_cases() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(plugins("judge"))


@pytest.mark.parametrize(("name", "case"), CASES)
@pytest.mark.parametrize("concurrency", [1, 64])
async def test_case(name: str, case: dict[str, Any], concurrency: int) -> None:
    plugin = plugin_class("judge", name).model_validate(case["with"])
    assert isinstance(plugin, Judge)
    problems = [problem.message for problem in plugin.problems(None, OptionFiles({}))]
    assert problems == case.get("problems", [])
    if problems:
        return
    rows = RowList.of(*case["rows"], stream="holdout")
    models = models_of(case, seed=concurrency)
    language = case.get("language", "en")
    context = context_of(plugin, models, language=language, concurrency=concurrency)
    if "refused" in case:
        with pytest.raises(PluginRefused) as refusal:
            await plugin.evaluate(rows, context)
        assert str(refusal.value) == case["refused"]
        return
    judgement = await plugin.evaluate(rows, context)
    metrics = dict(judgement.metrics)
    wanted = case["metrics"]
    assert {name: metrics.get(name) for name in wanted} == pytest.approx(wanted, abs=1e-12)
    names = plugin.metrics()
    assert names is not None and names >= metrics.keys()
    assert [row.parents for row in judgement.rows] == [(row.id,) for row in rows]
    told = [row.tags.get("invalid") or row.tags.get("verdict", "judged") for row in judgement.rows]
    assert told == case.get("judged", ["judged"] * len(rows))
    for key in ("invalid", "orders"):
        assert judgement.notes.get(key, {}) == case.get(key, judgement.notes.get(key, {}))
    assert context.counts == case.get("counts", {})
    for place, columns in case.get("columns", {}).items():
        shown = judgement.rows[place].columns
        assert {name: shown.get(name) for name in columns} == columns
    for who, parts in case.get("asked", {}).items():
        texts = [asked_text(each) for each in models["" if who == "judge" else who].requests]
        for part in parts:
            assert any(part in text for text in texts), texts
    least, most = plugin.expected(len(rows), len(rows)).calls
    calls = sum(len(model.requests) for model in models.values())
    assert calls == case.get("calls", calls)
    assert most is not None and calls <= most
    if not judgement.notes["invalid"]:
        assert least <= calls
