"""Texts that stand in for an answer: notices, machine tokens, empty forms, outlines, stubs."""

from __future__ import annotations

import re

_WHAT = (
    r"(?:answer|response|reply|content|text|output|solution|explanation|message|post|comment"
    r"|entry|section|page|description|summary)s?"
)
_INHALT = (
    r"(?:回答|答案|内容|正文|解析|回复|答复|资料|数据|信息|文本|结果|解答|答题|评论|介绍|描述"
    r"|说明|译文|文案)"
)
_NOTICES = {
    "removed": rf"(?:the|this|that|your)? ?(?:\w+ )?{_WHAT} (?:\w+ )?(?:has|have|was|were|is|are)"
    r" (?:been |currently |now |no longer )?"
    r"(?:hidden|removed|deleted|withheld|locked|blocked|redacted|archived|available|unavailable"
    r"|not available|restricted|missing|private|members.only)\b.{0,80}"
    rf"|(?:please )?(?:log ?in|sign ?in|sign ?up|subscribe|register|upgrade|unlock)\b.{{0,40}}"
    rf"\b(?:to|for)\b.{{0,30}}\b(?:view|see|read|access|continue|unlock|reveal|full|{_WHAT})\b.{{0,40}}"
    rf"|(?:该|此|本|这条|这个)?(?:条|篇|个|则)?{_INHALT}(?:已|已经|因|由于|仅|不)?.{{0,12}}"
    r"(?:被?(?:删除|隐藏|屏蔽|折叠|移除|下架|清空|封禁)|可见|不可见|不可用|失效|不存在)"
    r"|(?:请先?)?(?:开通|成为|登录|登陆|注册|购买|订阅|关注|付费|充值|扫码|解锁).{0,12}"
    r"(?:查看|可见|阅读|获取|解锁|浏览).{0,10}",
    "pending": rf"(?:still )?(?:loading|generating|processing|thinking|typing|buffering|working"
    r" on it|please wait|one moment|under construction|coming soon|in progress)\b.{0,30}"
    r"|(?:to be|will be|yet to be|needs? to be) (?:\w+ )?(?:added|written|filled(?: in)?|provided"
    r"|supplied|completed|updated|confirmed|decided|determined|inserted|announced|published"
    r"|drafted|done)\b.{0,60}"
    rf"|{_WHAT} (?:is |are )?(?:still )?(?:pending|to follow|to come|coming|missing|tbd|tba|goes"
    r" here|here|will go here|to be \w+|will be \w+(?: \w+)?|needed|required|under review)\b.{0,80}"
    rf"|(?:awaiting|waiting for|needs?|requires?|missing) (?:\w+ )?(?:{_WHAT}|review|approval"
    r"|input|translation|editor|reviewer|sme)\b.{0,40}"
    rf"|(?:该|此|本)?(?:问题|题目?|词条|页面|功能|{_INHALT})?(?:目前|暂时)?(?:暂无|暂缺|尚无|还没有|尚未"
    rf"|待|正在|稍后)(?:相关|更多|此|有|人工|后续)?(?:{_INHALT}|添加|补充|填写|完善|更新|编辑|整理|编写|审核"
    r"|录入|上传|公布|确认|人).{0,24}"
    rf"|(?:{_INHALT}){{0,2}}(?:建设|审核|加载|生成|编辑|更新|整理|维护|施工|处理|翻译|完善|施工|准备)中.{{0,20}}"
    r"|敬请期待|未完待续|虚位以待",
    "elsewhere": r"(?:see|refer to|check|as (?:in|per)|cf\.?|consult|found in|found on|given in"
    r"|shown in|listed in|provided in) "
    r"(?:the |my |our |your |this |that )?(?:\w+ ){0,2}(?:attach\w*|above|below|page|pages|pp?\.?"
    r"|appendix|figure|fig\.?|table|slide|link|file|pdf|doc(?:ument)?|image|picture|screenshot"
    r"|chapter|section|answer|answers|question|row|key|spreadsheet|sheet|textbook|comments?"
    r"|thread|post|footnote|notes?|reference|exhibit|annex)\b.{0,30}"
    r"|(?:the )?same (?:as|answer|response|here|thing)\b.{0,40}"
    rf"|(?:as|like) (?:in )?(?:the )?(?:above|before|previous|last|first|earlier|question)"
    rf".{{0,25}}|(?:same|identical) {_WHAT}\b.{{0,30}}"
    r"|(?:请|详)?(?:详见|参见|参看|参考|见|参照|同|如|看)(?:第?[\d一二三四五六七八九十]+[页题章节条图表问楼]"
    r"|楼上|上[一条题文面]?|前[文面述一题]?|下[文图表方]?|附[件录表图]|表格?|图片?|课本|教材|书本|原文"
    r"|链接|文档|文件|截图|备注|评论区?|答案|PPT|标准答案|参考答案).{0,12}",
    "test": r"(?:this is )?(?:only |just )?(?:a |an |some )?(?:test|sample|dummy|example|fake|mock"
    rf"|placeholder|temporary)(?:ing)? (?:{_WHAT}|data|row|record|string|run|case|value|item|only)"
    r"\b.{0,120}|(?:testing|test)(?:[ ,.\d]+|123)(?:testing|test|\d|[ ,.])*"
    r"|(?:这是|此为|本条为)?(?:一条|一个|一段)?(?:测试|示例|占位|样例|假)(?:数据|文本|内容|文字|用例|样本|信息"
    r"|回答|答案|一下|测试)?(?:[,，。.!！、 ].{0,50}|\d{0,6})"
    r"|(?:123(?:45?6?7?8?9?0?)?|987654?3?2?1?|abc(?:d?e?f?g?|123)|asd\w{0,10}|qwe\w{0,10}|zxc\w{0,8})",
    "annotator": r"(?:the )?(?:annotator|labell?er|rater|worker|reviewer|translator|"
    r"editor|writer)s?"
    r"(?:'s)? .{0,60}|(?:invalid|bad|unclear|broken|duplicate|skipped?|incomplete|corrupted?|empty)"
    r" (?:data|item|question|sample|row|entry|record|prompt|task|input)\b.{0,40}"
    r"|(?:skip|skipped|pass)(?: this| the)?(?: one| item| question| row| task)?"
    r"|(?:标注|审核|质检|录入|翻译)(?:员|人员|者|人)?.{0,24}"
    r"|.{0,20}(?:无效(?:数据|题目|样本|问题|回答)|跳过(?:此|本|该|这)[题条]"
    r"|题目(?:不清|缺失|有误|错误|重复)).{0,12}",
    "any": r".{0,8}(?:答案不唯一|言之有理即可|合理即可|开放性?(?:试题|题目?)|答对即可"
    r"|意思对即可|意对即可"
    r"|符合题意即可|酌情给分).{0,12}"
    r"|(?:answers|responses) (?:will|may|can) vary\b.{0,30}|"
    r"accept any (?:\w+ )?(?:answer|response)s?.{0,20}",
    "insert": rf"(?:this is |that'?s )?where (?:the |your )?{_WHAT} (?:will |should |"
    rf"would )?(?:go|be)\b.{{0,160}}"
    rf"|(?:please )?(?:insert|enter|type|write|add|put|paste|provide|"
    rf"fill in) (?:your |the |an? |some )?"
    rf"(?:\w+ )?{_WHAT}(?: (?:here|below|in this (?:box|field|area)))?"
    rf"|(?:your |the )?(?:\w+ )?{_WHAT} (?:goes|comes|belongs|should go|"
    rf"must be (?:written|entered)) here\b.{{0,40}}"
    r"|(?:click|tap) (?:here )?to (?:add|edit|enter|insert|type)\b.{0,60}"
    rf"|(?:请|点击|单击|双击)?(?:您?可?在此处?|此处|这里|点击|单击|双击)?(?:处)?(?:请)?(?:输入|填写|添加|插入|编辑|撰写"
    rf"|键入|写上?)(?:您的?|你的?)?.{{0,6}}{_INHALT}.{{0,80}}"
    rf"|(?:此处|这里|在这里|在此|在此处)(?:是|为|请|应|应该|可|将)?(?:写|填|放|输入|添加|插入|粘贴|补充|编写)?.{{0,4}}{_INHALT}.{{0,12}}",
    "machine": r"#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|ERROR!?)"
    r"|(?:<\|?/?(?:s|eos|bos|pad|unk|mask|sep|cls|end|endoftext|im_end|im_start|eot_id|assistant"
    r"|end_of_turn|sep|start_header_id)\|?>"
    r"|\[/?(?:MASK|PAD|UNK|SEP|CLS|EOS|BOS|INST|END|STOP|BLANK)\]|</?\w+/?>|\s)+"
    r"|\[object \w+\]|%[sd]|\$\{\w+\}|\$[A-Z_]{3,}|<\w+ object at 0x\w+>|\\[nt]|&nbsp;|nan|nil",
}
_NOTICE = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in _NOTICES.items()}
_WRAPPED = " \t\r\n[](){}<>【】（）《》「」*_\"'“”.。!！…~～·-—"
_MARKUP = re.compile(r"<(\w+)[^<>]*>\s*</\1>")
_BLANK = re.compile(r"_{3,}|\.{6,}|…{3,}")
_CELLS = re.compile(r"(?<=\|)[^|\n]*(?=\|)")
_STUB_NOTE = re.compile(
    r"(?:#|//|/\*|--|<!--|\"\"\"|;)\s*(?:todo|fixme|your|add|insert|write|implement|put|fill"
    r"|complete|code|logic|the rest|body|待|在此|此处|这里|请在|补充|实现|编写|填|具体|省略|代码|略"
    r"|\.\.\.).*",
    re.IGNORECASE,
)
_COMMENTS = ("#", "//", "/*", "--", '"""')
_STUB_LINE = re.compile(
    r"\s*(?:pass|\.\.\.|…|return(?: None| null| 0)?;?|[{}()\];]*|raise NotImplementedError.*"
    r"|throw new \w*(?:NotImplemented|UnsupportedOperation|Error)\w*\(.*\);?|```\w*"
    r"|(?:def|function|func|fn|class|public|private|static|void|int|async|export|const)\b.*"
    r"|import .*|from .* import .*|#include.*|using .*;|package .*|<\?php)\s*"
)
_OUTLINED = re.compile(
    r"\s*(?:[-*•]\s*|\d+[.)、]\s*)?(?:[^:：\n]{1,16}[:：]\s*)?"
    r"(?:\[(?=[^\]\n]*[a-z\u4e00-\u9fff]{2})[^\]\n,]{3,}\]|【[^】\n]{2,}】|[（(](?:填写|请|此处|待|[^）)\n]{0,12}填|insert|add|describe)[^）)\n]*[)）]"
    r"|<[^<>\n]{3,}>|\{[^{}\n]{3,}\})"
    r"[^\n]{0,2}\s*"
)
_ABOUT = {
    "machine": re.compile(
        r"\b(?:excel|spreadsheet|html\d?|xml|tags?|tokens?|printf|specifier|javascript|js|python"
        r"|variables?|elements?|object|bash|shell|escape|newline|numpy|pandas|go|lua|ruby)\b"
        r"|表格|公式|标签|变量|报错|错误|转义|返回|得到|输出什么",
        re.IGNORECASE,
    ),
    "test": re.compile(
        r"\d|\b(?:how (?:many|much)|numbers?|count|digits?|passwords?|alphabet|sequence|letters?"
        r"|keyboard)\b|数字|数列|多少|几|密码|字母|键盘",
        re.IGNORECASE,
    ),
}
_ABOUT_NOTICES = re.compile(
    r"\b(?:notice|message|banner|placeholder|button|caption|status|label|tweet|sign|auto.?reply"
    r"|stands? for|abbreviat\w+|acronym|hidden|removed|deleted|loading|coming soon|pending|tb[adc]"
    r"|under construction|log ?in|attach\w*|page \d+|test(?:ing)?|skip\w*|\w*word for)\b"
    r"|公告|文案|提示|弹窗|按钮|占位|告示|通知|删除|审核|敬请|暂无|待|测试|登录|会员|附件|附录"
    r"|见第|缩写|组词|建设中|开放性|引用格式",
    re.IGNORECASE,
)
"""Questions that a notice may answer: they ask for one, or hold one to translate or explain."""
_ASKS_FORM = re.compile(
    r"template|blank\b|\bforms?\b|skeleton|outline|worksheet|gaps?\b|checklist|signature|fill.in"
    r"|模板|空白|填空|格式|范本|表单|表格模|提纲|大纲|骨架|框架|病历|借条|收据|合同|登记表|签名|留空",
    re.IGNORECASE,
)
_LONGEST = 200


