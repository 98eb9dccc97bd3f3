"""How much a run of capitalised words is like the name of a person."""

# ruff: noqa: E501 - expressions and lists of words are read whole
from __future__ import annotations

import re
from collections.abc import Sequence

from sftrecipe_registry.filters.pii.name_words import plain_letters, words_of
from sftrecipe_registry.filters.pii.personal_span import ReadText

_ORGANISED = re.compile(
    r"^(?:['’]s)?(?: [A-Z][a-z]+){0,2} ?(?:Street|St\b|Road|Avenue|Ave|Lane|Drive|Hospital|Clinic|University|College|School|Inc|Ltd|LLC|Corp|Company|Foundation|Award|Prize|Disease|Syndrome|Theorem|Act|Law|Park|Museum|Bridge|Institute|Center|Centre|Church|Airport|Stadium|Group|Bank|Hotel|Library|Press|Scale|Test|Effect|Method|Society|Trust|Club|Band|Team|Court|House|Tower|Palace|Cathedral|Square|Effect|Equation|Number|Constant|Show|Report|Report|Cup|Open|Trophy|Salad|Cocktail|County|City|Beach|Island|River|Lake|Mountain)"
)
_STOCK = frozenset(
    (
        "santa",
        "santa claus",
        "sir",
        "madam",
        "sir or madam",
        "team",
        "friend",
        "customer",
        "all",
        "everyone",
        "doctor",
        "john doe",
    )
)
_STREETS = frozenset(
    [
        "St",
        "Ave",
        "Rd",
        "Ln",
        "Dr",
        "Blvd",
        "Ct",
        "Pl",
        "Way",
        "Cir",
        "Hwy",
        "Street",
        "Road",
        "Avenue",
        "Lane",
        "Drive",
        "Corporation",
        "Inc",
        "Ltd",
        "LLC",
        "Company",
        "Corp",
        "Co",
    ]
)
_PINYIN = frozenset(
    [
        *(
            "wang",
            "li",
            "zhang",
            "liu",
            "chen",
            "yang",
            "zhao",
            "huang",
            "zhou",
            "wu",
            "xu",
            "sun",
            "hu",
        ),
        *(
            "zhu",
            "gao",
            "lin",
            "he",
            "guo",
            "ma",
            "luo",
            "liang",
            "song",
            "zheng",
            "xie",
            "han",
            "tang",
        ),
        *(
            "feng",
            "yu",
            "dong",
            "xiao",
            "cheng",
            "cao",
            "yuan",
            "deng",
            "fu",
            "shen",
            "zeng",
            "peng",
        ),
        *(
            "lu",
            "su",
            "jiang",
            "cai",
            "jia",
            "ding",
            "wei",
            "xue",
            "ye",
            "yan",
            "pan",
            "du",
            "dai",
            "xia",
        ),
        *(
            "zhong",
            "tian",
            "ren",
            "fan",
            "fang",
            "shi",
            "yao",
            "tan",
            "liao",
            "zou",
            "xiong",
            "jin",
            "hao",
        ),
        *(
            "kong",
            "bai",
            "cui",
            "kang",
            "mao",
            "qiu",
            "qin",
            "gu",
            "hou",
            "shao",
            "meng",
            "wan",
            "duan",
        ),
        *(
            "ouyang",
            "sima",
            "zhuge",
            "shangguan",
            "murong",
            "xianyu",
            "huangfu",
            "linghu",
            "situ",
            "dongfang",
        ),
    ]
)
_SYLLABLES = re.compile(
    "(?:(?:zh|ch|sh|[bpmfdtnlgkhjqxzcsryw])?(?:iang|iong|uang|iao|ian|ang|eng|ong|ing|uai|uan|ai|ei|ao|ou|an|en|ia|ie|iu|in|ua|uo|ui|un|ue|a|o|e|i|u)){1,2}"
)
_PARTICLES = frozenset(
    [
        "van",
        "von",
        "de",
        "da",
        "del",
        "der",
        "den",
        "la",
        "le",
        "bin",
        "al",
        "el",
        "mac",
        "ten",
        "ter",
        "do",
    ]
)
TWO_FACED = words_of("english_two_faced")
"""Given names that are ordinary words too."""
FAMOUS = words_of("english_famous", lines=True)
PLACES = words_of("english_places")
"""Countries, cities, languages, firms, words of institutions: no part of a name of a person."""
PLAIN = words_of("english_no_names")
"""Words that begin a sentence or a field, and titles."""


