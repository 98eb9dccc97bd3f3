"""Postal addresses of private persons."""

# ruff: noqa: E501 - expressions and lists of words are read whole
from __future__ import annotations

import re

from sftrecipe_registry.filters.pii.english_name_forms import LOWER, UPPER
from sftrecipe_registry.filters.pii.personal_span import Found, ReadText, hints

_ZH_NUMBER = r"[0-9０-９零一二三四五六七八九十百千甲乙丙A-Za-z]{1,6}"
_ZH = re.compile(
    r"(?P<region>(?:[\u4e00-\u9fff]{2,8}?(?:省|自治区|市|自治州|州|盟|地区|区|县|旗|特别行政区)){0,4})"
    r"(?P<place>(?:[\u4e00-\u9fff]{1,8}?(?:街道|镇|乡|村|庄|社区|新区|开发区|组|屯|社|队)){0,3})"
    rf"(?P<road>(?:[\u4e00-\u9fff0-9]{{1,10}}?(?:大道|大街|路|街|巷|弄|胡同|里|条|道|支路|环|段)[东南西北中]?(?:[一二三四五六七八九十]段)?){{0,2}}[ ]?(?:{_ZH_NUMBER}(?:弄|号院?|之[0-9]+号?)(?![线楼码]|数)[ ]?){{0,2}})"
    rf"(?P<house>(?:(?:(?![的了和在给是有，])[\u4e00-\u9fff·A-Z]){{0,12}}?[ ]?(?:{_ZH_NUMBER}[ ]?(?:号楼|栋|幢|座|单元|楼|层|室|户|门|房|号房|号)[ ]?)+)?(?:[0-9]{{1,5}}(?:-[0-9]{{1,4}}){{0,3}}(?:室|户)?)?)"
)
_ZH_START = re.compile(
    r"[\u4e00-\u9fff]{2,3}(?:省|市|自治区|区|县)|[\u4e00-\u9fff]{1,8}(?:路|街|道|巷|弄|村|小区|花园|苑|新村)[^，。,.;；\n]{0,14}[0-9]"
)
_ZH_WORD = re.compile(
    r"(?:家庭|现|常|居|收货|收件|寄件|联系|户籍|通信|通讯|送货|邮寄|配送|详细|登记|上门|取件)?(?:住址|地址|住所|户籍地|地点)(?:为|是|在)?|住(?:在|于)?|家(?:在|住)|(?:寄|送|搬|邮|快递|配送|发|改)(?:到|至|往|成|为)|位于|地点在?|坐落(?:于|在)?|回|在"
)
_ZH_COMPANY = re.compile(
    r"公司地址|医院地址|店址|门店|总部|注册地|办公地址|校址|学校地址|景点|地铁|公交|餐厅|博物馆|故宫|纪念馆|医院(?:位于|在)|大学(?:位于|在)"
)
_WORDS = r"(?:[A-Z0-9][A-Za-z'’.-]*|of|the|de|la|du|des|del|la|le|St\.|Old|[0-9]+(?:st|nd|rd|th))"
_STREET = r"(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Place|Pl|Way|Terrace|Ter|Circle|Cir|Parkway|Pkwy|Highway|Hwy|Square|Sq|Crescent|Cres|Close|Row|Walk|Grove|Gardens|Hill|Mews|Trail|Trl|Loop|Alley|Path|Pike|Plaza|Broadway|View|Rise|Green|Park|Quay|Wharf|Run|Bend|Ridge|Point|Mall|Esplanade|Parade|Heights|Crossing|Vale|Drove|End|Chase|Mead|Field|Fold|Garth|Croft|Yard|Gate|Brow|Bank|Approach|Villas|Cottages|Buildings|Wynd|Brae|Passage|Street|Promenade|Strand|Mount|Copse|Wood|Meadow|Meadows|Common|Cove|Creek|Landing|Manor|Station|Oval|Orchard)"
_UNIT = r"(?:(?i:apt|apartment|unit|suite|ste|flat|room|rm|floor|fl|building|bldg|#|no|lot|box)\.?[ ]?#?[A-Za-z0-9-]{1,6})"
_STATE = r"(?:A[LKZR]|C[AOT]|D[EC]|FL|GA|HI|I[DLNA]|K[SY]|LA|M[EDAINSOT]|N[EVHJMYCD]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[TA]|W[AVIY]|ON|QC|BC|AB|MB|SK|NS|NB|NSW|VIC|QLD|ACT)"
_POSTCODE = r"(?:[0-9]{5}(?:-[0-9]{4})?|[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2}|[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]|[0-9]{4,6}(?![0-9]))"
_TOWN = r"(?:[A-Z][A-Za-z'.-]+(?![0-9A-Za-z])(?: (?:[A-Z][A-Za-z'.-]+(?![0-9A-Za-z])|upon|on|of|the|le|under)){0,3})"
_TAIL = (
    rf"(?:,?[ ]{_UNIT}(?![a-z]))?(?P<town>(?:,[ ]{{0,2}}{_TOWN}){{0,3}}(?:,?[ ](?:{_STATE}(?![A-Za-z0-9])|{_TOWN}))?(?:,?[ ]{{1,2}}{_POSTCODE}(?![0-9A-Za-z]))?"
    rf"|,?\n{_TOWN},?[ ](?:{_STATE}[ ])?{_POSTCODE}(?![0-9A-Za-z]))"
)
_EN = re.compile(
    rf"[0-9](?<![0-9A-Za-z$£€.,/-][0-9])[0-9]{{0,4}}[A-Za-z]?(?:[-/][0-9]{{1,4}}[A-Za-z]?)?,?[ ](?:[NSEW]\.?[EW]?\.?[ ])?(?:{_WORDS}[ ]){{1,4}}?{_STREET}\b(?!\.?[ ]{_STREET}\b)\.?(?:[ ](?:[NSEW]{{1,2}}\.?|North|South|East|West)(?![A-Za-z]))?{_TAIL}"
)
_EN_FIRST = re.compile(
    rf"(?:(?:{_UNIT}|[A-Z][a-z]+ (?:House|Court|Lodge|Mansions|Cottage|Building|Tower)),? ){{1,2}}(?:No\. ?)?$"
)
"""A flat, a house's name before the number."""
_BOX = re.compile(rf"(?:P\.?[ ]?O\.?[ ]Box|Post Office Box)[ ][0-9]{{1,6}}{_TAIL}")
_FOREIGN = re.compile(
    rf"(?<![0-9A-Za-z])(?:[{UPPER}][{LOWER}-]+(?:[ ][{UPPER}]?[{LOWER}.]+){{0,2}},?[ ](?:No\.? ?)?[0-9]{{1,4}}[a-zA-Z]?(?:[/-][0-9]{{1,4}})?(?:,? (?i:fl|flat|apt|kv|app|suite|st)\.? ?[0-9A-Za-z]{{1,5}})?,?[ \n](?:(?:[0-9]{{4,5}}|[0-9]{{3}} [0-9]{{2}}|[0-9]{{2}}-[0-9]{{3}}|[A-Z]{{1,2}}-[0-9]{{4,5}}|[0-9]{{4}} [A-Z]{{2}})[ ][{UPPER}][{LOWER}-]+|[{UPPER}][{LOWER}-]+[ ](?:[0-9]{{5,6}}|[0-9]{{3}} [0-9]{{2}}|[0-9]{{2}}-[0-9]{{3}}))(?![0-9A-Za-z]))"
    r"|(?<![0-9A-Za-z])(?:[A-ZÄÖÜ][a-zäöüß-]+(?:straße|strasse|str\.|weg|allee|platz|gasse|ring|damm|ufer|straat|laan|gatan|vej)|(?:[Rr]ue|[Aa]venue|[Bb]oulevard|[Cc]alle|[Vv]ia|[Rr]ua|[Pp]lace|[Uu]l\.)[ ](?:[A-Za-zÀ-ÿ'’-]+[ ]){0,4}[A-Za-zÀ-ÿ'’-]+,?)[ ][0-9]{1,4}[a-z]?(?:,?[ ][0-9]{4,5}[ ][A-Z][A-Za-zÀ-ÿ-]+)(?:, [A-Z][a-z]+)?"
    r"|(?<![0-9A-Za-z])[0-9]{1,4},?[ ](?:[Rr]ue|[Aa]venue|[Bb]oulevard|[Pp]lace|[Cc]hemin|[Aa]llée|[Qq]uai)[ ](?:[A-Za-zÀ-ÿ'’-]+[ ]){0,4}[A-ZÀ-ÿ][A-Za-zÀ-ÿ'’-]+(?:,?[ ][0-9]{5}[ ][A-Z][A-Za-zÀ-ÿ-]+)"
)
_MONTHS = re.compile(
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December|Chapter|Section|Act|Article|Psalm|Page|Table|Figure|Volume|Order|Model|Windows|Level|Room|Flight|Route|Highway|Version) [0-9]|(?<![0-9])(?:19|20)[0-9]{2} [A-Z]"
)
"""What a number stands behind that is no house's; years."""
_POSTCODES = re.compile(
    "[0-9][a-zA-Z]?,?[ \n](?:[0-9]{4,5} [A-Z]|[0-9]{3} [0-9]{2} |[0-9]{2}-[0-9]{3} |[A-Z]{1,2}-[0-9]{4}|(?:fl|apt|kv|flat)[. ]|[A-Z][a-z]+ [0-9]{3}[0-9 -])"
)
_FOREIGN_HINTS = hints(
    "rue avenue boulevard calle via rua place ul chemin quai all stra str e weg allee platz strasse gasse postcode plz"
)
_ZH_HINTS = hints("", "号 室 栋 幢 弄 座")
_COUNTED = ("年", "%", "元", "个", "人", "次", "月", "家")
"""What makes the number before it a quantity."""
_BETWEEN = re.compile(r"[\s:\"'=|(]*[\u4e00-\u9fff0-9\s:\"'=|(]*")
_ZH_ROAD = re.compile("[路街巷弄道里村镇]|大道|胡同")
_ZH_ESTATE = re.compile("小区|花园|苑|公寓|大厦|广场|家园|新村|城|庭|园|宿舍|府|[湾轩阁]")
_ZH_FLAT = re.compile(r"[0-9A-Z]\s?(?:栋|幢|座|单元|室|户|号楼|楼)|[0-9]{3,4}$")
_NO_PLACE = re.compile(
    "[^0-9]{0,8}(?:知道|难道|报道|味道|渠道|轨道|通道|城市|每|我们|你们|他们|如何|什么|这|那)"
)
_EN_WORD = re.compile(
    r"(?i)\b(?:liv(?:e|es|ed|ing)|resid(?:e|es|ing|ence)|address(?:es)?|home|moved?|deliver(?:y|ed)?|ship(?:ped|ping|ment)?|mail|send|sent|parcel|stay(?:ing)?|house|flat|apartment|rent(?:ing)?|tenant"
    r"|pick(?:ed)? (?:me )?up|neighbou?r|lost|domicile|addr|location|visit|come to|party at|here at|household|ambulance|i'm at|we're at|at|[1-9][0-9],? of)\b"
)
_EN_COMPANY = re.compile(
    r"(?i)\b(?:our (?:office|store|shop|showroom|clinic|location|restaurant)|located at|headquarter\w*|visit us|company|hotel|museum|restaurant|store|church|school|university|hall|theat(?:er|re)|gallery|library|venue|event|conference|registration)\b"
)
_BUSINESS = re.compile(
    r"(?i)\b(?:located at|rating|cuisine|price_range|restaurants?|hotels?|school|cemetery|mortuary|stores?|opening hours|reviews?|museum|property address)\b"
)
_CITED = re.compile(r"(?:1[5-9]|20)[0-9]{2} (?:Wall Street|Park)")
_FAMOUS = re.compile(
    r"(?i)^(?:221b baker|1600 pennsylvania|10 downing|11 downing|4 privet|742 evergreen|123 main|456 (?:oak|elm|main)|12 grimmauld|350 (?:fifth|5th)|1 infinite|123 (?:fake|any|elm|oak))"
)


