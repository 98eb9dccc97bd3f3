"""Whatever the rows hold: one verdict each, the same again, and nothing raised."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests.registry.filters.any_rows import COLUMNS, SCORES, answer, rows_of

from sftrecipe import Context, Filter, PluginRefused, Verdict
from sftrecipe.testing import FakeModel, RowList, own_files
from sftrecipe_registry.filters.format.filter import Format
from sftrecipe_registry.filters.language.filter import Language
from sftrecipe_registry.filters.pii.filter import Pii
from sftrecipe_registry.filters.pii.personal_data import personal_data
from sftrecipe_registry.filters.pii.personal_span import KINDS
from sftrecipe_registry.filters.pii.surrogates import Surrogates
from sftrecipe_registry.filters.rubric import Rubric
from sftrecipe_registry.filters.rules.expression import BadExpression, Expression, read_expression
from sftrecipe_registry.filters.rules.top import Top
from sftrecipe_registry.filters.safety.filter import Safety
from sftrecipe_registry.methods.cherry.cluster import Cluster
from sftrecipe_registry.methods.deita.filter import Deita
from sftrecipe_registry.methods.deita.instag import InsTag

PLAIN = [
    Cluster(clusters=3, total=4),
    Cluster(most=1),
    Expression(keep="len(output) > n or contains(instruction, 'a') and score.s < 1"),
    Format(),
    Language(keep=("en", "zh")),
    Pii(kinds=KINDS),
    Pii(action="drop", regions=("US",)),
    Safety(words={"own": ("map", "图片")}),
    Top(column="n", share=0.5, per="kind"),
    Top(score="s", most=2),
]
ASKING = [
    Deita(most=3, embedder="vectors"),
    Deita(scored="likelihood", embedder="vectors"),
    InsTag(most=3, same_meaning=0.9, embedder="vectors", support=2, confidence=0.5),
    Rubric(prompt="builtin:rubric/helpfulness"),
]

LIGHT = settings(max_examples=25, deadline=None, phases=[Phase.explicit, Phase.generate])


def judged(plugin: Filter, rows: RowList, seed: int = 0) -> list[Verdict] | str:
    """All verdicts, or why the plugin refused."""
    model = FakeModel(answer, seed=seed, delay=0.0005)
    models = {"": model, "vectors": model}
    ctx = Context("x", models=models, files=own_files(plugin), language="zh")

    async def all_of(verdicts: AsyncIterator[Verdict]) -> list[Verdict]:
        return [verdict async for verdict in verdicts]

    try:
        verdicts = plugin.judge(rows, ctx)
        if isinstance(verdicts, AsyncIterator):
            return asyncio.run(all_of(verdicts))
        return [*verdicts]
    except PluginRefused as refused:
        return str(refused)


@pytest.mark.parametrize("plugin", PLAIN + ASKING, ids=lambda plugin: type(plugin).__name__)
@given(made=st.lists(st.tuples(COLUMNS, SCORES), max_size=8))
@LIGHT
def test_in_is_kept_and_rejected(
    plugin: Filter, made: list[tuple[dict[str, Any], dict[str, float]]]
) -> None:
    rows = rows_of(made)
    verdicts = judged(plugin, rows)
    if isinstance(verdicts, str):
        assert verdicts.startswith("no row has a")
        return
    assert len(verdicts) == len(rows)
    assert all(verdict.keep or verdict.reason for verdict in verdicts)
    assert judged(pickle.loads(pickle.dumps(plugin)), rows, seed=1) == verdicts


@given(text=st.text("ab 图，。@-\n"), more=st.text("，。 b图\n"))
@settings(max_examples=200, deadline=None)
def test_masks_stand_where_the_data_stood(text: str, more: str) -> None:
    written = f"{text} 电话13812345678，{more}，邮箱a.b@brightwell.org"
    (found,) = personal_data(KINDS)([written])
    assert [piece.kind for piece in found] == ["phone", "email"]
    assert Surrogates("").masked(written, found) == f"{text} 电话，{more}，邮箱"


@given(text=st.text("ab 图，。\n"), more=st.lists(st.text("，。 b图\n"), max_size=3))
@settings(max_examples=100, deadline=None)
def test_a_value_has_one_surrogate_in_the_whole_row(text: str, more: list[str]) -> None:
    row = [
        f"我叫赵立新，电话138-1234-5678。{text}",
        *(f"{part}\n电话13812345678。" for part in more),
    ]
    surrogates = Surrogates("[{kind}_{number}]")
    found = personal_data(KINDS)(row)
    masked = [surrogates.masked(*both) for both in zip(row, found, strict=True)]
    assert masked[0].startswith("我叫[NAME_1]，电话[PHONE_1]。")
    assert all(part.endswith("电话[PHONE_1]。") for part in masked[1:])


@given(
    text=st.text(st.sampled_from("ab1(.)[]'+-*/%<>=! ,:not in andorifelselenscore_"), max_size=30)
)
@settings(max_examples=500, deadline=None)
def test_an_expression_computes_or_is_refused(text: str) -> None:
    try:
        read = read_expression(text, frozenset({"score"}))
    except BadExpression:
        return
    try:
        read.compute({"a": 1, "b": "x", "score": {}})
    except (TypeError, ValueError, ArithmeticError):
        return
