"""Answers that say the same again and again: loops, repeated sentences, sentences in rotation."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from operator import eq
from typing import NamedTuple

from sftrecipe_registry.filters.format.open_syntax import is_code
from sftrecipe_registry.filters.format.text_parts import clauses, units
from sftrecipe_registry.filters.format.word_lists import word_list
from sftrecipe_registry.shared.text.scripts import UNSPACED, has_unspaced

_VERBATIM = re.compile(
    r"\b(?:repeat\w*|repetit\w+|\w+ times|over and over|chants?|mantras?|prayer|litany"
    r"|tongue.?twisters?|drills?"
    r"|affirmations?|sequence|pattern|ascii|dna|palindrome|onomatopoeia|counting|echo"
    r"|stutter\w*|loop\w*|matrix|binary"
    r"|output \d+|\d+ (?:dashes|stars|zeros)|rewrite|rephras\w+|paraphras\w+|rearrange"
    r"|variations?|versions|synonym\w*"
    r"|different ways|cumulative|traditional)\b"
    r"|重复|反复|抄写|遍|绕口令|咒语|祷|叠词|叠字|循环|序列|规律|口诀|字符画|矩阵|二进制"
    r"|[01]{16,}|学.{0,3}叫|输出\d+个|拟声|引导语|改写|换.{0,2}说法|造句|变体",
    re.IGNORECASE,
)
_VERSE = re.compile(
    r"\b(?:songs?|lyrics|chorus|refrains?|poems?|haiku|villanelle|pantoum|rhymes?|lullaby"
    r"|nursery|anaphora|speech|carol|hymn"
    r"|limerick|ballad|rap|beat|cheers?|jingles?|parody|verses?|vows)\b"
    r"|歌|诗(?!人)|词牌|童谣|排比|口号|朗诵|演讲|誓词|顺口溜|快板|说唱|打油|对联|押韵|标语",
    re.IGNORECASE,
)
_DATA = re.compile(
    r"\b(?:multiplication|times tables?|print|tables?|schedule|timetable|log|csv|dataset"
    r"|decimals?|chess|knitting|json|tabs?|melody|sheet music|notation|formulas?|workouts?"
    r"|training plan|unit tests?)\b"
    r"|乘法|表|日志|CSV|小数|JSON|记录|谱|旋律|公式|健身|锻炼|训练计划|测试用例|单元测试",
    re.IGNORECASE,
)
_CODE_ASKED = re.compile(
    r"\b(?:code|function|script|program\w*|python|javascript|java|sql|html|css|class|tests?|regex"
    r"|excel|spreadsheet|unity|react|api)\b|代码|函数|脚本|程序|编程|测试|正则|表格",
    re.IGNORECASE,
)
_FENCED = re.compile(r"^[ \t]*```.*?^[ \t]*```[ \t]*$", re.MULTILINE | re.DOTALL)
_DAY = re.compile(
    r"(?m)^\W*(?:星期|周|礼拜|第\S{1,2}[天周]|(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?"
    r"|sun)(?:day)?\b|(?:day|week) \d)",
    re.IGNORECASE,
)
"""Lines of a plan for several days, which may be alike."""
_NUMBERED = re.compile(
    r"(?m)^[ \t]*(?:(?:step|chapter|tip|day|item|question|part|reason)\s*)?\**(?:\d{1,3}"
    r"|[a-z])\s*(?:[.)、,]|[:：](?!\d))\**[ \t]*"
    r"|^[ \t]*第?\s*[一二三四五六七八九十百\d]{1,4}\s*[、.步章条点天：:][：:、]?[ \t]*"
    r"|^[ \t]*[-*•][ \t]+"
)
_CHARACTERS = re.compile(r"([^\W\d_])\1{14,}|(?:([!?！？。~～])\s?){25,}|(?:\.\s){20,}")
_THRICE = re.compile(r"(.)\1\1", re.DOTALL)
_TOKENS = re.compile(r"\w+")
_DRAWN = re.compile(r"[-`√×√=_*~#.·─━│┃┄┈|+<>/\\\s:█▀▄■□●○☆★]+")
_NESTED = re.compile(r"\W*\w+[(（]\W*")
"""A function's call within its own call."""
_WORDS = re.compile(rf"[{UNSPACED}]|[a-z]+|\d+")
_GRAM = 6
_LOOKED_AT = 8_000
_DENSE = (
    (120, 1.25),
    (200, 1.4),
    (300, 1.58),
    (450, 1.75),
    (800, 1.93),
    (1_300, 2.2),
    (2_000, 2.4),
    (1_000_000, 2.5),
)
"""Bytes up to which a text is looked at closely from this ratio to its compressed size on."""
_OVERHEAD = 6
_PROBE, _PROBE_ZH = 6, 3
"""Characters of the passages that are looked for again, one behind the other."""
_LONG, _TAIL = 700, 400
"""Characters from which on the end is looked at by itself, and how many."""
_DOUBLED = re.compile(rf"\b([a-z]+)\W+\1\b|([{UNSPACED}]{{1,4}})\2", re.IGNORECASE)
_SAME_LINES = 6
_STUTTERING = 1_000
"""Characters that are looked at for it."""
_MOST_OF_IT = 0.6
_ROTATING = 0.25
_STUTTER = re.compile(rf"\b([a-z]+)(?:\W+\1\b){{2,}}|([{UNSPACED}]{{1,3}})\2{{2,}}", re.IGNORECASE)
_SHOWN = 60


