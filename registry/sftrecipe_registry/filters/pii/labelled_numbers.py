"""Numbers that only a word tells: records, insurances, passports, accounts of chats, plates."""

# ruff: noqa: E501 - expressions and lists of words are read whole
from __future__ import annotations

import re

from sftrecipe_registry.filters.pii.personal_span import Found, Hints, ReadText, hints

_FILL = (
    r"(?i:[\s:=#%\"'“”()|,>*/.;\[\]{}❤~+?_-]|号码|号|编号|编码|为|是|的|卡|我|numbers?|num|no|nr|id|is|was|of|the|it's|its|it|to|code|on|file|with"
    r"|says|reads|shows|used|held|like|you|your|my|his|her|their|now|new|吧|哦|啊|哈|多少|呢|patient|member|user|me|i'm|handle|name|at|同号|添加|加|：|，|、|吗|请|帐号|账号|名|改成|改为|叫"
    r"|[?？]\s*\n?[A-Za-z\u4e00-\u9fff]{1,12}:){0,14}?"
)
_NUMBER = (
    r"(?<![0-9A-Za-z])(?P<value>(?=[A-Za-z/_-]{0,6}[0-9]|[A-Z]{1,5} [0-9])(?:[A-Z]{1,5}[ -](?=[0-9]))?[A-Za-z]{0,6}(?:[-/_]?[0-9A-Za-z]+)+(?:(?<=[0-9A-Z]) [0-9]{3,}[A-Z]?(?![0-9A-Za-z/-]))*"
    r"(?:(?<= [0-9]{4}) [0-9]{1,3}(?=[.,;)。，；\s]|$))?)(?![0-9A-Za-z])(?![.][0-9])"
)
_RECORD_WORDS = (
    r"(?:病历|病案|住院|门诊|就诊|就诊卡|急诊|登记|检查|影像|检验|标本|病理|体检|挂号|诊疗|诊疗卡|健康卡|健康档案|患者|病人|入院)(?:卡)?(?:编号|号码?|ID|id)(?!码)"
    r"|病历本?(?=[A-Z]*\d{4})|(?:登记|档案)号|(?<![A-Za-z])(?:ID|病人ID|患者ID) ?号"
    r"|\b(?:(?i:mrns?|uhid|emr|ehr|nhs|csn|hrn|urn|fin|crn|folder|bradma)(?:[ _-]?(?i:number|num|no\.?|id|#))?"
    r"|(?i:medical[ _]?record(?:s)?|med\.? ?rec\.?|health[ _]?record|patient[ _]?record|record|chart|hospital|hosp|inpatient|outpatient|in-patient|out-patient|ward|lab|patient|pt|case|admission|encounter|visit|accession|specimen|clinic|unit|file)"
    r"\.?[ _-]?(?i:record )?(?i:number|num|nr|no\b\.?|nos?\b\.?|id\b|identifier|#))"
)
_INSURANCE_WORDS = (
    r"\b(?i:insurance|insurer|insured by|health plan|medicaid|medicare|coverage)\b[^\n0-9]{0,70}?\b(?i:id|no\.|number|cin|policy)\b|"
    r"(?:医保|社保|医疗保险|社会保障|社会保险|参保|医疗证|新农合|农合|保险|保单|投保|理赔|合作医疗)(?:电子)?(?:凭证|卡|单|人|证|账户)?(?:编号|号码?|号|个人编号)?(?=[^\n\u4e00-\u9fff]|为|是|改)|(?:保险|投保|保单)合同(?:编?号码?)?"
    r"|个人编号"
    r"|\b(?i:(?:health |medical |dental |car |auto |home |life )?(?:insurance|insur|ins|policy|plan|medicare|medicaid|subscriber|beneficiary|member(?:ship)?|enrollee|certificate|claim|coverage"
    r"|health[ -]?card|health plan|national insurance|group|payer|policyholder|hmo|ppo)"
    r"[ _-]?(?:card |policy |member |membership |subscriber )?(?:number|num|nr|no\b\.?|id\b|identifier|#|no|nino)"
    r"|nino|policy|insurance|medicare|medicaid|mbi|hicn|bupa|aetna|cigna|humana|kaiser|bcbs|blue cross(?: blue shield)?)\b"
)
_PASSPORT_WORDS = r"护照|通行证|旅行证|\b(?i:passport|pass port|pp|travel document|reisepass|passeport|pasaporte)\b"
_WECHAT_WORDS = r"(?:微信|威信|薇信|微❤|V信|v信|加薇|加微|加V|加v|薇❤|(?<![A-Za-z])(?:WX|wx|Wx|VX|vx|Vx)|(?<![A-Za-z])[Vv](?=[:： ])|\b(?i:we ?chat|weixin))"
_QQ_WORDS = r"(?:(?<![A-Za-z0-9@.])(?i:q ?q)(?![a-z])|(?<![A-Za-z0-9@.])[Qq](?=[:号]?[ ]?[0-9]{5,11}(?![0-9]))|扣扣|企鹅号?|球球|秋秋)(?!群)"
_PROVINCE = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_PLATE_ZH = re.compile(
    rf"[{_PROVINCE}][A-HJ-NP-Z][ ·•・.-]?(?=[A-HJ-NP-Z0-9]{{0,4}}[0-9])[A-HJ-NP-Z0-9]{{4}}[A-HJ-NP-Z0-9挂学警港澳]{{1,2}}(?![A-Za-z0-9])"
    r"|(?<![\u4e00-\u9fff])[使领]?[0-9]{6}[使领](?![\u4e00-\u9fff])"
)
_PLATE_WORDS = re.compile(
    r"(?i)\b(?:licen[cs]e plates?|plates?|number ?plates?|registration|reg|tag|vehicle|car|truck|van|suv|sedan|pickup|motorcycle|motorbike|parked|parking|toll"
    r"|dashcam|driver|scooter|moped|minivan|lorry|hatchback|wagon|convertible|coupe|trailer|peugeot|renault|fiat|opel|skoda|volvo|mercedes|honda|toyota|ford|bmw|audi|tesla|chevy|nissan|hyundai|kia|volkswagen|mazda|subaru|jeep|hatchback|camry|civic|corolla)\b|车牌|车辆|车号",
    re.ASCII,
)
_PLATE_HINTS = hints(
    "plate plates numberplate registration reg tag vehicle vehicles car cars truck van suv sedan pickup motorcycle motorbike parked parking toll dashcam driver scooter moped minivan lorry wagon convertible coupe trailer peugeot renault fiat opel skoda volvo mercedes honda toyota ford bmw audi tesla chevy nissan hyundai kia volkswagen mazda subaru jeep hatchback camry civic corolla",
    "车",
)
_VEHICLES = re.compile(r"(?i)vehicle|plate|\bcar\b|parking")
_PLATE_SIGNS = re.compile("[A-Z]{1,3}[ -]?[A-Z]{0,2}[ -]?[0-9]|[0-9]{1,4}[ -]?[A-Z]")
_PLATE_NEAR = re.compile(
    r"(?i)(?:licen[cs]e|plates?|reg(?:istration)?\.?|tags?|车牌号?)(?:[ ]?(?:number|no\.?|#|nr|is|was|mark))*[\s:=#\"'(,|*]{1,4}(?:is )?$"
)
_PLATE = re.compile(
    r"(?<![0-9A-Za-z·-])(?=[A-Z0-9 ·-]{0,8}[0-9])(?=[A-Z0-9 ·-]{0,8}[A-Z])"
    r"(?:[A-Z]{2}[ -]?[0-9]{1,2}[A-Z]?[ -]?[A-Z]{1,3}[ -]?[0-9]{4}|[A-Z]{2}[0-9]{2}[ ·-]?[A-Z]{3}|[0-9][A-Z]{3}[ ·-]?[0-9]{3}|[A-Z]{3}[ ·-]?[0-9]{3,4}|[A-Z]{1,3}[ ·-][A-Z]{1,2}[ ·-]?[0-9]{1,4}|[A-Z]{2}[ ·-]?[0-9]{4,5}[A-Z]?"
    r"|[A-Z][ ·-]?[0-9]{3}[ ·-]?[A-Z]{2,3}|[A-Z]{2}-[0-9]{3}-[A-Z]{2}|[0-9]{3}[ ·-][A-Z]{3}|[A-Z]{3}[ ·-]?[0-9]{2}[ ·-]?[A-Z0-9]{2}|[0-9][A-Z]{2}[ ·-]?[A-Z]?[0-9]{3,4}|[0-9]{4}[ ·-]?[A-Z]{2,3}"
    r"|[0-9]{3}[ ·-]?[A-Z]{3}|[A-Z]{2}[0-9]{2}[ ·-]?[A-Z]{1,2}[ ·-]?[0-9]{4}|[A-Z]{3}[ ·-]?[0-9][A-Z][0-9]{2}|[0-9]-[A-Z]{3}-[0-9]{3})(?![0-9A-Za-z-])"
)
_INDIA = re.compile("[A-Z]{2}[ -]?[0-9]{1,2}[A-Z]?[ -]?[A-Z]{1,3}[ -]?[0-9]{4}")
_ANY_PLATE = re.compile(
    r"(?=[A-Z0-9 -]{0,7}[0-9])[A-Z0-9]{1,4}(?:[ -]?[A-Z0-9]{2,5}){1,2}(?![0-9A-Za-z-])"
)
_NOT_PLATE = re.compile(
    r"(?:[A-Z]{2} [0-9]{5}$|ICD|ISO|RFC|TN|SKU|COVID|USB|HTTP|BMW|CO|AM|PM|UTC|GMT|USD|EUR|GBP|CNY|RMB|FY|LH|UA|AA|BA|DL|EK|PO|ID|SN|NO|IPV|SHA|MD|UTF|ASCII|PIN|ROOM|UNIT|APT|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)(?![A-Z])"
)
_UNITS = re.compile("(?:BCE?|CE|AD|MM|KG|MG|ML|CM|KM|AM|PM|MPH|KB|MB|GB|HP|USD|EUR)$")
_SAMPLE = re.compile(r"(?i)(?:如|例如|比如|形如|格式|例|e\.g\.|such as)[\s:：\"“'(]*$")

