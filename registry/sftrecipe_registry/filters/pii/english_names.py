"""Names in Latin letters, behind words that say so or beside other personal data."""

# ruff: noqa: E501 - expressions and lists of words are read whole
from __future__ import annotations

import re
from collections.abc import Sequence

from sftrecipe_registry.filters.pii.name_likeness import (
    FAMOUS,
    PLACES,
    PLAIN,
    TWO_FACED,
    plain_name,
    whole_name,
)
from sftrecipe_registry.filters.pii.name_words import words_of
from sftrecipe_registry.filters.pii.personal_span import (
    Found,
    PersonalSpan,
    ReadText,
    RowContext,
    hints,
)

_CAP = r"[A-ZÀ-ÖØ-Þ](?:['’][A-Z])?[a-zà-öø-ÿ]+(?:[A-Z][a-z]+)?(?:['’-][A-ZÀ-Þ]?[a-zà-öø-ÿ]+)*"
_MIDDLE = r"(?:[A-Z]\.?|van|von|de|da|del|der|den|di|du|la|le|bin|ibn|al|el|dos|y|St\.)"
_TITLE = r"(?:Dr|Mr|Mrs|Ms|Miss|Mx|Prof|Professor|Doctor|Nurse|Sir|Madam)\.?"
_HEAD = r"[A-ZÀ-ÖØ-Þ](?<![\w@./'’-][A-ZÀ-ÖØ-Þ])"
"""A capital that begins a word; the look behind comes second, so that a search leaps to capitals."""
_FULL = re.compile(
    rf"(?P<name>{_HEAD}{_CAP[11:]}(?:[ ](?:{_MIDDLE}[ ]){{0,2}}{_CAP}){{1,3}})(?![\w@])"
)
_TITLED = re.compile(
    rf"(?<![\w])(?:{_TITLE}[ ])(?P<name>{_CAP}(?:[ ](?:{_MIDDLE}[ ])?{_CAP}){{0,2}})"
)
_ONE = re.compile(rf"{_CAP}(?:[ ](?:{_MIDDLE}[ ]){{0,2}}{_CAP}){{0,2}}")
_FIELD = (
    r"(?:(?:full|first|last|sur|family|given|patient|customer|client|employee|contact|emergency contact|guest|student|applicant|account|cardholder|card holder|user|sender|recipient|legal|passenger|tenant|member|insured|guardian|parent|child|doctor|physician|owner|candidate|billing|shipping|visitor|teacher|driver)?[ _'s]{0,3}name"
    r"|patient|pt|contact(?: person)?|attn|attention|from|cardholder|account holder|employee|customer|client|tenant|guest|student|applicant|insured|policyholder|emergency contact|next of kin|nok|physician|attending|referring physician|gp|surgeon|doctor|provider|author of note|signed(?: by)?|signature|donor|caller|passenger|traveller|traveler|owner|seller|buyer|witness|sender|recipient|deliver to|ship to|bill to|send to|payee|beneficiary|subscriber|member|landlord|lessee|lessor|borrower|lender|plaintiff|defendant|claimant|participant|interviewee|candidate|complainant|holder|spouse|mother|father|parent|guardian|visitor|host|surname)"
)
_FIELD_ENDS = frozenset(
    [
        "name",
        "names",
        "surname",
        "patient",
        "pt",
        "contact",
        "person",
        "attn",
        "attention",
        "from",
        "cardholder",
        "holder",
        "employee",
        "customer",
        "client",
        "tenant",
        "guest",
        "student",
        "applicant",
        "insured",
        "policyholder",
        "kin",
        "nok",
        "physician",
        "attending",
        "gp",
        "surgeon",
        "doctor",
        "provider",
        "by",
        "signed",
        "signature",
        "donor",
        "caller",
        "passenger",
        "traveller",
        "traveler",
        "owner",
        "seller",
        "buyer",
        "witness",
        "sender",
        "recipient",
        "to",
        "payee",
        "beneficiary",
        "subscriber",
        "member",
        "landlord",
        "lessee",
        "lessor",
        "borrower",
        "lender",
        "plaintiff",
        "defendant",
        "claimant",
        "participant",
        "interviewee",
        "candidate",
        "complainant",
        "spouse",
        "mother",
        "father",
        "parent",
        "guardian",
        "visitor",
        "host",
    ]
)
_CAPITALS = re.compile(
    r"(?i:surname|name|patient)[ :/]{1,3}(?P<name>[A-Z]{3,}(?:[ ,-]{1,2}[A-Z]{2,}){0,2})(?![a-z])(?= ?(?:[/,;|.]|$|\n))"
)
_FIELD_END = re.compile(
    rf"(?i:(?<![A-Za-z])(?:\*\*|[\"'{{])?{_FIELD})[\"'*]{{0,3}}[ \t]*[:=][\"'*“ \t]{{0,5}}$"
)
_VALUE = re.compile(r"[:=][\"'*“ \t]{0,5}(?=[A-Z])")
_ROLE = (
    r"patient|pt\.?|client|customer|employee|tenant|landlord|landlady|donor|applicant|complainant|witness|claimant|defendant|plaintiff|suspect|pupil|colleague|coworker|co-worker|neighbou?r|friend|buddy|wife|husband|partner|fianc[ée]e?|boyfriend|girlfriend|roommate|flatmate"
    r"|son|daughter|mother|father|mom|mum|dad|brother|sister|aunt|uncle|cousin|niece|nephew|grandmother|grandfather|grandma|grandpa|stepson|stepdaughter|tutor|guest|passenger|driver|caller|cardholder|policyholder|beneficiary|subscriber|babysitter|nanny|therapist|dentist|gp|pediatrician|supervisor|boss|manager|assistant|secretary|accountant|lawyer|attorney|solicitor|plumber|newborn(?: girl| boy)?|baby(?: girl| boy)?|infant|toddler|child|kid|mr and mrs|ring|contact|rx for|parcel for|order for|letter to|email to|e-mail to|text to|message to|invitation for|birthday rhyme for|card for|poem for|account of|curriculum vitae of|cv of|resume of|sign it|signed|signed by|cc|attn|i,|met|call|names? (?:is|on|to)|holder|member|resident|homeowner|nurse|complainant|insured|visitor|volunteer|intern|new hire"
)
_BEHIND_ROLE = re.compile(
    rf"(?:(?<![A-Za-z])(?:{_ROLE})|(?:^|[\n.!?:;\"“(*-])[ ]?(?i:{_ROLE})|\b[Mm]y (?:{_ROLE}),)[ ](?:is |named |called |name is )?(?:{_TITLE}[ ])?$"
)
_SELF = re.compile(
    r"[NnCcG](?:ame(?:'s| is| was)|AME IS|all me|o by)(?<![A-Za-z][A-Za-z]ll me)[ ,:]{1,2}(?:(?:Dr|Mr|Mrs|Ms)\.? )?"
    r"(?P<name>[A-Za-zÀ-ÿ][A-Za-zÀ-ÿ.'’-]+(?: [A-Za-zÀ-ÿ][A-Za-zÀ-ÿ.'’-]+){0,2})"
)
_AM = re.compile(
    r"(?:\b[Ii](?:'|’)?m|\b[Ii] am|\b[Tt]his is|\b[Ii]t(?:'|’)?s|\b[Ii]t is|[Yy]ours,|speaking is)[ ](?:(?:Dr|Mr|Mrs|Ms)\.? )?$"
)
_TITLES = hints("dr mr mrs ms doctor prof professor")
_TITLED_SELF = re.compile(
    rf"(?:Dr|Mr|Mrs|Ms|Prof|Doctor|Professor)\.?[ ]?(?P<name>{_CAP}(?:[ ](?:[A-Z]\.?[ ])?{_CAP}){{0,2}})(?=[ ]?(?:[.,!;\n]|and\b|from\b|here\b|answering\b|$))"
)
_SELF_END = re.compile(r"(?:am|'m|’m|[Tt]his is|name is|name's) $")
_ALONE = re.compile(
    rf"(?:[Tt]his is|I'm|I am|[Ii]t's)[ ](?P<name>{_CAP})(?=[ ]?(?:[.,!;\n]|and\b|from\b|here\b|calling\b|$))"
)
"""One who says a given name, in a row with other personal data."""
_AM_END = re.compile(
    r"[ ]?(?:[,.!?;:\"”)(-]|$|\n|(?:and|from|calling|here|at|speaking|um|uh|with|my|i|in|again|I|the|your)\b)"
)
_DEAR = re.compile(
    rf"(?:Dear|Hi|Hello|Hey|Good (?:morning|afternoon|evening)|Thanks|Thank you|Regards|Sincerely|Cheers|regards|wishes)(?: there)?,? (?:{_TITLE} )?(?P<name>{_CAP}(?: {_CAP}){{0,2}})(?= ?[,:!.\n—-]|$)"
)
_TITLE_END = re.compile(r"(?:Dr|Mr|Mrs|Ms|Miss|Prof|Professor|Doctor)\.?[ ]$")
_FIRST = re.compile(r"(?:^|[\n\"“.!?(] ?|[Bb]est |[Kk]ind |[Ww]arm )$")
"""What stands before a greeting."""
_SIGNED = re.compile(
    rf"\n[ \t]*[*_-]{{0,2}}(?:{_TITLE} )?(?P<name>{_CAP}(?: (?:{_MIDDLE} )?{_CAP}){{0,2}})(?=[ \t,*_]*(?:\n|$|,? ?(?:MD|M\.D\.|PhD)))"
)
_FAREWELL = re.compile(
    r"(?i)(?:^|[\n.!?,][ ]?)(?:(?:kind|best|warm|warmest|kindest)?[ ]?(?:regards|wishes)|sincerely(?: yours)?|yours(?: sincerely| faithfully| truly)?|respectfully(?: yours)?|thanks(?: again| so much| a lot| in advance)?|thank you|cheers|love|warmly|best|cordially|with (?:love|gratitude|appreciation|thanks)|many thanks|take care|xoxo|all the best)[,.!]?[ \t]*\n*$"
)
_LONG = 3000
"""Texts of so many characters are documents: who is named far from a number in them is not whose
it is."""
_GREETINGS = hints("dear hi hello hey good thank thanks regards sincerely cheers wishes")
_FAREWELLS = hints(
    "regards sincerely yours wishes cheers love warmly best respectfully cordially care gratitude appreciation xoxo thanks thank"
)
_SELF_SIGNS = hints("name call go")
_PAIR = re.compile(rf"({_HEAD}[a-zà-ÿ]+)(?:-[A-Z][a-z]+)? (?:[A-Z]\.? )?[A-Z][a-zA-Z'’]")
_FICTION = hints(
    "story stories novel novels fiction fictional character characters protagonist poem poems fairy tale tales fairytale screenplay movie movies film films scene sitcom series episode fable roleplay plot narrator narrative lyrics song songs book books author authors biography biographies history historical historian celebrity celebrities actor actress president philosopher philosophy king queen detective anime game games puzzle riddle math tennis football singer band"
)
"""Rows of stories and of the known, where a name alone is nobody's."""


