"""Chinese names, behind words that say so or beside other personal data."""

# ruff: noqa: E501 - expressions and lists of words are read whole
from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sftrecipe_registry.filters.pii.chinese_frames import framed_names, paired_names
from sftrecipe_registry.filters.pii.chinese_name_forms import (
    ALONE,
    ANY_NAME,
    HAN,
    NAME,
    TITLE,
    alone,
    is_famous,
    is_nobody,
    is_plain,
    name_end,
)
from sftrecipe_registry.filters.pii.name_words import words_of
from sftrecipe_registry.filters.pii.personal_span import Found, PersonalSpan, ReadText
from sftrecipe_registry.shared.text.word_list import trie_pattern

_SEP = r"[ \t]*(?:[\"'“”*|]{0,3}[ ]*[:=|][ \t]*[\"'“*]{0,3}|是|为|叫|[ \t])[ \t]*"
_AFTER_FIELD = re.compile(
    rf"(?:{trie_pattern(words_of('chinese_fields'))}|[妻夫父母子女](?<![{HAN}].))(?:[（(][^（）()]{{1,6}}[)）])?{_SEP}(?={ANY_NAME.pattern})"
)
_FIELD_ALONE = re.compile(
    rf"(?:[请借报经申销][假款销办手请报]人|审批|车主|患者|联系人|姓名|户名|名字|收件人|收货人|乘客|旅客|患者姓名|持卡人|本名|真名)[ \t]*[:=][ \t]*[\"'“*]?(?P<name>[{HAN}]{{2,4}}(?:·[{HAN}]{{2,6}})?)(?![{HAN}·])"
)
"""Behind which any name is believed, of peoples without a surname too."""
_ROLE = re.compile(
    rf"{trie_pattern(words_of('chinese_roles'))}(?:叫|名叫|名字叫|为)?[ \t]?(?={ANY_NAME.pattern})"
)
_SURE_ROLE = re.compile(
    "(?:[我名]叫|患[者儿]|病人|[原被]告|[^人本]人[:]?|[,，]叫|家属|产妇|婴)[:为 ]?$"
)
"""Behind which a surname may be an ordinary word."""
_SPEAKER = re.compile(
    "用户|医生|护士|客户|学生|老师|经理|卖家|买家|病人|患者|家长|房东|员工|律师|甲方|乙方|名称"
)
"""Who speaks in a dialogue: behind it stands what is said, seldom a name."""
_LETTER = re.compile(rf"(?:尊敬的|亲爱的|敬爱的)(?={ANY_NAME.pattern})")
_SEX = re.compile(
    rf"(?<![{HAN}])(?P<name>{ANY_NAME.pattern})(?=[ \t]?[,、，(（/ |][ \t]?[男女](?:[ \t]?[,，、/ |）)。性]|[0-9]))"
)
_OWN = re.compile(
    r"的(?:妈妈|爸爸|家长|母亲|父亲|班主任|主治|电话|手机|身份证|病历|微信|邮箱|住址|家庭|地址|生日|出生|护照|车牌|银行卡|卡号|医保|联系方式|QQ|账号)"
)
_SIGNED = re.compile(
    rf"(?:^|\n)[ \t]*(?:--+|此致[ \t]*敬礼|敬礼|您的|学生|申请人|请假人|检讨人|承诺人|道歉人|家长|租客|员工)?[ !！,:：]*\n?[ \t]*(?P<name>{ANY_NAME.pattern})[ \t]*(?:敬上|谨上|上|启|敬启|谨启|留)?[ \t]*(?=\n|$)"
)
_NO_NAME = re.compile(
    "[的了是在吗呢某未无不号]|保密|匿名|手机|电话|邮箱|身份|地址|性别|年龄|生日|日期|单位|微信|车牌|护照|姓名"
)
_LETTERS = re.compile(
    r"此致|敬礼|敬上|谨上|尊敬的|您好|你好|祝好|顺祝|亲爱的|--|感谢|谢谢|通知|启事|申请|挂失|书"
)
_START = re.compile(
    rf"(?:^|[^{HAN}]|是|叫|给|找|与|由|和|向|为|请|让|联系|致电|问|者|人|子|女|友|户|员|生|婴|名|姓|祝|本|在|致|及|到|妈|爸|把|被|替|帮|跟|对|按|写|说|日|年|时许)$"
)
_FICTION = re.compile(
    r"故事|小说|童话|剧本|角色|寓言|人物形象|主人公|主角|虚构|历史|朝代|三国|红楼|西游|水浒|武侠|诗人|电影|电视剧|动画|歌手|演员|明星|皇帝|创始人|科学家|作家|运动员|首富|董事长|CEO"
)
_BRIEF = 400
"""Texts of so few characters are about those whom they name."""
_NAMING = re.compile(
    r"起名|取名|起个?名|命名|名字大全|姓氏(?!.{0,3}[排笔拼首])|网名|[起取].{0,8}名字"
)
"""Rows that look for a name."""
_LISTED = re.compile(
    r"[ \t]*(?:[(（][^()（）\n]{1,8}[)）])?[ \t]*[-:：]?[ \t]*[0-9]{0,3}(?:\.[0-9])?(?:分|岁|号|次|票)?[ \t]*(?:[、,，;；/|]|\n[ \t]*(?:[0-9]{1,2}[.、)]|[-*])?|[ \t]|和|$)[ \t]*"
)
"""What stands between the names of a list."""
_MEETING = re.compile(
    "名单|到会|出席|缺席|与会|参会|签到|值班|分组|成绩|打分|平均分|得分|分数|几分|排序|座位|抽签"
)
"""Rows about a list of persons."""
_SPEAKS = re.compile(rf"(?:^|\n)[ \t]*(?P<name>[{HAN}]{{2,4}})[ ]?:(?![/\n])")
_TITLED = re.compile(rf"[{HAN}]{{2,4}}(?=(?:{TITLE.pattern})(?!们))")


