"""Rows without words of unsafe subjects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.resources import files as package_files
from typing import ClassVar, Literal

import yaml

from sftrecipe.plugin import (
    KEEP,
    ColumnName,
    Context,
    InputFile,
    Inputs,
    OptionFiles,
    OptionProblem,
    Record,
    RowFilter,
    Texts,
    Verdict,
)
from sftrecipe_registry.shared.text.row_text import text_of, whole_text
from sftrecipe_registry.shared.text.word_list import word_finder

texts = Texts(__package__)

Category = Literal[
    "violence", "sexual", "self_harm", "hate", "weapons", "drugs", "crime", "gambling"
]
_LANGUAGES = ("en", "zh")
Find = Callable[[str], str | None]


class Safety(RowFilter):
    """Drop rows that hold a word of an unsafe subject, by category, English and Chinese alike.

    The lists are short and hold what has hardly an innocent use; they are no judgement of what a
    text means, and a row that they pass is not proven safe (a judge with `rubric` sees more).
    Rejects with the category's name as reason, such as `violence`; the detail is the word. Kinds of
    words of your own stand beside the built-in ones.
    """

    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "violence": ("categories", "words", "allow"),
        "sexual": ("categories", "words", "allow"),
        "self_harm": ("categories", "words", "allow"),
        "hate": ("categories", "words", "allow"),
        "weapons": ("categories", "words", "allow"),
        "drugs": ("categories", "words", "allow"),
        "crime": ("categories", "words", "allow"),
        "gambling": ("categories", "words", "allow"),
    }
    example: ClassVar[str] = (
        "{use: safety, with: {categories: [violence, sexual], words: {rivals: [Acme, 艾克美]}}}"
    )

    categories: tuple[Category, ...] = (
        "violence",
        "sexual",
        "self_harm",
        "hate",
        "weapons",
        "drugs",
        "crime",
        "gambling",
    )
    """Built-in lists to use."""
    words: dict[str, tuple[str, ...]] = {}
    """Category → words and phrases of your own; a built-in category's are added to it. Upper and
    lower case are alike; Chinese and Japanese ones match anywhere, others only by themselves."""
    files: dict[str, InputFile] = {}
    """Category → a file of more of them, one a line; lines that begin with `#` do not count."""
    allow: tuple[str, ...] = ()
    """Words of the lists that are no matter."""
    field: ColumnName | tuple[ColumnName, ...] | None = None
    """Column, or list of columns whose texts are joined; left out: all that is said in the row."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """Nothing to look for; a word that is allowed but in no list."""
        if not (self.categories or self.words or self.files):
            yield OptionProblem(("categories",), texts("no-words"), texts("set-words"))
        if self.files:
            return
        listed = {_folded(word) for words in self._lists(files).values() for word in words}
        for place, word in enumerate(self.allow):
            if _folded(word) not in listed:
                yield OptionProblem(("allow", place), texts("word-in-no-list", word=word))

    def judge_row(self, row: Record, ctx: Context) -> Verdict:
        """The verdict on one row."""
        category_of, find = ctx.once("words", lambda: self._finder(ctx.files))
        word = find(text_of(self.field, whole_text)(row))
        if word is None:
            return KEEP
        word = " ".join(word.split())
        return Verdict(False, category_of[word], None, word)

    def _finder(self, files: OptionFiles) -> tuple[Mapping[str, str], Find]:
        """Category of every word, and what finds them."""
        category_of: dict[str, str] = {}
        for category, words in self._lists(files).items():
            for word in words:
                category_of.setdefault(_folded(word), category)
        for word in self.allow:
            category_of.pop(_folded(word), None)
        return category_of, word_finder(category_of)

    def _lists(self, files: OptionFiles) -> dict[str, list[str]]:
        """Words by category, the recipe's own first."""
        lists: dict[str, list[str]] = {}
        for category, words in self.words.items():
            lists.setdefault(category, []).extend(words)
        for category, file in self.files.items():
            lines = (line.strip() for line in files.text(file).splitlines())
            lists.setdefault(category, []).extend(line for line in lines if line[:1] != "#")
        for category in dict.fromkeys(self.categories):
            for language in _LANGUAGES:
                lists.setdefault(category, []).extend(_built_in(language)[category])
        return lists


def _folded(word: str) -> str:
    return " ".join(word.lower().split())


@cache
def _built_in(language: str) -> Mapping[str, list[str]]:
    folder = package_files(__package__ or "sftrecipe_registry.filters")
    lists: Mapping[str, list[str]] = yaml.safe_load(
        (folder / f"safety_words.{language}.yaml").read_text(encoding="utf-8")
    )
    return lists
