"""Whether two texts that are much alike say different things, and what differs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sftrecipe_registry.shared.meaning.english_stems import related
from sftrecipe_registry.shared.meaning.lexicon import chinese, english, homophones
from sftrecipe_registry.shared.meaning.reading import Reading, Word, read
from sftrecipe_registry.shared.meaning.word_pairs import only, opposed, stands_in


class Difference(NamedTuple):
    """What one text says and the other does not."""

    kind: str
    """`negation`, `number`, `opposite`, `intent`, `word`, `order`."""
    first: str
    second: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.first or '-'} / {self.second or '-'}"


def difference(first: str, second: str) -> Difference | None:
    """The first fact in which the texts differ; None where they say the same.

    Symmetric but for the order of what is told.
    """
    one, other = read(first), read(second)
    if one.plain == other.plain:
        return None
    return next(_differences(one, other), None)


def says_the_same(first: str, second: str) -> bool:
    """Whether `difference` finds none, in a fraction of the time."""
    one, other = read(first), read(second)
    if one.plain == other.plain:
        return True
    if (one.negations - other.negations) % 2 or one.intents != other.intents:
        return False
    if not one.chinese and not other.chinese:
        for mine, theirs in ((one, other), (other, one)):
            if any(not word.light and not stands_in(word, theirs) for word in only(mine, theirs)):
                return False
    return next(_differences(one, other), None) is None


_ADDED = 3
"""Words that one text has more than the other, and is the same task nevertheless."""


def other_terms(first: str, second: str) -> Difference | None:
    """In what terms two texts made by one template differ; None where one only adds words.

    A number, an opposite, a negation, an order, or words of either side that the other lacks.
    """
    one, other = read(first), read(second)
    for found in _differences(one, other):
        if found.kind == "intent":
            continue
        told = found.first.split(), found.second.split()
        if found.kind != "word" or all(told) or max(map(len, told)) > _ADDED:
            return found
    return None


def _differences(one: Reading, other: Reading) -> Iterator[Difference]:
    yield from _numbers(one, other)
    if (one.negations - other.negations) % 2:
        yield Difference("negation", str(one.negations), str(other.negations))
    if one.intents != other.intents:
        told = [" ".join(sorted(each - same)) for each, same in _both(one.intents, other.intents)]
        yield Difference("intent", *told)
    left = [word for word in only(one, other) if not stands_in(word, other)]
    right = [word for word in only(other, one) if not stands_in(word, one)]
    yield from (Difference(*each) for each in opposed(left, right))
    left = [word for word in left if not word.light]
    right = [word for word in right if not word.light]
    if (left or right) and not slip_of_sound(one, other):
        yield Difference("word", _told(left), _told(right))
    yield from _order(one, other)


def numbers_differ(one: Reading, other: Reading) -> bool:
    """Whether the texts have other numbers, or other units behind them."""
    return next(_numbers(one, other), None) is not None


def other_numbers(one: Reading, other: Reading) -> bool:
    """Whether each text has a number that the other has not."""
    mine, theirs = Counter(_values(one)), Counter(_values(other))
    return bool(mine - theirs and theirs - mine)


def told_intents(one: Reading, other: Reading) -> bool:
    """Whether both texts tell what they want, and not the same."""
    return one.intents != other.intents


def order_differs(one: Reading, other: Reading) -> bool:
    """Whether the same words stand in another order."""
    return next(_order(one, other), None) is not None


def _both(
    one: frozenset[str], other: frozenset[str]
) -> list[tuple[frozenset[str], frozenset[str]]]:
    return [(one, other), (other, one)]


def _numbers(one: Reading, other: Reading) -> Iterator[Difference]:
    mine, theirs = _counted(one), _counted(other)
    left, right = mine - theirs, theirs - mine
    for rest in (left, right):
        for value in [value for value, weak in rest if weak]:
            del rest[value, True]
    plain_left = Counter({value: count for (value, _), count in left.items()})
    plain_right = Counter({value: count for (value, _), count in right.items()})
    if plain_left != plain_right:
        gone, come = plain_left - plain_right, plain_right - plain_left
        yield Difference("number", _listed(gone), _listed(come))
    elif _behind(one) != _behind(other):
        moved = _values(one) != _values(other)
        if moved or _measured_otherwise(one, other):
            yield Difference("number", _told_numbers(one), _told_numbers(other))


def _counted(reading: Reading) -> Counter[tuple[float, bool]]:
    return Counter((value, weak) for value, weak, _ in reading.numbers)


def _values(reading: Reading) -> list[float]:
    return [value for value, weak, _ in reading.numbers if not weak]


def _behind(reading: Reading) -> Counter[tuple[float, str]]:
    return Counter((value, key) for value, weak, key in reading.numbers if not weak)


def _measured_otherwise(one: Reading, other: Reading) -> bool:
    """Whether a value has another unit in the other text, or a unit another value."""
    mine, theirs = _measured(one), _measured(other)
    if _unit_moved(one, other):
        return True
    units, others = dict(mine), dict(theirs)
    values = {unit: {value for value, each in mine if each == unit} for _, unit in mine}
    return any(units.get(value, unit) != unit for value, unit in others.items()) or any(
        values.get(unit, {value}).isdisjoint({value}) for value, unit in theirs
    )


def _unit_moved(one: Reading, other: Reading) -> bool:
    """Whether both have the same units, behind another number or none: `15% of 240`, `15 is what
    percent of 240`."""
    units = english().unit_names | chinese().unit_names
    sides = (
        (
            {key for key in each.keys if key in units},
            {pair for pair in _behind(each) if pair[1] in units},
        )
        for each in (one, other)
    )
    (mine, measured), (theirs, others) = sides
    return mine == theirs and measured != others


def _measured(reading: Reading) -> list[tuple[float, str]]:
    """The numbers with a unit, ones that may be articles too."""
    units = english().unit_names | chinese().unit_names
    return [(value, key) for value, _, key in reading.numbers if key in units]


def _told_numbers(reading: Reading) -> str:
    return " ".join(f"{value:g} {key}".strip() for value, weak, key in reading.numbers if not weak)


def _listed(values: Sequence[float] | Counter[float]) -> str:
    return " ".join(f"{value:g}" for value in values)


def slip_of_sound(one: Reading, other: Reading) -> bool:
    """Whether Chinese texts differ in one character, or in a tenth, that sound alike."""
    if not one.chinese or len(one.plain) != len(other.plain):
        return False
    sounds = homophones()
    differing = [pair for pair in zip(one.plain, other.plain, strict=True) if pair[0] != pair[1]]
    return len(differing) <= max(1, len(one.plain) // 8) and all(
        first in sounds and sounds[first] == sounds.get(second) for first, second in differing
    )


def _told(words: list[Word]) -> str:
    return " ".join(word.form for word in words)


def _order(one: Reading, other: Reading) -> Iterator[Difference]:
    """The same words in another order: who does what to whom."""
    if _clauses(one.plain) == _clauses(other.plain):
        return
    if one.chinese and sorted(_letters(one.plain)) == sorted(_letters(other.plain)):
        if _letters(one.plain) != _letters(other.plain) and _DIRECTED.search(one.plain):
            yield Difference("order", one.plain, other.plain)
        return
    mine, theirs = _sequence(one, other), _sequence(other, one)
    if mine == theirs or Counter(mine) != Counter(theirs):
        return
    if len(mine) < 2 or len(mine) > 12 or _rotated(mine, theirs) or one.clauses or other.clauses:
        return
    yield Difference("order", " ".join(mine), " ".join(theirs))


_DIRECTED = re.compile(
    "[比给把被将到成为向使让咬]|战胜|打败|击败|引起|导致|造成|影响|属于|包含|大于|小于|转|换|是[^是]+的"
)
_PARTS = re.compile(r"[^\w\s]+|\n|、|\b(?:and|or)\b|和|与|及|或")


def _clauses(plain: str) -> list[str]:
    """The parts between signs and conjunctions, whatever their order."""
    return sorted(filter(None, (_letters(part) for part in _PARTS.split(plain))))


def _letters(plain: str) -> str:
    return "".join(filter(str.isalnum, plain))


def _sequence(reading: Reading, other: Reading) -> list[str]:
    """The words in order, those of an enumeration sorted, each as its like in the other text."""
    found: list[str] = []
    run: list[str] = []
    for word in reading.words:
        if not word.listed:
            found += sorted(run)
            run = []
        run.append(_shared_key(word, other))
    return found + sorted(run)


def _shared_key(word: Word, other: Reading) -> str:
    """The same for a word and what it has become in the other text: `japan`, `japanese`."""
    if word.key in other.keys:
        return word.key
    like = (each.key for each in other.words if related(word.key, each.key))
    return min([word.key, *like])


def _rotated(mine: list[str], theirs: list[str]) -> bool:
    """Whether a clause went from the end to the beginning."""
    return len(mine) > 3 and any(mine[at:] + mine[:at] == theirs for at in range(2, len(mine) - 1))
