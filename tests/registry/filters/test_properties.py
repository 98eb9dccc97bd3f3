"""What holds of the filters on any rows."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer  # type: ignore[import-untyped]
from tests.registry.filters.judging import judged

from sftrecipe import Context, Filter, RowFilter
from sftrecipe.testing import RowList
from sftrecipe_registry.filters.blacklist.filter import Blacklist
from sftrecipe_registry.filters.repeats.decontaminate import Decontaminate
from sftrecipe_registry.filters.repeats.exact import ExactDedup
from sftrecipe_registry.filters.repeats.near import NearDedup
from sftrecipe_registry.filters.rouge_novelty import RougeNovelty
from sftrecipe_registry.filters.rules.length import Length
from sftrecipe_registry.filters.rules.regex import Regex
from sftrecipe_registry.shared.text import first_seen, rouge_index
from sftrecipe_registry.shared.text.rouge import rouge_l
from sftrecipe_registry.shared.text.rouge_index import NOTHING, RougeIndex
from sftrecipe_registry.shared.text.tokenizers import tokenizer
from sftrecipe_registry.shared.text.word_list import word_finder

FILTERS = [
    Length(min_chars=2, max_words=4),
    Length(field=("instruction", "input"), max_chars=9),
    Regex(drop=("a",), keep=("b", "图")),
    Blacklist(),
    Blacklist(preset="alpaca"),
    ExactDedup(normalise="case"),
    ExactDedup(field="output"),
    ExactDedup(field="output", prefer="longest", against=("old",)),
    RougeNovelty(field=("instruction", "output"), tokenizer="char", max=0.4),
    NearDedup(shingle=1, similarity=0.5, prefer="longest", against=("old",)),
    NearDedup(unit="character", shingle=2, field="instruction"),
    Decontaminate(against=("old",), words=2, fewest=2),
    Decontaminate(against=("old",), words=1, fewest=1, action="mask", ignore_above=3),
    Decontaminate(against=("old",), words=3, fewest=2, action="report", field="instruction"),
]

TEXT = st.text(st.sampled_from("abA 图片?.\n1map "), max_size=12)
TURNS = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": TEXT})
)
COLUMNS = st.fixed_dictionaries(
    {"instruction": TEXT},
    optional={
        "input": st.none() | TEXT,
        "output": TEXT | st.none(),
        "history": st.none() | st.lists(st.tuples(TEXT, TEXT).map(list), max_size=2),
        "messages": TURNS,
        "text": st.just("always a word"),
        "n": st.integers(0, 9),
    },
)


def context() -> Context:
    old = RowList.of(
        {"instruction": "a map b?"}, {"text": "图片 map a", "output": "A b"}, stream="old"
    )
    return Context("x", streams={"old": old})


@pytest.mark.parametrize("plugin", FILTERS, ids=lambda plugin: type(plugin).__name__)
@given(columns=st.lists(COLUMNS, max_size=20))
@settings(max_examples=40, deadline=None)
def test_one_verdict_a_row(plugin: Filter, columns: list[dict[str, Any]]) -> None:
    rows = RowList.of({"instruction": "a word", "output": "b"}, *columns)
    verdicts = judged(plugin, rows, context())
    assert len(verdicts) == len(rows)
    assert all(verdict.keep or verdict.reason for verdict in verdicts)
    assert judged(pickle.loads(pickle.dumps(plugin)), rows, context()) == verdicts
    if isinstance(plugin, RowFilter):
        assert [plugin.judge_row(row, Context("x")) for row in rows] == verdicts


WORDS = st.lists(
    st.sampled_from(["the", "a", "cat", "dog", "saw", "in", "x1", "é", "-"]), max_size=9
)


@given(target=WORDS, prediction=WORDS)
@settings(max_examples=300, deadline=None)
def test_rouge_is_rouge_scores(target: list[str], prediction: list[str]) -> None:
    split = tokenizer("rouge_en", "en")
    first, second = " ".join(target), " ".join(prediction)
    score = RougeScorer(["rougeL"]).score(first, second)["rougeL"]
    assert rouge_l(split(first), split(second)) == tuple(score)


@given(text=st.text(max_size=40))
@settings(max_examples=300, deadline=None)
def test_tokens_are_rouge_scores(text: str) -> None:
    from rouge_score.tokenize import tokenize  # type: ignore[import-untyped]  # noqa: PLC0415

    assert tokenizer("rouge_en", "en")(text) == tokenize(text, None)


@given(
    lists=st.lists(st.lists(st.integers(0, 12), min_size=1, max_size=9), min_size=1, max_size=60)
)
@settings(max_examples=150, deadline=None)
@pytest.mark.parametrize(("few", "largest"), [(16, 0x10FFFF), (1, 5)])
def test_index_finds_the_nearest(lists: list[list[int]], few: int, largest: int) -> None:
    index = RougeIndex()
    tokens = [[str(number) for number in numbers] for numbers in lists]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rouge_index, "FEW", few)
        patch.setattr(rouge_index, "MANY", 3)
        patch.setattr(rouge_index, "LARGEST_CODE", largest)
        for place, query in enumerate(tokens):
            values = [rouge_l(query, other).f1 for other in tokens[:place]]
            best = max(values, default=0.0)
            expected = (best, values.index(best)) if best else NOTHING
            assert index.nearest(query) == expected
            index.add(query)


def test_index_of_thousands_finds_the_nearest() -> None:
    import random  # noqa: PLC0415

    generator = random.Random(1)
    tokens = [
        [str(int(300 * generator.random() ** 3)) for _ in range(generator.randint(2, 12))]
        for _ in range(2500)
    ]
    index = RougeIndex()
    for place, query in enumerate(tokens):
        if not place % 250:
            values = [rouge_l(query, other).f1 for other in tokens[:place]]
            best = max(values, default=0.0)
            assert index.nearest(query) == ((best, values.index(best)) if best else NOTHING)
        index.add(query)
    assert index.nearest(["300"] * 300) == NOTHING
    assert index.nearest(["0"] * 300).value > 0


@given(keys=st.lists(st.integers(0, 30), max_size=80))
@settings(max_examples=100, deadline=None)
def test_first_seen(keys: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(first_seen, "_GROUP", 4)
        seen = first_seen.FirstSeen()
        firsts: dict[int, str] = {}
        for place, key in enumerate(keys):
            name = "n" * (place % 3) + str(place)
            digest = bytes(7) + bytes([key]) * 8
            assert seen.first(digest, name) == firsts.get(key)
            firsts.setdefault(key, name)
        assert len(seen) == len(firsts)


@given(words=st.lists(st.text("abc ", max_size=4), max_size=8), text=st.text("abc ", max_size=14))
@settings(max_examples=300, deadline=None)
def test_words_are_found(words: list[str], text: str) -> None:
    found = word_finder(words)(text)
    padded = f" {' '.join(text.split())} "
    expected = {" ".join(word.split()) for word in words} - {""}
    assert (found is None) == (not any(f" {word} " in padded for word in expected))
    assert found is None or " ".join(found.split()) in expected
