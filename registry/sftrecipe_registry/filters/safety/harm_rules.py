"""Lists of words and patterns for unsafe subjects, and the contexts in which they are none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple

import yaml

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")
LONGEST = 2000
"""Characters of a question and of an answer that are looked at."""
_ANSWERS_BEGIN = 300
"""Characters within which an answer that refuses says so."""

_SHORT = 120
"""Characters of a question that is about the one thing that it names."""
_GAPS = {"en": r"(?:(?:\W+\w+){0,5}?\W+)", "zh": "(?:[^。！？!?\\n]{0,8}?)"}
"""What `G` stands for in a pattern: a few words between."""
_BEGINS = {"en": r"(?<!\w)(?=\w)", "zh": ""}
"""Where a pattern may begin: asked once for all of them, it saves most of the time."""


class Found(NamedTuple):
    """What a rule found."""

    category: str
    text: str


class LanguageRules(NamedTuple):
    """The rules of one language."""

    listed: Mapping[str, list[str]]
    """Category → words that have hardly an innocent use."""
    requests: Mapping[str, re.Pattern[str]]
    subjects: Mapping[str, re.Pattern[str]]
    """Category → what a short question needs but to name and to ask for, in any order."""
    asking: re.Pattern[str]
    answers: Mapping[str, re.Pattern[str]]
    protective: re.Pattern[str]
    refusing: re.Pattern[str]


@cache
def language_rules(language: Language) -> LanguageRules:
    """The built-in rules of a language."""
    text = (files(__package__) / f"safety_rules.{language}.yaml").read_text("utf-8")
    table: dict[str, Any] = yaml.safe_load(text)
    return LanguageRules(
        table["listed"],
        _compiled(table["requests"], language),
        _compiled(table["subjects"], language),
        re.compile(table["asking"]),
        _compiled(table["answers"], language),
        re.compile("|".join(table["protective"])),
        re.compile(table["refusing"]),
    )


def _compiled(patterns: Mapping[str, list[str]], language: Language) -> dict[str, re.Pattern[str]]:
    begin, gap = _BEGINS[language], _GAPS[language]
    joined = {
        category: "|".join(f"(?:{one})" for one in alike) for category, alike in patterns.items()
    }
    return {
        category: re.compile(f"{begin}(?:{one.replace('G', gap)})")
        for category, one in joined.items()
    }


def harm_in(asked: str, answered: str, categories: tuple[str, ...]) -> Iterator[Found]:
    """What a question asks for, or an answer says, that belongs to one of the categories.

    Nothing where the question is about protection, knowledge or stories, or the answer refuses.
    """
    asked, answered = asked[:LONGEST].lower(), answered[:LONGEST].lower()
    for language in LANGUAGES:
        if language == "zh" and asked.isascii() and answered.isascii():
            return
        yield from _harm(language_rules(language), asked, answered, categories)


def _harm(
    rules: LanguageRules, asked: str, answered: str, categories: tuple[str, ...]
) -> Iterator[Found]:
    found = [*_asked_for(rules, asked, categories)]
    if found and rules.refusing.search(answered[:_ANSWERS_BEGIN]):
        found = []
    for category in categories:
        pattern = rules.answers.get(category)
        if pattern and (said := pattern.search(answered)):
            if category == "self_harm":  # whoever asks for help is who must not read it
                yield Found(category, said[0])
            found.append(Found(category, said[0]))
    if found and rules.protective.search(asked) is None:
        yield from found


def _asked_for(rules: LanguageRules, asked: str, categories: tuple[str, ...]) -> Iterator[Found]:
    is_short = len(asked) <= _SHORT and rules.asking.search(asked) is not None
    for category in categories:
        found = rules.requests[category].search(asked)
        if found is None and is_short and category in rules.subjects:
            found = rules.subjects[category].search(asked)
        if found is not None:
            yield Found(category, found[0])
