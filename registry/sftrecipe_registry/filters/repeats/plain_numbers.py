"""A text with its numbers written in one way: two that mean the same have the same figures."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from sftrecipe_registry.shared.meaning.quantities import chinese_and_digits, numeral_value

_UNITS = dict(
    zip(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "  # noqa: SIM905
        "fifteen sixteen seventeen eighteen nineteen".split(),
        range(20),
        strict=True,
    )
)
_TENS = {
    f"{name}ty": 10 * place
    for place, name in enumerate("twen thir for fif six seven eigh nine".split(), 2)  # noqa: SIM905
}
_SCALES = {
    "dozen": 12,
    "hundred": 100,
    "thousand": 1000,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
}
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fifth": 5, "eighth": 8, "ninth": 9}
_ORDINALS |= {"twelfth": 12, "hundredth": 100, "thousandth": 1000}
_ORDINALS |= {
    f"{name}th": value
    for name, value in _UNITS.items()
    if value in {4, 6, 7, 10, 11} or value >= 13
}
_ORDINALS |= {f"{name[:-1]}ieth": value for name, value in _TENS.items()}
_PARTS = {name: value for name, value in _ORDINALS.items() if value > 2}
_PARTS |= {"half": 2, "halve": 2, "quarter": 4}
_HAN_NUMERALS = "零〇○一二两三四五六七八九十百千万亿壹贰叁肆伍陆柒捌玖拾佰仟萬兩半"
_CARDINAL = "|".join(sorted([*_UNITS, *_TENS, *_SCALES], key=len, reverse=True))
_ORDINAL = "|".join(sorted(_ORDINALS, key=len, reverse=True))
_WRITTEN = re.compile(
    rf"\b(?:an? (?=dozen\b|hundred\b|thousand\b|million\b))?(?:{_CARDINAL})\b"
    rf"(?:(?:-|,? (?:and )?)(?:{_CARDINAL})\b)*(?:[- ](?:{_ORDINAL})\b(?! of a\b))?"
)
_WORD = re.compile(r"[a-z]+")
_HINT = re.compile(
    rf"[\d{_HAN_NUMERALS}¼-¾⅐-⅞⁰-⁹]|\b(?:{_CARDINAL}|{_ORDINAL}|half|quarter|squared|cubed)"
)
"""Without one of these a text has no number."""
_OF_SCALE = re.compile(rf"(\d+(?:\.\d+)?)[ -]({'|'.join(_SCALES)})\b")
_PART = "|".join(sorted(_PARTS, key=len, reverse=True))
_FRACTION = re.compile(rf"\b(\d{{1,2}}|an?)[ -]({_PART}|\d+(?=th))(?:th)?s?\b")
_ALONE = re.compile(rf"(?<![\d.%] )(?<!per )(?<!each )\b(?:{_ORDINAL})\b")
_GROUPING = re.compile(r"(?<=\d)[, '’\u2009\u202f](?=\d{3}(?:\D|$))")
_SIMPLE = (
    (re.compile(r"(?<![\d.])(\d+)\.0+(?![\d.])"), r"\1"),
    (re.compile(r"(?<![\d.])(\d+\.\d*[1-9])0+(?![\d.])"), r"\1"),
    (re.compile(r"([%‰])之(-?[\d.]+)"), r"\2\1"),
    (re.compile(r"([\d.]+)分之([\d.]+)"), r"\2/\1"),
    (re.compile(r"([\d.]+)分之一"), r"1/\1"),
    (re.compile(r"一半|二分之一"), "1/2"),
    (re.compile(r"(?<=\d) ?(?:percent|per cent|pct\.?)(?!\w)|(?<=\d)个%点"), "%"),
    (re.compile(r"\bhalf(?= (?:of|the|an?)\b)"), "1/2"),
    (re.compile(r"(?<=\d) %"), "%"),
    (re.compile(r"\b(\d+) and (?:an? |1 )?1/2\b|\b(\d+) 1/2\b"), r"\1\2.5"),
    (re.compile(r"(?<=\d)(?:st|nd|rd|th)\b"), "th"),
    (re.compile(r"(?<=\d) point (?=\d)"), "."),
    (re.compile(r"\b(?:minus|negative) (?=\d)|负(?=\d)|−(?=\d)"), "-"),
    (re.compile(r"(?:\busd? ?)?\$ ?(\d+(?:\.\d+)?)|\busd ?(\d+(?:\.\d+)?)"), r"\1\2 dollars"),
    (re.compile(r"€ ?(\d+(?:\.\d+)?)"), r"\1 euros"),
    (re.compile(r"[¥￥] ?(\d+(?:\.\d+)?)"), r"\1元"),
    (re.compile(r"(\d+)的(\d+)次(?:方|幂)|(\d+) to the power of (\d+)"), r"\1\3^\2\4"),
    (re.compile(r"\b([a-z]|\d+) (?:squared|\^ ?2\b)"), r"\1^2"),
    (re.compile(r"\b([a-z]|\d+) (?:cubed|\^ ?3\b)"), r"\1^3"),
    (re.compile(r"(?<=\d)(?=(?:kg|mg|mcg|µg|g|ml|l|cm|mm|km|m|h|hours?|years?|cm|mmhg)\b)"), " "),
)
_HAN_FIGURES = str.maketrans("壹贰叁肆伍陆柒捌玖拾佰仟萬○兩", "一二三四五六七八九十百千万〇两")
_FORMAL = re.compile("[壹贰叁肆伍陆柒捌玖拾佰仟萬○兩一二三四五六七八九十百千万〇]{2,}")
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_POWERS = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_VULGAR = re.compile("[¼-¾⅐-⅞]")
_ONE = re.compile(r"(?<![\d.,/:^])1(?=[个名位次种条只台件项年月天岁周人例张本支辆枚]|$)")
_HAN_NUMERAL = "[零〇一二两三四五六七八九十百千万亿]"
_HAN_FRACTION = re.compile(f"({_HAN_NUMERAL}+)分之({_HAN_NUMERAL}+)")
_HAN_SUM = re.compile(
    f"(?!万一(?!{_HAN_NUMERAL}))(?<!{_HAN_NUMERAL})(?<![\\d.])"
    f"{_HAN_NUMERAL}*[十百千万亿][零〇]*[一二两三四五六七八九](?:{_HAN_NUMERAL})*(?!点)"
)
"""A numeral that is no idiom: `四十一个` holds no `一个`."""
_HAN = re.compile(r"[\u3400-\u9fff○]")


@lru_cache(1 << 14)
def plain_numbers(text: str) -> str:
    """The text in lower case, its numbers in figures: `two thirds` is `2/3`, `二〇二〇年` `2020年`,
    `$25 thousand` `25000 dollars`."""
    plain = text.lower()
    if not _HINT.search(plain):
        return plain
    if not plain.isascii():
        plain = _from_signs(plain)
    plain = _GROUPING.sub("", plain)
    if _HAN.search(plain):
        plain = _from_han(plain)
    plain = _OF_SCALE.sub(_scaled, plain)
    plain = _WRITTEN.sub(_figures, plain)
    plain = _FRACTION.sub(_fraction, plain)
    plain = _ALONE.sub(lambda found: f"{_ORDINALS[found[0]]}th", plain)
    for pattern, instead in _SIMPLE:
        plain = pattern.sub(instead, plain)
    return plain


def _from_signs(text: str) -> str:
    """`½` as 1/2, `x²` as x^2."""
    text = _VULGAR.sub(
        lambda found: " " + unicodedata.normalize("NFKC", found[0]).replace("⁄", "/"), text
    )
    return _POWERS.sub(lambda found: "^" + found[0].translate(_RAISED), text)


def _from_han(text: str) -> str:
    """Chinese numerals as figures, but for `一` alone, which says `a` as often."""
    text = _FORMAL.sub(lambda found: found[0].translate(_HAN_FIGURES), text)
    # A hundred that is none of the numerals.
    text = text.replace("百分之", "%之").replace("千分之", "‰之").replace("百分点", "%点")
    text = _HAN_FRACTION.sub(_han_fraction, text)
    text = _HAN_SUM.sub(lambda found: _shown(numeral_value(found[0])), text)
    text = _ONE.sub("一", text)
    made = text
    for number in reversed([*chinese_and_digits(text)]):
        if not number.weak:
            written = text[number.begin : number.end]
            if not written.isascii():
                made = f"{made[: number.begin]}{_shown(number.value)}{made[number.end :]}"
    return made


def _han_fraction(found: re.Match[str]) -> str:
    return f"{_shown(numeral_value(found[2]))}/{_shown(numeral_value(found[1]))}"


def _shown(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:.10g}"


def _figures(found: re.Match[str]) -> str:
    """Words of numbers as figures; of two numbers side by side (`nineteen eighty`) a year."""
    words = [word for word in _WORD.findall(found[0]) if word not in {"and", "a", "an"}]
    ordinal = _ORDINALS.get(words[-1])
    numbers = _values(words[:-1] if ordinal else words)
    if ordinal is None:
        return " ".join(map(_shown, _as_years(numbers)))
    *before, last = numbers or [0]
    fits = last % 100 == 0 if ordinal < 100 else True
    if (last in _TENS.values() and ordinal < 10) or (last >= 100 and fits):
        return " ".join([*map(_shown, before), f"{_shown(last + ordinal)}th"])
    return f"{' '.join(map(_shown, numbers))} {words[-1]}"


def _values(words: list[str]) -> list[float]:
    """The numbers that the words tell, one after the other."""
    found: list[float] = []
    total = current = 0.0
    room = 0.0
    for word in words:
        value = _UNITS.get(word, _TENS.get(word))
        if value is None:
            scale = _SCALES[word]
            if scale <= 100:
                current = (current or 1) * scale
            else:
                total, current = total + (current or 1) * scale, 0.0
            room = scale
        elif room > value and value and (room >= 100 or value < 10):
            current += value
            room = 10 if word in _TENS else 1
        else:
            if room:
                found.append(total + current)
            total, current = 0.0, float(value)
            room = 10 if word in _TENS else 1
    return [*found, total + current]


def _as_years(numbers: list[float]) -> list[float]:
    if len(numbers) == 2 and 10 <= numbers[0] <= 20 and 10 <= numbers[1] < 100:
        return [numbers[0] * 100 + numbers[1]]
    return numbers


def _scaled(found: re.Match[str]) -> str:
    return _shown(round(float(found[1]) * _SCALES[found[2]], 6))


def _fraction(found: re.Match[str]) -> str:
    count = "1" if found[1] in {"a", "an"} else found[1]
    part = _PARTS.get(found[2]) or int(found[2])
    return f"{count}/{part}"
