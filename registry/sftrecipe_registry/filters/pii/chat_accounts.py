"""Accounts of WeChat and QQ."""

# ruff: noqa: E501 - expressions and lists of words are read whole
from __future__ import annotations

import re

from sftrecipe_registry.filters.pii.checked_numbers import sum_follows
from sftrecipe_registry.filters.pii.codes import HAN, is_gap, is_quantity, last_match
from sftrecipe_registry.filters.pii.personal_span import Found, ReadText, hints

_QQ = re.compile(
    r"(?<![A-Za-z0-9@.])(?i:q ?q)(?![a-pr-z]|[- ]?(?:plot|music|mail|group|games?|zone|browser|[0-9]+\.[0-9])|群|邮箱|音乐|会员|等级|版本|空间|飞车|游戏|于|有[0-9])|扣扣|企鹅号|(?:加|我|我的)企鹅|企鹅(?=[: ]?$)|球球(?!大)|秋秋"
    rf"|(?<![A-Za-z0-9@.{HAN}])[Qq]号?[: ]?$|[Qq]号|(?:[加是]|找我|有事|联系)我?(?:一下)?[Qq](?![a-z])|[Qq](?=我)"
)
"""Words for QQ; `q` alone right before a number or behind one who asks to be added."""
_IN_CHINESE = re.compile(r"[Qq](?:号?[: ]?)?$")
_NO_ACCOUNT = re.compile(
    r"(?i)群|邮箱|音乐|会员|等级|版本|用户[^:]|亿|\b(?:has|had|have|in|by|with|over|about|of|plots?|version|users|launched|released|stands|followed|reached|million)\b(?! (?:the )?number| it| it'?s)(?! my| the new)"
)
"""What stands between where a number tells something of QQ itself."""
_QQ_BEHIND = re.compile(
    r"(?i)[ ,\"'|)]{0,3}(?:\(?(?:is |was |,? ?(?:which|that)(?: i|')s |on |as )?(?:my |his |her |their |the |our )?(?:new |old )?q ?q(?![a-z]| ?(?:群|plot|music|users))"
    r"|[,是这就我的他她为]{0,8}(?:q ?q|扣扣)号?(?![群邮音会飞])|加我(?:的)?(?:q|扣扣))"
)
_NUMBER = re.compile(
    r"(?<![0-9A-PR-Za-pr-z@._-])(?<![0-9]/)[1-9][0-9]{4,10}(?![0-9A-Za-z@]|[.,-][0-9])"
)
_QQ_HINTS = hints("qq q", "扣扣 企鹅 秋秋 球球 q")
_QQ_GAP = 36

_WECHAT_WORDS = r"(?:微信|威信|薇信|微❤|V信|v信|绿泡泡|加薇|加微|加V|加v|加我[vV]|薇❤|(?<![A-Za-z])(?:WX|wx|Wx|VX|vx|Vx)(?!id_)|(?<![A-Za-z])[Vv](?=[:： ])|\b(?i:we ?chat|weixin))"
_FILL = (
    r"(?i:[\s:=#%\"'“”()|,>*/.;\[\]{}❤~+?_-]|号码|号|编号|编码|为|是|的|卡|我|numbers?|num|no|nr|id|is|was|of|the|it's|its|it|to|code|on|file|with"
    r"|says|reads|shows|used|held|like|you|your|my|his|her|their|now|new|吧|哦|搜索?|查找|现在|常用|工作|私人|一下|发|啊|哈|多少|呢|patient|member|user|me|i'm|handle|name|at|同号|添加|加|：|，|、|吗|请|帐号|账号|名|改成|改为|叫"
    r"|[?？]\s*\n?[A-Za-z\u4e00-\u9fff]{1,12}:){0,14}?"
)
_WECHAT = re.compile(
    rf"{_WECHAT_WORDS}(?!支付|公众|小程序|群)(?P<fill>{_FILL})(?<![0-9A-Za-z])(?P<value>[a-zA-Z][-_a-zA-Z0-9]{{3,24}}(?:\.[-_a-zA-Z0-9]{{3,15}})?)(?![-_A-Za-z0-9@])",
    re.ASCII,
)
_HANDLE = re.compile(
    r"(?<![-\w@./])(?P<value>wxid_[0-9a-z]{6,16}|[A-Za-z](?=[_A-Za-z0-9]*[-_0-9])[-_A-Za-z0-9]{5,19})(?![-\w@/=]|\((?!微信|WeChat|wechat)|\.[A-Za-z])",
    re.ASCII,
)
_SPOKEN = 90
"""How far from the word for WeChat a name that looks like an account's may stand."""
_WECHAT_BEHIND = re.compile(
    r"(?i)[ ,\"'|)]{0,3}(?:\(?(?:is |was |,? ?(?:which|that)(?: i|')s |on |as )?(?:my |his |her |their |the |our )?(?:we ?chat|weixin)|[,是这就我的他她为]{0,8}(?:微信|薇信)|加我?(?:的)?(?:微信?|v\b|薇))"
)
_WECHAT_HINTS = hints("wechat weixin wx vx v", "微 威信 薇 加v v信 绿泡泡 我v")
_WECHAT_WORD = re.compile(_WECHAT_WORDS, re.ASCII)
_ID_SAID = re.compile(r"(?i)号|id\b|加|[:：是]")


def qqs(read: ReadText) -> Found:
    """Digits that a word for QQ tells."""
    if read.digits < 4 or not read.context.has(_QQ_HINTS):
        return
    for found in _NUMBER.finditer(read.text):
        start, end = found.span()
        if is_quantity(read, start, end) or read.is_quiet(start):
            continue
        is_before = _is_qq(read, start) and not sum_follows(read, end)
        if is_before or _QQ_BEHIND.match(read.text, end):
            yield start, end


def _is_qq(read: ReadText, start: int) -> bool:
    before = read.said_before(start, 60)
    last = last_match(_QQ, before)
    if not last or (not read.is_chinese and _IN_CHINESE.fullmatch(last[0])):
        return False
    gap = before[last.end() :]
    return is_gap(gap, _QQ_GAP) and not _NO_ACCOUNT.search(gap)


def wechats(read: ReadText) -> Found:
    """Names behind a word for WeChat, that are no words."""
    if not read.context.has(_WECHAT_HINTS) or not read.context.says(_WECHAT_WORD):
        return
    for found in _WECHAT.finditer(read.text):
        value = found["value"]
        is_word = value.isalpha() and (value.islower() or value.istitle() or value.isupper())
        if is_word and not (_ID_SAID.search(found["fill"]) and read.is_chinese):
            continue
        if not re.fullmatch(
            r"(?i)official|account|payment|please|number|group|wechat|messages?|applet|phone|email",
            value,
        ):
            yield found.span("value")
    yield from _handles(read)


def _handles(read: ReadText) -> Found:
    """What looks like an account's name, soon behind a word for WeChat or right before one."""
    if len(read.text) > 1500:
        return
    for found in _HANDLE.finditer(read.text):
        start, end = found.span()
        is_told = _WECHAT_BEHIND.match(read.text, end) or (
            re.search("[0-9_]", found[0]) and _WECHAT_WORD.search(read.said_before(start, _SPOKEN))
        )
        if is_told and not read.is_quiet(start):
            yield start, end