_RECORD_HINTS = hints(
    "csn hrn urn fin crn folder bradma inpatient outpatient ward lab mrn mrns uhid emr ehr nhs record records chart hosp hospital patient pt rec case admission encounter visit accession specimen file",
    "号 编 id 病历",
)
_INSURANCE_HINTS = hints(
    "insurance insured insurer insur ins policy policyholder plan medicare medicaid subscriber beneficiary member membership enrollee certificate claim coverage nino mbi hicn bupa aetna cigna humana kaiser bcbs payer hmo ppo",
    "医保 社保 医疗 社会 参保 农合 保险 保单 投保 理赔 个人编号 合作",
)
_RECORD = re.compile(rf"(?:{_RECORD_WORDS}){_FILL}{_NUMBER}", re.ASCII)
_INSURANCE = re.compile(
    rf"(?:{_INSURANCE_WORDS}){_FILL}(?:(?P<nino>[A-Z]{{2}} ?[0-9]{{2}} ?[0-9]{{2}} ?[0-9]{{2}} ?[A-D](?![A-Za-z]))|{_NUMBER})",
    re.ASCII,
)
_MBI = re.compile(
    r"(?<![0-9A-Za-z])[1-9][A-HJKMNP-RT-Y][0-9A-HJKMNP-RT-Y][0-9]-?[A-HJKMNP-RT-Y][0-9A-HJKMNP-RT-Y][0-9]-?[A-HJKMNP-RT-Y]{2}[0-9]{2}(?![0-9A-Za-z])"
)
_HEALTH_CARD = re.compile(
    r"(?<![0-9A-Za-z])[0-9]{4}[ -][0-9]{3}[ -][0-9]{3}[ -]?[A-Z]{2}(?![0-9A-Za-z])"
)
_CONTRACT = re.compile(
    r"(?i:contract|policy|insured|membership)(?i: no\.?| number|:|#| is){0,3} (?P<value>(?=[A-Z0-9./-]{0,8}[0-9])[A-Z0-9]{2,6}(?:[-./ ]?[0-9]{1,4}){2,5})(?![0-9A-Za-z])"
)
"""Behind a word that says a contract only: in rows about insurance."""
_INSURED = re.compile(r"(?i)insurance|insurer|coverage|health card|medicare|medicaid|policy")
_PASSPORT = re.compile(
    rf"(?:{_PASSPORT_WORDS}){_FILL}(?<![0-9A-Za-z])(?P<value>[A-Za-z]{{0,3}} ?[0-9]{{6,9}}[A-Z]?|[A-Z]{{0,2}} ?[0-9]{{3}} [0-9]{{3}}(?: [0-9]{{3}})?|[A-Z]{{1,2}}[0-9]{{2}} ?[0-9]{{5}})(?![0-9A-Za-z])(?! ?[0-9]{{3}})",
    re.ASCII,
)
_PASSPORT_FORM = re.compile(
    r"(?<![0-9A-Za-z])(?:[A-Z]{1,2} ?[0-9]{7,8}|[0-9]{2}[A-Z]{2}[0-9]{5}|(?=[A-Z]*(?:[0-9][A-Z]*){3})(?=[0-9A-Z]*[0-9]$|[0-9A-Z]{8}[0-9])[CFGHJKLMNPRTVWXYZ][0-9A-Z]{8}|[A-Z]{2}[0-9][A-Z][0-9][A-Z][0-9]{3})(?![0-9A-Za-z])"
)
_PASSPORT_HINTS = hints(
    "passport passports pass pp reisepass passeport pasaporte travel", "护照 通行证 旅行证"
)
_PASSPORT_WORD = re.compile(_PASSPORT_WORDS, re.ASCII)
_WECHAT = re.compile(
    rf"{_WECHAT_WORDS}(?!支付|公众|小程序|群)(?P<fill>{_FILL})(?<![0-9A-Za-z])(?P<value>[a-zA-Z][-_a-zA-Z0-9]{{3,19}}(?:\.[-_a-zA-Z0-9]{{3,15}})?)(?![-_A-Za-z0-9@])",
    re.ASCII,
)
_HANDLE = re.compile(
    r"(?<![-\w@./])(?P<value>wxid_[0-9a-z]{6,16}|(?=[A-Za-z]+[-_0-9])[A-Za-z](?=[-_A-Za-z]*[0-9_])[-_A-Za-z0-9]{5,19})(?![-\w@/=(]|\.[A-Za-z])",
    re.ASCII,
)
_SPOKEN = 90
"""How far from the word for WeChat a name that looks like an account's may stand."""
_QQ_HINTS = hints("qq q", "扣扣 企鹅 秋秋 球球")
_WECHAT_HINTS = hints("wechat weixin wx vx v", "微 威信 薇 加v v信")
_WECHAT_WORD = re.compile(_WECHAT_WORDS, re.ASCII)
_QQ = re.compile(
    rf"{_QQ_WORDS}{_FILL}(?<![0-9])(?P<value>[1-9][0-9]{{4,10}})(?![0-9@]|年|元|%)", re.ASCII
)
_ID_SAID = re.compile(r"(?i)号|id\b|加|[:：是]")


