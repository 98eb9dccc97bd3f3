"""The right answers of a benchmark's question, and whether a row gives one of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sftrecipe_registry.filters.repeats.plain_numbers import plain_numbers

_ANSWERS = (
    "answer",
    "answers",
    "answerkey",
    "answer_key",
    "correct_answer",
    "correct",
    "best_answer",
    "gold",
    "target",
    "targets",
    "label",
    "solution",
    "答案",
    "正确答案",
)
_CHOICES = ("choices", "options", "option", "candidates", "endings", "选项")
_LONGEST = 60
"""Characters of an answer that rows may give in the same words."""
_LOOKED_AT = 120
"""Characters of a row's answer: what is right comes first, and then why."""
_BRIEF = 30
"""Characters of an answer that says one thing, and not another in other words."""
_ALIKE = 70
"""Likeness of two answers, of 100, that may be one."""
_CLAUSE = re.compile(r"[。，：；\n]|[.,:;](?!\d)")
_FIGURES = re.compile(r"\d+(?:\.\d+)?(?:[/^]\d+)?")
_WORDS = re.compile(r"[^\W\d_\u3400-\u9fff]+(?:['’][a-z]+)?")
_HAN_RUN = re.compile(r"[\u3400-\u9fff]+")
_ASIDE = re.compile(r"[(（\[][^)）\]]*[)）\]]")
_LIGHT = frozenset("the a an of in on at to it is was by from for with all about than".split())  # noqa: SIM905
_SAYS_NOTHING = frozenset(
    "yes no true false none both neither correct incorrect"  # noqa: SIM905
    " 是 否 对 错 不是 正确 错误 有 无 没有".split()
)
_UNITS_BEHIND = 2
"""Characters that may follow a Chinese answer within its clause: `表皮` and `表皮层`."""


def right_answers(columns: Mapping[str, Any]) -> tuple[str, ...]:
    """What a benchmark's row says is right, as texts; empty where it is long or not told."""
    lowered = {key.lower(): value for key, value in columns.items()}
    told = next((lowered[name] for name in _ANSWERS if lowered.get(name) not in (None, "")), None)
    choices = _choices(lowered)
    if told is None or (isinstance(told, int) and not choices and told == lowered.get("label")):
        return ()
    texts = [told] if isinstance(told, (str, int)) else [*leaf_texts(told)]
    found = [_in_words(text, choices) for text in texts]
    return tuple(text for text in found if text and len(text) <= _LONGEST)


def _choices(lowered: Mapping[str, Any]) -> list[str]:
    held = next((lowered[name] for name in _CHOICES if lowered.get(name)), None)
    if held is None:
        lettered = [lowered.get(letter) for letter in "abcdefgh"]
        return [text for text in lettered if isinstance(text, str)]
    if isinstance(held, Mapping) and "text" in held:
        held = held["text"]
    return [*leaf_texts(held)]


def _in_words(told: str | int, choices: Sequence[str]) -> str:
    """An answer as a text: of a letter or number the option that it tells."""
    if isinstance(told, int):
        return choices[told] if 0 <= told < len(choices) else str(told)
    text = told.rpartition("####")[2].strip()
    bare = text.strip("()（）.、 ").upper()
    if len(bare) == 1 and bare.isascii() and bare.isalpha() and choices:
        place = ord(bare) - ord("A")
        return choices[place] if place < len(choices) else ""
    return text


def leaf_texts(value: Any) -> Iterator[str]:
    """Every text in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from leaf_texts([*value.values()])
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from leaf_texts(item)


def gives(
    right: Sequence[str], options: Sequence[str], answer: str, *, translated: bool
) -> bool | None:
    """Whether an answer says what is right; False where it says other numbers, another option, or
    briefly something else; None where nothing can be said."""
    said = plain_numbers(answer[:_LOOKED_AT]).strip()
    known = [plain_numbers(_ASIDE.sub("", text)).strip() for text in right]
    known = [text for text in known if text and text.strip(" .。") not in _SAYS_NOTHING]
    if not known or not said:
        return None
    first = _CLAUSE.split(said, maxsplit=1)[0]
    if all(_other_figures(text, first) for text in known):
        return False
    others = [option for option in map(plain_numbers, options) if option not in known]
    names_other = any(_stands_in(other, said) for other in others if len(other) > 1)
    if any(_stands_in(text, said) for text in known):
        return None if names_other and not _is_first(known, others, said) else True
    if names_other:
        return False
    brief = not translated and len(said) <= _BRIEF
    return False if brief and all(_unlike(text, said) for text in known) else None


def _unlike(text: str, said: str) -> bool:
    from rapidfuzz import fuzz  # noqa: PLC0415 - 20 ms

    return max(fuzz.ratio(text, said), fuzz.partial_ratio(text, said)) < _ALIKE


def _is_first(known: Sequence[str], others: Sequence[str], said: str) -> bool:
    """Whether the first sentence tells what is right and no other option."""
    first = re.split(r"[.。;；\n](?!\d)", said, maxsplit=1)[0]
    return any(_stands_in(text, first) for text in known) and not any(
        _stands_in(other, first) for other in others if len(other) > 1
    )


def _other_figures(text: str, said: str) -> bool:
    mine, theirs = set(_FIGURES.findall(text)), set(_FIGURES.findall(said))
    return bool(mine and theirs) and not mine <= theirs


@lru_cache(1 << 12)
def _stands_in(text: str, said: str) -> bool:
    """Whether all words and numbers of a text stand in another."""
    figures = set(_FIGURES.findall(text))
    words = {word for word in _WORDS.findall(text) if word not in _LIGHT}
    runs = _HAN_RUN.findall(text)
    if not figures <= set(_FIGURES.findall(said)):
        return False
    if figures and not words:
        return True
    if not words <= set(_WORDS.findall(said)):
        return False
    return bool(figures or words or runs) and all(_han_stands_in(run, said) for run in runs)


def _han_stands_in(run: str, said: str) -> bool:
    """Whether a Chinese answer stands there and is not the beginning of a longer name."""
    return bool(re.search(rf"{run}(?![\u3400-\u9fff]{{{_UNITS_BEHIND + 1}}})", said))
