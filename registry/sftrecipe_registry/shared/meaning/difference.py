"""Whether two texts that are much alike say different things, and what differs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from rapidfuzz.distance import OSA

from sftrecipe_registry.shared.meaning.english_stems import related
from sftrecipe_registry.shared.meaning.lexicon import chinese, english
from sftrecipe_registry.shared.meaning.reading import Reading, Word, read

Alike = Callable[[str, str], bool]
"""Whether two words, or short phrases, mean about the same."""


class Difference(NamedTuple):
    """What one text says and the other does not."""

    kind: str
    """`negation`, `number`, `opposite`, `intent`, `word`, `order`."""
    first: str
    second: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.first or '-'} / {self.second or '-'}"


def difference(first: str, second: str, alike: Alike | None = None) -> Difference | None:
    """The first fact in which the texts differ; None where they say the same.

    Symmetric but for the order of what is told. `alike` serves for words that no list knows as
    synonyms; left out: such words differ.
    """
    one, other = read(first), read(second)
    if one.plain == other.plain:
        return None
    return next(_differences(one, other, alike), None)


def _differences(one: Reading, other: Reading, alike: Alike | None) -> Iterator[Difference]:
    yield from _numbers(one, other)
    left, right = _only(one, other), _only(other, one)
    yield from _opposites(left, right)
    if (one.negations - other.negations) % 2:
        yield Difference("negation", str(one.negations), str(other.negations))
    if one.intents != other.intents:
        told = [" ".join(sorted(each - same)) for each, same in _both(one.intents, other.intents)]
        yield Difference("intent", *told)
    left, right = _unlike(left, other, right, alike), _unlike(right, one, left, alike)
    if left or right:
        yield Difference("word", _told(left), _told(right))
    yield from _order(one, other)


def _both(one: frozenset[str], other: frozenset[str]) -> list[tuple[frozenset[str], frozenset[str]]]:
    return [(one, other), (other, one)]


def _numbers(one: Reading, other: Reading) -> Iterator[Difference]:
    mine, theirs = _counted(one), _counted(other)
    left, right = mine - theirs, theirs - mine
    for only in (left, right):
        for value in [value for value, weak in only if weak]:
            del only[value, True]
    plain_left = Counter({value: count for (value, _), count in left.items()})
    plain_right = Counter({value: count for (value, _), count in right.items()})
    if plain_left != plain_right:
        gone, come = plain_left - plain_right, plain_right - plain_left
        yield Difference("number", _listed(gone), _listed(come))
    elif _behind(one) != _behind(other):
        moved = _values(one) != _values(other)
        units = _measured(one), _measured(other)
        if moved or any(units[0].get(value, unit) != unit for value, unit in units[1].items()):
            yield Difference("number", _told_numbers(one), _told_numbers(other))


def _counted(reading: Reading) -> Counter[tuple[float, bool]]:
    return Counter((value, weak) for value, weak, _ in reading.numbers)


def _values(reading: Reading) -> list[float]:
    return [value for value, weak, _ in reading.numbers if not weak]


def _behind(reading: Reading) -> Counter[tuple[float, str]]:
    return Counter((value, key) for value, weak, key in reading.numbers if not weak)


def _measured(reading: Reading) -> dict[float, str]:
    """The unit of each number that has one."""
    units = english().unit_names | chinese().unit_names
    return {value: key for value, weak, key in reading.numbers if not weak and key in units}


def _told_numbers(reading: Reading) -> str:
    return " ".join(f"{value:g} {key}".strip() for value, weak, key in reading.numbers if not weak)


def _listed(values: Sequence[float] | Counter[float]) -> str:
    return " ".join(f"{value:g}" for value in values)


def _only(one: Reading, other: Reading) -> list[Word]:
    """Words of one that the other has not, by itself or by a listed synonym."""
    missing = [word for word in one.words if word.key not in other.keys]
    return [word for word in missing if not _stands_in(word, other)]


def _stands_in(word: Word, other: Reading) -> bool:
    if word.key in english().unit_names or word.key in chinese().unit_names:
        return False
    if not word.form.isascii():
        if len(word.form) > 1 and word.form in other.plain:
            return True
        if word.key not in chinese().phrases and not _rest(word.form, other.plain):
            return True
    elif word.form in other.plain.replace(" ", "") and len(word.form) > 4:
        return True
    if word.key in english().names or word.key in chinese().names:
        return True
    if word.form.isascii() and any(misspelt(word.form, each) for each in other.lights):
        return True
    return any(_synonyms(word, each) for each in other.words)


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


def _synonyms(one: Word, other: Word) -> bool:
    lexicon = english() if one.form.isascii() else chinese()
    mine = lexicon.group_of.get(one.key)
    if mine and mine & lexicon.group_of.get(other.key, frozenset()):
        return True
    if not one.form.isascii() or not other.form.isascii():
        return False
    return related(one.key, other.key) or misspelt(one.form, other.form)


def misspelt(one: str, other: str) -> bool:
    """Whether one is the other with a slip of the fingers, and not another word.

    Letters of the inside swapped, doubled or left out, of long words one replaced. Opposites and
    words that a list knows are no misspellings of one another.
    """
    shorter = min(len(one), len(other))
    if shorter < 4 or one[0] != other[0] or abs(len(one) - len(other)) > 1 or not one.isalpha():
        return False
    if OSA.distance(one, other, score_cutoff=1) > 1:
        return False
    if sorted(one) == sorted(other):
        return True
    if len(one) != len(other):
        return shorter > 4
    return shorter > 6


def _opposites(left: list[Word], right: list[Word]) -> Iterator[Difference]:
    for one in left:
        for other in right:
            lexicon = english() if one.form.isascii() else chinese()
            ends = dict(lexicon.poles.get(one.key, ()))
            theirs = dict(lexicon.poles.get(other.key, ()))
            if _prefixed(one.form, other.form):
                yield Difference("opposite", one.form, other.form)
            if any(axis in theirs and theirs[axis] != end for axis, end in ends.items()):
                yield Difference("opposite", one.form, other.form)
            if lexicon.classes.get(one.key, frozenset()) & lexicon.classes.get(
                other.key, frozenset()
            ):
                yield Difference("word", one.form, other.form)


_PREFIXES = (
    ("hyper", "hypo"), ("pre", "post"), ("macro", "micro"), ("intra", "inter"), ("intra", "extra"),
    ("over", "under"), ("in", "out"), ("en", "de"), ("inter", "extra"), ("endo", "exo"),
    ("ad", "ab"), ("anti", "pro"), ("im", "ex"), ("in", "ex"), ("up", "down"), ("mono", "poly"),
    ("homo", "hetero"), ("tachy", "brady"), ("vaso", "broncho"), ("ante", "post"), ("eu", "dys"),
    ("proxi", "dis"), ("quadri", "para"), ("hemi", "para"), ("an", ""), ("anti", ""), ("de", ""),
    ("dis", ""), ("mis", ""), ("non", ""), ("sub", "super"), ("nephr", "neur"),
)  # fmt: skip


def _prefixed(one: str, other: str) -> bool:
    """Whether the words have opposite prefixes before the same rest: `hyper`, `hypo`."""
    for first, second in _PREFIXES:
        for mine, theirs in ((first, second), (second, first)):
            rest = one.removeprefix(mine)
            if one.startswith(mine) and len(rest) > 2 and other == theirs + rest:
                return True
    return False


def _unlike(
    words: list[Word], other: Reading, others: list[Word], alike: Alike | None
) -> list[Word]:
    """Those of which the other text has nothing alike."""
    if alike is None or not words:
        return words
    return [
        word for word in words if not any(alike(word.form, each.form) for each in other.words)
    ]


def _told(words: list[Word]) -> str:
    return " ".join(word.form for word in words)


def _order(one: Reading, other: Reading) -> Iterator[Difference]:
    """The same words in another order: who does what to whom."""
    if _clauses(one.plain) == _clauses(other.plain):
        return
    if one.chinese and sorted(_letters(one.plain)) == sorted(_letters(other.plain)):
        if _letters(one.plain) != _letters(other.plain):
            yield Difference("order", one.plain, other.plain)
        return
    mine, theirs = _sequence(one), _sequence(other)
    if mine == theirs or Counter(mine) != Counter(theirs):
        return
    if len(mine) < 2 or len(mine) > 12 or _rotated(mine, theirs) or one.clauses or other.clauses:
        return
    yield Difference("order", " ".join(mine), " ".join(theirs))


_PARTS = re.compile(r"[^\w\s]+|\n|、|\b(?:and|or)\b|和|与|及|或")


def _clauses(plain: str) -> list[str]:
    """The parts between signs and conjunctions, whatever their order."""
    return sorted(filter(None, (_letters(part) for part in _PARTS.split(plain))))


def _letters(plain: str) -> str:
    return "".join(filter(str.isalnum, plain))


def _sequence(reading: Reading) -> list[str]:
    """The words in order, those of an enumeration sorted."""
    found: list[str] = []
    run: list[str] = []
    for word in reading.words:
        if not word.listed:
            found += sorted(run)
            run = []
        run.append(word.key)
    return found + sorted(run)


def _rotated(mine: list[str], theirs: list[str]) -> bool:
    """Whether a clause went from the end to the beginning."""
    return len(mine) > 3 and any(
        mine[at:] + mine[:at] == theirs for at in range(2, len(mine) - 1)
    )