def record_numbers(read: ReadText) -> Found:
    """Numbers of patients' records."""
    return _numbers(read, _RECORD, 4, _RECORD_HINTS)


def insurance_numbers(read: ReadText) -> Found:
    """Numbers of insured persons and policies."""
    yield from _numbers(read, _INSURANCE, 5, _INSURANCE_HINTS)
    is_told = read.context.has(_INSURANCE_HINTS) or "health card" in read.context.lower
    if read.digits >= 4 and is_told and read.context.says(_INSURED):
        for pattern in (_MBI, _HEALTH_CARD, _CONTRACT):
            for found in pattern.finditer(read.text):
                if not read.is_quiet(found.start()):
                    yield found.span("value" if pattern is _CONTRACT else 0)


def _numbers(read: ReadText, pattern: re.Pattern[str], digits: int, signs: Hints) -> Found:
    if read.digits < 4 or not read.context.has(signs):
        return
    for found in pattern.finditer(read.text):
        part = "nino" if found.groupdict().get("nino") else "value"
        value = found[part]
        if read.is_quiet(found.start()) or sum(map(str.isdigit, value)) < digits:
            continue
        if re.fullmatch(r"(?:19|20)\d\d(?:[-/ ]\d{1,2}){0,2}", value):
            continue
        yield found.span(part)


