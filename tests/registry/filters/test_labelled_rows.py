"""What a plugin's page says a filter is worth: the command finds it again on the same rows."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sftrecipe.plugin.discovery import plugin_class
from sftrecipe.plugin.measured import Measured, measured

BENCH = Path(__file__).parents[3] / "benchmarks" / "filters"
sys.path.insert(0, str(BENCH))

from judged import Judged, judge  # noqa: E402
from tasks import LANGUAGES, TASKS, figure_name  # noqa: E402

HELD = BENCH / "rows" / "held"


def figures(name: str, language: str) -> dict[str, Measured]:
    task = TASKS[name]
    found = measured(plugin_class("filter", task.use), task.use)
    return {each.what: each for each in found if each.language == language}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", TASKS)
def test_a_filter_is_worth_what_its_page_says(name: str, language: str) -> None:
    known = figures(name, language)
    for what, judged in judge(HELD, TASKS[name], language).items():
        told = known[figure_name(name, what)]
        assert _counts(judged) == (told.found, told.missed, told.wrong, told.right), what


def _counts(judged: Judged) -> tuple[int, int, int, int]:
    return judged.found, len(judged.missed), len(judged.wrong), judged.right
