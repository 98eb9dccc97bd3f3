"""The personal data of a row: found in its texts, and wherever they stand again."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Callable, Iterator, Mapping, Sequence

from sftrecipe_registry.filters.pii.birth_dates import birth_dates
from sftrecipe_registry.filters.pii.chat_accounts import qqs, wechats
from sftrecipe_registry.filters.pii.checked_numbers import bank_cards, ibans, id_cards, ssns
from sftrecipe_registry.filters.pii.chinese_names import chinese_names
from sftrecipe_registry.filters.pii.english_names import (
    beside_names,
    english_names,
    may_name_english,
)
from sftrecipe_registry.filters.pii.insurance_numbers import insurance_numbers
from sftrecipe_registry.filters.pii.internet_addresses import emails, ips, urls
from sftrecipe_registry.filters.pii.name_words import words_of
from sftrecipe_registry.filters.pii.passports_and_plates import passports, plates
from sftrecipe_registry.filters.pii.personal_span import (
    Find,
    Kind,
    PersonalSpan,
    ReadText,
    RowContext,
    hints,
    narrow,
)
from sftrecipe_registry.filters.pii.phones import phones, phones_of
from sftrecipe_registry.filters.pii.postal_addresses import addresses
from sftrecipe_registry.filters.pii.record_numbers import record_numbers
from sftrecipe_registry.filters.pii.tables import NAME_HEAD, table_cells

Finders = Mapping[int, Sequence[tuple[Kind, Find]]]
FindAll = Callable[[Sequence[str]], list[list[PersonalSpan]]]

_FINDERS: dict[Kind, Find] = {
    "id_card": id_cards,
    "iban": ibans,
    "bank_card": bank_cards,
    "ssn": ssns,
    "email": emails,
    "url": urls,
    "ip": ips,
    "wechat": wechats,
    "qq": qqs,
    "insurance_number": insurance_numbers,
    "record_number": record_numbers,
    "passport": passports,
    "birth_date": birth_dates,
    "phone": phones,
    "plate": plates,
    "address": addresses,
}
_FEWEST_DIGITS: Mapping[Kind, int] = {
    "email": 0,
    "url": 0,
    "wechat": 0,
    "address": 0,
    "birth_date": 0,
    "ip": 1,
    "qq": 4,
    "record_number": 4,
    "insurance_number": 4,
    "passport": 4,
    "plate": 1,
}
"""How many digits a kind needs to have in a row, with marks between; the others seven."""
_TABLES = hints(
    "name phone mobile tel cell dob birth passport mrn plate patient qq wechat insurance policy",
    "姓名 电话 手机 微信 地址 病历 住院号 护照 车牌 联系",
)
"""What those kinds have that need no digit."""
_LEAD = 160
_WEAK: frozenset[Kind] = frozenset({"url"})
"""Kinds that say nothing of a person being spoken of."""


def personal_data(kinds: Sequence[Kind], regions: Sequence[str] = ()) -> FindAll:
    """A function that finds these kinds in the texts of a row: of each its pieces in order, no two
    overlapping.

    All kinds are looked for: what is an identity card's number is no phone's, and beside a phone
    stands a name.
    """
    finders = {kind: find for kind, find in _FINDERS.items() if kind != "url" or "url" in kinds}
    if regions:
        finders["phone"] = phones_of(tuple(regions))

    by_digits = {
        digits: [
            (kind, finder)
            for kind, finder in finders.items()
            if digits >= _FEWEST_DIGITS.get(kind, 7)
        ]
        for digits in (0, 1, 4, 7)
    }

    def find(row: Sequence[str]) -> list[list[PersonalSpan]]:
        found = _find(row, by_digits, "name" in kinds)
        return [[piece for piece in pieces if piece.kind in kinds] for pieces in found]

    return find


def _find(row: Sequence[str], finders: Finders, names: bool) -> list[list[PersonalSpan]]:
    said = [*map(narrow, row)]
    context = RowContext("\n".join(said))
    reads = [*_read(said, context)]
    found = [_numbers(read, finders) for read in reads]
    told = any(piece.kind not in _WEAK for pieces in found for piece in pieces)
    if names:
        _find_names(reads, found, told)
    if any(found):
        _find_again(reads, found)
    return found


def _read(said: Sequence[str], context: RowContext) -> Iterator[ReadText]:
    lead = ""
    for text in said:
        yield ReadText(text, context, lead)
        lead = f"{lead}\n{text[-_LEAD:]}"[-_LEAD:]


def _numbers(read: ReadText, finders: Finders) -> list[PersonalSpan]:
    """All but names; only what the longest number in the text may be."""
    pieces: list[PersonalSpan] = []
    is_table = "\n" in read.text and read.context.has(_TABLES)
    if is_table and (read.digits >= 4 or NAME_HEAD.search(read.text)):
        for kind, start, end in table_cells(read):
            _add(pieces, kind, iter([(start, end)]))
    if not read.digits and not (read.context.has_handles or read.context.has_numerals):
        return pieces
    for kind, finder in finders[read.digits]:
        _add(pieces, kind, finder(read))
    return pieces


def _find_names(reads: Sequence[ReadText], found: Sequence[list[PersonalSpan]], told: bool) -> None:
    context = reads[0].context if reads else RowContext("")
    chinese = bool(reads) and reads[0].is_chinese
    english = told or may_name_english(context)
    for at, (read, pieces) in enumerate(zip(reads, found, strict=True)):
        near = [piece for piece in pieces if piece.kind not in _WEAK]
        if chinese:
            _add(pieces, "name", chinese_names(read, near, told, at < max(1, len(reads) - 1)))
        if english:
            asked = at < max(1, len(reads) - 1)
            _add(pieces, "name", english_names(read, near, told, asked))
    if english and not told and any(found):
        for at, (read, pieces) in enumerate(zip(reads, found, strict=True)):
            _add(pieces, "name", beside_names(read, at < max(1, len(reads) - 1)))


def _add(pieces: list[PersonalSpan], kind: Kind, spans: Iterator[tuple[int, int]]) -> None:
    for start, end in spans:
        at = bisect(pieces, (start, end))
        is_free = not pieces[at - 1 : at] or pieces[at - 1].end <= start
        if is_free and start < end and (at == len(pieces) or end <= pieces[at].start):
            pieces.insert(at, PersonalSpan(start, end, kind))


def _find_again(reads: Sequence[ReadText], found: Sequence[list[PersonalSpan]]) -> None:
    """Adds the places where a value stands again: in an answer, in code, a given name alone."""
    values: dict[str, Kind] = {}
    for read, pieces in zip(reads, found, strict=True):
        for piece in pieces:
            value = read.text[piece.start : piece.end]
            values.setdefault(value, piece.kind)
            if piece.kind == "name":
                for part in _safe_parts(value):
                    values.setdefault(part, "name")
    pattern = re.compile(
        "|".join(_bounded(value) for value in sorted(values, key=len, reverse=True))
    )
    for read, pieces in zip(reads, found, strict=True):
        for match in pattern.finditer(read.text):
            _add(pieces, values[match[0]], iter([match.span()]))


def _bounded(value: str) -> str:
    before = r"(?<![0-9A-Za-z])" if value[0].isascii() and value[0].isalnum() else ""
    after = r"(?![0-9A-Za-z])" if value[-1].isascii() and value[-1].isalnum() else ""
    return f"{before}{re.escape(value)}{after}"


def _safe_parts(name: str) -> Iterator[str]:
    """The given name and the surname of a full one, where they are no ordinary words; all in
    capitals too."""
    words = name.replace(",", "").split()
    if len(words) < 2 or not name[0].isalpha() or "\u4e00" <= name[0] <= "\u9fff":
        return
    yield name.upper()
    for word in (words[0], words[-1]):
        plain = word.lower()
        is_other = any(
            plain in words_of(name)
            for name in ("common_words", "english_places", "english_no_names")
        )
        if len(word) > 2 and word[0].isupper() and not is_other:
            yield from (word, word.capitalize(), word.upper())
