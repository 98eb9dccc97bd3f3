"""The user's language: texts by slug, in English and Chinese, the engine's own and plugins'."""

from __future__ import annotations

import locale
import os
import re
from collections.abc import Mapping
from functools import cache

from sftrecipe.messages.catalogues import OWN, catalogue, own_catalogue


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


class Text(str):
    """A text that is shown in the user's language: a package's slug, and values.

    As a text it is English, which exceptions, logs and JSON hold; a value may be one itself. Put
    into another text by an f-string, it stays English: write a slug for the whole sentence.
    """

    package: str
    slug: str
    values: Mapping[str, object]

    def __new__(cls, package: str, slug: str, values: Mapping[str, object]) -> Text:
        text = super().__new__(cls, _told_text(package, slug, values, "en"))
        text.package, text.slug, text.values = package, slug, values
        return text

    def __reduce__(self) -> tuple[type[Text], tuple[str, str, Mapping[str, object]]]:
        return Text, (self.package, self.slug, self.values)

    def told(self, language: str | None = None) -> str:
        """The text in the user's language unless one is given; where it has none, in English."""
        return _told_text(self.package, self.slug, self.values, language or user_language())


class Texts:
    """The texts of a package, which lie beside its modules: `texts = Texts(__package__)`."""

    def __init__(self, package: str) -> None:
        self._package = package

    def __call__(self, slug: str, /, **values: object) -> Text:
        """One of them, with the values that it shows."""
        return Text(self._package, slug, values)


own_text = Texts(OWN)
"""The engine's messages as values of others."""


def in_user_language(text: str, language: str | None = None) -> str:
    """A text in the user's language unless one is given; a plain one stays what it is."""
    return text.told(language) if isinstance(text, Text) else text


def error_text(error: BaseException) -> str:
    """What an error says: its `Text` where it was raised with one."""
    first = error.args[0] if error.args else None
    return first if isinstance(first, Text) else str(error)


def message(slug: str, values: Mapping[str, object], language: str | None = None) -> str:
    """The message of a slug, filled."""
    return _told_text(OWN, slug, values, language or user_language())


def hint(slug: str, values: Mapping[str, object], language: str | None = None) -> str:
    """The hint of a slug, filled."""
    language = language or user_language()
    texts: dict[str, str] = own_catalogue(language).HINTS
    return texts[slug].format_map(_filled(values, language))


def word(name: str, language: str | None = None) -> str:
    """One of `WORDS` in a language."""
    words: dict[str, str] = own_catalogue(language or user_language()).WORDS
    return words.get(name, name)


def _told_text(package: str, slug: str, values: Mapping[str, object], language: str) -> str:
    texts = catalogue(package, language).texts
    text = texts.get(slug) or catalogue(package, "en").texts.get(slug, slug)
    return text.format_map(_filled(values, language))


def _filled(values: Mapping[str, object], language: str) -> _Filled:
    return _Filled({
        name: _told(value, language, elsewhere=name in _SAID_ELSEWHERE)
        for name, value in values.items()
    })  # fmt: skip


_SAID_ELSEWHERE = {"message", "text", "advice", "missing", "lacks", "error", "command"}
"""Values that plugins and libraries say, in English."""


def _told(value: object, language: str, *, elsewhere: bool) -> object:
    """A value in a language."""
    if isinstance(value, BaseException):
        value = error_text(value)
    if isinstance(value, Text):
        return value.told(language)
    if isinstance(value, Word):
        return _translated(value, own_catalogue(language).WORDS)
    if isinstance(value, tuple) and value and all(isinstance(each, str) for each in value):
        between: str = own_catalogue(language).WORDS["semicolon"]
        return between.join(str(_told(each, language, elsewhere=elsewhere)) for each in value)
    return (
        _said(value, own_catalogue(language).SAID)
        if elsewhere and isinstance(value, str)
        else value
    )


def _said(text: str, known: Mapping[str, str]) -> str:
    """The same with the sentences that are known in the catalogue's language."""
    for pattern, translation in known.items():
        text = re.sub(pattern, translation, text)
    return text


def _translated(value: Word, words: Mapping[str, str]) -> str:
    return " / ".join(words.get(part, part) for part in value.split(" / "))


class _Filled(dict[str, object]):
    """Values for a message; a value that is missing is shown by its name."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"
