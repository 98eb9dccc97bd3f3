"""Chunks: no text is lost, and none is larger than asked for."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sftrecipe import Context, Record
from sftrecipe.testing import RowList
from sftrecipe_registry.generators.chunk import Chunk
from sftrecipe_registry.shared.text.sentences import chinese_sentences, cut, packed, sentences

PROSE = st.lists(
    st.sampled_from(
        [
            "It rains. ",
            "Dr. Who came! ",
            "你好。",
            "真的吗？",
            "3.5 mg ",
            "a",
            "e.g. this ",
            "\n",
            ", ",
            "…",
        ]
    )
).map("".join)


@given(st.text() | PROSE)
def test_sentences_are_the_text(text: str) -> None:
    for found in (sentences, chinese_sentences):
        assert "".join(found(text)) == text
        assert all(found(text))


@given(st.text() | PROSE, st.integers(1, 40))
def test_cut_and_packed_lose_nothing_and_hold_the_size(text: str, most: int) -> None:
    parts = list(cut(text, most, len))
    assert "".join(parts) == text
    assert all(len(part) <= most for part in parts)
    whole = list(packed(iter(parts), most, len))
    assert "".join(whole) == text
    assert all(len(part) <= most for part in whole)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It rains. It pours.", ["It rains. ", "It pours."]),
        ("Take 3.5 mg. Dr. Wu said so.", ["Take 3.5 mg. ", "Dr. Wu said so."]),
        ("发烧了怎么办？多喝水。休息！", ["发烧了怎么办？", "多喝水。", "休息！"]),
        ("他说：“好。”然后走了。", ["他说：“好。”", "然后走了。"]),
        ("क्या हुआ? सब ठीक है। अच्छा।", ["क्या हुआ? ", "सब ठीक है। ", "अच्छा।"]),
        ("no end", ["no end"]),
        ("", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert list(sentences(text)) == expected


@given(st.lists(PROSE).map("\n".join), st.sampled_from(["characters", "tokens", "sentences"]))
async def test_a_document_is_its_chunks_and_rejects(text: str, by: str) -> None:
    plugin = Chunk(max=30, by=by, min_paragraph=12, long_sentence="cut", tokenizer="char")  # type: ignore[arg-type]
    made = [item async for item in plugin.generate(RowList.of({"text": text}), Context("c"))]
    if not text.strip():
        assert [item.reason for item in made] == ["nothing_made"]  # type: ignore[union-attr]
        return
    kept = "".join(row.text("text") for row in made if isinstance(row, Record))
    short = "".join(item.record.text("text") for item in made if not isinstance(item, Record))
    assert sorted("".join((kept + short).split())) == sorted("".join(text.split()))
    assert [row.columns["chunk"] for row in made if isinstance(row, Record)] == list(
        range(1, 1 + sum(isinstance(row, Record) for row in made))
    )


def published_contexts(article: str, most: int, shortest: int) -> list[str]:
    """The contexts of an article by the rules of AugCon's load_data.py, its empty ones left out."""
    made: list[str] = []
    for paragraph in article.split("\n"):
        if len(paragraph.strip()) <= shortest:
            continue
        parts = re.split("([。？！]+)", paragraph.strip())
        held = ""
        for at in range(0, len(parts), 2):
            sentence = "".join(parts[at : at + 2])
            if len(held) + len(sentence) > most:
                made.append(held)
                held = ""
            held += sentence
        made.append(held)
    return [context for context in made if context]


PIECES = ["发烧了怎么办？", "多喝水。", "休息！！", "It rains. ", " ", "\n", "\u2028", "。", "就医"]
ARTICLES = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


@given(ARTICLES, st.integers(1, 30), st.integers(0, 12))
async def test_strict_contexts_are_those_of_the_released_code(
    text: str, most: int, shortest: int
) -> None:
    plugin = Chunk(max=most, min_paragraph=shortest, strict_original=True)
    made = await plugin.generate_row(Record("a", {"text": text}, "s"), Context("c"))
    chunks = [row.text("text") for row in made if isinstance(row, Record)]
    assert chunks == published_contexts(text, most, shortest)


@given(ARTICLES, st.integers(1, 30))
async def test_no_chunk_across_paragraphs_where_none_is_asked_for(text: str, most: int) -> None:
    plugin = Chunk(max=most, min_paragraph=0, across_paragraphs=False)
    made = await plugin.generate_row(Record("a", {"text": text}, "s"), Context("c"))
    chunks = [row.text("text") for row in made if isinstance(row, Record)]
    assert not [chunk for chunk in chunks if len(chunk.splitlines()) != 1]
    assert "".join("".join(chunks).split()) == "".join(text.split())


def test_an_option_that_came_later_is_in_the_key_where_it_is_used() -> None:
    old = {"field", "by", "max", "min_paragraph", "long_sentence", "tokenizer"}
    assert Chunk().identity().keys() == old
    assert Chunk(strict_original=True).identity().keys() == old | {"strict_original"}
