"""Answers that stand in the place of one: `N/A`, `TODO`, 略, `[your answer here]`, open templates."""

from __future__ import annotations

import re

_EDGES = " \t\n\r*_#`\"'“”‘’「」.。!！,，;；:：()（）[]【】<>《》{}|~-—–"
_WORDS = frozenset(
    # nothing
    "n/a|na|none|null|nil|nan|undefined|not applicable|not available|no data|no answer|no response|no output|nooutput"
    "|no input|noinput|no output required|no output needed|no input required|empty|blank|nothing|unknown|n.a"
    # later
    "|todo|to do|tbd|tba|tbc|fixme|to be added|to be completed|to be done|to be determined|to be continued"
    "|to be announced|to be filled in|to be written|to be provided|coming soon|work in progress|wip|in progress|pending"
    "|under construction|draft|fill in later|add answer later|add later|under review|will be added soon|stay tuned"
    # elsewhere
    "|see above|see below|as above|same as above|ditto|same|idem|refer to the answer key|see the answer key"
    "|answer omitted|omitted|answer not provided|not provided|deleted|removed|redacted|see attachment|see attached"
    "|see the attached file|see image|see picture|answer in comments|see text|skipped|see answer above|see reference"
    "|see previous answer|given above|above|refer to the above|refer to the textbook|answer withheld|answer unavailable"
    # a label
    "|output|input|response|answer|assistant|ai|human|user|bot|system|question|instruction|completion|text|content|a|result"
    "|reply|solution|explanation|assistant response|model output|your answer|your text|your response|the answer|ans"
    # trials
    "|test|testing|this is a test|this is a test answer|sample|sample answer|sample text|sample output|example output"
    "|example output text|example text|example answer|placeholder|placeholder text|dummy|dummy text|dummy answer|foo|bar"
    "|foo bar|foo bar baz|asdf|asdfgh|asdfghjkl|qwerty|qwertyuiop|abc|hello world|lorem ipsum|blah|blah blah|blah blah blah"
    "|string|your text here|text here|text goes here|answer here|answer goes here|some text|test data|random text|temp"
    # Chinese
    "|无|没有|暂无|空|空白|无内容|无数据|无输出|无输入|无答案|无回答|不适用|不详|未知|暂无回答|暂无答案|暂无数据|暂无内容|暂无信息|没有内容"
    "|没有答案|没有输出|无需输出|无需回答|暂缺|缺|待补充|待定|待完善|待续|未完待续|待填写|此处待填写|稍后补上|稍后补充|后补|待更新|待添加|待编辑"
    "|内容正在编辑中|正在编辑|编辑中|敬请期待|建设中|施工中|整理中|更新中|略|从略|答案略|解略|解：略|证明略|图略|过程略|省略|此处省略|解析略|步骤略"
    "|答案不唯一|同上|如上|见上|见上文|见下|见下文|见前文|答案见上|答案见下|见答案页|见答案|参考答案|参考答案见附录|见附录|见附件|见图|如图|如题|如下"
    "|详见附件|详见上文|详见原文|已删除|该回答已被作者删除|该内容已删除|内容已删除|已屏蔽|输出|输入|回答|答|答案|解|解答|回复|助手|ai助手|用户|问题|内容"
    "|正文|结果|解析|您的回答|你的回答|你的答案|您的答案|测试|测试测试|测试数据|测试内容|测试文本|这是测试|这是一个测试|这是一条测试回答|示例"
    "|示例答案|示例文本|示例内容|例子|占位|占位符|占位文本|某某某|某某|啊|啊啊|啊啊啊|阿斯顿|随便|文本|文字|标题|此处填写|空值".split("|")
)
_MAYBE = frozenset(
    "n/a|na|none|null|nil|nan|undefined|not applicable|not available|nothing|unknown|empty|blank|n.a|omitted|deleted"
    "|same|above|test|a|human|user|bot|system|text|content|sample|string|foo|bar|temp|draft|pending|to be determined|tbd"
    "|to be announced|ditto|无|没有|空|空白|不适用|不详|未知|暂无|略|省略|待定|同上|如上|答|解|问题|内容|正文|测试|例子|标题|文本|文字|输出|输入|用户|助手|缺|见图"
    "|随便|啊|某某|某某某|空值|解答|结果|答案".split("|")
)
"""Of those the words that are the right answer to some question."""
_LABELLED = re.compile(
    r"^(?:(?:the )?(?:answer|output|response|result|checklist|list|solution)|答案?|输出|结果|解|回答|清单|列表|内容)\s*[:：]?\s*(?=\S)",
    re.IGNORECASE,
)
_TODO = re.compile(r"^\W*(?:todo|tbd|fixme|待补充|待完善|待填写)\b.{0,40}$|^.{0,6}(?:待补充|待完善|待填写|待更新|待定)\W*$", re.IGNORECASE)
_SAME = re.compile(r"^(.{1,8}?)(?:\s*\1)+$")
_CROSSES = re.compile(r"[xX×✕*某○〇□■?？_]{2,}")
_DUMMY = re.compile(r"lorem ipsum|dolor sit amet|这里是正文内容|请替换为您|此处为占位|replace this text", re.IGNORECASE)
_DUMMIES = ("psum", "PSUM", "dolor", "这里是", "请替换", "此处为", "eplace this")
_INSTRUCTS = re.compile(
    r"^[\[【(（<{]{1,2}\s*(?:insert|your|add|write|type|enter|fill|answer|put|please|provide|describe|response|output|text"
    r"|content|name|title|the |assistant|此处|在此|这里|请|插入|填写|输入|您的|你的|回答|答案|内容|画家|姓名|标题)[^\]】)）>}]*[\]】)）>}]{1,2}\W*$"
    r"|^(?:please )?(?:insert|enter|type|write|add|put) (?:your |the |an? )?(?:answer|response|text|output|content|reply)\b.{0,20}$"
    r"|^请?在?此处?(?:输入|填写|插入|添加|写)(?:您的|你的)?(?:回答|答案|内容|文字|文本|正文).{0,6}$|^[%$]{1,2}[A-Z_{}]{3,20}[%$]?$",
    re.IGNORECASE,
)
_SLOT = re.compile(
    r"\{\{\s*[\w. \u4e00-\u9fff]{1,30}\s*\}\}|(?<![$\\A-Za-z0-9{])\{[A-Za-z_\u4e00-\u9fff][\w \u4e00-\u9fff]{0,24}\}(?!\})"
    r"|\[(?!\d|[xX ]\])(?:[A-Za-z][\w'/ ]{1,30}|[\u4e00-\u9fff]{1,10})\](?![(\[:])|<[A-Z][A-Z_ ]{2,24}>|<[\u4e00-\u9fff]{2,10}>"
    r"|(?<![\w%])%[sd]\b|(?<![A-Za-z0-9×])[Xx×]{2,4}(?=[\u4e00-\u9fff])",
)
_OPENINGS = ("{", "[", "<", "%s", "%d", "XX", "xx", "××")
_ASKS_TEMPLATE = re.compile(
    r"template|placeholder|fill.in|blank|form\b|skeleton|boilerplate|jinja|format string|f-string|printf|regex|gaps?\b|left open"
    r"|reusable|generic|outline|schema|variables?|code|script|function|html|python|sql|java|json|lorem|dummy|filler|mock|example"
    r"|模板|样板|占位|空白|空着|留空|留出|填空|格式|范本|范文|骨架|表格|代码|函数|脚本|字符串|示例|通用|病历格式|借条|收据|发票|合同|证书|receipt|invoice|contract|certificate",
    re.IGNORECASE,
)
_SMALL_ANSWER = re.compile(
    r"\bnone\b|n/a|\bnull\b|\bnan\b|\bnil\b|undefined|\bclassif|\bcategor|\blabel|\bsentiment|\bextract|\bdetect|\bidentify"
    r"|\bif not\b|\bif (?:there )?(?:is|are) no|\bor none|otherwise|\bany\b|\bhow many\b|\bwhich\b|\breturns?\b|\bprints?\b"
    r"|\bword for\b|\bsymbol\b|\bcode (?:of|for)\b|\babbreviat|stand for|\bsynonym|\bantonym|opposite|\bfill\b|\bcomplete\b"
    r"|\bmorse|roman numeral|punctuat|\bmark\b|operator|\bsign\b|\btags?\b|\belement\b|\bletter\b|emoji|typeof|\bmiddle name"
    r"|\bfield\b|\bform\b|\brepl(?:y|ies) with|answer (?:with|only)|true or false|yes or no|say \"|\btranslat|in one word|one word"
    r"|\bvalue of|what does .{0,40}(?:print|give|output|return|mean)|\bspell|\brepeat|\becho\b|\bmissing\b|\bodd one|\bchoose"
    r"|\bpick\b|\bfind\b|\bspelling|\bsections?\b|\bseries\b|\bsequence"
    r"|分类|归类|判断|情感|情绪|标签|抽取|提取|识别|填空|填写|填“|____|__|没有(?:则|就)|如无|无则|若无|否则|是否|有无|有没有|吗[?？]|下列|以下|哪[个一位种]|几[个颗种]|反义词|近义词|同义词"
    r"|组词|单字|一个字|词语|成语|符号|标点|摩尔斯|罗马|缩写|全称|关键字|关键词|返回什么|返回|输出什么|得到|运算符|除号|乘号|加号|等号|标签|翻译|怎么写|写成|表情"
    r"|改错|错别字|元素|既往|过敏史|手术史|家族史|姓名|查找|找出|字段|叫什么|读音|拼音|造词|列举题|单独",
    re.IGNORECASE,
)
"""Questions whose right answer may be a word that elsewhere stands for none."""
_ABOUT_SIGNS = re.compile(
    r"morse|roman|numeral|punctuat|\bmarks?\b|operator|\bsigns?\b|symbol|emoji|\bdivision|multipl|\bcomment|separat|\bdash|blank|ascii|\bdraw|asterisk|regex|\bcharacter|\bline of|\brow of|escape"
    r"|标点|符号|摩尔斯|运算符|号|注释|分隔|怎么写|写成|表情|罗马|字符画|画|正则|转义|哪个字符",
    re.IGNORECASE,
)
_DOTTED = re.compile(r"(?:\s*(?:\d{1,2}[.)、]|[-*])\s*(?:…+|\.{2,}|。{2,})\s*)+")
_ONES = re.compile(r"(\d)\1{2,}")
_NO_WORDS = re.compile(r"[\W_]*", re.DOTALL)
_LONGEST = 60
_SHOWN = 60