def stand_in(asked: str, text: str) -> str | None:
    """What family of stand-ins the text is, where the question does not ask for such; or None."""
    bare = text.strip(_WRAPPED)
    if len(text) <= _LONGEST and "\n" not in bare:
        for name, pattern in _NOTICE.items():
            if pattern.fullmatch(bare) or pattern.fullmatch(text):
                about = _ABOUT.get(name, _ABOUT_NOTICES)
                return None if about.search(asked) or _of_question(bare, asked) else name
    if text[:1] == "<" and not _MARKUP.sub("", text).strip():
        return None if re.search(r"\bempty\b|\btags?\b|空|标签", asked) else "empty markup"
    found = _blank_form(text) or _outline(text) or _stub(text)
    return found if found and not _ASKS_FORM.search(asked) else None


def _of_question(text: str, asked: str) -> bool:
    """Most words stand in the question: it is taken from there."""
    words = re.findall(r"[a-z]{2,}|[\u4e00-\u9fff]", text.lower())
    return 2 * sum(word in asked.lower() for word in words) > len(words)


def _blank_form(text: str) -> str | None:
    """Fields or cells of which more are empty than filled."""
    if "__" in text:
        blanks = len(_BLANK.findall(text))
        said = sum(len(line) > 60 for line in _BLANK.sub("", text).splitlines())
        return "blank form" if blanks > 1 and not said and text.count("_") * 4 > len(text) else None
    if text.startswith("|") and "| |" in text.replace("  ", " "):
        cells = [cell.strip() for line in text.splitlines()[2:] for cell in _CELLS.findall(line)]
        return "blank table" if 2 * sum(not cell for cell in cells) > len(cells) else None
    return None