class Repeated(NamedTuple):
    """How much of a text says again what came before, and what it is."""

    share: float
    text: str


def repeated(asked: str, answer: str, most: float) -> Repeated | None:
    """What is said again and again, where it is more than `most` of the answer or a loop.

    Where a song, a table, a drill … is asked for, repetition is the answer.
    """
    text = answer[:_LOOKED_AT]
    if len(text) < 12 or not (_dense(text) or (len(text) > _LONG and _dense(text[-_TAIL:]))):
        return None
    asked = asked[:600]
    if "```" in text:
        if looping := _same_code_lines(text):
            return looping
        text = _FENCED.sub("\n", text).strip() or answer[-12:]
    if _VERBATIM.search(asked):
        return None
    plain = " ".join(_NUMBERED.sub("\n", text.lower()).split())
    bare = _NUMBERED.sub("\n", text)
    found = (
        _characters(text)
        or (_follows_itself(plain) and _loop(plain, most, 1))
        or _said_again(bare, most)
        or _stutter(text[:_STUTTERING])
        or _rotating(bare)
    )
    if not found:
        return None
    if _VERSE.search(asked):
        return _poor_verse(text)
    return _loop(plain, most, 2) if _may_be_alike(asked, text) else found


def _same_code_lines(text: str) -> Repeated | None:
    """A line of code that stands there many times in a row."""
    for line, group in groupby(filter(None, map(str.strip, text.splitlines()))):
        count = sum(1 for _ in group)
        if count > _SAME_LINES and any(map(str.isalpha, line)):
            return Repeated(count * len(line) / len(text), line[:_SHOWN])
    return None


def _may_be_alike(asked: str, text: str) -> bool:
    """Data, code or a plan by days: their parts are alike, and only long loops tell."""
    if _DATA.search(asked) or len(_DAY.findall(text)) > 3:
        return True
    return _CODE_ASKED.search(asked) is not None and is_code(text)


def _characters(text: str) -> Repeated | None:
    if not _may_hold_characters(text):
        return None
    found = _CHARACTERS.search(text)
    return Repeated(len(found[0]) / len(text), found[0][:_SHOWN]) if found else None


def _may_hold_characters(text: str) -> bool:
    """Whether every fifth character is the same three times, or there are many final marks."""
    return (
        _THRICE.search(text[::5]) is not None
        or sum(map(text.count, "!?！？。~～")) >= 25
        or text.count(".") >= 20
    )


def _dense(text: str) -> bool:
    data = text.encode()
    pressed = zlib.compressobj(1, zlib.DEFLATED, -12, 4)
    ratio = len(data) / (_OVERHEAD + len(pressed.compress(data) + pressed.flush()))
    return ratio > next(least for most, least in _DENSE if len(data) <= most)


def _follows_itself(text: str) -> bool:
    """Whether at any of many places a passage is followed by itself: without one, no loop."""
    size = _PROBE_ZH if has_unspaced(text) else _PROBE
    for at in range(0, len(text) - size, size):
        again = text.find(text[at : at + size], at + 1)
        if again > 0 and text.startswith(text[at:again], again):
            return True
    return False


def _poor_verse(text: str) -> Repeated | None:
    """A song or poem of hardly any lines."""
    lines = [line.strip() for line in text.lower().splitlines() if line.strip()]
    if len(lines) < 6 or len(set(lines)) > 0.35 * len(lines):
        return None
    return Repeated(1 - len(set(lines)) / len(lines), lines[-1][:_SHOWN])