def passports(read: ReadText) -> Found:
    """Behind a word for it, or in a row about one in the form of one."""
    if read.digits < 4 or not read.context.has(_PASSPORT_HINTS):
        return
    if not read.context.says(_PASSPORT_WORD):
        return
    for found in _PASSPORT.finditer(read.text):
        yield found.span("value")
    for found in _PASSPORT_FORM.finditer(read.text):
        if not read.is_quiet(found.start()):
            yield found.span()


def wechats(read: ReadText) -> Found:
    """Names behind a word for WeChat, that are no words."""
    if not read.context.has(_WECHAT_HINTS) or not read.context.says(_WECHAT_WORD):
        return
    for found in _WECHAT.finditer(read.text):
        value = found["value"]
        is_word = value.isalpha() and (value.islower() or value.istitle() or value.isupper())
        if is_word and not (
            _ID_SAID.search(found["fill"]) and re.search("[\u4e00-\u9fff]", read.text)
        ):
            continue
        if not re.fullmatch(
            r"(?i)official|account|payment|please|number|group|wechat|messages?|applet|phone|email",
            value,
        ):
            yield found.span("value")
    yield from _handles(read)


def _handles(read: ReadText) -> Found:
    """What looks like an account's name, soon behind a word for WeChat."""
    if len(read.text) > 1500:
        return
    for found in _HANDLE.finditer(read.text):
        before = read.said_before(found.start(), _SPOKEN)
        if _WECHAT_WORD.search(before) and not read.is_quiet(found.start()):
            yield found.span("value")


