"""A row-scoped plugin works in another process as it does here."""

from __future__ import annotations

import asyncio
import multiprocessing
import pickle
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from sftrecipe import Context
from sftrecipe.plugin import OptionFiles
from sftrecipe.testing import FakeModel, RowList

from .shipped import Reworded, Words, generate_there, judge_there, shouted

ROWS = RowList.of(
    {"instruction": "one", "output": "all is well"},
    {"instruction": "two", "output": "a forbidden thing"},
    {"instruction": "three", "output": "call 12345"},
)


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[ProcessPoolExecutor]:
    spawn = multiprocessing.get_context("spawn")
    with pytest.MonkeyPatch.context() as patch, ProcessPoolExecutor(1, mp_context=spawn) as pool:
        patch.syspath_prepend(Path(__file__).parents[2])  # as an installed plugin would be
        yield pool


def test_a_filter_judges_there_as_here(elsewhere: ProcessPoolExecutor, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("forbidden\n")
    files = OptionFiles({"words.txt": str(tmp_path / "words.txt")})
    ctx = Context(step="clean", files=files, seed=3)
    plugin = Words(words="words.txt", pattern=r"\d{5}")
    here = [plugin.judge_row(row, ctx) for row in ROWS]
    assert [verdict.reason for verdict in here if not verdict.keep] == ["word", "pattern"]
    assert set(ctx.made) == {"words", "pattern"}, "read once, not for every row"
    shipped = pickle.dumps((plugin, ctx.detached(), list(ROWS)))
    there = pickle.loads(elsewhere.submit(judge_there, shipped).result())
    assert there == here


def test_a_generator_asks_the_model_of_the_other_process(elsewhere: ProcessPoolExecutor) -> None:
    plugin = Reworded()
    ctx = Context(step="reword", models={"": FakeModel(shouted)})
    shipped = pickle.dumps((plugin, ctx.detached(), list(ROWS)))
    there = pickle.loads(elsewhere.submit(generate_there, shipped).result())

    async def here() -> list[object]:
        return [item async for item in plugin.generate(ROWS, ctx)]

    assert there == asyncio.run(here())
