"""Names in Latin letters, behind words that say so or beside other personal data."""

# ruff: noqa: E501 - expressions and lists of words are read whole
from __future__ import annotations

import re
from collections.abc import Sequence

from sftrecipe_registry.filters.pii.english_fields import of_fields
from sftrecipe_registry.filters.pii.english_lists import KNOWN, answered_name, in_capitals, listed
from sftrecipe_registry.filters.pii.english_name_forms import CAP, FULL, MIDDLE, PAIR, TITLE
from sftrecipe_registry.filters.pii.name_likeness import (
    FAMOUS,
    PLACES,
    PLAIN,
    TWO_FACED,
    plain_name,
    whole_name,
)
from sftrecipe_registry.filters.pii.name_words import plain_letters, words_of
from sftrecipe_registry.filters.pii.personal_span import (
    Found,
    PersonalSpan,
    ReadText,
    RowContext,
    hints,
)

_SMALL = re.compile(
    r"(?<![a-z])(?:it'?s|this is|i'?m|i am|name'?s|name is|from|for|to|contact|call) (?P<name>[a-z]{2,} [a-z]{3,})(?![a-z@.])"
)
_TITLED = re.compile(rf"(?<![\w])(?:{TITLE}[ ])(?P<name>{CAP}(?:[ ](?:{MIDDLE}[ ])?{CAP}){{0,2}})")
_ROLE = (
    r"patient|pt\.?|client|customer|employee|tenant|landlord|landlady|donor|applicant|complainant|witness|claimant|defendant|plaintiff|suspect|pupil|colleague|coworker|co-worker|neighbou?r|friend|buddy|wife|husband|partner|fianc[ée]e?|boyfriend|girlfriend|roommate|flatmate"
    r"|son|daughter|mother|father|mom|mum|dad|brother|sister|aunt|uncle|cousin|niece|nephew|grandmother|grandfather|grandma|grandpa|stepson|stepdaughter|tutor|guest|passenger|driver|caller|cardholder|policyholder|beneficiary|subscriber|babysitter|nanny|therapist|dentist|gp|pediatrician|supervisor|boss|manager|assistant|secretary|accountant|lawyer|attorney|solicitor|plumber|newborn(?: girl| boy)?|baby(?: girl| boy)?|infant|toddler|child|kid|mr and mrs|ring|contact|rx for|parcel for|order for|letter to|email to|e-mail to|text to|message to|invitation for|birthday rhyme for|card for|poem for|account of|curriculum vitae of|cv of|resume of|sign it|signed|signed by|cc|attn|i,|met|call|names? (?:is|on|to)|holder|member|resident|homeowner|nurse|complainant|insured|visitor|volunteer|intern|new hire|lessee|lessor|inpatient|outpatient|insured|worker|carpenter|teacher|student|trainee|apprentice|farmer|retiree|pensioner|widow|widower|belongs to|owned by|rented by|registered to|made out to|payable to|issued to|sent to|addressed to|on behalf of|care of|c/o|under the name|in the name of|name of|account of|signed by|treated by|seen by|referred by|assigned to|reported by|name|payee|holder|keys? to|bed [0-9]{1,2}|room [0-9]{1,4}|[0-9]{2} ?[mMfF] \(|i told|i met with|spoke (?:to|with)|talked to|phoned|emailed|e-mailed|texted|rang|met"
)
_BEHIND_ROLE = re.compile(
    rf"(?:(?<![A-Za-z])(?:{_ROLE})|(?:^|[\n.!?:;\"“(*-])[ ]?(?i:{_ROLE})|\b[Mm]y (?:{_ROLE}),)[ ](?:is |named |called |name is )?(?:{TITLE}[ ])?$"
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
    rf"(?:Dr|Mr|Mrs|Ms|Prof|Doctor|Professor)\.?[ ]?(?P<name>{CAP}(?:[ ](?:[A-Z]\.?[ ])?{CAP}){{0,2}})(?=[ ]?(?:[.,!;\n]|and\b|from\b|here\b|answering\b|$))"
)
_SELF_END = re.compile(r"(?:am|'m|’m|[Tt]his is|name is|name's) $")
_ALONE = re.compile(
    rf"(?:[Tt]his is|I'm|I am|[Ii]t's)[ ](?P<name>{CAP})(?=[ ]?(?:[.,!;\n]|and\b|from\b|here\b|calling\b|$))"
)
"""One who says a given name, in a row with other personal data."""
_AM_END = re.compile(
    r"[ ]?(?:[,.!?;:\"”)(-]|$|\n|(?:and|from|calling|here|at|speaking|um|uh|with|my|i|in|again|I|the|your)\b)"
)
_DEAR = re.compile(
    rf"(?:Dear|Hi|Hello|Hey|Good (?:morning|afternoon|evening)|Thanks|Thank you|Regards|Sincerely|Cheers|regards|wishes)(?: there)?,? (?:{TITLE} )?(?P<name>{CAP}(?: {CAP}){{0,2}})(?= ?[,:!.\n—-]|$)"
)
_TITLE_END = re.compile(r"(?:Dr|Mr|Mrs|Ms|Miss|Prof|Professor|Doctor)\.?[ ]$")
_FIRST = re.compile(r"(?:^|[\n\"“.!?(] ?|[Bb]est |[Kk]ind |[Ww]arm )$")
"""What stands before a greeting."""
_SIGNED = re.compile(
    rf"\n[ \t]*[*_-]{{0,2}}(?:{TITLE} )?(?P<name>{CAP}(?: (?:{MIDDLE} )?{CAP}){{0,2}})(?=[ \t,*_]*(?:\n|$|,? ?(?:MD|M\.D\.|PhD)))"
)
_FAREWELL = re.compile(
    r"(?i)(?:^|[\n.!?,][ ]?)(?:(?:kind|best|warm|warmest|kindest)?[ ]?(?:regards|wishes)|sincerely(?: yours)?|yours(?: sincerely| faithfully| truly)?|respectfully(?: yours)?|thanks(?: again| so much| a lot| in advance)?|thank you|cheers|love|warmly|best|cordially|with (?:love|gratitude|appreciation|thanks)|many thanks|take care|xoxo|all the best)[,.!]?[ \t]*\n*$"
)
_AGED = re.compile(
    r" ?[,(] ?(?:aged? )?[1-9][0-9](?: ?(?:y(?:rs?|ears?)?\.?(?:[ /-]?o(?:ld)?)?|[MFmf]))?(?=[,). ;])| ?,? [MF] ?[0-9]{2}|,? ?[0-9]{2} ?(?:[MF]|y/?o)\b|,? (?:MRN|DOB|d\.o\.b)"
)
"""An age, a sex and age, behind a name."""
_DASH = re.compile(r"(?:^|[\n\"“.!?] ?)[-~] ?$")
_END = re.compile(r"[.!]?[\"”)]?\s*$")
_KNOWLEDGE = re.compile(
    r"(?i)\s*(?:who|whose|what|when|where|which|why|how|is|was|were|are|did|does|do|has|can|describe|explain|tell|discuss|compare|name|list|give|define|biography|translate)\b"
)
_MINE = re.compile(r"\b(?:[Mm]y|[Mm]e|[Oo]urs?|us|[Ww]e|I|I'm|[Mm]rs?\.?|[Mm]s\.?)\b")
_MADE_BY = re.compile(r"(?:\bby|\bof|\bvs\.?|\bv\.|starring|featuring) $")
"""Whose work it is."""
_QUESTION = 400
"""Questions of so many characters are about those whom they name, where they are of no known ones."""
_SHORT = 600
_LONG = 3000
"""Texts of so many characters are documents: who is named far from a number in them is not whose
it is."""
_GREETINGS = hints("dear hi hello hey good thank thanks regards sincerely cheers wishes")
_FAREWELLS = hints(
    "regards sincerely yours wishes cheers love warmly best respectfully cordially care gratitude appreciation xoxo thanks thank"
)
_PEN = re.compile(r"(?i)(?:pen|stage|brand|code|domain|user|file|trade|nick) ?$")
"""What makes a name no name of a person's own."""
_SELF_SIGNS = hints("name call go")
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
    """Whether a given name stands before a capital, or a capital before a surname."""
    given, surnames, common = map(words_of, ("given_names", "surnames", "common_words"))
    for pair in PAIR.findall(text):
        first, last = map(str.lower, pair)
        if first in given or first in TWO_FACED or first in PLAIN:
            return True
        if last in surnames and last not in common:
            return True
    return False


