"""What a benchmark's row asks: its question, the options beside it, the answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sftrecipe_registry.filters.repeats.right_answers import leaf_texts, right_answers

_QUESTIONS = (
    ("instruction", "input", "instances"),
    ("question",),
    ("query",),
    ("prompt",),
    ("problem",),
    ("turns",),
    ("messages",),
    ("conversations",),
    ("context", "ctx"),
    ("sentence",),
    ("stem",),
    ("title",),
    ("text",),
    ("content",),
    ("input",),
    ("task",),
    ("问题",),
    ("题目",),
    ("题干",),
    ("提问",),
    ("指令",),
)
"""Columns that hold a question, the first that is there: two that hold its parts stand together."""
_OPTIONS = frozenset(
    {"options", "choices", "option", "choice", "candidates", "distractors", "endings"}
    | {"mc1_targets", "mc2_targets", "选项", "选择"}
)
_OPTION_LETTERS = frozenset("abcdefgh")


class Item(NamedTuple):
    """A text of a benchmark."""

    benchmark: str
    name: str
    """What tells it among all: file and line, or a row's id."""
    text: str
    options: tuple[str, ...] = ()
    """What there is to choose from."""
    answers: tuple[str, ...] = ()
    """What is right: an option that a letter or number tells, or a short text."""
    asks: bool = True
    """Whether it is the question: of other texts no more than long runs are looked for."""


def items_of(
    columns: Mapping[str, Any], named: Sequence[str], benchmark: str, name: str
) -> Iterator[Item]:
    """The texts of a benchmark's row to look for: its question with its options, and whatever is
    no option.

    `named` are columns that hold questions, by the user's word; then nothing else is looked for.
    """
    options, answers = tuple(_options(columns)), right_answers(columns)
    if named:
        for text in leaf_texts([columns.get(each) for each in named]):
            yield Item(benchmark, name, text, options, answers)
        return
    asked, used = _question(columns)
    if asked:
        yield Item(benchmark, name, asked, options, answers)
    left = [
        value
        for key, value in columns.items()
        if key not in used and not _is_option(key) and not key.lower().endswith("id")
    ]
    for text in leaf_texts(left):
        yield Item(benchmark, name, text, options, asks=not asked)


def _question(columns: Mapping[str, Any]) -> tuple[str, frozenset[str]]:
    """The question, and the columns that it stands in; empty where none is known to hold one."""
    lowered = {key.lower(): key for key in columns}
    for names in _QUESTIONS:
        keys = [lowered[name] for name in names if name in lowered]
        texts = [text for key in keys for text in _asked(columns[key])]
        if any(map(str.strip, texts)):
            return "\n".join(filter(str.strip, texts)), frozenset(keys)
    return "", frozenset()


def _asked(value: Any) -> list[str]:
    """A text, the first of several, of turns what the user says first, of instances the input."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, (list, tuple)):
        for turn in value:
            if isinstance(turn, str):
                return [turn]
            if isinstance(turn, Mapping):
                if isinstance(turn.get("input"), str):
                    return [turn["input"]]
                role = turn.get("role") or turn.get("from")
                said = turn.get("content") or turn.get("value")
                if role in ("user", "human") and isinstance(said, str):
                    return [said]
    if isinstance(value, Mapping):
        return _asked(value.get("stem") or value.get("text"))
    return []


def _is_option(key: str) -> bool:
    lowered = key.lower()
    if lowered in _OPTIONS or lowered in _OPTION_LETTERS:
        return True
    head, _, tail = lowered.rpartition("_")
    return head in {"option", "op", "choice", "ending", "incorrect", "distractor"} and bool(tail)


def _options(columns: Mapping[str, Any]) -> Iterator[str]:
    for key, value in columns.items():
        if _is_option(key):
            yield from _bare(leaf_texts(value))


def _bare(texts: Iterable[str]) -> Iterator[str]:
    """Without letters that only number them."""
    return (text for text in texts if len(text.strip(" .:)、")) > 1)
