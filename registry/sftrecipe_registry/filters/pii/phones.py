"""Phone numbers: Chinese and British ones, North American ones, any behind a word for it."""

# ruff: noqa: E501 - expressions and lists of words are read whole
from __future__ import annotations

import re

from sftrecipe_registry.filters.pii.checked_numbers import in_sum, of_a_thing
from sftrecipe_registry.filters.pii.personal_span import Find, Found, ReadText, hints

_BEFORE, _AFTER = (
    r"(?<![0-9A-Za-z_])(?<![0-9][.,/-])(?<![0-9], )",
    r"(?![0-9A-Za-z_])(?![.,/-][0-9])",
)
_EXTENSION = r"(?:[ ]?(?:[,(]?[ ]?(?:转|分机|ext\.?|x|extension|#)[ :]?)[0-9]{1,6})?"
_CHINA = r"(?:(?:\(?\+|00)86\)?[ -]?)?"
_MOBILE = re.compile(
    rf"(?<![0-9A-Za-z_.])(?<![0-9]-){_CHINA}\(?1[3-9][0-9]\)?(?:[ .-]?[0-9]{{4}}[ .-]?[0-9]{{4}}|[0-9][ -][0-9]{{3}}[ -][0-9]{{4}}"
    rf"|[ -][0-9]{{3}}[ -][0-9]{{5}}|[ -][0-9]{{2}}[ -][0-9]{{3}}[ -][0-9]{{3}}|[0-9]{{3}}[ -][0-9]{{5}}){_EXTENSION}(?![0-9A-Za-z_])(?!\.[0-9])"
)
_LANDLINE = re.compile(
    rf"{_BEFORE}(?:(?:\+|00)86[ -]?)?(?:\(0[1-9][0-9]{{1,2}}\)[ ]?|0[1-9][0-9]{{1,2}}[ -])"
    rf"[2-8][0-9]{{2,3}}[ -]?[0-9]{{4}}{_EXTENSION}(?![0-9A-Za-z_])"
    rf"|{_BEFORE}\+86[ -]?[1-9][0-9]{{1,2}}[ -][2-8][0-9]{{2,3}}[ -]?[0-9]{{4}}{_EXTENSION}(?![0-9A-Za-z_])"
)
_AMERICA = re.compile(
    rf"(?<![0-9A-Za-z_])(?<![0-9][./-])(?:\+?1[ .-]?)?(?:\([2-9][0-9]{{2}}\)[ .-]{{0,2}}|[2-9][0-9]{{2}}[ ./-]{{1,2}})"
    rf"[2-9][0-9]{{2}}[ .-][0-9]{{4}}{_EXTENSION}{_AFTER}"
)
_BRITAIN = re.compile(
    rf"{_BEFORE}(?:0(?:7[0-9]{{3}}[ -]?[0-9]{{3}}[ -]?[0-9]{{3}}|[1-3][0-9]{{2,4}}[ -][0-9]{{3}}[ -]?[0-9]{{3,4}}))"
    rf"{_EXTENSION}{_AFTER}"
)
_WORLD = re.compile(
    rf"(?<![0-9A-Za-z+])(?:\(?\+|00[ ]?)[1-9][0-9]{{0,2}}\)?(?:[ ./-]{{0,2}}\(?[0-9]{{1,5}}\)?){{2,6}}{_EXTENSION}{_AFTER}"
)
_FRANCE = re.compile(rf"{_BEFORE}0[1-79](?:[ .][0-9]{{2}}){{4}}{_AFTER}")
_AUSTRALIA = re.compile(
    rf"{_BEFORE}(?:04[0-9]{{2}} [0-9]{{3}} [0-9]{{3}}|\(?0[2378]\)? [0-9]{{4}} [0-9]{{4}}){_AFTER}"
)
_LOCAL = re.compile(rf"{_BEFORE}555-01[0-9]{{2}}{_AFTER}")
_ANY = re.compile(rf"{_BEFORE}[(+]?[0-9](?:[ ./-]{{0,2}}[()]?[0-9]){{6,13}}{_EXTENSION}{_AFTER}")
_WORDS = re.compile(
    r"(?i)电话|手机|号码|座机|联系方式|联系我|联系他|联系她|联系人|寄件人|收件人|收货人|致电|来电|回电|拨打|速拨|拨|打给|打我|手机号|传真|短信|呼叫|固话|家里电话|微信同号|加我|打(?=\d)"
    r"|\b(?:tele?phones?|phones?|tel|mobile|mob|cell(?:phone)?|call(?:ed|ing|s|er)?|ring|rang|dial(?:ed)?|reach(?:ed|able)?|text(?:ed|ing)?|sms|fax"
    r"|whats ?app|telegram|signal|viber|contact|number|num|line|landline|voicemail|pager|rsvp|ph|hp|handy|telefon|t[ée]l(?:[ée]phone)?)\b|\b[mtpcwh]:",
    re.ASCII,
)
_WEAK_WORDS = frozenset(
    {"number", "num", "line", "signal", "contact", "ring", "号码", "拨", "ph", "hp", "cell"}
)
"""Words before other numbers too."""
_SERVICE = re.compile(
    r"(?i)客服|热线|咨询电话|总机|前台|服务电话|官方|挂号|预约电话|投诉|举报|急救|报警|火警|救助|援助|干预|售后|服务台|公司电话|医院电话|门诊电话"
    r"|hot ?line|help ?line|lifeline|customer (?:service|care|support)|support line|toll[- ]?free|crisis|emergency (?:services?|line|number)"
    r"|poison control|call center|call centre|switchboard|front desk|our (?:office|team|store|sales|showroom|clinic)|call us|contact us|reach us|give us"
)
_SAMPLE = re.compile(
    r"(?i)(?:e\.?g\.?|such as|for example|like|format(?:ted)?(?: as)?|示例|例如|比如|格式|形如|如)[\s::\"“'(]*$"
)
_NO_PHONE = re.compile(
    r"[+-]?[0-9]\.[0-9]+|\+?[0-9]{14,}|(?:1[0-9]|20)[0-9]{2}-(?:1[0-9]|20)?[0-9]{2}(?:[ .].*)?"
)
"""Decimals, long sums, years."""
_PART_BEFORE = re.compile(r"(?<![0-9])[0-9]{1,6}[ -]$")
_PART_AFTER = re.compile(r"[ -][0-9]{3}(?![0-9]*[年月])")
"""What makes it a part of a longer number."""
_PATTERN_WORDS = hints("regex regexp", "正则")
_TOLL_FREE = re.compile(
    r"^\+?\(?(?:1[ .-]?)?\(?8(?:00|88|77|66|55|44|33)\)?[ .-]|^\(?900\)?[ .-]|^0?800[ .-]|^400[ -]?[0-9]"
)
_IN_FILMS = re.compile("(?i)fiction|films?\\b|movies?\\b|reserved|fake")
_KNOWN = frozenset(
    {
        "8675309",
        "18005551212",
        "1234567890",
        "0123456789",
        "5551212",
        "12345678900",
        "9876543210",
        "1234567891",
    }
)
"""Numbers of songs and of examples."""


