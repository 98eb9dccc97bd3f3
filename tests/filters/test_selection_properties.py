"""Whatever the rows hold: one verdict each, the same again, and nothing raised."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import AsyncIterator
from hashlib import blake2b
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sftrecipe import Context, Filter, PluginRefused, Verdict
from sftrecipe.kinds import Answer, Request
from sftrecipe.testing import FakeModel, RowList, own_files
from sftrecipe_registry.filters.cluster import Cluster
from sftrecipe_registry.filters.deita import Deita
from sftrecipe_registry.filters.expression import Expression
from sftrecipe_registry.filters.format import Format
from sftrecipe_registry.filters.instag import InsTag
from sftrecipe_registry.filters.language import Language
from sftrecipe_registry.filters.pii import Pii
from sftrecipe_registry.filters.rubric import Rubric
from sftrecipe_registry.filters.safety import Safety
from sftrecipe_registry.filters.top import Top
from sftrecipe_registry.shared.personal_data import KINDS, masked, personal_data
from sftrecipe_registry.shared.safe_expression import BadExpression, read_expression

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

HOSTILE = st.sampled_from(
    [
        "\x00\x1b[31m\r\n\ufeff",
        "a" * 3000,
        "1" * 3000,
        "0-" * 1000,
        "@" * 500,
        "a@" * 500,
        ":" * 500,
        "（" * 400,
        "```\n" * 101,
        "我叫" * 300,
        "As an AI " * 50,
        "\u202e\u200b\u0301" * 30,
        "I'm sorry, but " * 40,
        "13812345678" * 40,
        "8.8.8.8 11010519491231002X",
        "a lone \ud800 surrogate \udfff",
    ]
)
TEXT = st.text(st.sampled_from("abA 图片?.\n1map“”（)的@-:+"), max_size=24) | HOSTILE | st.text()
TURNS = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": TEXT}),
    max_size=3,
)
NUMBER = st.none() | st.integers(-(10**400), 10**400) | st.integers(-3, 9) | st.floats() | TEXT
COLUMNS = st.fixed_dictionaries(
    {},
    optional={
        "instruction": st.none() | TEXT,
        "output": TEXT | st.none(),
        "history": st.none() | st.lists(st.tuples(TEXT, TEXT).map(list), max_size=2),
        "messages": TURNS,
        "finish_reason": st.sampled_from(["stop", "length", None]),
        "kind": st.sampled_from(["x", "y"]),
        "n": NUMBER,
    },
)
SCORES = st.just({}) | st.fixed_dictionaries({"s": st.floats()})
LIGHT = settings(max_examples=25, deadline=None, phases=[Phase.explicit, Phase.generate])


def rows_of(made: list[tuple[dict[str, Any], dict[str, float]]]) -> RowList:
    """Rows of any columns: of those that JSON has no word for the id does not matter."""
    rows = RowList.of(*({"place": place} for place in range(len(made))))
    for place, (columns, scores) in enumerate(made):
        rows[place] = rows[place]._replace(columns=columns, scores=scores)
    return rows


def answer(request: Request) -> str | Answer:
    """Anything, the same for the same request."""
    digest = blake2b(repr(request).encode("utf-8", "replace"), digest_size=8).digest()
    if request.kind == "embed":
        return Answer("", vector=tuple(byte - 100.0 for byte in digest))
    if request.kind == "loglikelihood":
        return Answer("", logprobs=(-digest[0] / 9, -0.5))
    said = [
        "Score: 4",
        "no",
        '[{"tag": "Sleep"}, {"tag": "a-b"}]',
        '["x", "sleep", 3]',
        "Score: 9",
        "[[",
    ]
    return said[digest[0] % len(said)]


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
    written = f"{text} 电话13812345678，{more}，邮箱a.b@example.org"
    found = personal_data(KINDS)(written)
    assert [piece.kind for piece in found] == ["phone", "email"]
    assert masked(written, found, lambda kind: "") == f"{text} 电话，{more}，邮箱"


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
