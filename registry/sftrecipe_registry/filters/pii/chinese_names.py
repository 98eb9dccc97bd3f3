"""Chinese names, behind words that say so or beside other personal data."""

# ruff: noqa: E501 - expressions and lists of words are read whole
from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sftrecipe_registry.filters.pii.name_words import given_characters, words_of
from sftrecipe_registry.filters.pii.personal_span import Found, PersonalSpan, ReadText

_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
    "余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段漕钱汤尹黎易常武乔贺赖龚文"
    "庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛伍韦申尤毕聂丛焦向柳邢路岳齐梅莫庄辛管祝左涂谷祁耿牟卜詹关苗"
    "凌费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍位覃霍翁隋植甘景薄单包司柏宁柯阮桂闵解强柴华车冉房边肖闫舒滕敖"
    "宫骆佟尚褚饶苟雷姬冷冀桑晏郎裘简连练鹿明蒲戚商邬池蔺沙伊乌木占储应缪仇佘冼郁戎支荆楚燕鄢谌奚皮粟栗蒙"
    "喻巩娄窦岑党臧宗瞿苑迟匡鞠惠班湛茹麦艾邝谯仲虞贝晁阙朴米沐扈郜展戈钮屈卓寇桂司凤饶巴郏屠逄亓粱靳"
)
_RARE = "谈国官秋封敬全乐南农慎那别晋计门宦都井幸宿印战栾厉居海信冶法肇化光依相强镇冰辉真后祖奉卜羿壮宁生云利帅千由甲星初种苍"
"""Surnames that are more often something else: a word must say that a name comes."""
_TWICE = "欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|司徒|夏侯|万俟|端木|百里|轩辕|南宫|独孤|长孙|宇文|闻人|申屠|钟离|澹台|公冶|濮阳|淳于|单于|呼延|归海"
_HAN = "\u4e00-\u9fff"
_NAME = re.compile(rf"(?:{_TWICE})[{_HAN}]{{1,2}}|[{_SURNAMES}][{_HAN}·]{{1,2}}")
_ANY_NAME = re.compile(rf"(?:{_TWICE}|[{_SURNAMES}{_RARE}])[{_HAN}]{{1,2}}")
_SEP = r"[ \t]*(?:[\"'“”*|]{0,3}[ ]*[:=|][ \t]*[\"'“*]{0,3}|是|为|叫|[ \t])[ \t]*"
_FIELD = (
    r"(?:姓名|名字|名称|联系人|收件人|收货人|寄件人|监护人|患者|病人|家属|客户|经办人|申请人|负责人|户主|户名|持卡人|账户名|开户人|收款人|付款人|汇款人"
    r"|法定代表人|法人|投保人|被保险人|受益人|乘客|乘机人|旅客|签名|署名|签字|医生|主治医师|主治医生|医师|护士|记录人|记录者|投诉人|报案人|当事人|原告|被告|甲方|乙方|出租人|承租人|出借人|借款人"
    r"|委托人|受托人|租客|房东|业主|车主|考生|学生|员工|应聘者|求职者|候选人|联系方式|紧急联系人|预约人|就诊人|订票人|入住人|住客|买家|卖家|用户|会员|发件人|落款|称呼|报名人|参会人|经理|导师|班主任|家长|户主|作者姓名|昵称|本名|真名|实名)"
)
_AFTER_FIELD = re.compile(rf"{_FIELD}(?:[（(][^（）()]{{1,6}}[)）])?{_SEP}(?={_ANY_NAME.pattern})")
_ROLE = re.compile(
    r"(?:真名|本名|全名|大名|我叫|我名叫|名叫|我是|我的名字(?:是|叫)|名字(?:叫|是)?|本人|敝人|患者|病人|病患|产妇|患儿|女婴|男婴|孩子|家属|客户|用户|学员|学生|同学|员工|同事|室友|邻居|朋友|好友|闺蜜|房东|租客|老公|丈夫|妻子|老婆|爱人|儿子|女儿"
    r"|爸爸|妈妈|父亲|母亲|爷爷|奶奶|外公|外婆|哥哥|姐姐|弟弟|妹妹|叔叔|阿姨|外甥女?|侄子|侄女|孙子|孙女|姥姥|姥爷|老板|领导|经理|主管|司机|车主|业主|乘客|原告|被告|证人|嫌疑人|被告人|受害人|被害人|投保人|被保险人|受益人|委托人|受托人|遗嘱人|立遗嘱人|出借人|借款人|贷款人|担保人|签收人|寄送人|捐助人|收款人|付款人|汇款人|转账人|发件人|群主|楼主|团长|队长|班长|组长|书记|村民|居民|职工|工人|退休教师|店员|保姆|月嫂|月子会所|考生|毕业生|新生|本科生|研究生|求职者|账户|承租人|出租人"
    r"|申请人|收件人|收货人|联系人|负责人|寄件人|持卡人|户名|姓名|医生|护士|主任|老师|教练|律师|顾问|代理人|监护人|法人|应聘者|候选人|会员|旅客|住户|居民|店主|卖家|买家|致|联系|找|请联系|送给|写给|寄给|转告|通知|祝福给|祝|委托|甲方|乙方|新员工|实习生|志愿者|捐赠人|捐款人|当事人|报案人|投诉人)"
    rf"(?:叫|名叫|名字叫|为)?[ \t]?(?={_ANY_NAME.pattern})"
)
_SPEAKER = re.compile(
    "用户|医生|护士|客户|学生|老师|经理|卖家|买家|病人|患者|家长|房东|员工|律师|甲方|乙方|名称"
)
"""Who speaks in a dialogue: behind it stands what is said, seldom a name."""
_LETTER = re.compile(rf"(?:尊敬的|亲爱的|敬爱的)(?={_NAME.pattern})")
_SEX = re.compile(
    rf"(?<![{_HAN}])(?P<name>{_NAME.pattern})(?=[ \t]?[,、，(（/ |][ \t]?[男女](?:[ \t]?[,，、/ |）)。性]|[0-9]))"
)
_OWN = re.compile(
    r"的(?:电话|手机|身份证|病历|微信|邮箱|住址|家庭|地址|生日|出生|护照|车牌|银行卡|卡号|医保|联系方式|QQ|账号)"
)
_SIGNED = re.compile(
    rf"(?:^|\n)[ \t]*(?:——|--+|此致[ \t]*敬礼|敬礼|您的|学生|申请人|请假人|检讨人|承诺人|道歉人|家长|租客|员工)?[ !！,:：]*\n?[ \t]*(?P<name>{_NAME.pattern})[ \t]*(?:敬上|谨上|上|启|敬启|谨启|留)?[ \t]*(?=\n|$)"
)
_LETTERS = re.compile(
    r"此致|敬礼|敬上|谨上|尊敬的|您好|你好|祝好|顺祝|亲爱的|——|通知|启事|申请|挂失|书"
)
_END = re.compile(
    rf"[^{_HAN}]|$|今年|来自|现年|是|男|女|的|和|与|及|在|先生|女士|小姐|同学|老师|医生|大夫|护士|经理|主任|教授|律师|于|因|不慎|驾驶|代为|住|家|收|说|称|电话|手机|微信|身份证|向|于|已|将|曾|到|出生|生于|患|因|主诉|入院|就诊|同志|叔叔|阿姨|敬上|谨上|本人|您|你|我|想|需|要|申请|提出|表示|反映|购买|预约|名下|签|办|从|给|把|被|有|为|之|一家|夫妇|师傅|通过|转账|汇款|支付|捐|打|去|来|了|给|让|做|买|租|借|欠|寄|发|提供|填|留|同意|承诺|女儿|儿子|妈妈|爸爸|那个"
)
_TITLE = re.compile(r"先生|女士|小姐|同学|老师|医生|大夫|护士|经理|主任|教授|律师|同志|总|师傅")
_START = re.compile(
    rf"(?:^|[^{_HAN}]|是|叫|给|找|与|由|和|向|为|请|让|联系|致电|问|者|人|子|女|友|户|员|生|婴|名|姓|祝|本|在|致|及|到|妈|爸|把|被|替|帮|跟|对|按|写|说|日|年|时许)$"
)
_FICTION = re.compile(
    r"故事|小说|童话|剧本|角色|寓言|人物形象|主人公|主角|虚构|历史|朝代|三国|红楼|西游|水浒|武侠|诗人|电影|电视剧|动画|歌手|演员|明星|皇帝|创始人|科学家|作家|运动员|首富|董事长|CEO"
)
_STOCK = frozenset(
    [
        "张三",
        "李四",
        "王五",
        "赵六",
        "孙七",
        "周八",
        "吴九",
        "郑十",
        "小明",
        "小红",
        "小华",
        "小李",
        "小王",
        "李雷",
        "韩梅梅",
        "张某",
        "李某",
        "王某",
        "刘某",
        "陈某",
        "某某",
    ]
)
"""Names that stand for nobody."""
_NO_NAMES = words_of("chinese_no_names")
"""Words that begin as a name does."""
_FAMOUS = words_of("chinese_famous")