def english_names(
    read: ReadText, found: Sequence[PersonalSpan], told: bool, asked: bool = False
) -> Found:
    """Behind a word that says so, signed, addressed, in a list, or near other personal data;
    `told`: whether the row has any, `asked`: whether the text is no answer."""
    yield from _introduced(read, told)
    if told:
        yield from in_capitals(read, found)
        yield from _in_small_letters(read)
    yield from of_fields(read, told, fiction=_is_fiction(read, told))
    yield from answered_name(read)
    if told or _has_pair(read.text):
        is_fiction = _is_fiction(read, told)
        yield from _full_names(read, found, told, asked and not is_fiction)
        if not is_fiction:
            yield from listed(read, told, asked)
    if told and len(read.text) < _LONG:
        for match in _TITLED.finditer(read.text):
            span = whole_name(read, *match.span("name"), need=0.5, one=True)
            if span:
                yield span


def _in_small_letters(read: ReadText) -> Found:
    """`its dave kowalski`: who says so without capitals."""
    for match in _SMALL.finditer(read.text):
        first, last = match["name"].split()
        is_name = first in words_of("given_names") and last in words_of("surnames")
        if is_name and last not in words_of("common_words"):
            yield match.span("name")


def _introduced(read: ReadText, told: bool) -> Found:
    """Names of who says them, who is addressed, who signs."""
    context = read.context
    if context.has(_SELF_SIGNS):
        for match in _SELF.finditer(read.text):
            is_pen = _PEN.search(read.before(match.start(), 12))
            span = None if is_pen else _own_name(read, match)
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
    need = 0.5 if titled else 2
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


