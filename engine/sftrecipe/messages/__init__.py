"""The user's language: message and hint texts by slug, in English and Chinese."""

from __future__ import annotations

import locale
import os
import re
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple


@cache
def user_language() -> str:
    """`zh` or `en`: `SFTRECIPE_LANG` if it is set, else the locale of messages, as gettext reads it.

    Containers name a locale in `LANG` that they have not installed: what it says counts.
    """
    asked = next((found for name in _VARIABLES if (found := os.environ.get(name))), None)
    asked = asked or locale.getlocale()[0] or ""
    return "zh" if asked.lower().startswith(("zh", "chinese")) else "en"


_VARIABLES = ("SFTRECIPE_LANG", "LC_ALL", "LC_MESSAGES", "LANG")


class Word(str):
    """A value of a message that is translated too; it names entries of `WORDS` (`a / b`)."""

    __slots__ = ()


class Phrase(NamedTuple):
    """A value of a message that is a message itself."""

    slug: str
    values: Mapping[str, object]


def message(slug: str, values: Mapping[str, object], language: str | None = None) -> str:
    """The message of a slug, filled."""
    catalogue = _catalogue(language or user_language())
    texts: dict[str, str] = catalogue.MESSAGES
    return texts[slug].format_map(_filled(values, catalogue))


def hint(slug: str, values: Mapping[str, object], language: str | None = None) -> str:
    """The hint of a slug, filled."""
    catalogue = _catalogue(language or user_language())
    texts: dict[str, str] = catalogue.HINTS
    return texts[slug].format_map(_filled(values, catalogue))


def word(name: str, language: str | None = None) -> str:
    """One of `WORDS` in a language."""
    words: dict[str, str] = _catalogue(language or user_language()).WORDS
    return words.get(name, name)


def reason_text(reason: str) -> str:
    """Why a row was lost: its short name, in other languages with a translation before it."""
    name = f"reason-{reason}"
    told = word(name)
    return reason if told == name else told


def reason_word(reason: str) -> str:
    """The same as a value of messages."""
    name = f"reason-{reason}"
    return Word(name) if name in _catalogue("en").WORDS else reason


@cache
def _catalogue(language: str):  # type: ignore[no-untyped-def]
    return import_module(f"sftrecipe.messages.{'zh' if language == 'zh' else 'en'}")


def _filled(values: Mapping[str, object], catalogue: Any) -> _Filled:
    told = {name: _told(value, catalogue) for name, value in values.items()}
    for name in _SAID_ELSEWHERE & told.keys():
        told[name] = _said(told[name], catalogue.SAID)
    return _Filled(told)


_SAID_ELSEWHERE = {"message", "text", "advice", "missing", "lacks", "error", "command"}
"""Values that plugins and libraries say, in English."""


def _said(value: object, known: Mapping[str, str]) -> object:
    """The same with the sentences that are known in the catalogue's language."""
    if not known or not isinstance(value, str):
        return value
    for pattern, translation in known.items():
        value = re.sub(pattern, translation, value)
    return value


def _told(value: object, catalogue: Any) -> object:
    """A value in the catalogue's language."""
    if isinstance(value, Word):
        return _translated(value, catalogue.WORDS)
    if isinstance(value, Phrase):
        return catalogue.MESSAGES[value.slug].format_map(_filled(value.values, catalogue))
    if isinstance(value, tuple) and value and all(isinstance(each, Phrase) for each in value):
        return "; ".join(str(_told(each, catalogue)) for each in value)
    return value


def _translated(value: Word, words: Mapping[str, str]) -> str:
    return " / ".join(words.get(part, part) for part in value.split(" / "))


class _Filled(dict[str, object]):
    """Values for a message; a value that is missing is shown by its name."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"
