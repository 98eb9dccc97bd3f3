"""Whether a text that shares most of another's characters is a copy of it, or says another fact."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from difflib import SequenceMatcher

from sftrecipe_registry.shared.meaning.difference import numbers_differ, order_differs, told_intents
from sftrecipe_registry.shared.meaning.lexicon import homophones, lexicon_of
from sftrecipe_registry.shared.meaning.reading import Reading, Word, read
from sftrecipe_registry.shared.meaning.word_pairs import only, opposed, stands_in

_ADDED = 3
"""Words that one copy may have more than the other."""
_ADDED_HAN = 6
"""The same in Chinese characters."""
_LONG = 40
"""Words of a text that say something, from which on only what stands in the same place of both is
compared: where one has a sentence more, the other is still its copy."""
_CHANGED = 4
"""Words as they are written that a copy may lack and have instead."""


def is_copy(first: str, second: str) -> bool:
    """Whether two texts alike by their characters are copies: no number, opposite, negation, and no
    word in the place of another is different. A few words more on one side make no difference."""
    if _much_differs(first, second):
        return False
    one, other = read(first), read(second)
    if one.joined == other.joined:
        return True
    if (one.negations - other.negations) % 2 or ("against" in one.lights) != (
        "against" in other.lights
    ):
        return False
    if min(len(one.words), len(other.words)) >= _LONG:
        return _numbers_held(one, other) and not any(
            _differ(*each) for each in _replaced(one, other)
        )
    return not (
        numbers_differ(one, other) or told_intents(one, other) or order_differs(one, other)
    ) and _short_copy(one, other)


def _much_differs(first: str, second: str) -> bool:
    """Whether words on both sides, as they are written, are too many to be slips: found at once."""
    if not (first.isascii() and second.isascii()):
        return False
    mine, theirs = set(first.lower().split()), set(second.lower().split())
    changed = min(len(mine - theirs), len(theirs - mine))
    return changed > max(_CHANGED, min(len(mine), len(theirs)) // 6)


def _numbers_held(one: Reading, other: Reading) -> bool:
    """Whether the texts have the same numbers, but for one that one of them has more."""
    mine, theirs = (
        Counter(value for value, weak, _ in each.numbers if not weak) for each in (one, other)
    )
    gone, come = mine - theirs, theirs - mine
    return not (gone and come) and gone.total() + come.total() <= 1


def _short_copy(one: Reading, other: Reading) -> bool:
    left = [word for word in only(one, other) if not stands_in(word, other)]
    right = [word for word in only(other, one) if not stands_in(word, one)]
    if next(opposed(left, right), None):
        return False
    if any(_differ(*each) for each in _replaced(one, other)):
        return False
    left, right = _said(left), _said(right)
    if left and right:
        return _slips(left, right)
    return _few(left + right)


def _few(words: list[Word]) -> bool:
    """Whether these are few enough to be added to a copy, and none makes another case of it."""
    spaced = sum(word.form.isascii() for word in words)
    characters = sum(len(word.form) for word in words if not word.form.isascii())
    return spaced <= _ADDED and characters <= _ADDED_HAN and not any(map(_specifies, words))


def _specifies(word: Word) -> bool:
    """Whether a word names a case of its own: an organ, a disease, a drug, one end of an axis."""
    lexicon = lexicon_of(word.form)
    return (
        word.key in lexicon.classes
        or word.key in lexicon.poles
        or word.form == "non"
        or not word.form.replace(" ", "").isalpha()
    )


def _replaced(
    one: Reading, other: Reading
) -> Iterator[tuple[list[Word], list[Word], Reading, Reading]]:
    """The words that stand in the same place of both."""
    mine = [word.key for word in one.words]
    theirs = [word.key for word in other.words]
    matcher = SequenceMatcher(None, mine, theirs, autojunk=False)
    for kind, begin, end, start, stop in matcher.get_opcodes():
        if kind == "replace":
            yield [*one.words[begin:end]], [*other.words[start:stop]], one, other


def _differ(left: list[Word], right: list[Word], one: Reading, other: Reading) -> bool:
    """Whether words in the place of others say another fact, or the opposite."""
    if next(opposed(left, right), None):
        return True
    left = [word for word in _said(left) if not stands_in(word, other)]
    right = [word for word in _said(right) if not stands_in(word, one)]
    return bool(left and right) and not _slips(left, right)


def _said(words: list[Word]) -> list[Word]:
    return [word for word in words if not word.light]


_LETTERS = re.compile(r"[^\W_]")


def _slips(left: list[Word], right: list[Word]) -> bool:
    """Whether what differs is written as it sounds, or is no word at all."""
    mine, theirs = ("".join(word.form for word in words) for words in (left, right))
    mine, theirs = ("".join(_LETTERS.findall(each)) for each in (mine, theirs))
    if mine == theirs:
        return bool(mine)
    if mine.isascii() or len(mine) != len(theirs):
        return False
    sounds = homophones()
    pairs = [pair for pair in zip(mine, theirs, strict=True) if pair[0] != pair[1]]
    return all(one in sounds and sounds[one] == sounds.get(other) for one, other in pairs)