def addresses(read: ReadText) -> Found:
    """Where somebody lives: a street with a number, behind a word for it or with a flat or town."""
    if not read.digits:
        return
    yield from _english(read)
    if read.digits >= 4 and (
        read.context.has(_FOREIGN_HINTS) or "gasse" in read.text or _POSTCODES.search(read.text)
    ):
        yield from (
            found.span()
            for found in _FOREIGN.finditer(read.text)
            if not _EN_COMPANY.search(read.said_before(found.start(), 50))
            and not _MONTHS.search(found[0])
        )
    if "Box" in read.text:
        yield from (found.span() for found in _BOX.finditer(read.text))
    if not read.text.isascii() and read.context.has(_ZH_HINTS):
        yield from _chinese(read)


def _english(read: ReadText) -> Found:
    for found in _EN.finditer(read.text):
        start = found.start()
        if _FAMOUS.match(found[0]) or _CITED.match(found[0]) or read.is_quiet(start):
            continue
        if first := _EN_FIRST.search(read.before(start, 50)):
            start -= len(first[0])
        before = read.said_before(start, 50)
        around = read.text[max(0, start - 90) : found.end() + 60]
        if _EN_COMPANY.search(before) or _BUSINESS.search(around):
            continue
        is_whole = (
            bool(re.search(r"[0-9]", found["town"]))
            or first
            or bool(re.search(rf", ?{_UNIT}", found[0]))
        )
        if is_whole or _EN_WORD.search(before[-35:]):
            yield start, found.end() - len(found[0]) + len(found[0].rstrip(" ,\n"))