def may_name_english(context: RowContext) -> bool:
    """Whether a row without other personal data may hold a name: cheaper than to look for one."""
    return (
        context.has(_SELF_SIGNS)
        or context.has(_GREETINGS)
        or context.has(_FAREWELLS)
        or _has_pair(context.text)
    )


def _has_pair(text: str) -> bool:
    """Whether a given name stands before a capital."""
    given = words_of("given_names")
    return any(
        first in given or first in TWO_FACED or first in PLAIN
        for first in map(str.lower, _PAIR.findall(text))
    )


def english_names(read: ReadText, found: Sequence[PersonalSpan], told: bool) -> Found:
    """Behind a word that says so, signed, addressed, or near other personal data; `told`: whether
    the row has any."""
    yield from _introduced(read, told)
    yield from _of_fields(read, told)
    if told or _has_pair(read.text):
        yield from _full_names(read, found, told)
    if told and len(read.text) < _LONG:
        for match in _TITLED.finditer(read.text):
            span = whole_name(read, *match.span("name"), need=0.5, one=True)
            if span:
                yield span


def _introduced(read: ReadText, told: bool) -> Found:
    """Names of who says them, who is addressed, who signs."""
    context = read.context
    if context.has(_SELF_SIGNS):
        for match in _SELF.finditer(read.text):
            span = _own_name(read, match)
            if span and not _is_fiction(read, told):
                yield span
    for match in _TITLED_SELF.finditer(read.text) if context.has(_TITLES) else ():
        is_self = _SELF_END.search(read.text[max(0, match.start() - 9) : match.start()])
        if is_self and (span := whole_name(read, *match.span("name"), need=0, one=True)):
            yield span
    for match in _ALONE.finditer(read.text) if told else ():
        if match["name"].lower() in words_of("given_names"):
            yield match.span("name")
    yield from _addressed(read, told)


