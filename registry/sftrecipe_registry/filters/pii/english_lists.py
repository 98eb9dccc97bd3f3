"""English names that stand in a list, are asked for, or are written in capitals."""

# ruff: noqa: E501 - expressions and lists of words are read whole
from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sftrecipe_registry.filters.pii.english_name_forms import CAP, CAPITALS, FULL
from sftrecipe_registry.filters.pii.name_likeness import (
    FAMOUS,
    PLACES,
    PLAIN,
    likeness,
    plain_name,
    whole_name,
)
from sftrecipe_registry.filters.pii.name_words import words_of
from sftrecipe_registry.filters.pii.personal_span import Found, PersonalSpan, ReadText, hints

_BETWEEN = re.compile(
    r"[ ]?(?:\([^()\n]{1,24}\))?[ ]?(?:[-:=|]|is)?[ ]?(?:[0-9]{1,3}(?:\.[0-9])?%?)?(?: ?(?:years?(?: old)?|points?|pts))?"
    r"[ ]?(?:[,;/&|.]|\band\b|\.? ?(?:absent|present|regrets|apologies)|\n)(?:[ ]?and\b|\n)?[ ]*(?:[0-9]{1,2}[.)]|[-*•|])?[ ]*(?:\*\*)?"
)
"""What stands between the names of a list: a mark, a grade, an age, a line's end."""
_REVERSED = re.compile(
    rf"(?:(?<=[;:\n] )|(?<=\n)|^)(?P<name>{CAP}, {CAP}(?: [A-Z]\.?)?)(?=[ ]?(?:[-:(|=]? ?[0-9]|;|\n|$))"
)
"""`Nguyen, Bao 64`."""
_ROLL = hints(
    "sort alphabetically alphabetical alphabetize surname surnames attendees attendance present absent volunteers patients"
    " students pupils tags badges participants guests invitees roster members names rank grades scores minutes employees seating"
)
"""Rows about a list of persons."""
KNOWN = hints(
    "author authors actor actors actress singer singers president presidents scientist scientists philosopher artist artists player players"
    " movie movies film films book books novel novels famous celebrity celebrities poet poets inventor inventors composer historical"
    " characters character team country countries city cities athlete athletes band ceo founder leaders leader quote"
)
_ASKED = re.compile(
    r"(?i)\b(?:(?:your|full|first|last|what|whose|the|under (?:which|what)|under)(?: (?:full|first|last))? (?:sur)?name|call you|speaking with)\b(?! of)[^?\n]{0,80}\?[^\n]{0,80}\n[ ]*(?:\w+: ?)?(?:it's |i'm |it is |that's |sure,? |yes,? )?$"
)
"""A question for the name, right before."""
_NAME_WORDS = hints("name names surname surnames call speaking")
_FIRST_NAME = re.compile(
    rf"(?:[Ff]irst|[Ll]ast|[Ss]ur|[Gg]iven|[Ff]amily|[Mm]aiden)[ -]?names?[ :]{{1,2}}(?:is |was )?(?P<name>{CAP})(?=[ ]?(?:[.,;!\n]|$))"
)
_WORD = re.compile(CAP)
_NAMED = re.compile(r"(?i)\bname\b[^.\n]{0,24}$")


def listed(read: ReadText, told: bool, asked: bool) -> Found:
    """Names one after the other, where most are sure and none is famous."""
    if not (told or (asked and len(read.text) < 400)) or read.context.has(KNOWN):
        return
    for match in _REVERSED.finditer(read.text):
        surname, given = match["name"].lower().split(", ")
        if surname in words_of("surnames") and given.split()[0] in words_of("given_names"):
            yield match.span("name")
    group: list[tuple[int, int]] = []
    for match in FULL.finditer(read.text):
        start, end = match.span("name")
        if group and not _BETWEEN.fullmatch(read.text, group[-1][1], start):
            yield from _whole(read, group, told)
            group = []
        group.append((start, end))
    yield from _whole(read, group, told)


def _whole(read: ReadText, group: Sequence[tuple[int, int]], told: bool) -> Found:
    if len(group) < 2 or any(plain_name(read.text[low:high]) in FAMOUS for low, high in group):
        return
    roll = told or read.context.has(_ROLL)
    if not roll and len(group) < 3:
        return
    spans = [whole_name(read, low, high, need=0.5) for low, high in group]
    if sum(map(bool, spans)) < len(group):
        return
    points = [likeness(read.text[low:high].split()) for low, high in group]
    if sum(points) >= (1.4 if roll else 2.4) * len(group):
        yield from (span for span in spans if span)


def answered_name(read: ReadText) -> Found:
    """The name that was just asked for."""
    if not read.context.has(_NAME_WORDS):
        return
    for said in _FIRST_NAME.finditer(read.text) if "name" in read.text else ():
        if not any(said["name"].lower() in words for words in (words_of("common_words"), PLACES)):
            yield said.span("name")
    if "?" not in read.lead and "?" not in read.text:
        return
    for start in _lines(read.text):
        match = FULL.match(read.text, start) or _WORD.match(read.text, start)
        if match and _ASKED.search(read.said_before(start, 200)):
            is_whole = " " in match[0] or match[0].lower() not in words_of("common_words")
            span = whole_name(read, *match.span(), need=0.5, one=True) if is_whole else None
            if span and re.match(r"[ ]?(?:[,.;!\n+0-9]|$)", read.text[span[1] :][:3]):
                yield span


def _lines(text: str) -> Iterator[int]:
    """Where something may be answered: at the beginning, behind who speaks."""
    yield 0
    if "?" not in text or "name" not in text:
        return
    for match in re.finditer(r"\n(?:[A-Z][a-z]+: ?)?(?:(?:It's|I'm|That's) )?", text):
        yield match.end()


_SURNAME = re.compile(
    r"(?i:surname|(?:last|family|given|first) names?|forenames?)[ :/]{1,3}(?P<name>[A-ZÀ-Þ][A-ZÀ-Þ'-]{2,})(?![\w])"
)


def in_capitals(read: ReadText, found: Sequence[PersonalSpan]) -> Found:
    """`PRAKASH VENKATARAMAN` near other personal data, or behind a word for a name."""
    for match in _SURNAME.finditer(read.text):
        yield match.span("name")
    for match in CAPITALS.finditer(read.text):
        words = re.findall(r"[^\W\d_]+", match[0].lower())
        if any(word in PLAIN for word in words) or min(map(len, words)) < 3:
            continue
        known = [word in words_of("given_names") or word in words_of("surnames") for word in words]
        common = [word in words_of("common_words") or word in PLACES for word in words]
        near = any(
            piece.start - 70 <= match.end() and match.start() <= piece.end + 70 for piece in found
        )
        named = _NAMED.search(read.before(match.start()))
        if (named and not all(common)) or (near and not any(common) and any(known)):
            yield match.span()
