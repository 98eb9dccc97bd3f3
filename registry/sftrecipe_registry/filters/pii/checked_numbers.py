"""Numbers with a checksum or a fixed form: identity cards, IBANs, bank cards, SSNs."""

# ruff: noqa: E501 - expressions and lists of words are read whole
from __future__ import annotations

import re

from sftrecipe_registry.filters.pii.checksums import is_iban, is_id_card, is_luhn
from sftrecipe_registry.filters.pii.personal_span import Found, ReadText

_BEFORE, _AFTER = (
    r"(?<![0-9A-Za-z])(?<![0-9][.,])",
    r"(?![0-9A-Za-z])(?!\.[0-9]|,[0-9]{3}(?![0-9]))",
)
_ID_CARD = re.compile(
    rf"{_BEFORE}[1-8][0-9]{{5}}[ -]?(?:19|20)[0-9]{{2}}[ -]?[0-9]{{4}}[ -]?[0-9]{{3}}[0-9Xx]{_AFTER}"
    rf"|{_BEFORE}[1-8][0-9]{{14}}{_AFTER}"
)
_ID_WORDS = re.compile(
    r"身份|证件|居民证|(?<!手机)(?<!电话)号码|公民|(?i:\bid\b|identity|identification|resident)",
    re.ASCII,
)
_OTHER_NUMBER = re.compile(
    r"(?i)订单|单号|快递|运单|物流|流水|序列|编码|条码|批号|货号|合同号|发票|型号|学号|考号|准考证|交易|工单"
    r"|\b(?:order|tracking|invoice|serial|sku|isbn|issn|doi|part|parcel|ticket|transaction|batch"
    r"|model|build|version|ean|upc|barcode|imei|uuid|guid|hash|timestamp|po|lot|shipment|a/c|account|acct|registration number|company number|reg\.? no|vat|code|binary|hex)\b|\b(?i:case) (?:no|number)",
    re.ASCII,
)
"""Words before numbers that stand for things."""
_BANK_CARD = re.compile(rf"{_BEFORE}[2-6][0-9]{{3}}(?:[ -]?[0-9]){{10,15}}{_AFTER}")
_BANK_WORDS = re.compile(
    r"卡号|银行|信用卡|储蓄卡|借记卡|刷卡|账号|账户|帐号|收款|转账|汇款|打款|扣款|还款|持卡|[工农建招交中]行|开户|刷了|卡[:：]|(?<![手打刷关贺会名声显发])卡(?![路片通车尔塔罗])"
    r"|(?i:\b(?:card(?:holder)?|cards|visa|mastercard|amex|american express|discover|debit|credit"
    r"|maestro|unionpay|jcb|account|acct|a/c|pan|cc|cc#|bank|charged?|payment|pay|paid|refund)\b)"
    r"|(?i:card_?(?:no|num|number)?\b)",
    re.ASCII,
)
_CARD_RIGHT_BEFORE = re.compile(
    r"(?:卡号|银行卡|信用卡|储蓄卡|借记卡|[工农建招交中]行卡|账号|账户|帐号|打到|转到|汇到|打入|通过卡|用卡|卡[:：])[是为:：\s]{0,4}(?:[\"'“|]\s?)?$"
    r"|(?i:\b(?:cards?|visa|mastercard|amex|american express|discover|card[ _]?(?:number|no\.?|num|#)|account (?:number|no\.?))(?:,? (?:whose|with|the|full|my|its|no|number|is|was|nr|ending|and){1,4}){0,4}[\s:=#\"'|]{1,4})$",
    re.ASCII,
)
_OTHER_CARD = re.compile(
    "(?:医保|社保|保险|保单|就诊|公交|会员|门诊|校园|饭|门禁|电话|充值|礼品|身份)[证卡]?[号码]{0,2}[^0-9]{0,6}$"
)
_TEST_CARDS = frozenset(
    [
        "4111111111111111",
        "4242424242424242",
        "5555555555554444",
        "378282246310005",
        "371449635398431",
        "6011111111111117",
        "4012888888881881",
        "4000056655665556",
        "5105105105105100",
        "3530111333300000",
        "30569309025904",
        "4000000000000002",
        "2223003122003222",
        "6200000000000005",
        "1234567812345670",
    ]
)
"""Those that the payment services publish for tests."""
_IBAN = re.compile(rf"{_BEFORE}[A-Z]{{2}}[0-9]{{2}}(?:[ -]?[A-Z0-9]){{11,30}}(?![0-9A-Za-z])")
_SPECIMEN = re.compile("(?i)specimen|example|sample|structure|format|test|示例|样例|格式|结构|例如")
_STOCK_IBANS = frozenset(
    [
        "GB82WEST12345698765432",
        "GB29NWBK60161331926819",
        "GB33BUKB20201555555555",
        "DE89370400440532013000",
        "FR1420041010050500013M02606",
        "FR7630006000011234567890189",
        "NL91ABNA0417164300",
        "CH9300762011623852957",
        "ES9121000418450200051332",
        "IT60X0542811101000000123456",
        "BE68539007547034",
        "AT611904300234573201",
        "IE29AIBK93115212345678",
        "NO9386011117947",
    ]
)
"""Those that registries and Wikipedia give as examples."""
_SSN = re.compile(
    rf"{_BEFORE}(?!000|666|9)[0-9]{{3}}([- .])(?!00)[0-9]{{2}}\1(?!0000)[0-9]{{4}}{_AFTER}"
)
_SSN_PLAIN = re.compile(rf"{_BEFORE}(?!000|666|9)[0-9]{{9}}{_AFTER}")
_SSN_WORDS = re.compile(
    r"(?i)\b(?:ssns?|ss#|ss no|soc(?:ial)?\.? ?sec\w*|sosial|tin|taxpayer|itin|w-?[249]|social)\b|社会安全号|社安",
    re.ASCII,
)
_STOCK_SSNS = frozenset({"123-45-6789", "078-05-1120", "219-09-9999", "457-55-5462"})
"""Numbers that everybody knows."""
_RECORD_WORDS = re.compile(
    r"(?i)\b(?:chart|mrn|record|hosp|case|file|claim|policy|member)\b", re.ASCII
)
_SUMS = re.compile(
    r"(?i)(?:[=*/×÷^%<>~√∑]|\d[ ]?[+-]|divide|multiply|add|times|plus|minus|by|square root of|sqrt\(?|计算|乘以?|除以|加上?|减去?|开方|质数|素数|是否为?)[ ]?$",
    re.ASCII,
)
_SUMS_AFTER = re.compile(
    r"(?i)[ ]?(?:[=*×÷^%]|[/+][ ]?\d|- ?\d+ ?=|divided|times|multiplied|plus\b|minus|mod\b|squared|除以|乘以?|加上?|减去?|的平方|开方|能被|是质数|是素数)",
    re.ASCII,
)