def chinese_names(
    read: ReadText, found: Sequence[PersonalSpan], told: bool, asked: bool = False
) -> Found:
    """Behind a word that says so, signed, addressed, in a list, or near other personal data;
    `told`: whether the row has any, `asked`: whether the text is no answer."""
    if read.text.isascii():
        return
    fiction = not told and read.context.says(_FICTION)
    if not fiction:
        yield from _said(read, told)
        yield from _speakers(read)
        if (asked or told) and len(read.text) < _BRIEF:
            yield from framed_names(read)
            yield from paired_names(read)
    for start in _beside_words(read):
        end = name_end(read, start, trust=0)
        if end and not is_nobody(read.text[start:end], told):
            yield start, end
    if _LETTERS.search(read.text):
        yield from _signed(read, told)
    if told:
        yield from _near(read, found)
    if told or asked or len(read.text) < _BRIEF:
        yield from _lists(read, told, fiction)


def _said(read: ReadText, told: bool) -> Found:
    """Behind words for who comes."""
    for match in _FIELD_ALONE.finditer(read.text):
        name = match["name"]
        end = name_end(read, match.start("name"), trust=2)
        is_one = end or (told and not _NO_NAME.search(name) and not TITLE.search(name))
        if is_one and not is_nobody(name, told):
            yield match.span("name")
    for start, trust in _behind_words(read):
        rare = told or bool(_SURE_ROLE.search(read.text[max(0, start - 4) : start]))
        end = name_end(read, start, trust=trust, rare=rare)
        if end and not is_nobody(read.text[start:end], told):
            yield start, end
    for match in _TITLED.finditer(read.text) if told else ():
        for start in range(match.start(), match.end() - 1):
            if name_end(read, start, trust=1, rare=True) == match.end():
                yield start, match.end()
                break


def _behind_words(read: ReadText) -> Iterator[tuple[int, int]]:
    for match in _AFTER_FIELD.finditer(read.text):
        if match[0].startswith("户名") and read.text[match.start() - 1 : match.start()] == "用":
            continue
        yield match.end(), 1 if _SPEAKER.match(match[0]) else 2
    for match in _ROLE.finditer(read.text):
        if match[0][0] == "户" and read.text[match.start() - 1 : match.start()] == "用":
            continue
        yield match.end(), 2 if match[0].startswith(("户名", "收款人", "持卡人")) else 1
    for match in _LETTER.finditer(read.text):
        yield match.end(), 1


def _beside_words(read: ReadText) -> Iterator[int]:
    """Where a name may begin that a sex follows, or whose number is spoken of."""
    if "男" in read.text or "女" in read.text:
        yield from (match.start("name") for match in _SEX.finditer(read.text))
    for match in _OWN.finditer(read.text):
        for length in (4, 3, 2):
            start = match.start() - length
            if start >= 0 and name_end(read, start, trust=0) == match.start():
                yield start
                break


def _speakers(read: ReadText) -> Found:
    """Who speaks, line by line."""
    lines = [
        match.span("name")
        for match in _SPEAKS.finditer(read.text)
        if alone(read, *match.span("name"), word=True) and not is_nobody(match["name"], False)
    ]
    if len(lines) > 1 and any(alone(read, *line) for line in lines):
        yield from lines


def _signed(read: ReadText, told: bool) -> Found:
    low = max(0, len(read.text) - 60)
    for match in _SIGNED.finditer(read.text, low):
        start = match.start("name")
        end = name_end(read, start, trust=1)
        if end == match.end("name") and not is_nobody(match["name"], told):
            yield start, end


def _near(read: ReadText, found: Sequence[PersonalSpan]) -> Found:
    """Names within reach of a number, an address …, where a word begins."""
    spans = [(piece.start - 60, piece.end + 40) for piece in found]
    if not spans:
        return
    low, high = max(0, spans[0][0]), spans[-1][1]
    for match in ALONE.finditer(read.text, low, min(len(read.text), high + 4)):
        start, end = match.span()
        near = any(at <= start <= to for at, to in spans)
        if near and alone(read, start, end) and not is_nobody(match[0], True):
            yield start, end
    for match in NAME.finditer(read.text, low, high):
        start = match.start()
        near = any(at <= start <= to for at, to in spans)
        if near and _START.search(read.text[max(0, start - 2) : start]):
            stop = name_end(read, start, trust=0)
            if stop and not is_nobody(read.text[start:stop], True):
                yield start, stop


def _lists(read: ReadText, told: bool, fiction: bool) -> Found:
    """Names that stand one after the other: two of which one is sure, none of them famous."""
    if fiction:
        return
    group: list[tuple[int, int]] = []
    last = 0
    for match in ALONE.finditer(read.text):
        start, end = match.span()
        if group and not _LISTED.fullmatch(read.text, last, start):
            yield from _whole_list(read, group, told)
            group = []
        if alone(read, start, end):
            group.append((start, end))
        last = end
    yield from _whole_list(read, group, told)


def _whole_list(read: ReadText, group: Sequence[tuple[int, int]], told: bool) -> Found:
    if (
        len(group) < 2
        or read.context.says(_NAMING)
        or any(is_famous(read.text[low:high]) for low, high in group)
    ):
        return
    sure = sum(is_plain(read, low, high) for low, high in group)
    if sure * 2 >= len(group) or (sure and (told or read.context.says(_MEETING))):
        yield from group