def asks_for_signs(asked: str) -> bool:
    """Whether punctuation or a drawing is what is asked for."""
    return _ABOUT_SIGNS.search(asked) is not None


def placeholder(asked: str, answer: str) -> str | None:
    """What stands in the answer's place; None where the answer is one."""
    text = answer.strip()
    if len(text) <= _LONGEST and (found := _stands_for_none(asked, text)):
        return found
    if any(mark in text for mark in _DUMMIES) and _DUMMY.search(text) and not _DUMMY.search(asked) and not _ASKS_TEMPLATE.search(asked):
        share = len(text) < 400 or len(_DUMMY.findall(text)) > 2
        return text[:_SHOWN] if share and "?" not in asked[-3:] else None
    return _open_slots(asked, text)


def _stands_for_none(asked: str, text: str) -> str | None:
    may_be_right = _SMALL_ANSWER.search(asked) is not None
    said = text.strip(_EDGES).lower()
    if not said and text.startswith("```"):
        return text[:_SHOWN]
    if _NO_WORDS.fullmatch(text):
        return None if asks_for_signs(asked) or _symbols(text) else text[:_SHOWN] or "''"
    if _DOTTED.fullmatch(text):
        return text[:_SHOWN]
    if _INSTRUCTS.search(text) or _empty_block(text):
        return text[:_SHOWN]
    if _named(said, asked):
        return None
    bare = _LABELLED.sub("", said).strip(_EDGES)
    for word in (said, bare, _SAME.sub(r"\1", said)):
        if word in _WORDS and not (may_be_right and word in _MAYBE and text[-1] not in ":：>"):
            return text[:_SHOWN]
    crossed = _CROSSES.fullmatch(said) or (_ONES.fullmatch(said) and not re.search(r"\d|数", asked))
    if _TODO.search(text) or (crossed and not asks_for_signs(asked)):
        return text[:_SHOWN]
    return None