def _outline(text: str) -> str | None:
    """Every line in brackets: what is to be written, and none of it written."""
    brackets = sum(map(text.count, "[【（(<{"))
    if not brackets:
        return None
    if _lines_outlined(text, brackets):
        return "outline"
    if (
        text[:1] in "[【"
        and text[-1:] in "]】"
        and re.search(
            r"\bto (?:fill in|complete|write|provide|supply|be \w+)\b|\bpending\b|do not publish"
            r"|approx\.? \d+ words|待|由.{1,8}(?:填|补充|撰写)|填写",
            text,
            re.IGNORECASE,
        )
    ):
        return "note"
    return None


def _lines_outlined(text: str, brackets: int) -> bool:
    """Whether few and short lines are more than a bracket; each outlined one has one at least."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) < 2 or len(lines) - brackets > 0.4 * len(lines):
        return False
    other = [line for line in lines if not _OUTLINED.fullmatch(line)]
    return len(other) <= 0.4 * len(lines) and all(len(line) < 20 for line in other)


def _stub(text: str) -> str | None:
    """Code that only says that code is to be written."""
    if not any(map(text.__contains__, _COMMENTS)) or not _STUB_NOTE.search(text):
        return None
    lines = _STUB_NOTE.sub("", text).splitlines()
    return "stub" if all(map(_STUB_LINE.fullmatch, lines)) else None
