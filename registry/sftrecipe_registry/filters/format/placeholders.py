"""What stands in an answer's place: `N/A`, `TODO`, 略, `[your answer]`, open templates."""

from __future__ import annotations

import re

from sftrecipe_registry.filters.format.stand_ins import stand_in
from sftrecipe_registry.filters.format.word_lists import word_list

_EDGES = " \t\n\r*_#`\"'“”‘’「」.。!！,，;；:：()（）[]【】<>《》{}|~-—–"
_LABELLED = re.compile(
    r"^(?:(?:the )?(?:answer|output|response|result|checklist|list|solution)|答案?|输出|结果"
    r"|解|回答|清单|列表|内容)\s*[:：]?\s*(?=\S)",
    re.IGNORECASE,
)
_TODO = re.compile(
    r"^\W*(?:todo|tbd|fixme|待补充|待完善|待填写)\b.{0,40}$|^.{0,6}(?:待补充|待完善|待填写"
    r"|待更新|待定)\W*$",
    re.IGNORECASE,
)
_SAME = re.compile(r"^(.{1,8}?)(?:\s*\1)+$")
_CROSSES = re.compile(r"[xX×✕*某○〇□■?？_]{2,}")
_DUMMY = re.compile(
    r"lorem ipsum|dolor sit amet|consectetur adip|sed diam nonumy|这里是正文内容|"
    r"请替换为您|此处为占位|replace this text",
    re.IGNORECASE,
)
_DUMMIES = ("psum", "PSUM", "dolor", "这里是", "请替换", "此处为", "eplace this")
_INSTRUCTS = re.compile(
    r"^[\[【(（<{]{1,2}\s*(?:insert|your|add|write|type|enter|fill|answer|put|please|provide"
    r"|describe|response|output|text"
    r"|content|name|title|the |assistant|此处|在此|这里|请|插入|填写|输入|您的|你的|回答|答案"
    r"|内容|画家|姓名|标题)[^\]】)）>}]*[\]】)）>}]{1,2}\W*$"
    r"|^(?:please )?(?:insert|enter|type|write|add|put) (?:your |the |an? )?(?:answer|response"
    r"|text|output|content|reply)\b.{0,20}$"
    r"|^请?在?此处?(?:输入|填写|插入|添加|写)(?:您的|你的)?(?:回答|答案|内容|文字|文本"
    r"|正文).{0,6}$|^[%$]{1,2}[A-Z_{}]{3,20}[%$]?$",
    re.IGNORECASE,
)
_SLOT = re.compile(
    r"\{\{\s*[\w. \u4e00-\u9fff]{1,30}\s*\}\}"
    r"|(?<![$\\A-Za-z0-9{])\{[A-Za-z_\u4e00-\u9fff][\w \u4e00-\u9fff]{0,24}\}(?!\})"
    r"|\[(?!\d|[xX ]\])(?:[A-Za-z][\w'/ ]{1,30}|[\u4e00-\u9fff]{1,10})\](?![(\[:])"
    r"|\$\{\w{1,24}\}|<[A-Z][A-Z_ ]{2,24}>|<[\u4e00-\u9fff]{2,10}>"
    r"|(?<![\w%])%[sd]\b|(?<![A-Za-z0-9×])[Xx×]{2,4}(?=[\u4e00-\u9fff])",
)
_OPENINGS = ("{", "[", "<", "%s", "%d", "XX", "xx", "××")
_ANNOUNCED = re.compile(
    r"[^\n]{0,160}?(?:[:：]|\b(?:here(?:'s| is| are)?|see|watch|read|click|visit|at)\b"
    r"[^\n:：]{0,40}|(?:如下|点击|请看|参见|见|这里|此处))\s*\**[\[【<{(（]"
    r"(?:(?:insert|your|the|a|an) )?(?:\w+ ){0,2}"
    r"(?:links?|urls?|images?|pictures?|photos?|videos?|files?|attachments?|documents?|pdf|posts?"
    r"|articles?|pages?|websites?|audio|screenshots?|charts?|graphs?|diagrams?|tables?"
    r"|.{0,6}(?:链接|网址|图片|图|照片|视频|文件|附件|文档|文章|网页|音频|截图|表格|地址))"
    r"(?: (?:here|to \w+))?[\]】>})）]\**\W*",
    re.IGNORECASE,
)
"""One line that announces something, and a bracket in its place."""
_BRACKETS_END = ("]", "】", ">", "}", ")", "）")
_ASKS_TEMPLATE = re.compile(
    r"template|placeholder|fill.in|\bblanks?\b|mail.?merge|merge field|"
    r"form\b|skeleton|boilerplate|jinja|format string"
    r"|f-string|printf|regex|gaps?\b|left open"
    r"|reusable|generic|outline|schema|variables?|code|script|function|html|python|sql|java"
    r"|json|lorem|dummy|filler|mock|example"
    r"|模板|样板|占位|空白|空着|留空|留出|填空|格式|范本|范文|骨架|表格|代码|函数|脚本|字符串"
    r"|示例|通用|病历格式|借条|收据|发票|合同|证书|receipt|invoice|contract|certificate",
    re.IGNORECASE,
)
_SMALL_ANSWER = re.compile(
    r"\bnone\b|n/a|\bnull\b|\bnan\b|\bnil\b|undefined|\bclassif|\bcategor|\blabel|\bsentiment"
    r"|\bextract|\bdetect|\bidentify"
    r"|\bif not\b|\bif (?:there )?(?:is|are) no|\bor none|otherwise|\b(?:if|"
    r"there|have|has|of|had|for|you) any\b|\bany (?:of|other)\b|result of|"
    r"\bhow many\b"
    r"|\bwhich\b|\breturns?\b|\bprints?\b"
    r"|\bword for\b|\bsymbol\b|\bcode (?:of|for)\b|\babbreviat|stand for|\bsynonym|\bantonym"
    r"|opposite|\bfill\b|\bcomplete\b"
    r"|\bmorse|roman numeral|punctuat|\bmark\b|operator|\bsign\b|\btags?\b|\belement\b"
    r"|\bletter\b|emoji|typeof|\bmiddle name"
    r"|\bfield\b|\bform\b|\brepl(?:y|ies) with|answer (?:with|only)|true or false|yes or no"
    r"|say \"|\btranslat[^\n]{0,30}$|in one word|one word"
    r"|\bvalue of|what does .{0,40}(?:print|give|output|return|mean)|\bspell|\brepeat|\becho\b"
    r"|\bmissing\b|\bodd one|\bchoose"
    r"|\bpick\b|\bfind\b|\bspelling|\bsections?\b|\bseries\b|\bsequence"
    r"|分类|归类|判断|情感|情绪|标签|抽取|提取|识别|填空|填写|填“|____|__|没有(?:则|就)|如无"
    r"|无则|若无|否则|是否|有无|有没有|吗[?？]|下列|以下|哪[个一位种]|几[个颗种]|反义词|近义词"
    r"|同义词"
    r"|组词|单字|一个字|词语|成语|符号|标点|摩尔斯|罗马|缩写|全称|关键字|关键词|返回什么|返回"
    r"|输出什么|得到|运算符|除号|乘号|加号|等号|标签|翻译|怎么写|写成|表情"
    r"|改错|错别字|元素|既往|过敏史|手术史|家族史|姓名|查找|找出|字段|叫什么|读音|拼音|造词"
    r"|列举题|单独",
    re.IGNORECASE,
)
"""Questions whose right answer may be a word that elsewhere stands for none."""
_ABOUT_SIGNS = re.compile(
    r"morse|roman|numeral|punctuat|\bmarks?\b|operator|\bsigns?\b|symbol|emoji|\bdivision"
    r"|multipl|\bcomment|separat|\bdash|blank|ascii|\bdraw|asterisk|regex|\bcharacter"
    r"|\bline of|\brow of|escape"
    r"|标点|符号|摩尔斯|运算符|号|注释|分隔|怎么写|写成|表情|罗马|字符画|画|正则|转义|哪个字符",
    re.IGNORECASE,
)
_NO_DATA = ("{}", "[]", "()", '""', "''")
_ABOUT_DATA = re.compile(
    r"\b(?:json|arrays?|lists?|dict\w*|literals?|empty|objects?|sets?|tuples?|strings?|python"
    r"|javascript)\b|数组|列表|字典|集合|对象|空|元组|字符串|JSON",
    re.IGNORECASE,
)
_DOTTED = re.compile(r"(?:\s*(?:\d{1,2}[.)、]|[-*])\s*(?:…+|\.{2,}|。{2,})\s*)+")
_ONES = re.compile(r"(\d)\1{2,}")
_NO_WORDS = re.compile(r"[\W_]*", re.DOTALL)
_LONGEST = 60
_LONGEST_STAND_IN = 600
_LONGEST_ANNOUNCED = 220
_SHOWN = 60