def chinese_names(read: ReadText, found: Sequence[PersonalSpan], told: bool) -> Found:
    """Behind a word that says so, signed, addressed, or near other personal data; `told`: whether
    the row has any."""
    if read.text.isascii():
        return
    for start, trust in _behind_words(read):
        end = name_end(read, start, trust=trust, rare=told)
        fiction = not told and end and read.context.says(_FICTION)
        if end and not (fiction or _is_nobody(read.text[start:end], told)):
            yield start, end
    for start in _beside_words(read):
        end = name_end(read, start, trust=0)
        if end and not _is_nobody(read.text[start:end], told):
            yield start, end
    if _LETTERS.search(read.text):
        yield from _signed(read, told)
    if told:
        yield from _near(read, found)


def _behind_words(read: ReadText) -> Iterator[tuple[int, int]]:
    for match in _AFTER_FIELD.finditer(read.text):
        yield match.end(), 1 if _SPEAKER.match(match[0]) else 2
    for pattern in (_ROLE, _LETTER):
        yield from ((match.end(), 1) for match in pattern.finditer(read.text))


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


def _signed(read: ReadText, told: bool) -> Found:
    low = max(0, len(read.text) - 60)
    for match in _SIGNED.finditer(read.text, low):
        start = match.start("name")
        end = name_end(read, start, trust=1)
        if end == match.end("name") and not _is_nobody(match["name"], told):
            yield start, end


