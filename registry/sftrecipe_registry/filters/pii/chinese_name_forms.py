"""What a Chinese name is made of: surnames, characters of given names, no word, nobody known."""

from __future__ import annotations

import re

from sftrecipe_registry.filters.pii.name_words import characters_of, words_of
from sftrecipe_registry.filters.pii.personal_span import ReadText

SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
    "余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段漕钱汤尹黎易常武乔贺赖龚文"
    "庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛伍韦申尤毕聂丛焦向柳邢路岳齐梅莫庄辛管祝左涂谷祁耿牟卜詹关苗"
    "凌费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍位覃霍翁隋植甘景薄单包司柏宁柯阮桂闵解强柴华车冉房边肖闫舒滕敖"
    "宫骆佟尚褚饶苟雷姬冷冀桑晏郎裘简连练鹿明蒲戚商邬池蔺沙伊乌木占储应缪仇佘冼郁戎支荆楚燕鄢谌奚皮粟栗蒙"
    "喻巩娄窦岑党臧宗瞿苑迟匡鞠惠班湛茹麦艾邝谯仲虞贝晁阙朴米沐扈郜展戈钮屈卓寇桂凤巴郏屠逄亓粱仝昝仉訾缑"
    "宁栾厉蹇郗郄厍禚宓辜逯邸隗郇阚檀仵邴郦鄂璩嵇蒯濮濯卞佴麴"
)
RARE = characters_of("rare_surnames")
"""Surnames that are more often something else: a word must say that a name comes."""
TWICE = (
    "欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|司徒|夏侯|万俟|端木|百里|轩辕|南宫|独孤|长孙|宇文|闻人|申屠|钟离|澹台|公冶|濮阳|淳于|单于|呼延|归海"
    "|鲜于|公羊|闾丘|豆卢|第五|乐正|亓官|太叔|仲孙|司空|拓跋|夹谷|谷梁|左丘|东郭|南门|西门|赫连|宗政|太史|徐离|宰父|段干|梁丘|巫马|公西|漆雕|壤驷|公良|叱干|纳兰|完颜|叶赫|那拉|富察|司寇|子车|颛孙|贺兰|耶律|哥舒|叱罗|尔朱|爱新觉罗|钮祜禄"
)
HAN = "\u4e00-\u9fff"
NAME = re.compile(rf"(?:{TWICE})[{HAN}]{{1,2}}|[{SURNAMES}][{HAN}·]{{1,2}}")
ANY_NAME = re.compile(
    rf"(?:{TWICE}|[{SURNAMES}{''.join(sorted(RARE))}])[{HAN}]{{1,2}}|[{HAN}]{{2,8}}·[{HAN}]{{2,8}}"
)
ALONE = re.compile(rf"(?<![{HAN}·])[{HAN}]{{2,4}}(?:·[{HAN}]{{2,6}}){{0,2}}(?![{HAN}·])")
"""A few characters between marks."""
_TWICE = re.compile(TWICE)
_COMPOUND = frozenset(TWICE.split("|"))
_IS_HAN = re.compile(f"[{HAN}]")
_END = re.compile(
    rf"[^{HAN}]|$|今年|来自|现年|是|男|女|的|和|与|及|在|先生|女士|小姐|同学|老师|医生|大夫|护士|经理|主任|教授|律师|于|因|不慎|驾驶|代为|住|家|收|说|称|电话|手机|微信|身份证|向|已|将|曾|到|出生|生于|患|因|主诉|入院|就诊|同志|叔叔|阿姨|敬上|谨上|本人|您|你|我|想|需|要|申请|提出|表示|反映|购买|预约|名下|签|办|从|给|把|被|有|为|之|一家|夫妇|师傅|通过|转账|汇款|支付|捐|打|去|来|了|给|让|做|买|租|借|欠|寄|发|提供|填|留|同意|承诺|女儿|儿子|妈妈|爸爸|那个|婆婆|大爷|大妈|奶奶|爷爷|哥|姐|呢|这|这个|负责|人民币|[工农建招中交]行|银行|卡|账|护照|病历|住院号|车牌|邮箱|生日|地址|也|还|就|没|不|只|又|都|今|昨|明|刚|正|确诊|诊断|术后|反复|突发|拟|自|经|由|以|用|等|考|得|缺席|出席|迟到|请假|报名|参加|毕业|同事|报销|投保|领取|登录|下载|上传|访问|委托|授权|系|即|处理|房租|交|下周|上周|个人|没|跟|迟|早|晚|每|另|并|拿|带|答应|帮|替|请|问|回|写|讲|退|转|离|入|升|调|任|获|当选|结婚|病|感冒|发烧|受伤|骨折|摔|晕|去世|遗失|丢失|捡|拾|走失|失踪|本|通知|犯|涉|陪|表扬|批评|获|参|主持|组织|安排|讲|喜|爱|觉|认|接|看|听|学|教|吃|喝|开|站|坐|走|跑|带|忘|丢|晚上|早上|上午|下午|当时|右|左|双|胸|腹|头|咳|疼|痛|怀孕|建议|诉|上|总|老是|常|院长|科长|处长|局长|校长|主管|总监|博士|会|能|爱|那天|前|后|时|等人|一起|一直|已经|最近|目前|现在|吗|行|查|复|随|服|口|无|有|否|体|血"
)
TITLE = re.compile(
    r"先生|女士|小姐|同学|老师|医生|大夫|护士|经理|主任|教授|律师|同志|总|师傅|婆婆|大爷|大妈|奶奶|阿姨|叔叔"
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
        "某人",
    ]
)
"""Names that stand for nobody."""
_PAIRS = words_of("chinese_pairs")
"""Ordinary words of two characters, of which both may be a given name's or the last a surname."""
_NO_NAMES = words_of("chinese_no_names")
"""Words that begin as a name does."""
_FAMOUS = words_of("chinese_famous")
_WORDS = frozenset(
    "和于有来让会能从相要可后那都通应同由向以其所之者如自进达起超越运还过次月因为在与也只对把被给用时便就让得做使到去看说想"
)
"""Surnames that are words of grammar: nothing but a field's name makes them names."""
_SYLLABLES = re.compile(
    "(?:(?:扎西|多吉|卓玛|次仁|才让|央金|格桑|旦增|丹增|达瓦|尼玛|罗布|顿珠|平措|索南|拉姆|白玛|仁青|巴桑|边巴|普布|格勒|加措|曲珍|德吉|措姆|才旦|桑吉|尕藏|班玛|洛桑|贡布|土登|强巴|益西|卓嘎|梅朵){2}"
    "|[乌萨娜阿朝苏斯托额宝高毕巴呼吉腾图其格那]{1,2}(?:其其格|巴特尔|格日勒|图雅|托娅|高娃|毕力格|苏荣|日娜|日苏|嘎拉|格尔夫?|琴高娃|仁花|云其格)|图雅|乌云|萨仁|斯琴)"
)
"""Names of Tibetans and Mongols, who have no surname."""
_PEOPLES = re.compile(
    "买买提|艾力|古丽|吐尔|阿不|木江|热合|买提|克孜|提江|苏木|依明|依布|巴依|扎西|卓玛|次仁|巴特尔|努尔|阿依|玉素|江$|汗$|拜$"
)
_FOREIGN = re.compile(
    "[约翰斯尔夫特德森恩娅丝诺普弗莱伯克威廉布]{1,6}·|·[约翰斯特德夫森恩娅丝诺弗莱伯克顿]{2}"
)
"""Characters that write the names of Europe, who are authors more often than not."""


