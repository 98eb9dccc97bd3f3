"""Passports and plates of vehicles."""

# ruff: noqa: E501 - expressions and lists of words are read whole
from __future__ import annotations

import re

from sftrecipe_registry.filters.pii.personal_span import Found, ReadText, hints

_FILL = (
    r"(?i:[\s:=#%\"'“”()|,>*/.;\[\]{}❤~+?_-]|号码|号|编号|编码|为|是|的|卡|我|numbers?|num|no|nr|id|is|was|of|the|it's|its|it|to|code|on|file|with"
    r"|says|reads|shows|used|held|like|you|your|my|his|her|their|now|new|吧|哦|啊|哈|多少|呢|patient|member|user|me|i'm|handle|name|at|同号|添加|加|：|，|、|吗|请|帐号|账号|名|改成|改为|叫"
    r"|[?？]\s*\n?[A-Za-z\u4e00-\u9fff]{1,12}:){0,14}?"
)
_PASSPORT_WORDS = r"护照|通行证|旅行证|\b(?i:passport|pass port|pp|travel document|reisepass|passeport|pasaporte)\b"
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

_PASSPORT = re.compile(
    rf"(?:{_PASSPORT_WORDS}){_FILL}(?<![0-9A-Za-z])(?P<value>(?:[A-Z]{{1,3}} ?|[a-z]{{1,2}})?[0-9]{{6,9}}[A-Z]?|[A-Z]{{0,2}} ?[0-9]{{3}} [0-9]{{3}}(?: [0-9]{{3}})?|[A-Z]{{1,2}}[0-9]{{2}} ?[0-9]{{5}})(?![0-9A-Za-z])(?! ?[0-9]{{3}})",
    re.ASCII,
)
_PASSPORT_FORM = re.compile(
    r"(?<![0-9A-Za-z])(?:[A-Z]{1,2} ?[0-9]{7,8}|[0-9]{2}[A-Z]{2}[0-9]{5}|(?=[A-Z]*(?:[0-9][A-Z]*){3})(?=[0-9A-Z]*[0-9]$|[0-9A-Z]{8}[0-9])[CFGHJKLMNPRTVWXYZ][0-9A-Z]{8}|[A-Z]{2}[0-9][A-Z][0-9][A-Z][0-9]{3})(?![0-9A-Za-z])"
)
_PASSPORT_HINTS = hints(
    "passport passports pass pp reisepass passeport pasaporte travel", "护照 通行证 旅行证"
)
_PASSPORT_WORD = re.compile(_PASSPORT_WORDS, re.ASCII)


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