def _addressed(read: ReadText, told: bool) -> Found:
    """Names in greetings and below farewells."""
    context = read.context
    if context.has(_GREETINGS):
        for match in _DEAR.finditer(read.text):
            if _FIRST.search(read.text[max(0, match.start() - 5) : match.start()]):
                span = _called(read, match)
                if span and not _is_fiction(read, told):
                    yield span
    if "\n" in read.text and context.has(_FAREWELLS):
        for match in _SIGNED.finditer(read.text):
            is_end = _FAREWELL.search(read.text[max(0, match.start() - 40) : match.start()])
            if is_end and (span := _called(read, match)):
                yield span


def _called(read: ReadText, match: re.Match[str]) -> tuple[int, int] | None:
    """The name by which somebody is addressed, or signs."""
    titled = _TITLE_END.search(read.text[match.start() : match.start("name")])
    need = 0.5 if titled else 2.5 if " " in match["name"] else 2
    return whole_name(read, *match.span("name"), need=need, one=True)


def _is_fiction(read: ReadText, told: bool) -> bool:
    return not told and read.context.has(_FICTION)


def _own_name(read: ReadText, match: re.Match[str]) -> tuple[int, int] | None:
    """What follows `my name is`, in small letters too where it is a given name."""
    words = [*re.finditer(r"[^ ]+", match["name"].rstrip(".'’-"))]
    given = words_of("given_names")
    count = 0
    for word in words:
        bare = word[0].rstrip(".,").lower()
        if (
            (word[0][0].isupper() and bare not in PLAIN)
            or (bare in given and count < 2)
            or (count and bare in words_of("surnames") and bare not in words_of("common_words"))
        ):
            count += 1
            if word[0].endswith("."):
                break
        else:
            break
    if not count or any(word[0].lower().strip(".,") in PLACES for word in words[:count]):
        return None
    start = match.start("name")
    end = start + len(match["name"][: words[count - 1].end()].rstrip(".,"))
    return (start, end) if plain_name(read.text[start:end]) not in FAMOUS else None


