"""Days of birth of private persons."""

# ruff: noqa: E501 - expressions and lists of words are read whole
from __future__ import annotations

import re

from sftrecipe_registry.filters.pii.name_words import words_of
from sftrecipe_registry.filters.pii.personal_span import Found, ReadText, hints

_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?"
    r"|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\.?"
)
_DATE = re.compile(
    r"(?<![0-9A-Za-z])(?:"
    r"(?P<y1>(?:19|20)[0-9]{2})(?:[-/.][0-9]{1,2}[-/.][0-9]{1,2}| ?年 ?[0-9]{1,2} ?月(?: ?[0-9]{1,2} ?[日号])?|[01][0-9][0-3][0-9])"
    r"|[0-9]{1,2}[-/. ][0-9]{1,2}[-/. ](?P<y2>(?:19|20)?[0-9]{2})"
    rf"|(?i:(?:the )?[0-9]{{1,2}}(?:st|nd|rd|th)?[ -](?:of )?{_MONTH}[ ,-]{{1,2}})(?P<y3>(?:19|20)?[0-9]{{2}})"
    rf"|(?i:{_MONTH}[ -][0-9]{{1,2}}(?:st|nd|rd|th)?,? ?-?)(?P<y4>(?:19|20)[0-9]{{2}})"
    r"|[〇零一二三四五六七八九]{4}年[一二三四五六七八九十]{1,2}月(?:[一二三四五六七八九十]{1,3}日)?|(?:(?:19|20)[0-9]{2}|[〇零一二三四五六七八九]{4})年(?:农历|阴历)?(?:[正冬腊]|十?[一二三四五六七八九十])月(?:初[一二三四五六七八九十]|廿[一二三四五六七八九]?|[一二三四五六七八九十]{1,3})(?:日)?"
    rf"|(?i:(?:the )?(?:(?:twenty|thirty)[- ])?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth|nineteenth|twentieth|thirtieth)(?: of|,)? {_MONTH},? )(?P<y5>(?:19|20)[0-9]{{2}})"
    rf"|(?i:{_MONTH} (?:the )?(?:(?:twenty|thirty)[- ])?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth|nineteenth|twentieth|thirtieth),? )(?P<y6>(?:19|20)[0-9]{{2}})"
    r")(?![0-9A-Za-z])(?![./-][0-9])"
)
_PARTIAL = re.compile(
    rf"(?i:{_MONTH} [0-9]{{1,2}}(?:st|nd|rd|th)?(?![0-9])|[0-9]{{1,2}}(?:st|nd|rd|th)? (?:of )?{_MONTH}(?! [0-9]))"
    r"|(?<![0-9])[0-9]{1,2}月[0-9]{1,2}[日号]"
)
_WORD = re.compile(
    r"(?i)出生(?:年月日?|日期|时间|于)?|生日|生辰|诞辰|生于|\bd\.? ?o\.? ?b\b\.?|\b(?:date|day|year) of birth\b|\bbirth ?(?:day|date)s?\b|\bborn\b|\bb\.(?= ?\d)|date_of_birth|birth_?date|\bbirth\b|geboren|geburtsdatum|né[e]? le",
    re.ASCII,
)
_WORDS = re.compile("[〇零一二三四五六七八九]{4}年")
_SIGNS = hints(
    "birth birthday birthdays birthdate born dob geboren geb née né date_of_birth",
    "出生 生日 生辰 诞辰 生于 日生 号生 月生 年生 初一生 初二生 初三生 初四生 初五生 初六生 初七生 初八生 初九生 十生 一生 二生 三生 四生 五生 六生 七生 八生 九生 简历 0生 1生 2生 3生 4生 5生 6生 7生 8生 9生",
)
_FORM = re.compile(r"(?i)d\.? ?o\.? ?b|date.?of.?birth|birth.?date|出生(?:年月|日期|时间)")
_AFTER = re.compile(
    r"[ ,)]{0,2}(?:出?生(?!活|产|效|成|长|命|病|意|日快乐|物|态|前|后)(?!于|在)|\((?:DOB|birth)|is (?:my|his|her) (?:birthday|date of birth)|birth)"
)
_ASKED = re.compile(
    r"(?i)(?:date of birth|birth ?date|birthday|出生日期|生日)[^?？\n]{0,30}[?？][^\n]{0,20}\n?[^\n]{0,60}$"
)
"""A question for it, right before."""
_LUNAR = re.compile("(?:公历|阳历|新历|农历|阴历)(?:生日)?[是为:]?$")
_CELL = re.compile(r"[|｜] ?$")
"""A date in the head of a curriculum vitae."""
_MINE = re.compile(
    r"(?i)\bmy\b|\bI(?:'m| am| was)\b|patient|\bpt\b|我|患者|病人|孩子|宝宝|女儿|儿子|父亲|母亲|本人|客户|员工|申请人|employee|client|applicant|member"
)
_KNOWN = re.compile(
    r"(?i)诗人|作家|歌手|演员|总统|科学家|导演|皇帝|历史|生平|简介|运动员|企业家|哲学家|画家|物理学家|明星"
    r"|singer|\bactors?\b|actress|president|scientist|\bauthors?\b|novelist|poet|composer|artist|philosopher|physicist|footballer|politician|biograph|famous|historical|\bking\b|\bqueen\b|prime minister|nfl|nba|league|championship|player|olympi|grammy|oscar"
)
_OLDEST = 1910


