"""Columns that no benchmark has are told at `validate`, where its files can be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from sftrecipe.plugin import OptionFiles
from sftrecipe_registry.filters.repeats.decontaminate import Decontaminate

FILES = {
    "bench.jsonl": '{"question": "Is the earth flat?", "answer": "no"}\n',
    "other.csv": "prompt,label\nIs it round?,yes\n",
    "broken.json": "[{",
}


@pytest.mark.parametrize(
    ("benchmarks", "columns", "told"),
    [
        (("bench.jsonl",), ("nope",), ["nope"]),
        (("bench.jsonl", "other.csv"), ("question", "prompt", "promt"), ["promt"]),
        (("bench.jsonl",), ("question",), []),
        (("bench.jsonl", "broken.json"), ("nope",), []),
        (("bench.jsonl", "missing.json"), ("nope",), []),
    ],
)
def test_unknown_columns(
    tmp_path: Path, benchmarks: tuple[str, ...], columns: tuple[str, ...], told: list[str]
) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, "utf-8")
    files = OptionFiles({name: str(tmp_path / name) for name in benchmarks})
    plugin = Decontaminate(benchmarks=benchmarks, columns=columns)
    problems = [*plugin.problems(None, files)]
    assert [columns[int(problem.path[1])] for problem in problems] == told
    assert all("question" in problem.message for problem in problems)
