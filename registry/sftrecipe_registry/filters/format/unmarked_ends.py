"""Ends without a final mark that are whole by their form: terms, items, signatures, menus, data."""

from __future__ import annotations

import re

from sftrecipe_registry.filters.format.ending_features import LISTED
from sftrecipe_registry.shared.text.scripts import has_unspaced

_SENTENCE_MARK = re.compile(r"[。！？!?]|\.(?:\s|$)")
_SEPARATORS = (
    re.compile(r"\s*[；;]\s*"),
    re.compile(r"\s*[、/|｜·•]\s*"),
    re.compile(r"\s*[,，]\s*(?:and |or |和|与|及)?"),
    re.compile(r"\s+"),
)
_LONGEST_TERM = (20, 14, 10, 8)
"""Han characters of a term, by the separator: what is parted by `；` is a term of any length."""
_PREDICATES = re.compile(
    r"可以|应该?|需要|建议|是|会|能|不要|必须|容易|引起|导致|然后|所以|因为|您|你|我|他们?|她|了|就"
)
_CLOSING = re.compile(
    r"\W*(?:(?:(?:with|my|our|all|the|your|kind(?:est)?|warm(?:est)?|best|many|much|yours|very|most"
    r"|and|deepest|fond) )*(?:regards|sincerely|yours(?: \w+)?|wishes|cheers|thanks|love|truly"
    r"|respectfully(?: yours)?|respect|hope|faithfully|gratitude|best|cordially|signed|hugs)"
    r"(?: and \w+)?"
    r"|此致|敬礼|此致\W*敬礼|祝好|谨上|敬上|谨启|敬启|落款|顺祝.{0,8}|祝(?:您|你|愿|一切).{0,12}"
    r"|(?:最好|最诚挚|诚挚|真诚|衷心|美好|最美好|亲切|最亲切|热情|温暖|深切)的?(?:地|祝愿|祝福|问候"
    r"|敬意|谢意|感谢|致意)?|敬(?:意|祝)|爱你的?|你的朋友|您(?:真诚|忠实|诚挚)的|谢谢|感谢)"
    r"\s*[,，。.!！:：~～]*\s*",
    re.IGNORECASE,
)
_CLOSED_INLINE = re.compile(
    r"(?:^|[.!?,]\s)\s*(?i:(?:with|my|best|warm|kind|yours)\s(?:\w+\s){0,4}?)?"
    r"(?i:regards|sincerely|yours|truly|faithfully|wishes|respect|hope|love|cheers|respectfully"
    r"|gratitude|anticipation|companion),\s+(?:the |your |a )?[\[A-Z].{0,50}$"
)
_PROMPT = re.compile(
    r"(?:输入|选择|选项|编号|号码|数字|回复|作答|答案|命令|操作)|\b(?:enter|choose|select|choices?"
    r"|options?|pick|command|your (?:move|turn|answer)|input|press|type|password|username)\b",
    re.IGNORECASE,
)
_SIGNS = re.compile(r"(?:^|[\s:：,，])(?:[01]{4,}[\s,]*){2,}$|(?:[-.·—_]+[\s/]+){3,}[-.·—_]+$")
_INLINE_ITEM = re.compile(r"(?:^|\s)\d{1,2}[.)、．]\s?(?=\D)")
_LABELLED = re.compile(
    r"(?:^[-*•\s]*|[。.!?！？，,]\s*)(?:confidence|score|rating|sentiment|category|label|topic|language|class|grade|信心|自信度"
    r"|置信度|可信度|评分|得分|分数|等级|类别|分类|情感|语言|标签|主题|年龄|性别|日期|时间|电话"
    r"|邮箱|地址)(?:水平|level)?\s*[:：]\s*\S.{0,20}$",
    re.IGNORECASE,
)
_WISHED = re.compile(r"(?:^|[\s，。,.！!；;])(?:祝|愿|希望我的回答)(?!贺|福|愿)[^，。,.\s]{2,14}$")
_OPTION = re.compile(r"[（(]?[A-Ha-h\d][)）.、．:：].{1,24}")
_OPTIONS = re.compile(
    r"选项|\boptions?\b|[（(]?\b[Aa1][)）.、．].+[（(]?\b[Bb2][)）.、．]", re.DOTALL
)
_SUM_WITH_UNIT = re.compile(r"=\s?[$€£¥]?\s?\d[\d.,/]*%?(?: [a-z'-]{2,}){0,8}$", re.IGNORECASE)
_HASHTAG = re.compile(r"[#＃]\w[\w+]*$")


def whole_by_form(asked: str, text: str, last: str) -> bool:
    """Whether the form alone tells that nothing more must come; no function word ends the text."""
    return (
        is_terms(text)
        or _HASHTAG.search(last) is not None
        or _WISHED.search(last) is not None
        or (text.count("=") > 1 and _SUM_WITH_UNIT.search(last) is not None)
        or _SIGNS.search(text[-80:]) is not None
        or _LABELLED.search(last) is not None
        or _copied_option(asked, last)
        or _item_like_others(text, last)
        or closes_a_letter(text)
    )


def is_terms(text: str) -> bool:
    """Terms side by side without any sentence: there is no sentence that could break off."""
    if _SENTENCE_MARK.search(text) or len(text) > 3_000:
        return False
    zh = has_unspaced(text)
    for separator, longest in zip(_SEPARATORS, _LONGEST_TERM, strict=True):
        terms = separator.split(text.strip())
        if len(terms) < 2:
            continue
        if separator is _SEPARATORS[0] and not re.search("[,，:：]", text):
            return zh or all(term.count(" ") < 7 for term in terms)
        if len(terms) >= (3 if zh else 4) and _are_terms(terms, longest, zh):
            return True
    return False


def _are_terms(terms: list[str], longest: int, zh: bool) -> bool:
    if zh:
        return all(len(term) <= longest and not _PREDICATES.search(term) for term in terms)
    return longest > _LONGEST_TERM[-1] and all(term.count(" ") < 3 for term in terms)


def _copied_option(asked: str, last: str) -> bool:
    """A line of the question, such as the option that is right."""
    if _OPTION.fullmatch(last) and _OPTIONS.search(asked):
        return True
    return len(last) > 3 and LISTED.match(last) is not None and LISTED.sub("", last, 1) in asked


def _item_like_others(text: str, last: str) -> bool:
    """An item behind others that have no final mark either."""
    if not LISTED.match(last):
        return False
    if len(_INLINE_ITEM.findall(last)) > 2 and not re.search(r"[。]|[a-z][.!?]\s", last):
        return True
    items = [line.strip() for line in text.splitlines()[:-1] if LISTED.match(line)][-3:]
    return bool(items) and all(item[-1] not in "。.!?！？，,:：" for item in items)


def closes_a_letter(text: str) -> bool:
    """At most four short lines behind a line that takes leave, or both in one line."""
    lines = [line.strip() for line in text[-400:].splitlines() if line.strip()]
    for at in range(max(0, len(lines) - 5), len(lines) - 1):
        if len(lines[at]) < 40 and _CLOSING.fullmatch(lines[at]):
            return all(len(line) < 48 for line in lines[at + 1 :])
    return _CLOSED_INLINE.search(text[-120:]) is not None


def asks_to_choose(text: str, last: str) -> bool:
    """A menu's last line, which waits for what its reader will enter."""
    if len(last) > 60 or not _PROMPT.search(last):
        return False
    lines = [line for line in text.splitlines() if line.strip()][-16:-1]
    return sum(LISTED.match(line) is not None for line in lines) > 1