def _chinese(read: ReadText) -> Found:
    at = 0
    while start := _ZH_START.search(read.text, at):
        at = start.end()
        span = _chinese_at(read, start.start())
        if span:
            at = max(at, span[1])
            yield span


def _chinese_at(read: ReadText, start: int) -> tuple[int, int] | None:
    begin, told = _without_words(read, start)
    found = _ZH.match(read.text, begin)
    before = read.before(begin, 14)
    if not found or _NO_PLACE.match(found[0]) or _ZH_COMPANY.search(before):
        return None
    end = begin + len(found[0].rstrip(" -,"))
    if read.text[begin + len(found[0]) :][:1] in _COUNTED or read.is_quiet(begin):
        return None
    told = told or bool(re.search("地址|住", before))
    return (begin, end) if _is_home(found, told, "住" in before[-8:]) else None


def _without_words(read: ReadText, start: int) -> tuple[int, bool]:
    """Where the place begins, without the words before it (住在, 收货地址:); whether there are any."""
    words = [*_ZH_WORD.finditer(read.text, max(0, start - 12), min(len(read.text), start + 14))]
    behind = [word.end() for word in words if word.end() <= start + 8]
    if behind and _BETWEEN.fullmatch(read.text[behind[-1] : start]):
        start = max(start, behind[-1])
    while start < len(read.text) and read.text[start] in " :\"'是为在":
        start += 1
    return start, bool(behind)


def _is_home(found: re.Match[str], told: bool, lives: bool) -> bool:
    """Whether it is a place down to the house: three levels with a number, a flat, or a street's
    number behind a word for where somebody lives."""
    region, road, house = found["region"], found["road"], found["house"]
    levels = len(re.findall("省|市|区|县|镇|乡|村|街道", region + found["place"]))
    has_number = "号" in road and bool(re.search("[0-9一二三四五六七八九十]", road))
    if levels >= 3 and (has_number or "号" in found[0]):
        return True
    is_named = bool(_ZH_ROAD.search(road + found["place"]) or _ZH_ESTATE.search(house))
    has_flat = is_named and bool(_ZH_FLAT.search(house))
    if has_flat and (region or road):
        return True
    return told and (has_flat or (has_number and bool(region or lives)) or levels >= 3)