def name_end(read: ReadText, start: int, *, trust: int, rare: bool = False) -> int | None:
    """Where the name that begins here ends; None where none does.

    Of three characters rather than of two, where both ends are a word's. `trust`: how much the
    words before say: 2 that a name comes, 1 that a person is spoken of, 0 nothing. The less, the
    more must its characters be those of given names; an ordinary word is a name only at 2.
    """
    text, given = read.text, characters_of("given_characters")
    match = (ANY_NAME if trust == 2 or (trust and rare) else NAME).match(text, start)
    if not match:
        return None
    if "·" in match[0]:
        return match.end() if trust == 2 or _of_peoples(match[0], rare) else None
    first = len(twice[0]) if (twice := _TWICE.match(match[0])) else 1
    is_rare = match[0][0] in RARE and first == 1
    for length in (first + 2, first + 1):
        name, end = text[start : start + length], start + length
        if len(name) < length or not all("\u4e00" <= sign <= "\u9fff" for sign in name):
            continue
        missing = sum(sign not in given for sign in {*name[first:]})
        if TITLE.search(name[1:]) or not (_END.match(text, end) or _goes_on(name, text, end)):
            continue
        is_cut = not _IS_HAN.match(text[end : end + 1] or " ") or bool(TITLE.match(text, end))
        if missing and (trust == 0 or (trust == 1 and (not is_cut or missing > 1))):
            continue
        if is_rare and trust == 1 and (missing or not is_cut or name[0] in _WORDS):
            continue
        if (
            trust < 2
            and not (rare or TITLE.match(text, end))
            and _is_part(text, start, end, is_cut)
        ):
            continue
        if _is_word(name, trust) or (missing and _is_word(name[:-1], 0) and length > 2):
            continue
        return end
    return None