def asks_for_signs(asked: str, answer: str = "") -> bool:
    """Whether punctuation, a drawing or, for `[]` and its like, data is what is asked for."""
    if answer.strip() in _NO_DATA and _ABOUT_DATA.search(asked):
        return True
    return _ABOUT_SIGNS.search(asked) is not None


def placeholder(asked: str, answer: str) -> str | None:
    """What stands in the answer's place; None where the answer is one."""
    text = answer.strip()
    if len(text) <= _LONGEST and (found := _stands_for_none(asked, text)):
        return found
    if (
        any(map(text.__contains__, _DUMMIES))
        and _DUMMY.search(text)
        and not _DUMMY.search(asked)
        and not _ASKS_TEMPLATE.search(asked)
    ):
        share = len(text) < 400 or len(_DUMMY.findall(text)) > 2
        return text[:_SHOWN] if share and "?" not in asked[-3:] else None
    if len(text) <= _LONGEST_STAND_IN and (found := stand_in(asked, text)):
        return f"{found}: {text[:_SHOWN]}"
    if len(text) <= _LONGEST_ANNOUNCED and (found := _announced_slot(asked, text)):
        return found
    return _open_slots(asked, text)


def _announced_slot(asked: str, text: str) -> str | None:
    """A bracket where what is announced should stand, and nothing else."""
    if not text.rstrip("*.!。！ ").endswith(_BRACKETS_END) or not _ANNOUNCED.fullmatch(text):
        return None
    if _ASKS_TEMPLATE.search(asked):
        return None
    return None if _SLOT.search(asked) else text[-_SHOWN:]


