"""Numbers that only a word tells: the last word for a number before one, or the one right behind."""

# ruff: noqa: E501 - expressions and lists of words are read whole
from __future__ import annotations

import re
from typing import NamedTuple

from sftrecipe_registry.filters.pii.personal_span import Found, ReadText

HAN = "\u4e00-\u9fff"
NUMBER = r"(?:numbers?|num|no\b\.?|nos?\.|nr\b\.?|ids?(?![a-z])|identifier|identification|code|#|№)"
"""Words for a number, in small letters."""
NUMBER_ZH = "(?:流水号|编号|编码|编號|編號|号码|號碼|序号|单号|账号|帐号|卡号|卡號|号|號|(?<![A-Za-z])ID|(?<![A-Za-z])id)(?![召称令线角外型])"
_UNIT = re.compile(
    r"(?i) ?(?:%|[元万亿人例名个次年岁天块本份件张只首级套平米克]|美元|(?:mg|ml|kg|g|mmhg|bpm|usd|dollars?|euros?|pounds?|people|persons?|patients?|users?|members?|rows?|cases?|years?|days?|hours?|minutes?|times|calories|kcal|pages?|copies|million|billion|percent|miles?|beds?|visitors?|stores?|units?|records?|specimens?|songs?|samples?|residuals?|points?|things|others|other|employees|students|children|households|miles|lines|bytes|ms|hz)\b)"
)
"""What makes the number before it a quantity."""
_YEAR = re.compile(
    r"(?:19|20)[0-9]{2}(?:[-/ ][0-9]{1,2}){0,2}|[12][0-9]{3}[-/][12][0-9]{3}|[1-9][0-9]{0,3}0-[1-9][0-9]{0,3}0"
)
"""Years, days, spans."""
_MONEY = re.compile(r"(?:[$£€¥￥~≈<>±]|USD|RMB|CNY) ?$")
_OTHER = re.compile(
    r"(?i)电话|手机|热线|传真|邮编|身份证|出生|生日|日期|年龄|身高|体重|金额|房号|床号|房间|订单|快递|发票|比例|费用|版本|支付|价格|血压|银行卡|车牌|护照|学号|工号|准字|批号|股票"
    r"|\b(?:phone|tel|mobile|cell|fax|hot ?line|zip|postcode|dob|birth\w*|born|aged?|date|dated|ssn|passport|room|bed|floor|order|invoice|ticket|flight|version|isbn|price|cost|costs|amount|paid|pay|total|rate|weight|height|dose|blood pressure|since|until|card ending|bmi|iban|plate|email)\b",
    re.ASCII,
)
"""Words between that tell another number."""
_STOP = re.compile(rf"[0-9]{{2}}|(?:[.!。！]|;(?! mine))[ \n]+[^ \n]|[a-z{HAN}]\n[a-z]")
_TURN = re.compile(rf"[。.!?;]?[ ]*\n[ ]*[A-Za-z{HAN} ]{{1,16}}:")
"""Where another begins to speak."""
_LETTERS = re.compile(r"(?:^|[ :#(\"'|])([A-Z]{1,5} )$")
_WHOLE = 60
"""How far a word for a number may stand before it."""


class Labels(NamedTuple):
    """The words that tell a kind of number."""

    named: re.Pattern[str]
    """Words for the number itself: others may stand between."""
    near: re.Pattern[str]
    """Words right before it."""
    behind: re.Pattern[str]
    """Words right behind it."""
    fewest: int
    """Digits that a number has at least; one after `near` alone two more, without letters."""
    gap: int = 44
    """How many signs may stand between `named` and the number."""


def told_codes(read: ReadText, labels: Labels) -> Found:
    """The numbers of a text that these words tell."""
    for start, end in read.codes:
        value = read.text[start:end]
        if sum(map(str.isdigit, value)) < labels.fewest or is_quantity(read, start, end):
            continue
        told = _told(read, labels, start, end)
        if told is not None and not read.is_quiet(start):
            yield told, end


def _told(read: ReadText, labels: Labels, start: int, end: int) -> int | None:
    """Where the number begins, with the letters before a blank (`AB 123456`); None for another's."""
    before = read.said_before(start, _WHOLE)
    letters = _LETTERS.search(before)
    first = start - len(letters[1]) if letters else start
    last = last_match(labels.named, before)
    if last and is_gap(before[last.end() :], labels.gap):
        return first if last.end() <= len(before) - (start - first) else start
    value = read.text[first:end]
    if sum(map(str.isdigit, value)) >= labels.fewest + 2 or not value.isdigit():
        if labels.near.search(before):
            return start
        if labels.near.search(before[: len(before) - (start - first)]):
            return first
    return first if labels.behind.match(read.text, end) else None


def last_match(words: re.Pattern[str], text: str) -> re.Match[str] | None:
    """The last of these words in a text."""
    found = None
    for each in words.finditer(text):
        found = each
    return found


def is_gap(gap: str, longest: int) -> bool:
    """Whether what stands between a word for a number and the number lets it be meant."""
    gap = _TURN.sub(" ", gap)
    return len(gap) <= longest and not _STOP.search(gap) and not _OTHER.search(gap)


def is_quantity(read: ReadText, start: int, end: int) -> bool:
    """Whether a unit, a currency or its form make the number one that counts something."""
    return bool(
        _YEAR.fullmatch(read.text, start, end)
        or _UNIT.match(read.text, end)
        or _MONEY.search(read.text[max(0, start - 4) : start])
    )
