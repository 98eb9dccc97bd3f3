"""Chinese names by the phrase around them: who is asked for, addressed, spoken of, named with others."""

# ruff: noqa: E501 - expressions and lists of words are read whole
from __future__ import annotations

import re

from sftrecipe_registry.filters.pii.chinese_name_forms import (
    HAN,
    SURNAMES,
    TWICE,
    is_made,
    is_nobody,
    name_end,
)
from sftrecipe_registry.filters.pii.name_words import words_of
from sftrecipe_registry.filters.pii.personal_span import Found, ReadText

_BEFORE = re.compile(
    r"(?:(?:^|[^\u4e00-\u9fff])(?:帮我?给|替我?给|给|帮|替|让|请|叫|找|约|问|告诉|转告|通知|推荐|感谢|谢谢|祝贺?|恭喜|联系|投诉|举报|拜托|采访|喂|你是|和|跟|与|请问|是|把|我(?:和|跟|与|喜欢|爱|想|认识|暗恋|约|找|是)|你?(?:好|您好)[,! ]?)"
    r"|[我他她帮]给|[帮替]我?[给向跟]?|(?:转告|推荐|感谢|投诉|举报|恭喜|暗恋|喜欢|这位是|那位是|就是|请问是|[好,]是|为|我[和跟]|让|发给|写给|寄给|送给|[部科组班处室系院]的?[ ]?|(?:公司|单位|我们?班|小组)的?|挂|作业是|新[郎娘]|参加|[和与]|业务员|[人员者属主师长][:：]? ?|[0-9]床|给|周[一二三四五六日天末]|星期[一二三四五六日天])[:： ]?)$"
)
"""What stands before somebody's name."""
_AFTER = re.compile(
    r"(?:先生|女士|小姐|小朋友|同学|老师|医生|大夫|护士|教授|师傅|同志|阿姨|叔叔|在吗|在不在|在家|吗\?|[,，]?你好|您好|说|告诉|今天|昨天|明天|前天|上周|下周|住院|出院|离职|入职|辞职|请假|写一?[封份篇首个张]|写的|写封|发[个条一]?|一声|生日|约了|分手|是[大中小高]?学?同[学事]|是我|的(?:电话|手机|生日|地址|微信|病|老婆|老公|妈|爸|孩子|作业|简历|快递)|[,、，]?(?:怎么|如何)表白|改简历|来一趟|借了|欠|提交|迟到|怀孕|的号|打电话|医生|律师|没来)"
)
_KNOWLEDGE = re.compile(
    r"是谁|谁是|介绍(?!一下,|信)|简介|生平|作品|代表作|评价|诗|歌|小说|电影|历史|朝|著名|名人|成就|贡献|思想|主演|导演|作者|写过|故事|角色|人物|扮演|起名|取名|名字大全|姓氏(?!.{0,3}[排笔拼首])"
)
"""Rows about those whom everybody knows, or nobody."""
_CALLED = re.compile(
    r"先生|女士|小姐|同学|小朋友|,?[你您]好|说[他她]|[今昨前]天|住院|在吗|请假|迟到|离职"
)
_SURNAME = re.compile(rf"(?={TWICE})|[{SURNAMES}]")
_TWICE = frozenset(TWICE.split("|"))
_PAIR = re.compile(
    rf"(?<![·])(?P<first>(?:{TWICE})[{HAN}]{{1,2}}|[{SURNAMES}][{HAN}]{{1,2}})[ ]?(?:[、,;/ ]|和|与|及|以及|跟)[ ]?(?=(?P<second>(?:{TWICE})[{HAN}]{{1,2}}|[{SURNAMES}][{HAN}]{{1,2}}?)(?:[、,;/ 。!\n)的]|和|与|及|三|等|$))"
)


def framed_names(read: ReadText) -> Found:
    """Names that a phrase before and one behind make somebody's, of three characters one of both;
    to be asked of requests only."""
    if read.context.says(_KNOWLEDGE):
        return
    for match in _SURNAME.finditer(read.text):
        start = match.start()
        before = read.text[max(0, start - 6) : start]
        is_cued = _BEFORE.search(before) is not None
        if before and not is_cued and _is_han(before[-1]) and before[-1] != "的":
            continue
        end = name_end(read, start, trust=0)
        if not end or not _is_somebody(read.text[start:end]):
            continue
        points = (end - start > 2) + is_cued + bool(_AFTER.match(read.text, end))
        points += not is_cued and bool(_CALLED.match(read.text, end))
        if points >= 2:
            yield start, end


def _is_somebody(name: str) -> bool:
    begins_word = len(name) > 2 and name[:2] in words_of("chinese_words") and name[:2] not in _TWICE
    return is_made(name) and not begins_word and not is_nobody(name, False)


def paired_names(read: ReadText) -> Found:
    """Names one after the other, of which each is made as one and has three characters."""
    if read.context.says(_KNOWLEDGE):
        return
    for match in _PAIR.finditer(read.text):
        names = [match.span("first"), match.span("second")]
        made = [is_made(read.text[low:high]) for low, high in names]
        known = any(is_nobody(read.text[low:high], False) for low, high in names)
        if all(made) and not known and any(high - low > 2 for low, high in names):
            yield from names


def _is_han(sign: str) -> bool:
    return "\u4e00" <= sign <= "\u9fff"