def birth_dates(read: ReadText) -> Found:
    """Dates behind or before a word of birth; none of history, none of the famous."""
    if not (read.context.has(_SIGNS) or ".o.b" in read.lower) or not (
        read.digits or _WORDS.search(read.text)
    ):
        return
    for found in _DATE.finditer(read.text):
        year = found[found.lastgroup] if found.lastgroup else "2000"
        if (len(year) == 4 and int(year) < _OLDEST) or read.is_quiet(found.start()):
            continue
        if _is_birth(read, *found.span()):
            yield found.span()
    for found in _PARTIAL.finditer(read.text):
        if re.search(
            r"(?i)(?:\bmy (?:birthday|date of birth) is|我的?生日[是在为:]?)[^.。\n]{0,8}$",
            read.before(found.start()),
        ):
            yield found.span()


def _is_birth(read: ReadText, start: int, end: int) -> bool:
    before = read.said_before(start, 60)
    words = [
        word
        for word in _WORD.finditer(before)
        if _FORM.fullmatch(word[0]) or not re.search(r"[日号0-9] ?$", before[: word.start()])
    ]
    if words and any(name in before.lower() for name in words_of("english_famous", lines=True)):
        return False
    told_place = re.match(r" in [A-Z]|于", read.text[end : end + 6]) and not _MINE.search(before)
    is_told = words and not told_place and not _parted(before[words[-1].end() :])
    is_asked = _ASKED.search(before) and not re.search(r"[0-9]{4}[^\n]*\n", before[-30:])
    if is_asked or (
        is_told and (_FORM.fullmatch(words[-1][0]) or not _is_story(read, before, words[-1]))
    ):
        return True
    if read.context.says(_FORM) and len(read.text) < 300 and len([*_DATE.finditer(read.text)]) == 1:
        return not re.search(
            r"(?i)(?:visit|since|effective|exp\w*|until|due|dated?|on|seen|admitted|issued?|invoice|order)[ :]*$",
            read.before(start),
        )
    return _is_placed(read, before, start, end)


def _is_placed(read: ReadText, before: str, start: int, end: int) -> bool:
    """Whether a calendar, a cell, or what follows tells that somebody was born then."""
    after = read.text[end : end + 30]
    if _LUNAR.search(before):
        return bool(re.search("生的|出生|生日|生于", read.text))
    if _CELL.search(before) and re.match(r"[ ]?[|｜]", after):
        return "@" in read.text
    if re.match("生[于在]", after):
        return bool(re.search("我|本人|咱|爸|妈|爷|奶|父|母", before))
    is_followed = _AFTER.match(after) is not None
    return is_followed and (not read.context.says(_KNOWN) or bool(_MINE.search(read.before(start))))


def _parted(between: str) -> bool:
    """Whether something stands between the word and the date that makes it another date."""
    return (
        bool(
            re.search(
                r"[0-9]{4}|\.\s|(?i:died|death|卒|逝世|去世|married|hired|joined|admitted|入院|就诊|visit|since|effective|exp)",
                between,
            )
        )
        or len(between) > 45
    )


def _is_story(read: ReadText, before: str, word: re.Match[str]) -> bool:
    """Whether somebody else tells it of one who is known."""
    if _MINE.search(before):
        return False
    return before[: word.start()].rstrip().endswith(("(", ";")) or read.context.says(_KNOWN)
