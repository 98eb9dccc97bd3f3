"""Rows without personal data, or with it masked.

Numbers are found by their checksums, addresses and names by their form.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from importlib.util import find_spec
from ipaddress import ip_address
from typing import Any, ClassVar, Literal, NamedTuple, get_args

from sftrecipe.plugin import (
    KEEP,
    ColumnName,
    Context,
    Inputs,
    MachineCheck,
    OptionFiles,
    OptionProblem,
    Record,
    RowFilter,
    Texts,
    Verdict,
    install_command,
)
from sftrecipe_registry.shared.models.installed_packages import package_check
from sftrecipe_registry.shared.text.row_text import CONTENT, seen_columns

texts = Texts(__package__)

Kind = Literal["id_card", "bank_card", "phone", "email", "url", "ip", "name"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""In the order in which they are looked for: what one kind takes is none of a later one."""


class PersonalSpan(NamedTuple):
    """One piece of personal data: where it stands."""

    start: int
    end: int
    kind: Kind


Find = Callable[[str], Iterator[tuple[int, int]]]

_NARROW = str.maketrans("０１２３４５６７８９＠．－＋（）：", "0123456789@.-+():")
"""Wide digits and marks count as what they stand for; each is one character, as before."""

_NUMERIC = frozenset({"id_card", "bank_card", "phone", "ip"})
_NUMBERS = re.compile("[0-9][0-9A-Fa-f:.() +-]{5}")
"""What the numeric kinds have in common."""
_BEFORE, _AFTER = r"(?<![0-9A-Za-z])", r"(?![0-9A-Za-z])"
_ID_CARD = re.compile(
    rf"{_BEFORE}[1-8][0-9]{{16}}[0-9Xx]{_AFTER}|{_BEFORE}[1-8][0-9]{{14}}{_AFTER}"
)
_PROVINCES = re.compile("1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]")
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_BANK_CARD = re.compile(
    rf"{_BEFORE}(?:62|4|5[1-5]|2[2-7]|3[457]|6011)(?:[ -]?[0-9]){{11,17}}{_AFTER}"
)
_PHONES = (
    re.compile(
        r"(?<![0-9A-Za-z.])(?:\+?86[ -]?)?1[3-9][0-9][ -]?[0-9]{4}[ -]?[0-9]{4}(?![0-9A-Za-z])"
    ),
    re.compile(
        r"(?<![0-9A-Za-z.])(?:\+?86[ -]?)?(?:\(0[1-9][0-9]{1,2}\) ?|0[1-9][0-9]{1,2}[ -])"
        r"[2-9][0-9]{6,7}"
        r"(?:[ -]?(?:转|ext\.?)? ?[0-9]{1,5})?(?![0-9A-Za-z])"
    ),
    re.compile(r"(?<![0-9A-Za-z+])\+[1-9](?:[ .-]?\(?[0-9]\)?){7,14}(?![0-9])"),
)
"""Chinese mobile and landline numbers; numbers of any country behind a plus sign."""
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}"
    r"(?![A-Za-z0-9])"
)
_URL = re.compile(
    r"(?:https?://|(?<![A-Za-z0-9.])www\.)[A-Za-z0-9][!-~]{2,2000}(?<![.,;:!?)\]}'\"])",
    re.IGNORECASE,
)
_IP = re.compile(
    r"(?<![0-9A-Za-z.:])(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7})"
    r"(?![0-9A-Za-z:]|\.[0-9])"
)

_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
    "余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段漕钱汤尹黎易常武乔贺赖龚文"
    "庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛伍韦申尤毕聂丛焦向柳邢路岳齐梅莫庄辛管祝左涂谷祁耿牟卜詹关苗"
    "凌费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍位覃霍翁隋植甘景薄单包司柏宁柯阮桂闵解强柴华车冉房边"
)
_HAN = "\u4e00-\u9fff"
_NAME_END = rf"(?=[^{_HAN}]|$|今年|来自|现年|是|男|女|的|和|在|先生|女士)"
_SURNAME = f"(?:欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|司徒|夏侯|[{_SURNAMES}])"
_NAME_ZH = f"(?P<name>{_SURNAME}[{_HAN}]{{1,2}}?{_NAME_END})"
_NAME_EN = (
    r"[ \t]+(?P<name>[A-Z][a-z'’-]{1,30}(?:[ \t]+(?:[A-Z]\.[ \t]+)?[A-Z][a-z'’-]{1,30}){0,2})"
)
_NAMES = (
    (
        ("姓名", "联系人", "收件人", "监护人"),
        re.compile(rf"(?:姓名|联系人|收件人|监护人)[ \t]*[:：][ \t]*{_NAME_ZH}"),
    ),
    (
        ("我叫", "我的名字"),
        re.compile(rf"(?:我叫|我的名字是|我的名字叫)[ \t]*{_NAME_ZH}"),
    ),
    (
        ("患者", "病人", "家属", "客户"),
        re.compile(
            rf"(?:患者|病人|家属|客户)[ \t]*[:：]?[ \t]*{_NAME_ZH}"
            r"(?=[ \t，,、（(]{0,2}(?:男|女|先生|女士))"
        ),
    ),
    (
        ("ame", "AME", "erson:"),
        re.compile(
            r"\b(?i:my name is|(?<![A-Za-z][ ])(?:(?:patient|full) )?name:|contact person:)"
            rf"{_NAME_EN}"
        ),
    ),
    (("Mr", "Ms", "Dr"), re.compile(rf"\b(?:Mr|Mrs|Ms|Dr)\.?{_NAME_EN}")),
)
"""A name behind a word that says so, Chinese by its surname, English by its capital letters; first
what a text must hold for the pattern to be worth a search."""