def _of_fields(read: ReadText, told: bool) -> Found:
    """`Patient: Jane Doe`, `"name": "Jane Doe"`."""
    if told:
        yield from (match.span("name") for match in _CAPITALS.finditer(read.text))
    for value in _VALUE.finditer(read.text):
        before = read.text[max(0, value.start() - 30) : value.start()].rstrip("\"'* \t")
        word = before[-14:].rpartition(" ")[2].rpartition("\n")[2].lower().lstrip("\"'{*(_,;|")
        if word.rpartition("_")[2] not in _FIELD_ENDS:
            continue
        field = _FIELD_END.search(read.text[max(0, value.start() - 30) : value.end()])
        name = _ONE.match(read.text, value.end()) if field else None
        if not name or not field:
            continue
        is_name = told and "name" in field[0].lower()
        if not told and (field[0][0] in "\"'{" or _is_fiction(read, told)):
            continue
        if span := whole_name(
            read,
            *name.span(),
            need=2 if " " not in name[0] else 0.5 if is_name else 1.5,
            one=is_name,
        ):
            yield span


def _full_names(read: ReadText, found: Sequence[PersonalSpan], told: bool) -> Found:
    """Full names behind a role or in a row with personal data: the nearer, the less of a name they
    need to be."""
    given = words_of("given_names")
    for match in _FULL.finditer(read.text):
        start, end = match.span("name")
        first = match["name"].partition(" ")[0].lower()
        if not told and first not in given and first not in TWO_FACED and first not in PLAIN:
            continue
        near = any(piece.start - 70 <= end and start <= piece.end + 70 for piece in found)
        need = 1.5 if near else 2.5 if told and len(read.text) < _LONG else 9
        if span := _named(read, start, end, told) or whole_name(read, start, end, need=need):
            yield span


def _named(read: ReadText, start: int, end: int, told: bool) -> tuple[int, int] | None:
    """The name where a word before it says whose it is."""
    span = whole_name(read, start, end, need=-0.5 if told else 2.5)
    if not span:
        return None
    before = read.before(span[0], 34)
    is_said = _BEHIND_ROLE.search(before) or (
        _AM.search(before) and _AM_END.match(read.text, span[1])
    )
    return span if is_said and not _is_fiction(read, told) else None