def _stands_for_none(asked: str, text: str) -> str | None:
    said = text.strip(_EDGES).lower()
    shown = text[:_SHOWN] or "''"
    if _NO_WORDS.fullmatch(text) and not _empty_block(text):
        return None if asks_for_signs(asked, text) or _symbols(text) else shown
    if _DOTTED.fullmatch(text) or _INSTRUCTS.search(text) or _empty_block(text):
        return shown
    words = {said, _LABELLED.sub("", said).strip(_EDGES), _SAME.sub(r"\1", said)}
    words &= word_list("stands_for_none")
    if words and text[-1] not in ":：>" and _SMALL_ANSWER.search(asked):
        words -= word_list("right_answers")
    found = (
        bool(words) or _TODO.search(text) or (_crossed(said, asked) and not asks_for_signs(asked))
    )
    return shown if found and not _named(said, asked) else None


def _crossed(said: str, asked: str) -> bool:
    """`xxx`, or `111` where no number is asked for."""
    if _CROSSES.fullmatch(said):
        return True
    return _ONES.fullmatch(said) is not None and not re.search(r"\d|数", asked)


def _named(said: str, asked: str) -> bool:
    """The question itself holds the word."""
    if not said.isascii():
        return len(said) > 1 and said in asked
    asked = asked.lower()
    at = asked.find(said)
    while at >= 0:
        if not _is_letter(asked[at - 1 : at]) and not _is_letter(asked[at + len(said) :][:1]):
            return True
        at = asked.find(said, at + 1)
    return False


def _is_letter(character: str) -> bool:
    return "a" <= character <= "z"


def _symbols(text: str) -> bool:
    """An emoji or a sign that says something: `+`, 👍."""
    return (
        any(ord(character) > 0x2BFF and not 0x3000 <= ord(character) < 0xFF66 for character in text)
        or text in "+×÷=<>%$€£"
    )


def _empty_block(text: str) -> bool:
    return text.startswith("```") and re.fullmatch(r"```\w*\s*```", text) is not None


def _open_slots(asked: str, text: str) -> str | None:
    """Slots of a template that nobody asked for, and little but them."""
    if "`" in text or not any(map(text.__contains__, _OPENINGS)):
        return None
    slots = [found[0] for found in _SLOT.finditer(text)]
    if len(slots) < 2 or _ASKS_TEMPLATE.search(asked) or _SLOT.search(asked):
        return None
    left = _SLOT.sub(" ", text)
    words = len(re.findall(r"[A-Za-z]+|[\u4e00-\u9fff]{2}", left))
    nameless = all(slot.lower() in ("%s", "%d", "xx", "xxx", "××") for slot in slots)
    distinct = len(slots) if nameless else len(set(slots))
    return (
        " ".join(slots)[:_SHOWN]
        if distinct >= 2 and words <= 12 * distinct and words < 45
        else None
    )