def _stutter(text: str) -> Repeated | None:
    """Words three times in a row at three places, or twice in a row all over the text."""
    if text.isascii() and _same_neighbours(text) < 3:
        return None
    for pattern, places, least in ((_STUTTER, 3, 0.0), (_DOUBLED, 4, 0.6)):
        found = list(pattern.finditer(text))
        size = sum(len(match[0]) for match in found) / len(text)
        if len(found) >= places and size > least:
            return Repeated(size, found[0][0][:_SHOWN])
    return None


def _same_neighbours(text: str) -> int:
    """How many words are the same as the one before."""
    words = _TOKENS.findall(text.lower())
    return sum(map(eq, words, words[1:]))


def _loop(text: str, most: float, factor: int) -> Repeated | None:
    """A passage that stands there several times in a row."""
    zh = has_unspaced(text)
    for unit, count, covered in _runs(text):
        if (
            _DRAWN.fullmatch(unit)
            or _NESTED.fullmatch(unit)
            or (unit.strip().isdigit() and covered < 60)
        ):
            continue
        share = covered * (count - 1) / count / len(text)
        if (
            count >= factor * _enough(unit, zh)
            or (
                factor == 1 and count >= 3.8 and len(unit) > 2 and covered > _MOST_OF_IT * len(text)
            )
            or (
                factor == 1
                and len(_bare(unit)) >= (15 if zh else 40)
                and count >= 2
                and share > most
            )
        ):
            return Repeated(share, unit.strip()[:_SHOWN])
    return None


def _enough(unit: str, zh: bool) -> float:
    """Times that a passage of this length must follow itself: the longer, the fewer."""
    size = len(unit) * (2.5 if zh else 1)
    return 10 if size < 4 else 6 if size < 8 else 5 if size < 14 else 4 if size < 24 else 3


def _runs(text: str) -> Iterator[tuple[str, float, int]]:
    """Passages that follow themselves: the passage, how often, and the characters they cover."""
    last: dict[str, int] = {}
    lag = length = 0
    for at in range(len(text) - _GRAM + 1):
        gram = text[at : at + _GRAM]
        found = at - last.get(gram, at)
        last[gram] = at
        if found and found == lag:
            length += 1
            continue
        if lag and length + _GRAM >= lag:
            yield _run(text, at, lag, length)
        lag, length = found, 1
    if lag and length + _GRAM >= lag:
        yield _run(text, len(text) - _GRAM + 1, lag, length)


def _run(text: str, end: int, lag: int, length: int) -> tuple[str, float, int]:
    covered = length + _GRAM - 1 + lag
    start = end - length - lag
    return text[start : start + lag], covered / lag, covered


def _said_again(text: str, most: float) -> Repeated | None:
    """Sentences, lines or clauses that stood there before, one of them at least three times."""
    for parts, times in ((units, 3), (clauses, 4)):
        said = [*map(_bare, parts(text))]
        said = [part for part in said if len(part) > (4 if has_unspaced(part) else 10)]
        counts = Counter(said)
        if not counts:
            continue
        again = sum(len(part) * (count - 1) for part, count in counts.items())
        part, count = counts.most_common(1)[0]
        share = again / sum(map(len, said))
        if share > most and (count >= times or (share > 0.45 and count >= 2 and len(said) > 3)):
            return Repeated(share, part[:_SHOWN])
    return None


def _bare(unit: str) -> str:
    return (
        " ".join(_WORDS.findall(unit.lower()))
        if unit.isascii()
        else re.sub(r"[\W_]+", "", unit.lower())
    )


def _rotating(text: str) -> Repeated | None:
    """Sentences of which hardly a word is new."""
    if any(map(text.__contains__, "`|={")):
        return None
    sentences = [sentence for sentence in units(text) if sentence.strip()]
    if not 4 <= len(sentences) <= 30:
        return None
    often = word_list("said_often")
    seen: set[str] = set()
    fresh = total = numbers = 0
    for at, sentence in enumerate(sentences):
        words = [_stem(word) for word in _WORDS.findall(sentence.lower()) if word not in often]
        if at:
            fresh += len(set(words) - seen)
            total += len(set(words))
        numbers += sum(map(str.isdigit, words))
        seen.update(words)
    if total < 10 or numbers * 6 > total or fresh / total > _ROTATING:
        return None
    return Repeated(1 - fresh / total, sentences[-1].strip()[:_SHOWN])


def _stem(word: str) -> str:
    return word[:4] if word.isascii() else word


def repetition_is_wanted(asked: str) -> bool:
    """Whether a song, a drill, a table … is asked for."""
    return any(kind.search(asked[:600]) for kind in (_VERBATIM, _VERSE, _DATA))