def _full_names(read: ReadText, found: Sequence[PersonalSpan], told: bool, asked: bool) -> Found:
    """Full names behind a role or in a row with personal data: the nearer, the less of a name they
    need to be."""
    given, surnames = words_of("given_names"), words_of("surnames")
    is_short = asked and len(read.text) < _QUESTION and not _asks_what_is_known(read)
    for match in FULL.finditer(read.text):
        start, end = match.span("name")
        need: float = 9
        if told:
            need = _need(read, found, start, end)
        else:
            first, _, last = plain_letters(match["name"].lower()).partition(" ")
            is_plain = first in PLAIN
            if not (is_plain or first in given or first in TWO_FACED or last in surnames):
                continue
            if is_short and not _MADE_BY.search(read.before(start, 16)):
                need = 2 if _TITLE_END.search(read.before(start, 12)) else 2.5
            elif not (is_plain or _is_said(read, start, end)):
                continue
        if span := _named(read, start, end, told) or whole_name(read, start, end, need=need):
            yield span


def _asks_what_is_known(read: ReadText) -> bool:
    """Whether it is a question of knowledge: whom it names is known."""
    if read.context.has(KNOWN):
        return True
    is_question = _KNOWLEDGE.match(read.text) or (
        not read.lead and read.text.rstrip().endswith("?")
    )
    return bool(is_question) and not _MINE.search(read.text)


def _is_said(read: ReadText, start: int, end: int) -> bool:
    """Whether a word before it says whose it is, or an age follows."""
    before = read.before(start, 34)
    return bool(
        _BEHIND_ROLE.search(before)
        or (_AM.search(before) and _AM_END.match(read.text, end))
        or _AGED.match(read.text, end)
    )


def _need(read: ReadText, found: Sequence[PersonalSpan], start: int, end: int) -> float:
    """How much of a name it must be in a row with personal data."""
    if _fills_line(read.text, start, end):
        return 1
    away = min((max(piece.start - end, start - piece.end) for piece in found), default=999)
    if away <= 70:
        return 1 if away <= 25 and "\n" not in read.text[min(end, start) : end] else 1.5
    is_signed = _DASH.search(read.before(start, 4)) or _END.match(read.text, end)
    if is_signed or _AGED.match(read.text, end):
        return 1
    return 1.5 if len(read.text) < _SHORT else 2.5 if len(read.text) < _LONG else 9


def _fills_line(text: str, start: int, end: int) -> bool:
    """Whether the name fills a line, or begins one that goes on with a mark."""
    begins = start == 0 or text[start - 1] in "\n\"'"
    return begins and (end == len(text) or text[end] in "\n,;|")


def _named(read: ReadText, start: int, end: int, told: bool) -> tuple[int, int] | None:
    """The name where a word before it says whose it is, or an age follows."""
    span = whole_name(read, start, end, need=-0.5 if told else 1.5)
    if not span:
        return None
    is_said = _is_said(read, *span)
    return span if is_said and not _is_fiction(read, told) else None


def beside_names(read: ReadText, asked: bool) -> Found:
    """Others in a row that names somebody: full ones that are sure, those with a title."""
    if len(read.text) > _LONG or _is_fiction(read, False) or read.context.has(KNOWN):
        return
    for match in FULL.finditer(read.text):
        if span := whole_name(read, *match.span("name"), need=2 if asked else 2.5):
            yield span
    for match in _TITLED.finditer(read.text):
        if span := whole_name(read, *match.span("name"), need=0.5, one=True):
            yield span
