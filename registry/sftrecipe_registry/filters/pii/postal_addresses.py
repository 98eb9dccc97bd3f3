"""Postal addresses of private persons."""

# ruff: noqa: E501 - expressions and lists of words are read whole
from __future__ import annotations

import re

from sftrecipe_registry.filters.pii.chinese_addresses import chinese_addresses
from sftrecipe_registry.filters.pii.english_name_forms import LOWER, UPPER
from sftrecipe_registry.filters.pii.personal_span import Found, ReadText, hints

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
    yield from chinese_addresses(read)
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
