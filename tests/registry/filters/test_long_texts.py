"""Very long texts are compared by what differs: the work is bounded, the answer the same."""

from __future__ import annotations

import random

import pytest
from tests.registry.filters.judging import judged

from sftrecipe import Context
from sftrecipe.testing import RowList
from sftrecipe_registry.filters.repeats import near_texts
from sftrecipe_registry.filters.repeats.near import NearDedup
from sftrecipe_registry.filters.rouge_novelty import RougeNovelty
from sftrecipe_registry.shared.meaning import copies, difference
from sftrecipe_registry.shared.near_duplicates.long_texts import LONG, told_apart

WORDS = "doctor river garden window letter music bridge winter bread stone paper market".split()  # noqa: SIM905


def long_text(ending: str = ".") -> str:
    chance = random.Random(7)
    sentences = (" ".join(chance.choices(WORDS, k=12)) for _ in range(2600))
    return f"{ending} ".join(sentences)


def test_ordinary_texts_are_compared_as_they_are() -> None:
    first, second = "a. " * 5000, "b. " * 5000
    assert told_apart(first, second) == (first, second)


@pytest.mark.parametrize("ending", [".", ""])
@pytest.mark.parametrize(("changed", "copy"), [("Take 3 tablets", False), ("river bread", True)])
def test_a_fact_anywhere_is_seen_and_little_read(
    ending: str, changed: str, copy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = long_text(ending)
    assert len(first) > 190_000
    with_fact = f"{first} Take 2 tablets of it{ending} {first[:9000]}"
    second = with_fact.replace("Take 2 tablets", changed) if not copy else f"{with_fact} {changed}"
    read: list[int] = []
    real = copies.is_copy

    def counted(one: str, other: str) -> bool:
        read.append(len(one) + len(other))
        return real(one, other)

    monkeypatch.setattr(near_texts, "is_copy", counted)
    rows = RowList.of({"instruction": with_fact}, {"instruction": second})
    verdicts = judged(NearDedup(), rows, Context("x"))
    assert [verdict.keep for verdict in verdicts] == [True, not copy]
    assert 0 < sum(read) < 3 * LONG


def test_novelty_reads_as_little(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    real = difference.other_terms

    def counted(one: str, other: str) -> object:
        read.append(len(one) + len(other))
        return real(one, other)

    monkeypatch.setattr(difference, "other_terms", counted)
    text = long_text()
    rows = RowList.of({"instruction": text}, {"instruction": f"{text} Take 2 tablets."})
    judged(RougeNovelty(), rows, Context("x"))
    assert 0 < sum(read) < 3 * LONG
