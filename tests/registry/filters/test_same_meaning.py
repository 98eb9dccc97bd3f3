"""What two texts whose vectors are near must not be taken for: the same with one thing changed."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from sftrecipe_registry.filters.repeats import same_meaning
from sftrecipe_registry.filters.repeats.same_meaning import LONGEST, SameMeaning
from sftrecipe_registry.shared.vectors.packaged_embedding import load_embedder

BENCH = Path(__file__).parents[3] / "benchmarks" / "filters"
sys.path.insert(0, str(BENCH))

from changed_pairs import DATA, changed_pairs  # noqa: E402

CHANGED = [
    ("You don't have to come.", "You must not come."),
    ("What is 15% of 240?", "15 is what percent of 240?"),
    ("My order came with a part missing.", "My order came with one part too many."),
    ("May I visit Japan as a US citizen?", "May I visit the US as a Japanese citizen?"),
    ("I am worried about high blood pressure.", "I am worried about low blood pressure."),
    ("列出水循环的三个步骤。", "列出水循环的三个影响。"),
    ("事故对方全责，误工费怎么算？", "事故我方全责，误工费怎么算？"),
    ("0是偶数吗？", "0是正数吗？"),
    ("分析以下句子的主语。", "分析以上句子的主语。"),
    ("这个药不必空腹吃。", "这个药严禁空腹吃。"),
    ("使用亚马逊雨林知识创建填字游戏。", "使用亚马逊风林知识创建填字游戏。"),
]
SAME = [
    ("What is the capital of France?", "Hello! What is the captial of France? Thanks"),
    ("头疼怎么办？", "请问头痛如何缓解？"),
    ("高血壓患者可以吃鹽嗎？", "医生您好，高血压患者可以吃盐吗？"),
]


def share_taken_for_the_same(pairs: list[tuple[str, str, str]]) -> float:
    embed, same = load_embedder(), SameMeaning(packaged=True)
    first, second = (embed([pair[side] for pair in pairs]) for side in (0, 1))
    cosines = np.einsum("ij,ij->i", first, second)
    found = [
        cosine >= 0.6 and same(one, other, float(cosine))
        for (one, other, _), cosine in zip(pairs, cosines, strict=True)
    ]
    return sum(found) / len(pairs)


@pytest.mark.parametrize(("first", "second"), CHANGED)
def test_another_fact_is_not_the_same(first: str, second: str) -> None:
    assert not SameMeaning(packaged=False)(first, second, 0.95)


@pytest.mark.parametrize(("first", "second"), SAME)
def test_what_surrounds_a_question_is_no_fact(first: str, second: str) -> None:
    assert SameMeaning(packaged=False)(first, second, 0.95)


@pytest.mark.reference
@pytest.mark.skipif(not DATA.exists(), reason="no reference data")
@pytest.mark.parametrize("language", ["en", "zh"])
def test_real_questions_with_one_thing_changed_stay(language: str) -> None:
    pairs = changed_pairs(language, 900)
    assert len(pairs) >= 500
    assert share_taken_for_the_same(pairs) <= 0.02


@pytest.mark.parametrize("unit", ["no 3 mg left, ", "不是左边3毫克，"])
def test_of_long_texts_only_the_letters_are_compared(
    unit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(
        same_meaning, "says_the_same", lambda first, second: asked.append(len(first + second))
    )
    same = SameMeaning(packaged=True)
    text = unit * (20_000 // len(unit))
    assert same(text, f"{text}  \n", 0.99)
    assert not same(text, f"{text} right", 0.99)
    same(text[: LONGEST // 2], text[: LONGEST // 2 + 1], 0.99)
    assert max(asked, default=0) <= 2 * LONGEST