def whole_name(
    read: ReadText, start: int, end: int, *, need: float, one: bool = False
) -> tuple[int, int] | None:
    """The name within a run of capitalised words, without ordinary words at its ends; None where
    it is no name enough."""
    words = [*re.finditer(r"[^ ]+", read.text[start:end])]
    while words and _is_plain_first(words):
        words = words[1:]
    while (
        words and _bare(words[-1][0]) in PLAIN and _bare(words[-1][0]) not in words_of("surnames")
    ):
        words = words[:-1]
    if (
        not words
        or (len(words) == 1 and not one)
        or _is_street(words)
        or (read.is_quiet(start) and not is_quoted(read.text, start, end))
    ):
        return None
    low, high = start + words[0].start(), start + words[-1].end()
    bare = [_bare(word[0]) for word in words]
    name = plain_name(read.text[low:high])
    if (
        name in FAMOUS
        or name in _STOCK
        or any(word in PLACES for word in bare)
        or _ORGANISED.match(read.text[high : high + 14])
    ):
        return None
    if read.text[high - 2 : high] in ("'s", "’s"):
        high -= 2
    return (low, high) if likeness(bare) >= need else None


def _is_street(words: Sequence[re.Match[str]]) -> bool:
    """Whether it is a street's name."""
    return words[-1][0].rstrip(".,") in _STREETS


def _is_plain_first(words: Sequence[re.Match[str]]) -> bool:
    first = _bare(words[0][0])
    if first in PLAIN:
        return True
    return (
        len(words) > 2
        and first not in words_of("given_names")
        and (first in words_of("common_words"))
    )


def likeness(words: Sequence[str]) -> float:
    """How much words are like a name: a given name first, a surname last, no ordinary words."""
    given, surnames, common = (
        words_of(name) for name in ("given_names", "surnames", "common_words")
    )
    words = [_bare(plain_letters(word)) for word in words]
    first, last = words[0], words[-1]
    if len(words) == 2 and _is_pinyin(first, last):
        return 3
    if len(words) > 2 and any(
        word in common and word not in given and word not in surnames and word not in _PARTICLES
        for word in words[1:-1]
    ):
        return -2
    points = (
        2.0
        if first.partition("-")[0] in given or first in TWO_FACED
        else 0.5
        if first not in common
        else -1.0
    )
    if len(words) == 1:
        return points if first in given else points + (1 if first in surnames else 0)
    if last in surnames and last not in common:
        return points + 1
    if last in common:
        return points + (0 if last in surnames or first in given else -1)
    return points + (0.5 if len(last) > 2 else 0)


def _is_pinyin(first: str, last: str) -> bool:
    """Whether one is a Chinese surname and the other syllables of a given name."""
    return (first in _PINYIN and _SYLLABLES.fullmatch(last) is not None and len(last) > 3) or (
        last in _PINYIN and _SYLLABLES.fullmatch(first) is not None and len(first) > 4
    )


def _bare(word: str) -> str:
    return re.sub(r"['’]s$", "", word).strip(".,'’").lower()


def plain_name(name: str) -> str:
    """A name as the lists have it."""
    return re.sub(r"['’]s$", "", name).lower().strip(" .")


def is_quoted(text: str, start: int, end: int) -> bool:
    """Whether just this stands between quotation marks: data in code."""
    mark = "" if "```" in text else text[start - 1 : start]
    return mark in ("'", '"') and text[end : end + 1] == mark