def qqs(read: ReadText) -> Found:
    """Digits behind a word for QQ."""
    if read.digits >= 4 and read.context.has(_QQ_HINTS):
        yield from (found.span("value") for found in _QQ.finditer(read.text))


def plates(read: ReadText) -> Found:
    """Chinese ones by their form; others behind a word for it, or in a row about vehicles."""
    if not read.digits:
        return
    if not read.text.isascii():
        for found in _PLATE_ZH.finditer(read.text):
            if not _SAMPLE.search(read.before(found.start(), 8)):
                yield found.span()
    if not read.context.has(_PLATE_HINTS) or not _PLATE_SIGNS.search(read.text):
        return
    if not read.context.says(_PLATE_WORDS):
        return
    told = len(set(map(str.lower, _PLATE_WORDS.findall(read.context.text)))) > 1
    for found in _PLATE.finditer(read.text):
        near = _PLATE_NEAR.search(read.before(found.start(), 30))
        around = read.text[max(0, found.start() - 60) : found.end() + 40]
        is_other = _NOT_PLATE.match(found[0]) and not _INDIA.fullmatch(found[0])
        if is_other or _UNITS.search(found[0]) or read.is_quiet(found.start()):
            continue
        if near or (told and _PLATE_WORDS.search(around)) or _is_listed(read, found):
            yield found.span()
    for found in re.finditer(
        r"(?i)(?:licen[cs]e plate|number plate|plate)(?: (?:number|no\.?|is|was))*[:#]? ?(?=[A-Z0-9])",
        read.text,
    ):
        value = _ANY_PLATE.match(read.text, found.end())
        if value and re.search("[A-Z]", value[0]):
            yield value.span()


def _is_listed(read: ReadText, found: re.Match[str]) -> bool:
    """Whether it begins a line or fills a cell of a row that is about plates or vehicles."""
    before, after = read.before(found.start(), 30).strip(), read.after(found.end()).strip()
    is_cell = (not before or before.endswith(("|", ",", "(", "-"))) and (
        not after or after.startswith(("|", ",", ":", ")"))
    )
    return is_cell and read.context.says(_VEHICLES)