def in_sum(read: ReadText, start: int, end: int) -> bool:
    """Whether a number stands in a sum or a formula."""
    before = read.text[max(0, start - 4) : start]
    is_behind = _SUMS.search(before) and not before.rstrip().endswith("=")
    return bool(is_behind) or sum_follows(read, end)


def sum_follows(read: ReadText, end: int) -> bool:
    """Whether a number that ends here is reckoned with."""
    return _SUMS_AFTER.match(read.text[end : end + 8]) is not None


def of_a_thing(read: ReadText, start: int, reach: int = 30) -> bool:
    """Whether the words before a number say that it is an order's, a product's …"""
    return bool(_OTHER_NUMBER.search(read.before(start, reach)))


def id_cards(read: ReadText) -> Found:
    """By province, date of birth and check digit; without a valid one behind a word for it."""
    for found in _ID_CARD.finditer(read.text) if read.digits == 7 else ():
        digits = re.sub("[ -]", "", found[0])
        told = bool(_ID_WORDS.search(read.before(found.start(), 30)))
        if len(digits) == 15 and not told:
            continue
        if is_id_card(digits, checked=not told) and (told or not read.is_quiet(found.start())):
            yield found.span()


def ibans(read: ReadText) -> Found:
    """By their country's length and remainder; the longest part of the match that is one."""
    for found in _IBAN.finditer(read.text) if read.digits == 7 else ():
        written, end = found[0], found.end()
        while len(written) >= 15:
            plain = re.sub("[ -]", "", written)
            if is_iban(plain):
                if plain in _STOCK_IBANS and read.context.says(_SPECIMEN):
                    break
                yield found.start(), end
                break
            shorter = written.rpartition(" ")[0]
            end -= len(written) - len(shorter)
            written = shorter


def bank_cards(read: ReadText) -> Found:
    """By Luhn's checksum, near a word for it; right behind such a word without, for a digit may be
    mistyped."""
    for found in _BANK_CARD.finditer(read.text) if read.digits == 7 else ():
        digits = re.sub("[ -]", "", found[0])
        if re.search(r"[0-9][ -]$", read.before(found.start(), 3)) or re.match(
            r"[ -][0-9]{3}", read.after(found.end())
        ):
            continue
        if not is_luhn([*map(int, digits)]) and not _CARD_RIGHT_BEFORE.search(
            read.before(found.start(), 30)
        ):
            continue
        if not _card_is_told(read, *found.span()):
            continue
        if digits not in _TEST_CARDS or not _is_a_test(read):
            yield found.span()


def _card_is_told(read: ReadText, start: int, end: int) -> bool:
    before = read.before(start, 60)
    if _OTHER_CARD.search(before):
        return False
    words = [*_BANK_WORDS.finditer(before)]
    if words and not _OTHER_NUMBER.search(before, words[-1].end()):
        return not read.is_quiet(start)
    if _OTHER_NUMBER.search(before) or in_sum(read, start, end) or read.is_quiet(start):
        return False
    return bool(_BANK_WORDS.search(read.text[max(0, start - 160) : end + 60]))


def _is_a_test(read: ReadText) -> bool:
    return bool(
        re.search(
            r"(?i)\btest|sandbox|stripe|demo|dummy|luhn|example|测试|沙箱|示例|校验", read.text
        )
    )


def ssns(read: ReadText) -> Found:
    """Written with dashes, or behind a word for it."""
    if read.digits < 7:
        return
    for found in _SSN.finditer(read.text):
        before = read.before(found.start(), 40)
        told = _SSN_WORDS.search(before)
        if not told and (found[1] != "-" or of_a_thing(read, found.start())):
            continue
        if not told and (_RECORD_WORDS.search(before) or in_sum(read, *found.span())):
            continue
        if told or (found[0] not in _STOCK_SSNS and not read.is_quiet(found.start())):
            yield found.span()
    for found in _SSN_PLAIN.finditer(read.text):
        if _SSN_WORDS.search(read.before(found.start(), 30)):
            yield found.span()
