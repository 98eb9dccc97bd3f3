"""Files in other encodings than UTF-8, and how they are told apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from sftrecipe_registry.shared.files.encoding_guess import guess, wide_encoding
from sftrecipe_registry.shared.files.text_files import SAMPLE, utf8_chunks, utf8_lines

SENTENCE = "头疼怎么办？多喝水，注意休息。如果三天不见好，请去医院看医生。"
TEXTS = {
    "gb18030": SENTENCE,
    "big5": "頭痛怎麼辦？多喝水，注意休息。如果三天不見好，請去醫院看醫生。這是一個測試。",
    "cp932": "頭が痛いときはどうすればいいですか。水をたくさん飲んで、よく休んでください。"
    "熱が三日以上続くときは、早めに病院で診てもらいましょう。",
    "cp1252": "Le café est très bon, déjà vu à l'hôtel. Où êtes-vous allé cet été?",
    "cp1251": "Что делать при головной боли? Пейте больше воды и отдыхайте.",
}


@pytest.mark.parametrize("name", TEXTS)
def test_encodings_are_detected(name: str) -> None:
    assert guess(TEXTS[name].encode(name), is_all=True) == name


@pytest.mark.parametrize("text", ["头疼", "你好", "发烧了", "问题,回答"])
def test_few_chinese_characters_are_enough(text: str) -> None:
    assert guess(text.encode("gbk"), is_all=True) == "gb18030"


@pytest.mark.parametrize("name", ["utf-8", "gb18030"])
def test_a_character_cut_at_the_end_of_the_sample_does_not_matter(name: str) -> None:
    text = (SENTENCE * 20).encode(name)
    assert all(guess(text[:size], is_all=False) == name for size in range(500, 520))


def test_one_damaged_line_does_not_change_the_encoding(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"plain\n" * 1000 + b"caf\xe9\n" + b"plain\n" * 100_000 + "好\n".encode())
    lines = list(utf8_lines(path))
    assert lines[1000] == b"caf\xe9\n"
    assert lines[-1].decode() == "好\n"


def test_the_encoding_shows_late_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"plain\n" * SAMPLE + f"{SENTENCE}\n".encode("gb18030") * 9)
    assert list(utf8_lines(path))[-1].decode() == f"{SENTENCE}\n"
    assert b"".join(utf8_chunks(path)).decode().count(SENTENCE) == 9


@pytest.mark.parametrize("name", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_wide_encodings_without_a_mark(name: str, tmp_path: Path) -> None:
    text = "question: what should I do?\nanswer: 多喝水\nend"
    assert wide_encoding(text.encode(name)) == name
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode(name))
    assert [line.decode() for line in utf8_lines(path)] == text.splitlines(keepends=True)


def test_a_broken_character_in_utf_16_costs_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    content = "good\n".encode("utf-16") + b"\x00\xd8a\x00\n\x00" + "也好\n".encode("utf-16-le")
    path.write_bytes(content)
    first, second, third = utf8_lines(path)
    assert first == b"good\n"
    with pytest.raises(UnicodeDecodeError):
        second.decode()
    assert third.decode() == "也好\n"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("name", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_chunks_are_the_whole_file(name: str, size: int, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    text = f"a\r\n\n{SENTENCE}\n{SENTENCE}"
    path.write_bytes(text.encode(name))
    assert b"".join(utf8_chunks(path, size=size)).decode() == text
    assert b"".join(utf8_lines(path)).decode() == text
