"""A text as what two texts are compared by: words that mean something, numbers, negations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from sftrecipe_registry.shared.meaning.courtesies import bare
from sftrecipe_registry.shared.meaning.english_stems import stem
from sftrecipe_registry.shared.meaning.intents import intents_of
from sftrecipe_registry.shared.meaning.lexicon import Lexicon, chinese, english, lexicon_of
from sftrecipe_registry.shared.meaning.quantities import chinese_and_digits, written_out
from sftrecipe_registry.shared.text.scripts import has_unspaced

_CONTRACTIONS = (
    (re.compile(r"\b(?:can't|cannot|cant)\b"), "can not"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"(?<=[a-z])n't\b"), " not"),
    (re.compile(r"'(?:s|m|re|ve|d|ll)\b"), " "),
)
_TOKEN = re.compile(
    r"c\+\+|c#|f#|\.net\b|%|[°℃]|[$€£¥](?=\s?\d)|[a-zµ]+\d+[a-z\d]*|[a-zµ]+(?:'[a-z]+)?|"
    r"[\u3400-\u9fff]+|[^\W\d_a-z\u3400-\u9fff]+|"
    r"(?<=[\w)])\s*[+*/=^<>]+\s*(?=[\w(])|(?<=[\w)])\s-\s(?=[\w(])|(?<=\d)-(?=\d)|"
    r"(?<![\w)])-(?=\d)"
)
_SURNAMES = re.compile(
    "[王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶余潘杜戴夏钟汪"
    "田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎常武乔贺赖龚文]"
    "(?=老师|医生|大夫|经理|先生|女士|同学|教授|主任|阿姨|叔叔|师傅|律师|护士|总[^是有会])"
)
_PERCENT = re.compile(r"百分之([\d.零〇一二两三四五六七八九十百点]+)")
_SLIPS = (
    (re.compile(r"(?<=\d)\s?([ap])\.?\s?m\b\.?"), r" o\1m"),
    (re.compile(r"\b([01]?\d|2[0-3]):([0-5]\d)\b"), r"\1\2"),
    (re.compile(r"\bno\.? ?(?=#?\d)"), " "),
    (re.compile(r"\b(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\b"), r"\1 \2 \3"),
    (re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})[日号]"), r"\1 \2 \3"),
    (re.compile(r"\$([^$\n]{1,80})\$"), r"\1"),
    (re.compile(r"^\s*(?:\d{1,2}[.)、]|[-*•·])\s+", re.MULTILINE), " "),
    (re.compile(r"(?<=[a-z]{2})1(?=[a-z])"), "l"),
    (re.compile(r"(?<=[a-z]{2})0(?=[a-z])"), "o"),
)
_HAS_SLIP = re.compile(r"[\d$]|^\s*[-*•·]", re.MULTILINE)
_NEGATIVE = re.compile(r"^(?:un|in|im|ir|il|non|dis)(?=[a-z]{4})")
_NEGATED_BASES = frozenset(
    "safe able happy healthy usual likely common necessary important possible legal equal fair "  # noqa: SIM905
    "known certain comfortable natural wanted treat treated paid employed stable sure correct "
    "accurate complete effective active direct dependent adequate appropriate sufficient visible "
    "curable reversible regular resistant relevant rational responsible logical mortal moral "
    "polite mature perfect mobile patient pure balance smoking smoker alcoholic toxic fiction "
    "prescription invasive profit stop agree like approve allow connect continue honest obey "
    "recommended recommend advisable controlled diagnosed vaccinated insured married authorized "
    "available broken changed clear cooked familiar fertile finished harmed helpful hurt infected "
    "kind limited lucky met opened pleasant popular prepared reliable related restricted "
    "satisfied saturated signed skilled steady successful supervised tested tidy true used "
    "washed well willing wise worthy".split()
)


class Word(NamedTuple):
    """A word that means something."""

    form: str
    """As it is written, in lower case."""
    key: str
    """Its stem; words with equal ones are one."""
    listed: bool
    """Whether it follows the word before it in an enumeration."""
    light: bool = False
    """Whether it says something by its opposite alone."""


class Reading(NamedTuple):
    """What a text says, as far as two are compared by it."""

    plain: str
    """The text without courtesies, in lower case and simplified characters."""
    joined: str
    """The same without spaces."""
    words: tuple[Word, ...]
    keys: frozenset[str]
    groups: frozenset[str]
    """The groups of synonyms that its words stand in."""
    numbers: tuple[tuple[float, bool, str], ...]
    """Value, whether weak, and the word behind it, in order."""
    negations: int
    lights: frozenset[str]
    """Its other words: what is misspelt may be one of them."""
    chinese: bool
    clauses: int

    @property
    def intents(self) -> frozenset[str]:
        """What is wanted, beyond a how and a what."""
        return intents_of(self.plain)

    @property
    def content(self) -> str:
        """The words that mean something, and the numbers; of a text without any all of it."""
        words = [word.form for word in self.words if not word.light]
        words += [f"{value:g}" for value, weak, _ in self.numbers if not weak]
        return " ".join(words) or self.plain


@lru_cache(1 << 15)
def read(text: str) -> Reading:
    """Read a text."""
    plain = bare(text)
    if not plain.isascii():
        plain = _PERCENT.sub(r"\1%", _SURNAMES.sub("", plain))
    if _HAS_SLIP.search(plain):
        for pattern, instead in _SLIPS:
            plain = pattern.sub(instead, plain)
    if "'" in plain or "cannot" in plain or "cant" in plain:
        for pattern, instead in _CONTRACTIONS:
            plain = pattern.sub(instead, plain)
    reader = _Reader(plain)
    reader.read()
    words = tuple(reader.words)
    return Reading(
        plain,
        plain.replace(" ", ""),
        words,
        frozenset(word.key for word in words),
        _groups(words),
        tuple(reader.numbers),
        reader.negations,
        frozenset(reader.lights),
        has_unspaced(plain),
        len(re.findall(r"[,.;:!?，。；：！？\n]", plain.strip(" .?!。？！"))),
    )


def _groups(words: Iterable[Word]) -> frozenset[str]:
    found: set[str] = set()
    for word in words:
        lexicon = lexicon_of(word.key)
        found |= lexicon.group_of.get(word.key, frozenset())
    return frozenset(found)


class _Reader:
    """Goes through a text once."""

    def __init__(self, text: str) -> None:
        self.words: list[Word] = []
        self.numbers: list[tuple[float, bool, str]] = []
        self.negations = 0
        self.lights: set[str] = set()
        self._text = text
        self._quantities = {each.begin: each for each in chinese_and_digits(text)}
        self._between = ""
        self._waiting: list[tuple[float, bool]] = []

    def read(self) -> None:
        for piece in self._pieces():
            if isinstance(piece, tuple):
                self._waiting.append(piece)
            elif isinstance(piece, str):
                self._chinese(piece)
            else:
                self._english(piece)
        self._settle("")

    def _pieces(self) -> Iterator[tuple[float, bool] | list[str] | str]:
        """Numbers, runs of words, runs of Han characters."""
        run: list[str] = []
        place = 0
        while place < len(self._text):
            if number := self._quantities.get(place):
                if run:
                    yield run
                    run = []
                yield number.value, number.weak
                place = number.end
                continue
            found = _TOKEN.match(self._text, place)
            if not found:
                if self._text[place] in ",，、;":
                    run.append(",")
                place += 1
                continue
            token, place = found[0].strip(), found.end()
            if "\u3400" <= token[0] <= "\u9fff":
                if run:
                    yield run
                    run = []
                cut = min(
                    (start for start in self._quantities if found.start() < start < place),
                    default=place,
                )
                token, place = self._text[found.start() : cut], cut
                yield token
            else:
                run.append(token)
        if run:
            yield run

    def _english(self, run: list[str]) -> None:
        words = [stem(word) for word in run]
        lexicon = english()
        place = 0
        while place < len(words):
            if run[place] == ",":
                self._between += ","
                place += 1
                continue
            width, key = _longest(words, place, lexicon)
            form = " ".join(run[place : place + width])
            if width == 1 and (number := written_out(words[place : place + 8])) and form != "one":
                self._waiting.append((number[0], number[0] == 1))
                place += number[1]
                continue
            self._take(form, key, lexicon)
            place += width

    def _chinese(self, run: str) -> None:
        lexicon = chinese()
        place = 0
        unknown = ""
        while place < len(run):
            entry = next(
                (
                    run[place : place + width]
                    for width in range(min(8, len(run) - place), 0, -1)
                    if run[place : place + width] in lexicon.phrases
                ),
                "",
            )
            if not entry:
                unknown += run[place]
                place += 1
                continue
            if unknown:
                self._unknown(unknown)
                unknown = ""
            self._take(entry, entry, lexicon)
            place += len(entry)
        if unknown:
            self._unknown(unknown)

    def _unknown(self, run: str) -> None:
        self._mean(run, run, by=run[0])

    def _take(self, form: str, key: str, lexicon: Lexicon) -> None:
        light = key in lexicon.light or form in lexicon.light or form in {"a", "i"}
        if key in lexicon.neutral and key not in lexicon.group_of:
            if not form.isascii():
                self._add(form, key)
        elif key in lexicon.units and (self._waiting or key not in lexicon.group_of):
            self._mean(form, lexicon.units[key], by=lexicon.units[key])
        elif key in lexicon.negations or form in lexicon.negations:
            self.negations += 1
        elif key in lexicon.group_of or (key in lexicon.poles and not light):
            self._mean(form, key)
        elif light and key in lexicon.poles:
            self._add(form, key, light=True)
        elif light:
            self._between += f" {form}"
            self.lights.add(form)
        else:
            self._take_unlisted(form, key)

    def _take_unlisted(self, form: str, key: str) -> None:
        """A word of no list, without the syllable that denies it."""
        bare_form = _NEGATIVE.sub("", form) if form.isascii() else form
        if bare_form != form and bare_form in _NEGATED_BASES:
            self.negations += 1
            form, key = bare_form, stem(bare_form)
            if form in english().light:
                return
        self._mean(form, key)

    def _mean(self, form: str, key: str, by: str = "") -> None:
        """Take a word that numbers before it may count."""
        self._settle(by or key)
        self._add(form, key)

    def _add(self, form: str, key: str, *, light: bool = False) -> None:
        between, self._between = self._between.split(), ""
        listed = (
            bool(self.words)
            and bool(between)
            and all(
                word.strip(",") in {"", "and", "or", "和", "与", "或", "及", "以及", "或者"}
                for word in between
            )
        )
        self.words.append(Word(form, key, listed, light))

    def _settle(self, key: str) -> None:
        """Numbers that waited for the word behind them have it."""
        self.numbers.extend((value, weak, key) for value, weak in self._waiting)
        self._waiting = []


def _longest(words: list[str], place: int, lexicon: Lexicon) -> tuple[int, str]:
    for width in range(min(5, len(words) - place), 1, -1):
        joined = "_".join(words[place : place + width])
        if joined in lexicon.phrases:
            return width, joined
    return 1, words[place]
