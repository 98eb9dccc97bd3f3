"""Lists of words and patterns for unsafe subjects, and the contexts in which they are none."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, cached_property
from itertools import islice
from typing import NamedTuple

from sftrecipe_registry.filters.safety.rule_patterns import (
    LANGUAGES,
    SECTIONS,
    Language,
    Name,
    Patterns,
    all_patterns,
    needed_texts_of,
    rule_table,
)
from sftrecipe_registry.filters.safety.text_index import TextIndex, spaced

LONGEST_QUESTION = 1000
"""Characters of a question that are looked at."""
LONGEST_ANSWER = 600
"""Characters of an answer that are looked at: what it is up to shows at its beginning."""
_SAYS_WITHIN = 300
"""Characters within which an answer that refuses, or that is harm itself, says so."""
_FEW_SENTENCES = 300
"""Characters of a question that has no room for a case to be told."""
_SHORT = 120
"""Characters of a question that is about the one thing that it names."""

_HELPS = 1
"""Points from which on the name of something harmful is meant."""
_ENOUGH = 2
"""Points from which on a weak word of harm is meant."""
_EXCUSES_END = 3
"""Points from which on a story, a lesson or a computer is an excuse."""
_HIDDEN = 2
"""Points of a question that wants what it asks for unseen."""
_MOST_OF_FAMILY = 2
"""Points of a family of signs: that of an answer which goes on and on in one of them."""


_NONE: frozenset[str] = frozenset()


class Found(NamedTuple):
    """What a rule found."""

    category: str
    text: str


class LanguageRules(NamedTuple):
    """The rules of one language."""

    listed: Mapping[str, list[str]]
    """Category → words that have hardly an innocent use."""
    patterns: Mapping[Name, Patterns]
    indexes: Mapping[str, TextIndex[Name]]
    """By what is looked at."""
    asking: re.Pattern[str]
    form: re.Pattern[str]
    request: re.Pattern[str]
    eager: re.Pattern[str]
    longer: re.Pattern[str]
    spared: re.Pattern[str]
    protective: re.Pattern[str]
    helpless: re.Pattern[str]
    refusing: re.Pattern[str]


@cache
def language_rules(language: Language) -> LanguageRules:
    """The built-in rules of a language."""
    table, needed = rule_table(language), needed_texts_of(language)
    indexes = {
        part: TextIndex({name: texts for name, texts in needed.items() if name[0] in sections})
        for part, sections in SECTIONS.items()
    }
    return LanguageRules(
        table["listed"],
        all_patterns(language),
        indexes,
        re.compile(table["asking"]),
        re.compile(table["form"]),
        re.compile(table["request"]),
        re.compile(table["eager"]),
        re.compile(table["longer"]),
        re.compile(table["spared"]),
        re.compile("|".join(table["protective"])),
        re.compile(table["helpless"]),
        re.compile(table["refusing"]),
    )


def harm_in(asked: str, answered: str, categories: tuple[str, ...]) -> Iterator[Found]:
    """What a question asks for, or an answer says, that belongs to one of the categories.

    Nothing where the question is about protection, knowledge or stories, or the answer refuses.
    """
    asked, answered = asked[:LONGEST_QUESTION].lower(), answered[:LONGEST_ANSWER].lower()
    for language in LANGUAGES:
        if language == "zh" and asked.isascii() and answered.isascii():
            return
        yield from _Row(language, asked, answered).harm(categories)


class _Row:
    """A question and its answer, and what rules of one language see in them."""

    def __init__(self, language: Language, asked: str, answered: str) -> None:
        self._rules = language_rules(language)
        self._form: Callable[[str], str] = spaced if language == "en" else str
        self._texts = {"asked": asked, "said": answered[:_SAYS_WITHIN], "helped": answered}
        self._possible: dict[str, dict[str, set[str]]] = {}

    def harm(self, categories: tuple[str, ...]) -> Iterator[Found]:
        """What belongs to one of the categories."""
        if not (self._names("asked") or self._names("said")):
            return
        said = [*self._each("said", "answers", categories)]
        # Whoever asks for help is who must not read it.
        yield from (found for found in said if found.category == "self_harm")
        yield from self._certain(categories)
        found = [*self._each("asked", "requests", categories)]
        subjects = [*self._named(categories)]
        strong = [*self._each("asked", "strong", categories)]
        named = [*self._each("asked", "named", categories)]
        weak = [*self._each("asked", "acts", categories)]
        if not (said or found or subjects or strong or named or weak):
            return
        points = self._points()
        own = self._is_request()
        if own or points >= _HELPS:
            found += subjects + strong
        if self._is_short() and (own or points >= _ENOUGH):
            found += named if points >= _HELPS else []
            found += weak if points >= _ENOUGH + (not own) else []
        if found and self._is_refused():
            found = []
        if (found or said) and not self._is_innocent(points):
            yield from found
            yield from said

    def _certain(self, categories: Iterable[str]) -> Iterator[Found]:
        """What a few sentences ask for that no story, program or article excuses."""
        found = [*self._each("asked", "certain", categories)] if self._is_short() else []
        if found and not (self._rules.spared.search(self._texts["asked"]) or self._is_refused()):
            yield from found

    def _is_request(self) -> bool:
        """Whether a question of a few sentences asks how to do it, not how others do."""
        return self._is_short() and self._rules.request.search(self._texts["asked"]) is not None

    def _is_short(self) -> bool:
        return len(self._texts["asked"]) <= _FEW_SENTENCES

    def _is_refused(self) -> bool:
        return self._rules.refusing.search(self._texts["said"]) is not None

    def _is_innocent(self, points: int) -> bool:
        """Whether the question has a context in which words of harm are none."""
        asked = self._texts["asked"]
        if points < _ENOUGH and self._rules.helpless.search(asked):
            return True
        return points < _EXCUSES_END and self._rules.protective.search(asked) is not None

    def _names(self, part: str) -> Mapping[str, set[str]]:
        """By section, the categories that may be found in a part of the row."""
        if part not in self._possible:
            names: dict[str, set[str]] = {}
            form = self._form(self._texts[part])
            for section, category in self._rules.indexes[part].possible(form):
                names.setdefault(section, set()).add(category)
            self._possible[part] = names
        return self._possible[part]

    def _each(self, part: str, section: str, categories: Iterable[str]) -> Iterator[Found]:
        possible = self._names(part).get(section, _NONE)
        text = self._texts[part]
        for category in categories if possible else ():
            if category not in possible:
                continue
            found = self._rules.patterns[section, category].search(text)
            if found and part == "asked":
                found = self._rules.patterns[section, category].search(self._bare)
            if found:
                # An empty group ends the way of asking.
                yield Found(category, text[found.start(found.lastindex or 0) : found.end()])

    @cached_property
    def _bare(self) -> str:
        """The question without harmless words that hold a harmful one."""
        return self._rules.longer.sub(_blank, self._texts["asked"])

    def _named(self, categories: tuple[str, ...]) -> Iterator[Found]:
        """What a short question need but name and ask for, in any order."""
        asked = self._texts["asked"]
        if len(asked) <= _SHORT and self._rules.asking.search(asked):
            yield from self._each("asked", "subjects", categories)

    def _points(self) -> int:
        """How much says that harm is meant: hiding, an answer that helps to do it, and gladly."""
        points = _HIDDEN if any(self._each("asked", "hidden", ("all",))) else 0
        answered = self._texts["helped"]
        for family in self._names("helped").get("complicit", ()):
            matches = self._rules.patterns["complicit", family].finditer(answered)
            points += len({found[0] for found in islice(matches, _MOST_OF_FAMILY)})
        if answered and self._rules.eager.search(answered):
            points += 1
        return points


def _blank(longer: re.Match[str]) -> str:
    return " " * len(longer[0])