def phones(read: ReadText) -> Found:
    """Numbers of persons: none of hotlines, of orders, within sums."""
    if read.digits < 7:
        return
    for pattern, needs_word in _PATTERNS:
        for found in pattern.finditer(read.text):
            start, end = found.span()
            if needs_word(read, found) and not _is_told(read, start, end):
                continue
            if _is_personal(read, start, end):
                yield start, end


def _is_told(read: ReadText, start: int, end: int) -> bool:
    before = read.said_before(start, 45)
    words = [*_WORDS.finditer(before)]
    if not words:
        return False
    between = before[words[-1].end() :]
    if read.text[start:end].isdigit() and all(word[0].lower() in _WEAK_WORDS for word in words):
        return False
    return not re.search(r"[0-9]{3}|[.;。；!?！？](?:\s)[^:]*$", between) and not of_a_thing(
        read, start, 20
    )


def _is_personal(read: ReadText, start: int, end: int) -> bool:
    written = read.text[start:end]
    digits = re.sub("[^0-9]", "", written)
    before = read.before(start, 45)
    if (
        digits in _KNOWN
        or _TOLL_FREE.match(written)
        or len(set(digits[-7:])) == 1
        or not set(digits) - {"0", "1"}
    ):
        return False
    if _SAMPLE.search(before[-14:]) or _SERVICE.search(before) or _NO_PHONE.fullmatch(written):
        return False
    if _PART_BEFORE.search(before) or _PART_AFTER.match(read.after(end)):
        return False
    of_other = of_a_thing(read, start, 20) and not _WORDS.search(before[-12:])
    of_pattern = read.context.has(_PATTERN_WORDS)
    if written.startswith("555-01") and _IN_FILMS.search(read.context.text):
        return False
    return not (of_other or of_pattern or in_sum(read, start, end) or read.is_quiet(start))


def _bare_mobile(read: ReadText, found: re.Match[str]) -> bool:
    """Eleven digits in a row need a word, but for Chinese texts that have few such numbers."""
    return found[0].isdigit() and not read.is_chinese


def _spaced(read: ReadText, found: re.Match[str]) -> bool:
    """What is written with blanks or points only needs a word."""
    has_extension = re.search("[a-z#转]", found[0]) is not None
    return not (has_extension or re.search(r"[(+-]", found[0]))


def _always(read: ReadText, found: re.Match[str]) -> bool:
    return True


def _never(read: ReadText, found: re.Match[str]) -> bool:
    return False


def _glued_sign(read: ReadText, found: re.Match[str]) -> bool:
    """A plus behind a number or a bracket may be a sum's."""
    return (
        bool(re.search(r"[0-9)\]}a-z][ ]?$", read.before(found.start(), 3)))
        or len(re.sub("[^0-9]", "", found[0])) < 9
    )


_PATTERNS = (
    (_MOBILE, _bare_mobile),
    (_LANDLINE, _never),
    (_AMERICA, _spaced),
    (_WORLD, _glued_sign),
    (_BRITAIN, _never),
    (_AUSTRALIA, _never),
    (_FRANCE, _always),
    (_LOCAL, _never),
    (_ANY, _always),
)


def phones_of(regions: tuple[str, ...]) -> Find:
    """The same, and those that the library phonenumbers finds as these countries write them."""
    from phonenumbers import PhoneNumberMatcher  # noqa: PLC0415 - an optional package

    def find(read: ReadText) -> Found:
        yield from phones(read)
        if read.digits == 7:
            for region in regions:
                for match in PhoneNumberMatcher(read.text, region):
                    if _is_personal(read, match.start, match.end):
                        yield match.start, match.end

    return find
