"""Every filter of the registry: what goes in is kept or rejected, whatever rows and replies are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.registry.filters.any_rows import COLUMNS, SCORES, answer, rows_of

from sftrecipe import CallFailed, Context, Filter, PluginRefused, Verdict
from sftrecipe.plugin import Answer, Request
from sftrecipe.plugin.discovery import plugin_class, plugins
from sftrecipe.record import new_record
from sftrecipe.testing import FakeModel, RowList, own_files

NAMES = [
    name for name, found in plugins("filter").items() if found.package.split()[0] == "sftrecipe"
]
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "augcon_filter": {"score": "s", "most": 2},
    "contrastive_scorer": {"pairs": "pairs", "steps": 2},
    "decontaminate": {"against": ["old"], "words": 2, "fewest": 1},
    "deita": {"embedder": "vectors"},
    "expression": {"keep": "len(output) > n"},
    "ifd": {"rate": 0.5},
    "instag": {"most": 3, "same_meaning": 0.9, "embedder": "vectors"},
    "length": {"min_chars": 2},
    "magpie_filter": {"longest": 5},
    "near_dedup": {"shingle": 1, "against": ["old"]},
    "regex": {"drop": ["a"]},
    "reward": {"min": 0},
    "rubric": {"prompt": "builtin:rubric/helpfulness"},
    "semantic_dedup": {"embedding": "provider", "against": ["old"]},
    "superfilter": {"number": 2},
    "top": {"column": "n", "most": 2},
}
"""What those need that cannot do without options."""
OLD = RowList.of({"instruction": "a map b?"}, {"text": "图片 map a", "output": "A b"}, stream="old")
PAIRS = RowList.of(
    *({"context": f"{n} a", "chosen": f"what is {n}", "rejected": "b"} for n in range(60))
)


def is_record(columns: dict[str, Any]) -> bool:
    """Whether a row can be made of them: not of numbers and characters that JSON cannot hold."""
    try:
        new_record("rows", columns, origin="")
    except TypeError:
        return False
    return True


def answer_or_fail(request: Request) -> str | Answer:
    """Some calls fail, the same each time."""
    if len(repr(request)) % 5 == 0:
        raise CallFailed("final", "too long")
    return answer(request)


def judged(plugin: Filter, rows: RowList) -> list[Verdict]:
    model = FakeModel(answer_or_fail, delay=0.0005)
    ctx = Context(
        "x",
        models={"": model, "vectors": model},
        files=own_files(plugin),
        streams={"old": OLD, "pairs": PAIRS},
    )

    async def told() -> list[Verdict]:
        verdicts = plugin.judge(rows, ctx)
        if isinstance(verdicts, AsyncIterator):
            return [verdict async for verdict in verdicts]
        return [*verdicts]

    return asyncio.run(told())


@pytest.mark.parametrize("name", NAMES)
@given(made=st.lists(st.tuples(COLUMNS.filter(is_record), SCORES), min_size=1, max_size=6))
@settings(max_examples=20, deadline=None, phases=[Phase.explicit, Phase.generate])
def test_in_is_kept_and_rejected(
    name: str, made: list[tuple[dict[str, Any], dict[str, float]]]
) -> None:
    plugin = plugin_class("filter", name).model_validate(OPTIONS.get(name, {}))
    assert isinstance(plugin, Filter)
    rows = rows_of(made)
    try:
        verdicts = judged(plugin, rows)
    except PluginRefused:
        assume(False)  # a filter that refuses all rows would not pass
        raise
    kept = [verdict for verdict in verdicts if verdict.keep]
    rejected = [verdict for verdict in verdicts if not verdict.keep and verdict.reason]
    assert len(rows) == len(kept) + len(rejected)


@pytest.mark.parametrize("name", NAMES)
def test_no_columns_at_all_is_no_choice_of_columns(name: str) -> None:
    kind = plugin_class("filter", name)
    if "field" not in kind.model_fields:
        return
    with pytest.raises(ValidationError, match=r"at least 1 item|string"):
        kind.model_validate({**OPTIONS.get(name, {}), "field": []})