def personal_data(
    kinds: Sequence[Kind], regions: Sequence[str] = ()
) -> Callable[[str], list[PersonalSpan]]:
    """A function that finds these kinds in a text, in its order; no two overlap.

    Chinese identity cards by checksum, province and date (GB 11643-1999), bank cards by Luhn's
    checksum, e-mail and web addresses, public IP addresses, phones of China and with a country's
    code; those of `regions` (ISO 3166 codes) by the library phonenumbers.
    """
    finders = {kind: _FINDERS[kind] for kind in KINDS if kind in kinds}
    if "phone" in finders and regions:
        finders["phone"] = _phones_of(regions)

    def find(text: str) -> list[PersonalSpan]:
        narrow = text if text.isascii() else text.translate(_NARROW)
        found: list[PersonalSpan] = []
        has_numbers = _NUMBERS.search(narrow) is not None
        for kind, finder in finders.items():
            if kind in _NUMERIC and not has_numbers:
                continue
            for start, end in finder(narrow):
                at = bisect(found, (start, end))
                is_free = not found[at - 1 : at] or found[at - 1].end <= start
                if is_free and (at == len(found) or end <= found[at].start):
                    found.insert(at, PersonalSpan(start, end, kind))
        return found

    return find


def masked(text: str, found: Sequence[PersonalSpan], mask: Callable[[Kind], str]) -> str:
    """The text with each piece replaced by the mask of its kind."""
    parts: list[str] = []
    at = 0
    for piece in found:
        parts.extend((text[at : piece.start], mask(piece.kind)))
        at = piece.end
    return "".join((*parts, text[at:]))


def _id_cards(text: str) -> Iterator[tuple[int, int]]:
    for found in _ID_CARD.finditer(text):
        if _is_id_card(found[0]):
            yield found.span()


def _is_id_card(number: str) -> bool:
    born = number[6:14] if len(number) == 18 else f"19{number[6:12]}"
    if not _PROVINCES.match(number) or not _is_date(born):
        return False
    if len(number) == 15:  # before 1999, without a checksum
        return True
    total = sum(int(digit) * weight for digit, weight in zip(number, _ID_WEIGHTS, strict=False))
    return "10X98765432"[total % 11] == number[17].upper()


def _is_date(digits: str) -> bool:
    try:
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return 1900 <= born.year <= 2100


def _bank_cards(text: str) -> Iterator[tuple[int, int]]:
    for found in _BANK_CARD.finditer(text):
        digits = [int(digit) for digit in found[0] if digit.isdigit()]
        if 13 <= len(digits) <= 19 and _luhn(digits):
            yield found.span()


def _luhn(digits: Sequence[int]) -> bool:
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _ips(text: str) -> Iterator[tuple[int, int]]:
    for found in _IP.finditer(text):
        try:
            is_global = ip_address(found[0]).is_global
        except ValueError:
            continue
        if is_global:
            yield found.span()


def _phones(text: str) -> Iterator[tuple[int, int]]:
    for pattern in _PHONES:
        yield from (found.span() for found in pattern.finditer(text))


def _phones_of(regions: Sequence[str]) -> Find:
    from phonenumbers import PhoneNumberMatcher  # noqa: PLC0415 - an optional package

    def find(text: str) -> Iterator[tuple[int, int]]:
        yield from _phones(text)
        if sum(character.isdecimal() for character in text) >= _FEWEST_DIGITS:
            for region in regions:
                yield from ((match.start, match.end) for match in PhoneNumberMatcher(text, region))

    return find


_FEWEST_DIGITS = 7


def _names(text: str) -> Iterator[tuple[int, int]]:
    for signs, pattern in _NAMES:
        if any(sign in text for sign in signs):
            yield from (found.span("name") for found in pattern.finditer(text))


