"""Personal data in the phrases in which it is told, and the like in which there is none."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from string import ascii_lowercase, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sftrecipe_registry.filters.pii.personal_data import personal_data
from sftrecipe_registry.filters.pii.personal_span import KINDS

CONTEXTS = Path(__file__).parent / "pii_contexts"
FIND = personal_data([kind for kind in KINDS if kind != "url"])
LETTERS = "ABCDEFGHKLMNPRSTVWXYZ"
Value = Callable[[random.Random], str]


def formed(*forms: str) -> Value:
    """A value of one of these forms: `9` a digit, `1` one but naught, `A` and `a` letters."""

    def value(chance: random.Random) -> str:
        signs = {"9": digits, "1": digits[1:], "A": LETTERS, "a": ascii_lowercase}
        return "".join(chance.choice(signs.get(sign, sign)) for sign in chance.choice(forms))

    return value


def chosen(*parts: str) -> Value:
    """One of each of the words of these parts, put together; `9` and `1` as above."""

    def value(chance: random.Random) -> str:
        words = (chance.choice(part.split("/")) for part in parts)
        return formed("".join(words))(chance)

    return value


RECORDS = formed(
    *("199999", "0099999", "19999999", "99-99-99", "999-9999", "A999999", "AA99999"),
    *("AA-99999", "A99-9999", "199 999 9999"),
)
INSURANCES = formed(
    *("19999999", "199999999", "AAA999999999", "A99999999", "AA-9999999", "AA-9999-9999"),
    *("199999999999", "AA 99 99 99 B", "AAA 999999"),
)
POLICIES = formed(
    *("19999999", "1999999999", "A99999999", "AA9999999999", "P999999999999", "PICC-99999999")
)
ADDRESSES = chosen(
    "余杭区/杭州市西湖区/上海市浦东新区/广东省佛山市禅城区",
    "文三路/解放中路/长虹大道/光明巷",
    "1号/19号/199号翠苑小区1栋1单元109室/199弄1号109室/1号院1号楼1门109/19号金茂大厦A座109",
)
NAMES = chosen(
    "王/李/张/刘/陈/杨/赵/吴/徐/孙/朱/林/郭/罗/梁/宋/郑/谢/韩/唐/冯/董/萧/曹/袁/邓/沈/彭/吕/苏/欧阳",
    "玉兰/建国/文辉/鹏飞/子轩/欣怡/雨桐/俊峰/志强/晓东/雪梅/淑珍/佳怡/思远/世杰/桂芳",
)
VALUES: dict[str, Value] = {
    "record_number.en": RECORDS,
    "record_number.zh": RECORDS,
    "insurance_number.en": INSURANCES,
    "insurance_number.zh": POLICIES,
    "qq.en": formed("19999", "19999999", "1999999999"),
    "qq.zh": formed("19999", "19999999", "1999999999"),
    "wechat.en": formed("aaaaa999", "aaaa_9999", "wxid_aaaaaa9999", "aa199999"),
    "wechat.zh": formed("aaaaa999", "aaaa_9999", "wxid_aaaaaa9999", "aa199999"),
    "address.zh": ADDRESSES,
    "name.zh": NAMES,
}


def lines(name: str) -> list[str]:
    text = (CONTEXTS / f"{name}.txt").read_text("utf-8")
    return [line.replace("\\n", "\n") for line in text.splitlines()]


def left(text: str) -> str:
    """The text without what was found."""
    for piece in reversed(FIND([text])[0]):
        text = f"{text[: piece.start]}…{text[piece.end :]}"
    return text


def missed(name: str) -> Iterator[str]:
    chance = random.Random(name)
    for context in lines(name) * 3:
        value = VALUES[name](chance)
        text = context.replace("{value}", value)
        if value in left(text):
            yield text


@pytest.mark.parametrize("name", VALUES)
def test_nearly_every_value_is_found_in_the_phrases_that_tell_it(name: str) -> None:
    lost = [*missed(name)]
    assert len(lost) <= 0.05 * 3 * len(lines(name)), lost


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_is_nobodys_stays(language: str) -> None:
    changed = [(line, kept) for line in lines(f"nobody.{language}") if (kept := left(line)) != line]
    assert not changed


@given(
    st.sampled_from(["病历号", "住院号", "医保卡号", "保单号", "MRN", "Policy number", "QQ"]),
    st.sampled_from([":", "：", " ", "是", " is ", "=", "：\n", " - ", " #"]),
    st.integers(10_000_000, 1_999_999_999),
)
def test_a_number_is_found_whatever_stands_between_it_and_its_name(
    name: str, between: str, number: int
) -> None:
    assert str(number) not in left(f"{name}{between}{number}")
    assert str(number) not in left(f"({name}{between}{number})")