def _named(said: str, asked: str) -> bool:
    """The question itself holds the word."""
    if said.isascii():
        return re.search(rf"(?<![a-z]){re.escape(said)}(?![a-z])", asked.lower()) is not None
    return len(said) > 1 and said in asked


def _symbols(text: str) -> bool:
    """An emoji or a sign that says something: `+`, 👍."""
    return any(ord(character) > 0x2BFF and not 0x3000 <= ord(character) < 0xFF66 for character in text) or text in "+×÷=<>%$€£"


def _empty_block(text: str) -> bool:
    return text.startswith("```") and re.fullmatch(r"```\w*\s*```", text) is not None


def _open_slots(asked: str, text: str) -> str | None:
    """Slots of a template that nobody asked for, and little but them."""
    if "`" in text or not any(mark in text for mark in _OPENINGS):
        return None
    slots = [found[0] for found in _SLOT.finditer(text)]
    if len(slots) < 2 or _ASKS_TEMPLATE.search(asked) or _SLOT.search(asked):
        return None
    left = _SLOT.sub(" ", text)
    words = len(re.findall(r"[A-Za-z]+|[\u4e00-\u9fff]{2}", left))
    distinct = len(set(slots))
    return " ".join(slots)[:_SHOWN] if distinct >= 2 and words <= 12 * distinct and words < 45 else None
