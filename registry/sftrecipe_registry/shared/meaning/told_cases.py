"""Whether a text tells more of a case than another: one more symptom asks another question."""

from __future__ import annotations

import re
from functools import cache

from sftrecipe_registry.shared.meaning.english_stems import stem
from sftrecipe_registry.shared.meaning.reading import Reading, Word, read
from sftrecipe_registry.shared.meaning.word_pairs import only, stands_in

_OWN = re.compile(r"\b(?:i|my|we|our)\b|我|本人")
"""Who tells of himself, or of his own."""
_OF_NO_CASE = (
    "cause reason problem issue matter wrong behind think know explain tell help suggest recommend "
    "advise advice guess wonder possible possibly likely happen go concern concerned worry worried "
    "afraid something serious symptom condition situation feel experience notice suffer get have "
    "start begin seem appear relate related contract act acting diagnose diagnosed develop "
    "lately recent recently past last day week month year hour minute morning today tonight now "
    "while time couple several ago since always often sometimes constant constantly persistent "
    "extremely really very severe severely bad badly terrible lot much quite bit pretty bother "
    "bothering need want please find idea understand answer question see look make come keep "
    "continue sure certain able try thing way kind sort hi hello doctor advance thank currently "
    "still already just suddenly somewhat slightly definitely actually honestly basically "
    "最近 近来 近期 目前 现在 今天 昨天 这几天 几天 一段时间 原因 缘故 问题 "
    "怎么回事 情况 症状 觉得 感觉 感到 出现 发现 有点 有些 非常 特别 十分 很 严重 厉害 "
    "医生 大夫 可能 一直 经常 总是 开始 知道 担心 想 办 帮 看看 请问 天 周 月 年"
)


def tells_more(first: str, second: str) -> bool:
    """Whether one of two people's own cases has what the other lacks, or one an item more."""
    one, other = read(first), read(second)
    added = [_added(one, other), _added(other, one)]
    if any(_enumerated(word, one) for word in added[0]) or any(
        _enumerated(word, other) for word in added[1]
    ):
        return True
    own = _OWN.search(one.plain) and _OWN.search(other.plain)
    return bool(own) and any(word.key not in _idle() for words in added for word in words)


def _added(one: Reading, other: Reading) -> list[Word]:
    return [word for word in only(one, other) if not word.light and not stands_in(word, other)]


def _enumerated(word: Word, reading: Reading) -> bool:
    """Whether it is one of several things; a Chinese comma parts clauses, not things."""
    if word.form.isascii() or not word.listed:
        return word.listed
    return any(f"{mark}{word.form}" in reading.plain for mark in "、和与及或")


@cache
def _idle() -> frozenset[str]:
    """Words that ask, or tell since when and how much, by their stems."""
    return frozenset(map(stem, _OF_NO_CASE.split()))
