"""The filter `format`: what is looked at first hides nothing that is looked for."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sftrecipe_registry.filters.format import placeholders, repetitions, text_parts, unfinished_ends
from sftrecipe_registry.filters.format import refusal_features as features
from sftrecipe_registry.filters.format import refusal_signs as signs
from sftrecipe_registry.filters.format.answer_faults import same_line
from sftrecipe_registry.filters.format.open_syntax import CODE
from sftrecipe_registry.filters.format.substance import stems
from sftrecipe_registry.filters.format.word_lists import word_list
from sftrecipe_registry.shared.text.case_folding import fold
from sftrecipe_registry.shared.text.scripts import UNSPACED

MANY = settings(max_examples=400, deadline=None)


def texts(letters: str, longest: int = 60) -> st.SearchStrategy[str]:
    return st.text(st.sampled_from(letters), max_size=longest)


@pytest.mark.parametrize(
    ("parts", "pattern"),
    [
        (text_parts.units, r"(?<=[.!?])\s+|(?<=[。！？；;])|\n+"),
        (text_parts.clauses, r"(?<=[.!?,;:])\s+|(?<=[。！？；，、：;,])|\n+"),
    ],
)
@given(text=texts("ab .!?,;:\n\t\u3000。！？；，、："))
@MANY
def test_parts_are_those_of_one_pattern(parts: object, pattern: str, text: str) -> None:
    assert parts(text) == [part for part in re.split(pattern, text) if part]  # type: ignore[operator]


@given(st.lists(st.sampled_from(["aaaaa", "A", "b", "!? ", "。", ". ", "图图图图图"]), max_size=40))
@MANY
def test_long_runs_of_a_character_are_found(pieces: list[str]) -> None:
    text = "".join(pieces)
    found = repetitions._CHARACTERS.search(text)
    assert found is None or repetitions._may_hold_characters(text)


@given(texts("aAb 1_.'", 40))
@MANY
def test_stutters_have_same_neighbours(text: str) -> None:
    for pattern, places in ((repetitions._STUTTER, 3), (repetitions._DOUBLED, 4)):
        if len(pattern.findall(text)) >= places:
            assert repetitions._same_neighbours(text) >= 3


@given(texts("abcdef12１２图片文Bthe 's"))
@MANY
def test_stems_are_those_of_single_words(text: str) -> None:
    expected: set[str] = set()
    for word in re.findall(rf"[a-z]+|\d+|[{UNSPACED}]+", text.lower()):
        if not word.isascii():
            expected.update(map("".join, pairwise(word)))
        elif (len(word) > 2 or word.isdigit()) and word not in word_list("said_everywhere"):
            expected.add(word[:5])
    assert stems(text) == expected


@given(st.lists(st.sampled_from(["a", "b", "0", "图"]), max_size=9), st.sampled_from(["", " "]))
def test_phrases_are_all_runs_of_tokens(tokens: list[str], between: str) -> None:
    row = ["^", *tokens, "$"]
    runs = [row[at : at + size] for size in (1, 2, 3, 4) for at in range(len(row) - size + 1)]
    assert [*features.phrases(tokens, 4, between)] == [*map(between.join, runs)]


@given(st.sampled_from(["en", "zh"]), texts("Ii'm cNnOo’t sorry不能无法ſı", 40))
@MANY
def test_signs_are_found_in_folded_sentences(language: str, text: str) -> None:
    for name, pattern in (signs._EN if language == "en" else signs._ZH).items():
        expected = re.search(pattern, text, re.IGNORECASE) is not None
        assert (signs._SIGNS[language][name](fold(text)) is not None) == expected


@given(texts("ab.e.gDr(1)） =+图9-", 14))
@MANY
def test_ends_before_more_are_those_of_one_pattern(text: str) -> None:
    pattern = (
        r"\b(?:e\.g\.|i\.e\.|viz\.|cf\.|vs\.|Dr\.|Mrs?\.|Ms\.|Prof\.|approx\.)$"
        r"|(?:[\d)）]|[\u4e00-\u9fff]\d+)\s?[-−+*/÷×=]$"
    )
    if last := text.strip():
        assert unfinished_ends._before_more(last) == (re.search(pattern, last) is not None)


@given(st.sampled_from(["na", "n/a", "tbd", "无", "x"]), texts("na/tbdNA xy无.", 30))
@MANY
def test_a_word_is_named_where_it_stands_alone(said: str, asked: str) -> None:
    alone = re.search(rf"(?<![a-z]){re.escape(said)}(?![a-z])", asked.lower()) is not None
    assert placeholders._named(said, asked) == (alone if said.isascii() else len(said) > 1)


@given(st.lists(st.sampled_from(["drink water", " drink water", "`drink` water", "a"]), max_size=9))
@MANY
def test_the_same_line_is_found(pieces: list[str]) -> None:
    answer = "\n".join(pieces)
    lines = [line.strip() for line in CODE.sub("", answer).splitlines()]
    most = max((lines.count(line) for line in lines if len(line) >= 8), default=0)
    found = same_line("", answer, 2)
    assert (found is not None and found.value == most) == (answer.count("\n") >= 2 and most > 2)
