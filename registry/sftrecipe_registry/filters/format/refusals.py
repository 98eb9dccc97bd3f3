"""Answers that decline and give little or nothing of what was asked; English and Chinese."""

from __future__ import annotations

import re
from typing import NamedTuple

from sftrecipe_registry.filters.format.phrase_weights import phrase_weights
from sftrecipe_registry.filters.format.refusal_features import (
    language_of,
    said_features,
    shape_marks,
)
from sftrecipe_registry.filters.format.refusal_signs import declining_sentence, refuses, sends_away
from sftrecipe_registry.filters.format.substance import at_a_glance
from sftrecipe_registry.shared.meaning.traditional import simplified

REFUSES = 0.22
"""Probability from which an answer counts as a refusal: chosen on authors that were not learned."""
REFUSES_EVASIVE = 0.5
"""The same where no sentence says outright that it declines."""
REFUSES_SILENTLY = 0.7
"""The same where no sentence apologises, speaks of itself, of rules or of others to ask either."""
SENDS_AWAY = 0.85
"""The same where nobody refuses, and a sentence only sends away or puts off: the words for that
("具体情况", "ask a pharmacist") stand in good answers too, and there seldom alone."""
_LONGEST_SENDING_AWAY = {"en": 400, "zh": 90}
"""Characters above which an answer that sends away has said something besides; a term of fewer than
`_SHORTEST` sends nobody away."""
_SHORTEST = 5
EVADES = frozenset(("@says:sorry", "@says:model", "@says:policy", "@says:redirect"))
REFUSES_ASKED_FOR = 0.5
"""The same where a sentence is to be translated, rewritten or written that may itself decline."""
AT_A_GLANCE = {"en": 0.04, "zh": 0.06}
"""The same of the first look: 3 of 100 refusals of authors that were not learned are below it."""
BY_WORDS = 0.1
"""The same by words alone, before the signs are looked for: loses 3 of 850 refusals."""
MAY_BE_ASKED_FOR = frozenset(("@asked:refuses", "@asked:rewrites", "@asked:translates"))
SAYS_SO = frozenset(("@says:unable", "@says:cannot", "@says:sorry", "@says:model"))
TO_BE_WRITTEN = frozenset(("@asked:fiction", "@asked:letter"))
_LONGEST = {"en": 1_100, "zh": 450}
"""Characters above which an answer has said something, whatever it begins with."""
_SHOWN = 80
_TRADITIONAL = re.compile(
    "[們個說對為請醫問無會時麼來過還沒這與應該詢專業樣讓給從後學觀點關於處應]"
)
"""Characters of which hardly any traditional text has none; the model has learned simplified."""
_CURT = re.compile(
    r"\W*(?:no (?:can do|idea|clue|comment|thanks)|sorry,? no(?: can do)?|pass|i (?:don'?t"
    r"|do not) know|dunno|idk|beats me"
    r"|i'?d rather not|can'?t (?:help|do that|say)|request denied|access denied|rtfm|lmgtfy"
    r"|google it|i'?m sorry|my apologies"
    r"|不知道|无可奉告|做不到|不会|爱莫能助|恕难从命|没法弄|不清楚|拒绝回答|无法回答|无法提供"
    r"|对不起|抱歉)\W*",
    re.IGNORECASE,
)
_SHORT_QUESTION = re.compile(
    r"translat|翻译|\bmean\b|stand for|synonym|complete|fill|\bsay\b|reply|respond|line|phrase"
    r"|sentence|classif|label|extract"
    r"|什么意思|填|补|造句|回复|反义|近义|台词|分类|情感|提取|抽取|标签|改写|口语|句",
    re.IGNORECASE,
)


class Refusal(NamedTuple):
    """How sure it is, and the sentence that shows it."""

    probability: float
    sentence: str


def refusal(asked: str, answer: str) -> Refusal | None:
    """Whether the answer is a refusal; None where it is none."""
    text = answer.strip()
    if not text or len(text) > _LONGEST["en"]:
        return None
    if _CURT.fullmatch(text) and not _SHORT_QUESTION.search(asked):
        return Refusal(1.0, text)
    language = language_of(text)
    text = text.replace("’", "'")
    if len(text) > _LONGEST[language]:
        return None
    plain = simplified(text) if language == "zh" and _TRADITIONAL.search(text) else text
    if not may_refuse(plain, language):
        return None
    return _weighed(asked if plain is text else simplified(asked), text, plain, language)


def _weighed(asked: str, text: str, plain: str, language: str) -> Refusal | None:
    said = said_features(asked, plain)
    weights = phrase_weights(f"refusal.{language}.tsv")
    if weights.probability(said.phrases, said.marks) < BY_WORDS:
        return None
    marks = said.marks + shape_marks(asked, said)
    probability = weights.probability(said.phrases, marks)
    if probability < least_probability(marks):
        return None
    if not refuses(marks) and not (
        probability >= SENDS_AWAY
        and _SHORTEST <= len(plain) <= _LONGEST_SENDING_AWAY[language]
        and sends_away(plain, language)
    ):
        return None
    sentence = declining_sentence(plain, language)[:_SHOWN]
    at = plain.index(sentence)
    return Refusal(probability, text[at : at + len(sentence)])


def may_refuse(answer: str, language: str) -> bool:
    """Whether the words of its beginning leave it possible: a quick look that rules most out."""
    weights = phrase_weights(f"glance.{language}.tsv")
    return weights.probability(*at_a_glance(answer)) >= AT_A_GLANCE[language]


def least_probability(marks: list[str]) -> float:
    """How probable it must be: more where a declining text may be what was asked for."""
    least = _least_by_signs(marks)
    return least if MAY_BE_ASKED_FOR.isdisjoint(marks) else max(least, REFUSES_ASKED_FOR)


def _least_by_signs(marks: list[str]) -> float:
    if "@declines" in marks:
        outright = TO_BE_WRITTEN.isdisjoint(marks) and not SAYS_SO.isdisjoint(marks)
        return REFUSES if outright else REFUSES_EVASIVE
    if EVADES.isdisjoint(marks):
        return REFUSES_SILENTLY
    written = "@asked:letter" in marks or "@answer:code" in marks
    return REFUSES_SILENTLY if written else REFUSES_EVASIVE
