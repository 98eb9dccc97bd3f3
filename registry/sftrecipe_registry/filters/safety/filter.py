"""Rows without words of unsafe subjects, by lists and rules of context."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Annotated, ClassVar, Literal, get_args

from annotated_types import Gt, Le

from sftrecipe.plugin import (
    KEEP,
    Context,
    InputFile,
    Inputs,
    MachineCheck,
    OptionFiles,
    OptionProblem,
    Record,
    RowFilter,
    Texts,
    Verdict,
)
from sftrecipe_registry.filters.safety.classifier import load_classifier
from sftrecipe_registry.filters.safety.harm_rules import harm_in, language_rules
from sftrecipe_registry.filters.safety.rule_patterns import LANGUAGES
from sftrecipe_registry.shared.models.installed_packages import package_check
from sftrecipe_registry.shared.text.asked import answered_text, asked_text
from sftrecipe_registry.shared.text.row_text import Field, text_of, whole_text
from sftrecipe_registry.shared.text.widths import one_width
from sftrecipe_registry.shared.text.word_list import can_be_found, word_finder
from sftrecipe_registry.shared.vectors.packaged_embedding import (
    INSTALL,
    MODULE,
    PACKAGE,
    model_is_missing,
)

texts = Texts(__package__)

Category = Literal[
    "violence", "sexual", "self_harm", "hate", "weapons", "drugs", "crime", "gambling"
]
Find = Callable[[str], str | None]

_MANY_WORDS = 400
"""Words from which on one expression for all is as quick as asking for each."""


class Safety(RowFilter):
    """Drop rows that ask for help with harm, as far as lists of words tell, in English and Chinese.

    These are lists of words and patterns, no judge: requests of one's own ("how do I make a …")
    with words of harm, and weaker words where the question wants it hidden or the answer helps
    to do it. Left alone is what asks about protection, medicine, law, history, news or
    computers, is plainly a story, and what is refused. Of unsafe rows of authors whose rows the
    lists were not written after they miss about a third in English and a quarter in Chinese, so
    a row that passes is not proven safe. Rejects with the category's name as reason, such as
    `violence`; the detail is what was found. Words of your own count wherever they stand. With
    `classifier` a small model on the CPU looks besides, and rejects `unsafe` with its chance. A
    judge sees more than both, at the price of a call a row; put it behind this filter:

        filter:
          - {id: listed, use: safety, on: rows}
          - id: safe
            use: rubric
            on: rows
            provider: judge
            with: {prompt: "builtin:rubric/safety", at_least: 4}
    """

    version: ClassVar[str] = "4"
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "violence": ("categories", "words", "allow"),
        "sexual": ("categories", "words", "allow"),
        "self_harm": ("categories", "words", "allow"),
        "hate": ("categories", "words", "allow"),
        "weapons": ("categories", "words", "allow"),
        "drugs": ("categories", "words", "allow"),
        "crime": ("categories", "words", "allow"),
        "gambling": ("categories", "words", "allow"),
        "unsafe": ("classifier", "unsafe_from"),
    }
    example: ClassVar[str] = (
        "{use: safety, with: {categories: [violence, sexual], words: {rivals: [Acme, 艾克美]}}}"
    )

    categories: tuple[Category, ...] = get_args(Category)
    """Built-in lists to use."""
    words: dict[str, tuple[str, ...]] = {}
    """Category → words and phrases of your own; a built-in category's are added to it. Upper and
    lower case, full and half width are alike; Chinese and Japanese ones match anywhere, others only
    by themselves."""
    files: dict[str, InputFile] = {}
    """Category → a file of more of them, one a line; lines that begin with `#` do not count."""
    allow: tuple[str, ...] = ()
    """Words of the lists, or what the detail of a reject tells, that are no matter."""
    classifier: bool = False
    """Let a small classifier on the packaged embedding (sftrecipe[embeddings]) judge question and
    answer too: some 20 ms a row."""
    unsafe_from: Annotated[float, Gt(0), Le(1)] = 0.5
    """The classifier's chance from which on a row is unsafe: lower finds more, and more in vain. At
    0.5 precision was 0.98 and recall 0.84 on authors it had not learned from, at 0.4 0.96 and 0.89;
    less on questions that only look harmful."""
    field: Field = None
    """Column, or list of columns whose texts are joined; left out: question and answer, and all
    that is said in the row for words."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """Nothing to look for; a word that is allowed but in no list."""
        if self.classifier and model_is_missing():
            yield OptionProblem(("classifier",), texts("not-installed", package=PACKAGE), INSTALL)
        if not (self.categories or self.words or self.files or self.classifier):
            yield OptionProblem(("categories",), texts("no-words"), texts("set-words"))
        yield from self._words_problems()
        if self.files:
            return
        listed = {_folded(word) for words in self._lists(files).values() for word in words}
        for place, word in enumerate(self.allow):
            if _folded(word) not in listed and not any(harm_in(word, "", self.categories)):
                yield OptionProblem(("allow", place), texts("word-in-no-list", word=word))

    def _words_problems(self) -> Iterator[OptionProblem]:
        for category, words in self.words.items():
            if not words:
                yield OptionProblem(("words", category), texts("no-words-of", category=category))
            for place, word in enumerate(words):
                if not can_be_found(word):
                    told = texts("no-letter", word=word)
                    yield OptionProblem(("words", category, place), told, texts("take-out"))

    def check_machine(self) -> Iterator[MachineCheck]:
        """The package with the embedding, where the classifier is asked for."""
        if self.classifier:
            yield package_check(MODULE, PACKAGE, INSTALL)

    def judge_row(self, row: Record, ctx: Context) -> Verdict:
        """The verdict on one row."""
        category_of, find, allowed = ctx.once("words", lambda: self._finder(ctx.files))
        word = find(one_width(text_of(self.field, whole_text)(row)))
        if word is not None:
            return Verdict(False, category_of[_folded(word)], None, _folded(word))
        asked, answered = self._parts(row)
        for category, text in harm_in(asked, answered, self.categories):
            if _folded(text) not in allowed:
                return Verdict(False, category, None, _folded(text))
        if not self.classifier:
            return KEEP
        chance = load_classifier()(asked, answered)
        return Verdict(chance < self.unsafe_from, "unsafe", chance)

    def _parts(self, row: Record) -> tuple[str, str]:
        """What is asked and answered, or the named columns as both."""
        if self.field is None:
            return asked_text(row), answered_text(row)
        text = text_of(self.field, whole_text)(row)
        return text, text

    def _finder(self, files: OptionFiles) -> tuple[Mapping[str, str], Find, frozenset[str]]:
        """Category of every word, what finds them, and what is allowed."""
        category_of: dict[str, str] = {}
        for category, words in self._lists(files).items():
            for word in words:
                category_of.setdefault(_folded(word), category)
        allowed = frozenset(map(_folded, self.allow))
        for word in allowed:
            category_of.pop(word, None)
        return category_of, _quick_finder(category_of), allowed

    def _lists(self, files: OptionFiles) -> dict[str, list[str]]:
        """Words by category, the recipe's own first."""
        lists: dict[str, list[str]] = {}
        for category, words in self.words.items():
            lists.setdefault(category, []).extend(words)
        for category, file in self.files.items():
            lines = (line.strip() for line in files.text(file).splitlines())
            lists.setdefault(category, []).extend(line for line in lines if line[:1] != "#")
        for category in dict.fromkeys(self.categories):
            for language in LANGUAGES:
                lists.setdefault(category, []).extend(language_rules(language).listed[category])
        return lists


def _quick_finder(words: Iterable[str]) -> Find:
    """A finder that first asks whether a text holds any word's longest part at all."""
    find = word_finder(words)
    parts = sorted({max(word.split(), key=len) for word in words if word.split()})
    if len(parts) > _MANY_WORDS:
        return find

    plain = [part for part in parts if part.isascii()]

    def quickly(text: str) -> str | None:
        folded = text.lower()
        likely = plain if folded.isascii() else parts
        return find(text) if any(map(folded.__contains__, likely)) else None

    return quickly


def _folded(word: str) -> str:
    return " ".join(one_width(word).lower().split())
