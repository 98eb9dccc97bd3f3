"""Text that was read in a wrong encoding: whole files are repaired, rows that are about it stay."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import ftfy.bad_codecs  # noqa: F401 - registers the encodings by which the web misreads
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sftrecipe.run.steps.source_step import read_source

from ...support.plain_runs import examples
from ...support.source_rows import columns, context, read, source

TEXTS = {
    "zh": ["发烧了应该怎么办？", "多喝水，注意休息。", "头痛三天了，要去医院吗？"],
    "fr": ["Où avez-vous mal ?", "J’ai mal à la tête depuis l’été.", "Prenez ça après le dîner."],
    "en": ["It’s “only” a cold – don’t worry.", "Café isn’t a cure…", "That’s 5 €, isn’t it?"],
    "ru": ["Что делать при температуре?", "Пейте больше воды и отдыхайте."],
}
ABOUT = [
    ("Why does my page show 'cafÃ©' instead of 'café'?", "é was read as Latin-1: Ã©."),
    ("网页上为什么显示“ä½\xa0å¥½”？", "那是“你好”被读错了编码。"),
    ("What is â€™ in my CSV?", "An apostrophe: UTF-8 read as Windows-1252."),
    ("What does Ã¼ mean?", "It is mojibake; fix the encoding."),
    ("My mails are full of â€œ and â€\x9d", "Their charset is wrong."),
]


def misread(text: str) -> str:
    return text.encode().decode("sloppy-windows-1252")


def rows_of(texts: list[str]) -> list[dict[str, str]]:
    return [{"instruction": f"{at}. {text}", "output": text} for at, text in enumerate(texts)]


def written(folder: Path, rows: list[dict[str, Any]]) -> None:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / "a.jsonl").write_text(text, "utf-8")


@pytest.mark.parametrize("language", TEXTS)
@given(data=st.data())
@settings(max_examples=examples(8), deadline=None)
def test_a_file_that_is_damaged_as_a_whole(
    language: str, data: st.DataObject, tmp_path_factory: Any
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    texts = data.draw(st.lists(st.sampled_from(TEXTS[language]), min_size=4, max_size=12))
    rows = rows_of(texts)
    plain = [{"instruction": "plain text?", "output": "yes"}] * data.draw(st.integers(0, 9))
    written(folder, [*plain, *({k: misread(v) for k, v in row.items()} for row in rows)])
    plugin = source("jsonl", path="a.jsonl")
    ctx = context(plugin, folder)
    found, rejects = read("jsonl", folder, path="a.jsonl")
    assert (columns(found), rejects) == ([*plain, *rows], [])
    list(read_source(plugin, ctx))
    assert ctx.told["repaired"].count == len(rows)
    assert "→" in ctx.told["repaired"].examples[0]


@given(
    about=st.lists(st.sampled_from(ABOUT), min_size=1, max_size=8),
    others=st.lists(st.sampled_from([text for texts in TEXTS.values() for text in texts])),
)
@settings(max_examples=examples(30), deadline=None)
def test_text_about_damage_stays(
    about: list[tuple[str, str]], others: list[str], tmp_path_factory: Any
) -> None:
    folder = tmp_path_factory.mktemp("about")
    rows = [{"instruction": asked, "output": told} for asked, told in about] + rows_of(others)
    written(folder, rows)
    assert columns(read("jsonl", folder, path="a.jsonl")[0]) == rows


def test_a_few_damaged_rows_are_told_and_stay(tmp_path: Path) -> None:
    rows = rows_of([*TEXTS["zh"] * 3, misread("C’est l’été")])
    written(tmp_path, rows)
    plugin = source("jsonl", path="a.jsonl")
    ctx = context(plugin, tmp_path)
    assert [row.columns for row in read_source(plugin, ctx)] == rows  # type: ignore[union-attr]
    assert ctx.told["looks_damaged"].count == 1
    assert ctx.told["looks_damaged"].examples[0].startswith("a.jsonl:10 ")
    mended, _ = read("jsonl", tmp_path, path="a.jsonl", repair=True)
    assert mended[-1].columns["output"] == "C’est l’été"


def test_each_file_is_judged_by_itself(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    written(tmp_path / "d", [{"output": misread(text)} for text in TEXTS["zh"] * 3])
    (tmp_path / "d/a.jsonl").rename(tmp_path / "d/b.jsonl")
    about = [{"instruction": asked, "output": told} for asked, told in ABOUT]
    written(tmp_path / "d", about)
    found = columns(read("jsonl", tmp_path, path="d")[0])
    assert found[: len(about)] == about
    assert [row["output"] for row in found[len(about) :]] == TEXTS["zh"] * 3


def test_a_long_file_is_judged_by_its_beginning_in_bounded_memory(tmp_path: Path) -> None:
    rows = [{"output": "ascii"}] * 3000 + [{"output": misread(t)} for t in TEXTS["fr"] * 200]
    written(tmp_path, rows)
    found = columns(read("jsonl", tmp_path, path="a.jsonl")[0])
    assert [row["output"] for row in found[3000:]] == TEXTS["fr"] * 200
    assert columns(read("jsonl", tmp_path, path="a.jsonl", repair=False)[0]) == rows