def _plain(pattern: re.Pattern[str], sign: str) -> Find:
    """A finder that first looks whether the text has the sign at all."""
    return lambda text: (
        (found.span() for found in pattern.finditer(text)) if sign in text else iter(())
    )


_FINDERS: dict[Kind, Find] = {
    "id_card": _id_cards,
    "bank_card": _bank_cards,
    "phone": _phones,
    "email": _plain(_EMAIL, "@"),
    "url": _plain(_URL, "."),
    "ip": _ips,
    "name": _names,
}


_INSTALL = f"{install_command()} 'sftrecipe[pii]'"
_PACKAGE = "phonenumbers"
_UNTOUCHED = frozenset({"role", "id", "tool_call_id"})
"""By which results name their calls."""

FindAll = Callable[[str], list[PersonalSpan]]


class Pii(RowFilter):
    """Mask personal data, or drop the rows that hold it.

    Found are Chinese identity cards (by checksum, region and date of birth), bank cards (by
    checksum), phones (Chinese mobile and landline, any with `+` and a country's code), e-mail and
    web addresses, public IP addresses, and names behind words such as 姓名, 我叫, `my name is`.
    Patterns find what is written in the usual way; they prove nothing absent. Rejects
    `personal_data` with how many pieces there are; the detail tells the kinds, never the data. A
    masked row has their number as score.
    """

    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {"personal_data": ("action", "kinds")}
    example: ClassVar[str] = "{use: pii, with: {kinds: [id_card, phone, email], action: mask}}"

    action: Literal["mask", "drop"] = "mask"
    """Replace the data in the row, or reject the row."""
    kinds: tuple[Kind, ...] = ("id_card", "bank_card", "phone", "email", "ip", "name")
    """What is looked for; there is also `url`."""
    regions: tuple[str, ...] = ()
    """Countries (`US`, `GB`, …) whose phones are found as they are written there, without a
    country's code; needs the package phonenumbers."""
    mask: str = "[{kind}]"
    """What stands in its place; `{kind}` is the kind in capital letters, `[ID_CARD]`."""
    field: ColumnName | tuple[ColumnName, ...] | None = None
    """Columns to look at; left out: all that hold what is said, chat turns and history included."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """Nothing to look for; regions that are none, or without the library."""
        if not self.kinds:
            yield OptionProblem(("kinds",), texts("no-kind"), ", ".join(KINDS))
        for place, region in enumerate(self.regions):
            if not (len(region) == 2 and region.isascii() and region.isupper()):
                told = texts("no-country-code", code=region)
                yield OptionProblem(("regions", place), told, texts("write-country-code"))
        if self.regions and find_spec(_PACKAGE) is None:
            yield OptionProblem(("regions",), texts("not-installed", package=_PACKAGE), _INSTALL)

    def check_machine(self) -> Iterator[MachineCheck]:
        """The library for phones."""
        if self.regions:
            yield package_check(_PACKAGE, "phonenumberslite", _INSTALL)

    def judge_row(self, row: Record, ctx: Context) -> Verdict:
        """The verdict on one row."""
        find = ctx.once("find", lambda: personal_data(self.kinds, self.regions))
        counts: Counter[str] = Counter()
        changes: dict[str, Any] = {}
        for name in self._columns(row.columns):
            value = row.columns[name]
            clean = self._clean(value, find, counts)
            if clean != value:
                changes[name] = clean
        if not counts:
            return KEEP
        total = counts.total()
        told = ", ".join(f"{kind} {counts[kind]}" for kind in KINDS if counts[kind])
        if self.action == "drop":
            return Verdict(False, "personal_data", total, told)
        return Verdict(True, value=total, detail=told, changes=changes)

    def _columns(self, columns: Mapping[str, Any]) -> Iterator[str]:
        if self.field is None:
            return (name for name in CONTENT if columns.get(name))
        named = (self.field,) if isinstance(self.field, str) else self.field
        return (name for name in seen_columns(columns, named) if columns.get(name))

    def _clean(self, value: Any, find: FindAll, counts: Counter[str]) -> Any:
        """The value with everything masked in its texts; of chat turns all but the role and ids."""
        if isinstance(value, str):
            found = find(value)
            counts.update(piece.kind for piece in found)
            return masked(value, found, self._mask) if found else value
        if isinstance(value, list | tuple):
            return [self._clean(item, find, counts) for item in value]
        if isinstance(value, dict):
            return {
                key: item if key in _UNTOUCHED else self._clean(item, find, counts)
                for key, item in value.items()
            }
        return value

    def _mask(self, kind: Kind) -> str:
        return self.mask.replace("{kind}", kind.upper())
