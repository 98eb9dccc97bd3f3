"""Whether two words mean the same by what is listed or by their spelling, or the opposite."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from functools import lru_cache

from rapidfuzz.distance import OSA

from sftrecipe_registry.shared.meaning.english_stems import related
from sftrecipe_registry.shared.meaning.lexicon import chinese, english, lexicon_of
from sftrecipe_registry.shared.meaning.reading import Reading, Word


def only(one: Reading, other: Reading) -> list[Word]:
    """Words of one that the other has not in any form that is spelt alike."""
    return [word for word in one.words if word.key not in other.keys]


def stands_in(word: Word, other: Reading) -> bool:
    """Whether a word stands in a text by a synonym, another form or a misspelling."""
    key = word.key
    if key in english().unit_names or key in chinese().unit_names:
        return False
    if key in english().names or key in chinese().names or _within(word, other):
        return True
    groups = groups_of(key)
    return bool(groups and not groups.isdisjoint(other.groups)) or _spelt(word, other)


def _within(word: Word, other: Reading) -> bool:
    """Whether the other text holds it as a part: words are not always cut the same."""
    if word.form.isascii():
        return len(word.form) > 4 and word.form in other.joined
    if len(word.form) > 1 and word.form in other.plain:
        return True
    return word.key not in chinese().phrases and not _rest(word.form, other.plain)


def _spelt(word: Word, other: Reading) -> bool:
    """Whether a word of the other text is another form of it, or one of both is misspelt."""
    if not word.form.isascii() or len(word.form) < 4:
        return False
    first = word.form[0]
    return any(misspelt(word.form, each) for each in other.lights if each[0] == first) or any(
        related(word.key, each.key) or misspelt(word.form, each.form)
        for each in other.words
        if each.form[0] == first
    )


def groups_of(key: str) -> frozenset[str]:
    """The groups of synonyms that hold a word."""
    return lexicon_of(key).group_of.get(key, frozenset())


def _rest(run: str, plain: str) -> str:
    """The characters of a run that stand nowhere in the other text, or there by themselves."""
    matcher = SequenceMatcher(None, run, plain, autojunk=False)
    covered = {
        at
        for block in matcher.get_matching_blocks()
        if block.size > 1 or (block.size == 1 and len(run) == 1)
        for at in range(block.a, block.a + block.size)
    }
    return "".join(each for at, each in enumerate(run) if at not in covered and each not in plain)


@lru_cache(1 << 16)
def misspelt(one: str, other: str) -> bool:
    """Whether one is the other with a slip of the fingers, and not another word.

    Letters of the inside swapped, doubled or left out, of long words one replaced. Opposites and
    words that a list knows are no misspellings of one another.
    """
    shorter, apart = min(len(one), len(other)), abs(len(one) - len(other))
    if shorter < 3 or one[0] != other[0] or apart > 2 or not one.isalpha():
        return False
    if _squeezed(one) == _squeezed(other):
        return True
    if shorter < 4:
        return False
    if OSA.distance(one, other, score_cutoff=1) > 1 or _prefixed(one, other):
        return False
    return sorted(one) == sorted(other) or shorter > (4 if apart else 6)


def _squeezed(word: str) -> str:
    """Each letter once where it is doubled."""
    return re.sub(r"(.)\1", r"\1", word)


def opposed(left: list[Word], right: list[Word]) -> Iterator[tuple[str, str, str]]:
    """Pairs that are opposites, or of one class: the kind of difference, and both."""
    for one in left:
        for other in right:
            lexicon = lexicon_of(one.form)
            ends = dict(lexicon.poles.get(one.key, ()))
            theirs = dict(lexicon.poles.get(other.key, ()))
            if _prefixed(one.form, other.form):
                yield "opposite", one.form, other.form
            if any(axis in theirs and theirs[axis] != end for axis, end in ends.items()):
                yield "opposite", one.form, other.form
            if lexicon.classes.get(one.key, frozenset()) & lexicon.classes.get(
                other.key, frozenset()
            ):
                yield "word", one.form, other.form


_PREFIXES = (
    ("hyper", "hypo"), ("pre", "post"), ("macro", "micro"), ("intra", "inter"), ("intra", "extra"),
    ("over", "under"), ("in", "out"), ("en", "de"), ("inter", "extra"), ("endo", "exo"),
    ("ad", "ab"), ("anti", "pro"), ("im", "ex"), ("in", "ex"), ("up", "down"), ("mono", "poly"),
    ("homo", "hetero"), ("tachy", "brady"), ("vaso", "broncho"), ("ante", "post"), ("eu", "dys"),
    ("proxi", "dis"), ("quadri", "para"), ("hemi", "para"), ("an", ""), ("anti", ""), ("de", ""),
    ("dis", ""), ("mis", ""), ("non", ""), ("sub", "super"), ("nephr", "neur"),
)  # fmt: skip


@lru_cache(1 << 16)
def _prefixed(one: str, other: str) -> bool:
    """Whether the words have opposite prefixes before the same rest: `hyper`, `hypo`."""
    for first, second in _PREFIXES:
        for mine, theirs in ((first, second), (second, first)):
            rest = one.removeprefix(mine)
            if one.startswith(mine) and len(rest) > 2 and other == theirs + rest:
                return True
    return False