def _near(read: ReadText, found: Sequence[PersonalSpan]) -> Found:
    """Names within reach of a number, an address …, where a word begins."""
    for match in _NAME.finditer(read.text):
        start = match.start()
        near = any(piece.start - 60 <= start <= piece.end + 40 for piece in found)
        if near and _START.search(read.text[max(0, start - 2) : start]):
            end = name_end(read, start, trust=0)
            if end and not _is_nobody(read.text[start:end], True):
                yield start, end


def name_end(read: ReadText, start: int, *, trust: int, rare: bool = False) -> int | None:
    """Where the name that begins here ends; None where none does.

    Of three characters rather than of two, where both ends are a word's. `trust`: how much the
    words before say: 2 that a name comes, 1 that a person is spoken of, 0 nothing. The less, the
    more must its characters be those of given names; an ordinary word is a name only at 2.
    """
    text, given = read.text, given_characters()
    match = (_ANY_NAME if trust == 2 or (trust and rare) else _NAME).match(text, start)
    if not match:
        return None
    first = 2 if re.match(_TWICE, match[0]) else 1
    for length in (first + 2, first + 1):
        name, end = text[start : start + length], start + length
        if len(name) < length or not all("\u4e00" <= sign <= "\u9fff" for sign in name):
            continue
        usual = sum(sign in given for sign in name[first:])
        missing = length - first - usual
        if not _END.match(text, end) or _TITLE.search(name[1:]):
            continue
        is_cut = not re.match(f"[{_HAN}]", text[end : end + 1] or " ")
        if missing and not (trust == 2 or (trust == 1 and is_cut and usual >= length - first - 1)):
            continue
        if _is_word(name, trust) or (missing and _is_word(name[:-1], 0) and length > 2):
            continue
        return end
    return None


def _is_word(name: str, trust: int) -> bool:
    return name in _NO_NAMES or (name in words_of("chinese_words") and (trust < 2 or len(name) < 3))


def _is_nobody(name: str, told: bool) -> bool:
    return name in _FAMOUS or (name in _STOCK and not told)
