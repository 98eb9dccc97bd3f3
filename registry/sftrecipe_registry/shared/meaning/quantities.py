"""Numbers in a text, however they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from sftrecipe_registry.shared.meaning.lexicon import english

_DIGITS = "零〇一二两三四五六七八九"
_VALUE = {digit: max(place - 1, 0) for place, digit in enumerate(_DIGITS)}
_VALUE |= {"二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_SCALE = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
_CHINESE = f"[{_DIGITS}十百千万亿]"
_NUMBER = re.compile(
    r"(?P<digits>(?<![\da-z.])\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    r"(?P<scale>[十百千万亿]*)(?P<ordinal>(?:st|nd|rd|th)\b)?|"
    rf"(?P<chinese>{_CHINESE}+(?:点[{_DIGITS}]+)?)"
)
_IDIOMS = re.compile(
    r"一(?:下|个|些|直|般|样|起|定|点|共|旦|边|面|方面|切|旁|生|律|味|度|致|流|概|并|再|时|向|来|"
    r"种|篇|首|段|句|份|位|名|只|条|家|线|对|周年?岁?)|十分|万一|千万(?=[别不要记])|第一时间|三明治|"
    r"八卦|五官|四季|四肢|七夕|九寨|百度|百合|百货|千克|千米|万能|三角|六边|八边|五线|统一|唯一|"
    r"单一|之一|星期[一二三四五六日]|周[一二三四五六日]|礼拜[一二三四五六日]|十字|三国|二手|"
    r"二氧化|一氧化|三文鱼|两栖|半天|五花|张三|李四|王五|赵六|三星|四川|九江|百科|万里|万有|千瓦|二维码"
)


class Number(NamedTuple):
    """A number and where it stands."""

    value: float
    begin: int
    end: int
    weak: bool
    """Whether it is a written-out one, which may be an article or pronoun."""


def chinese_and_digits(text: str) -> Iterator[Number]:
    """The numbers in digits or in Chinese numerals, from left to right."""
    hidden: set[int] = set()
    if not text.isascii():
        for found in _IDIOMS.finditer(text):
            hidden.update(range(*found.span()))
    for found in _NUMBER.finditer(text):
        begin, end = found.span()
        if found["chinese"] and hidden.intersection(range(begin, end)):
            continue
        yield _number(found, begin, end)


def _number(found: re.Match[str], begin: int, end: int) -> Number:
    if found["digits"]:
        value = float(found["digits"].replace(",", ""))
        for scale in found["scale"]:
            value *= _SCALE[scale]
        return Number(value, begin, end, False)
    value = numeral_value(found["chinese"])
    return Number(value, begin, end, value == 1)


def numeral_value(numeral: str) -> float:
    """`二十三` is 23, `一千零五` 1005, `一九八四` 1984, `三点五` 3.5."""
    whole, _, part = numeral.partition("点")
    if not any(character in _SCALE for character in whole):
        value = float("".join(str(_VALUE[digit]) for digit in whole) or 0)
    else:
        value = _scaled(whole)
    return value + (float("0." + "".join(str(_VALUE[digit]) for digit in part)) if part else 0)


def _scaled(whole: str) -> float:
    total, section, digit = 0.0, 0.0, 0.0
    for character in whole:
        if character in _VALUE:
            digit = _VALUE[character]
        elif _SCALE[character] >= 10_000:
            total += (section + digit or 1) * _SCALE[character]
            section = digit = 0.0
        else:
            section += (digit or 1) * _SCALE[character]
            digit = 0.0
    return total + section + digit


def written_out(words: list[str]) -> tuple[float, int] | None:
    """The number that English words begin with, and how many they are: `two hundred and five`."""
    numbers = english().numbers
    total, current, count = 0.0, 0.0, 0
    for place, word in enumerate(words):
        value = numbers.get(word)
        if word == "and" and count and current >= 100 and place + 1 < len(words):
            if words[place + 1] in numbers:
                continue
            break
        if value is None:
            break
        if value >= 1000:
            total, current = (total + current or 1) * value, 0.0
        elif value == 100:
            current = (current or 1) * 100
        elif count and not (current % 100 == 0 or (current % 10 == 0 and value < 10)):
            break
        else:
            current += value
        count = place + 1
    return (total + current, count) if count else None
