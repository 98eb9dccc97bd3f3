"""What a row asks, as far as languages go: in which one, and in which the answer is wanted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import yaml

from sftrecipe.plugin import Columns, Record
from sftrecipe_registry.filters.language.language_guess import (
    ENGLISH,
    Guess,
    guess_prose,
    is_plain_english,
)
from sftrecipe_registry.filters.language.prose import prose, quotes, without_quotes
from sftrecipe_registry.shared.text.asked import asked_text
from sftrecipe_registry.shared.text.row_text import said_aloud
from sftrecipe_registry.shared.text.scripts import base_language

_LONGEST = 1500
_HEADS = (re.compile(r"[^:：\n]{2,300}[:：\n]"), re.compile(r"[^\n]{2,400}\n"))
"""What stands before the first colon, or is the first line: the task, before its material."""
_MATERIAL = re.compile('[\n:"]')
"""What stands between a task and what it is about."""
_WORDS = re.compile(r"[\u3040-\u9fff\uac00-\ud7a3]|[^\W\d_]{2,}")
_PIECES = re.compile(r"[\n:：]+|(?<=[.!?])\s+|(?<=[。！？])")


class Request(NamedTuple):
    """What is asked."""

    guess: Guess
    """The language that it is asked in: of the task, not of the text that it is about."""
    whole: str
    """All that was said before the answer, the system prompt too."""


def request_of(row: Record) -> Request:
    """The row's request: of dialogues the last turn of the user, else all of them."""
    columns = row.columns
    whole = asked_text(row)
    asked = columns.get("instruction") or _last_turn(columns) or whole
    guess = task_language("\n".join(said_aloud(asked)) if not isinstance(asked, str) else asked)
    if not guess.certain and (longer := task_language(whole)).certain:
        mixed = guess.language and not _same(guess.language, longer.language)
        guess = guess if mixed else longer
    return Request(guess, "\n".join([*_system(columns), whole]))


def task_language(text: str) -> Guess:
    """The language of a task: of its first words or its last line, where those are in another than
    the text that they are about."""
    if not _MATERIAL.search(text) and is_plain_english(text):
        return ENGLISH
    text = _unquoted(prose(text[:_LONGEST]))
    guess = guess_prose(text)
    before, _, last = text.rpartition("\n")
    translates = before and len(last) > 8 and _wanted().any_language.search(last)
    if before and (translates or last[-1] in "?？"):
        asked = guess_prose(last)
        if asked.language and not _same(asked.language, guess.language):
            return asked
        if translates:
            return guess
    for head in _HEADS:
        found = head.match(text)
        if found and found.end() < 0.9 * len(text):
            first = guess_prose(found[0])
            if first.certain and first.confidence > 0.6:
                return guess if _same(first.language, guess.language) else first
    return guess


def _unquoted(text: str) -> str:
    """A task without what it quotes, where there is more of it than two words."""
    rest = without_quotes(text)
    return rest if rest != text and len(_WORDS.findall(rest)) > 1 else text


def may_answer_in(request: Request, language: str) -> bool:
    """Whether what was asked makes an answer in this language right.

    It asks for a translation or another language, names this one as what to write in, asks for
    names or the original's words, or holds a text in it.
    """
    text = request.whole[:_LONGEST]
    wanted = _wanted()
    if _family(language) == _family(request.guess.language):
        named = wanted.variants.get(language)
        return named is not None and named.search(text) is not None
    if wanted.any_language.search(text):
        return True
    own = wanted.named.get(base_language(language) if language != "yue" else "zh")
    if own is not None and own.search(text):
        return True
    if wanted.word.search(text) and wanted.of_language.search(text):
        return True
    return any(_same(guess.language, language) for guess in _piece_guesses(text))


def share_in(text: str, language: str) -> float:
    """Share of the text's lines and sentences, by length, that are surely in this language."""
    pieces = [piece for piece in _PIECES.split(prose(text[:_LONGEST]))[:60] if len(piece) > 3]
    own = 0
    for piece in pieces:
        guess = guess_prose(piece)
        told = guess.certain and guess.confidence > 0.5 and guess.language != "zh"
        if told and same_language(language, guess.language):
            own += len(piece)
    return own / max(1, sum(map(len, pieces)))


def same_language(question: str, answer: str) -> bool:
    """Whether an answer is in the language of its question; of Chinese, written as it.

    Cantonese is asked by those who read and write traditional Chinese too.
    """
    if _same(question, answer) and "zh" not in (question, answer) and _family(answer) == "yue":
        return question == answer or (question, answer) == ("yue", "zh-Hant")
    return _same(question, answer)


def _same(one: str, other: str) -> bool:
    return _family(one) == _family(other)


_FAMILIES = [{"zh", "yue"}, {"id", "ms"}, {"hr", "sr", "bs", "sh"}, {"no", "nn", "nb", "da"}]


def _family(language: str) -> str:
    base = base_language(language)
    return next((min(family) for family in _FAMILIES if base in family), base)


def _piece_guesses(text: str) -> Iterator[Guess]:
    """Of the lines, sentences and quotations that are long enough to tell."""
    pieces = [*_PIECES.split(prose(text)), *(quote[1:-1] for quote in quotes(text))]
    for piece in pieces[:60]:
        if len(piece) > 3 and (guess := guess_prose(piece)).certain and guess.confidence > 0.5:
            yield guess


class _Wanted(NamedTuple):
    any_language: re.Pattern[str]
    word: re.Pattern[str]
    of_language: re.Pattern[str]
    named: Mapping[str, re.Pattern[str]]
    variants: Mapping[str, re.Pattern[str]]


@cache
def _wanted() -> _Wanted:
    """What tells that another language is wanted, by the table beside this module."""
    table = yaml.safe_load((files(__package__) / "wanted.yaml").read_text("utf-8"))
    any_language = re.compile("|".join(table["any"]), re.IGNORECASE)
    named = {}
    for language, names in table["languages"].items():
        latin = "|".join(name for name in names if name.isascii())
        others = "|".join(name for name in names if not name.isascii())
        shapes = [shape.replace("LATIN", latin) for shape in table["latin"]]
        shapes += [shape.replace("OTHERS", others) for shape in table["others"]]
        named[language] = re.compile("|".join(shapes), re.IGNORECASE)
    foreign, about = re.compile("|".join(table["word"])), re.compile("|".join(table["about"]), re.I)
    variants = {name: re.compile(shape, re.I) for name, shape in table["variants"].items()}
    return _Wanted(any_language, foreign, about, named, variants)


def _last_turn(columns: Columns) -> str:
    turns = columns.get("messages") or ()
    asked = [turn for turn in turns if turn["role"] == "user"]
    return "\n".join(said_aloud(asked[-1])) if asked else ""


def _system(columns: Columns) -> Iterator[str]:
    yield from said_aloud(columns.get("system"))
    turns = columns.get("messages") or ()
    for turn in turns:
        if turn["role"] == "system":
            yield from said_aloud(turn)