def _is_part(text: str, start: int, end: int, is_cut: bool) -> bool:
    """Whether its characters are ordinary words, whole (`练书法`) or of which it is cut out
    (`周五可|以`, `长|江发源`); a verb (`关好`)."""
    name = text[start:end]
    if len(name) == 2:
        return name[1] in "好完到过起出开去住"
    is_cut_out = not is_cut and name[:2] in words_of("chinese_words") and name[:2] not in _COMPOUND
    return (
        is_cut_out
        or (name[0] == "于" and name[1] in "每本该其今上下当")
        or name[1:] in _PAIRS
        or text[max(0, start - 1) : start + 1] in _PAIRS
        or (name[:2] in words_of("chinese_words") and name[2] in "师员者生工家人中")
    )


def _goes_on(name: str, text: str, end: int) -> bool:
    """Whether a name of three characters ends although what stands behind is no word that follows
    names: no word lies across its ends."""
    across = {name[:2], text[end - 1 : end + 1], text[end - 2 : end + 1]}
    is_parted = words_of("chinese_words").isdisjoint(across) and across.isdisjoint(_PAIRS)
    return len(name) == 3 and is_parted and name[1:] not in _PAIRS and is_made(name)


def is_made(name: str) -> bool:
    """Whether it is a usual surname with characters of given names, and no word."""
    first = len(twice[0]) if (twice := _TWICE.match(name)) else 1
    given = characters_of("given_characters")
    return (
        (first > 1 or (name[0] in SURNAMES and name[0] not in _WORDS))
        and all(sign in given for sign in name[first:])
        and name not in words_of("chinese_words")
        and name not in _NO_NAMES
        and name[-2:] not in _PAIRS
        and not _is_repeated(name)
    )


def alone(read: ReadText, start: int, end: int, *, word: bool = False) -> bool:
    """Whether what stands between two marks is made as a name is: a surname, characters of given
    names, no word (`word`: even one)."""
    name = read.text[start:end]
    if "·" in name or _SYLLABLES.fullmatch(name):
        return "·" not in name or _of_peoples(name, False)
    match = ANY_NAME.match(name)
    if not match or match.end() != end - start:
        return False
    is_known = name in words_of("chinese_words") and not (word and name[0] in SURNAMES)
    if is_known or name[0] in _WORDS or name[-1] in "师员者" or _is_repeated(name):
        return False
    first = len(twice[0]) if (twice := _TWICE.match(name)) else 1
    if len(name) == 2 and name[0] not in SURNAMES and read.text[start - 1 : start].isdigit():
        return False
    given = characters_of("given_characters")
    return all(sign in given for sign in name[first:]) and name not in _NO_NAMES


def _of_peoples(name: str, told: bool) -> bool:
    """Whether a name with a point is one of China's peoples, not of Europe's authors."""
    return bool(_PEOPLES.search(name)) or (told and not _FOREIGN.search(name))


def is_plain(read: ReadText, start: int, end: int) -> bool:
    """Whether the surname is one of the usual and the name has three characters: sure by itself."""
    return (end - start == 3 and read.text[start] in SURNAMES) or bool(
        _SYLLABLES.fullmatch(read.text, start, end)
    )


def is_nobody(name: str, told: bool) -> bool:
    """The famous, and those who stand for anybody."""
    return name in _FAMOUS or "某" in name or (name in _STOCK and not told)


def is_famous(name: str) -> bool:
    """Known to everybody."""
    return name in _FAMOUS


def _is_word(name: str, trust: int) -> bool:
    if trust < 2 and (name[-1] in "地着过了的得们" or _is_repeated(name)):
        return True
    return name in _NO_NAMES or (name in words_of("chinese_words") and (trust < 2 or len(name) < 3))


def _is_repeated(name: str) -> bool:
    """Whether it is one character again and again: laughter (哈哈), no surname and given name."""
    return len(set(name)) == 1
