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
from sftrecipe_registry.filters.pii.personal_span import Found, PersonalSpan, ReadText

_SEP = r"[ \t]*(?:[\"'“”*|]{0,3}[ ]*[:=|][ \t]*[\"'“*]{0,3}|是|为|叫|[ \t])[ \t]*"
_FIELD = (
    r"(?:姓名|名字|名称|联系人|收件人|收货人|寄件人|监护人|患者|病人|家属|客户|经办人|申请人|负责人|户主|户名|持卡人|账户名|开户人|收款人|付款人|汇款人"
    r"|法定代表人|法人|投保人|被保险人|受益人|乘客|乘机人|旅客|签名|署名|签字|医生|主治医师|主治医生|医师|护士|记录人|记录者|投诉人|报案人|当事人|原告|被告|甲方|乙方|出租人|承租人|出借人|借款人"
    r"|委托人|受托人|租客|房东|业主|车主|考生|学生|员工|应聘者|求职者|候选人|联系方式|紧急联系人|预约人|就诊人|订票人|入住人|住客|买家|卖家|用户|会员|发件人|落款|称呼|报名人|参会人|经理|导师|班主任|家长|户主|作者姓名|昵称|本名|真名|实名|报销人|经手人|审批人|报告人|填表人|来访者|来访人|访客|到会|出席|缺席|请假|与会人员|参会人员|主持人|主持|列席|记录|值班|值班人员|顾客|储户|报销|教师|辅导员|学委|班长|乙方代表|甲方代表|代表|持有人|车主姓名|被告人|上诉人|被上诉人|被申请人|申诉人|立据人|借款方|出借方|接收人|交接人|领取人|保管人|使用人|监护人姓名|法定监护人|患者姓名|产妇|新生儿|送检者|受检者|受检人|体检人|检查者|住户|房主|户主姓名|紧急联络人|推荐人|证明人|见证人|签收人|乘机人|失主|主讲人|主讲|抄送|继承人|立遗嘱人|捐款人|代理律师|律师|老师|学员|逝者|伤者|捐赠者|获奖者|得主|选手|演讲人|嘉宾|志愿者|name|Name|user|username|owner|patient|contact|remark|备注|payee|holder|holders)"
)
_AFTER_FIELD = re.compile(rf"{_FIELD}(?:[（(][^（）()]{{1,6}}[)）])?{_SEP}(?={ANY_NAME.pattern})")
_FIELD_ALONE = re.compile(
    rf"(?:[请借报经申销][假款销办手请报]人|审批|车主|患者|联系人|姓名|户名|名字|收件人|收货人|乘客|旅客|患者姓名|持卡人|本名|真名)[ \t]*[:=][ \t]*[\"'“*]?(?P<name>[{HAN}]{{2,4}}(?:·[{HAN}]{{2,6}})?)(?![{HAN}·])"
)
"""Behind which any name is believed, of peoples without a surname too."""
_ROLE = re.compile(
    r"(?:,叫|真名|本名|全名|大名|我叫|我名叫|名叫|我是|我的名字(?:是|叫)|名字(?:叫|是)?|本人|敝人|患者|病人|病患|产妇|患儿|女婴|男婴|孩子|家属|客户|用户|学员|学生|同学|员工|同事|室友|邻居|朋友|好友|闺蜜|房东|租客|老公|丈夫|妻子|老婆|爱人|儿子|女儿"
    r"|[我他她你]们?(?:爸|妈|姐|哥|弟|妹|爷|奶|叔|舅|姨)|爸爸|妈妈|父亲|母亲|爷爷|奶奶|外公|外婆|哥哥|姐姐|弟弟|妹妹|叔叔|阿姨|外甥女?|侄子|侄女|孙子|孙女|姥姥|姥爷|老板|领导|经理|主管|司机|车主|业主|乘客|原告|被告|证人|嫌疑人|被告人|受害人|被害人|投保人|被保险人|受益人|委托人|受托人|遗嘱人|立遗嘱人|出借人|借款人|贷款人|担保人|签收人|寄送人|捐助人|收款人|付款人|汇款人|转账人|发件人|群主|楼主|团长|队长|班长|组长|书记|村民|居民|职工|工人|退休教师|店员|保姆|月嫂|月子会所|考生|毕业生|新生|本科生|研究生|求职者|账户|承租人|出租人"
    r"|申请人|收件人|收货人|联系人|负责人|寄件人|持卡人|户名|姓名|医生|护士|主任|老师|教练|律师|顾问|代理人|监护人|法人|应聘者|候选人|会员|旅客|住户|居民|店主|卖家|买家|致|联系|找|请联系|送给|写给|寄给|转告|通知|祝福给|祝|委托|甲方|乙方|新员工|实习生|志愿者|捐赠人|捐款人|当事人|报案人|投诉人|报销人|顾客|来访者|访客|硕士|博士|学委|学习委员|辅导员|博士生|硕士生|研究员|工程师|设计师|会计|出纳|保安|快递员|骑手|师傅|兹证明|特委托|今借到|今收到|转账给|汇款给|付款给|打款给|发给|同桌|班主任|代表|表[哥弟姐妹]|堂[哥弟姐妹]|嫂子|姐夫|妹夫|女婿|儿媳|岳父|岳母|公公|婆婆|舅舅|舅妈|姑姑|姑父|姨妈|上司|下属|部下|合伙人|经办人|签收人|学员|乘机人|逝者|死者|伤者|失主|主讲人|抄送|继承人|老师|女友|男友|对象|前任|导师|新郎|新娘|\)班|民警|警官|处长|科长|局长|校长|园长|院长|护士长|教官|助理|秘书|客服|专员|今收到|借到|转到|转给|汇给|打给|还给|付给|欠|兹有|经手人|被告人|上诉人|被申请人|申请执行人|被执行人|现有|我班|本班|会员|主持人|报名人|老人|老汉|女子|男子|小伙|姑娘|大妈|大爷|备注)"
    rf"(?:叫|名叫|名字叫|为)?[ \t]?(?={ANY_NAME.pattern})"
)
_SURE_ROLE = re.compile(
    "(?:[我名]叫|患[者儿]|病人|[原被]告|[^人]人[:]?|[,，]叫|家属|产妇|婴)[:为 ]?$"
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
