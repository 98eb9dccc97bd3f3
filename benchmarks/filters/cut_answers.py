"""Real answers cut at random as a token limit cuts them, and what `unfinished` finds of them.

python benchmarks/filters/cut_answers.py FILE … [--show 10]

FILE: JSON or JSON Lines of rows with an instruction and output, or conversations.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import jieba
import jieba.posseg
from real_answers import Real

from sftrecipe_registry.filters.format.open_syntax import is_code
from sftrecipe_registry.filters.format.unfinished_ends import unfinished
from sftrecipe_registry.filters.format.word_lists import word_list
from sftrecipe_registry.shared.text.scripts import has_unspaced

KNOWN = ("word", "function", "mark", "phrase")
"""Kinds of places where a cut can be known; behind a whole `clause` it cannot."""
_WORDS_EN = re.compile(r"\s*\w+(?:['’]\w+)*|\s*[^\w\s]|\s+")
_FUNCTION_ZH = frozenset("pcufdr")
_WHOLE_MARKS = "。！？!?.…"
_CLAUSE_MARKS = "，,；;：:、)）(（"


class Cut(NamedTuple):
    """A beginning of an answer and the kind of place where it stops."""

    asked: str
    text: str
    kind: str


def cuts(row: Real, rng: random.Random, count: int) -> Iterator[Cut]:
    """So many cuts of one answer, amidst words and between them; fewer where they hit its marks."""
    text = row.answer.strip()
    zh = has_unspaced(text[:200])
    ends, functions = _word_ends(text, zh)
    for _ in range(count if len(text) > 20 else 0):
        at = rng.randrange(8, len(text))
        if rng.random() > (0.4 if zh else 0.25):
            at = ends[min(bisect_left(ends, at), len(ends) - 1)]
        cut = text[:at].rstrip()
        kind = _kind(text, len(cut), ends, functions)
        if kind and cut:
            yield Cut(row.asked, cut, kind)


def _word_ends(text: str, zh: bool) -> tuple[list[int], set[int]]:
    """Where words end, and which of these ends are of words that nothing ends with."""
    if zh:
        tokens = [(each.word, each.flag[0] in _FUNCTION_ZH) for each in jieba.posseg.cut(text)]
    else:
        words = word_list("unfinished_words")
        tokens = [(word, word.strip().lower() in words) for word in _WORDS_EN.findall(text)]
    ends = list(accumulate(len(word) for word, _ in tokens))
    return ends, {end for end, (_, function) in zip(ends, tokens, strict=True) if function}


def _kind(text: str, at: int, ends: Sequence[int], functions: set[int]) -> str | None:
    if at >= len(text) or text[at - 1] in _WHOLE_MARKS or "\n" in text[at : at + 2]:
        return None
    if text[at - 1] in _CLAUSE_MARKS:
        return "mark"
    if text[at].isalnum() and text[at - 1].isalnum() and ends[bisect_left(ends, at)] != at:
        return "word"
    if not text[at : at + 2].strip()[:1].isalnum():
        return "clause"
    return "function" if at in functions else "phrase"


def rows_of(path: Path) -> Iterator[Real]:
    """What was asked and answered; of a conversation the last turn."""
    text = path.read_text("utf-8")
    rows = json.loads(text) if text[0] == "[" else [*map(json.loads, text.splitlines())]
    for row in rows:
        asked, answer = _asked_and_answered(row)
        if answer.strip():
            yield Real(path.stem, asked, answer)


def _asked_and_answered(row: dict[str, Any]) -> tuple[str, str]:
    if "conversations" not in row:
        return "\n".join(filter(None, (row["instruction"], row.get("input")))), row["output"]
    turns = row["conversations"]
    asked = [turn["value"] for turn in turns if turn["from"] in ("human", "user")]
    chosen = row.get("chosen", turns[-1]["value"])
    return asked[-1], chosen["value"] if isinstance(chosen, dict) else chosen


def is_prose(text: str) -> bool:
    """Neither code nor a table."""
    return "```" not in text and "|" not in text and not is_code(text)


def _judge(rows: Sequence[Real], cut: Iterable[Cut], show: int) -> str:
    found: Counter[str] = Counter()
    total: Counter[str] = Counter()
    missed = []
    for each in cut:
        total[each.kind] += 1
        hit = unfinished(each.asked, each.text) is not None
        found[each.kind] += hit
        if not hit and each.kind in KNOWN:
            missed.append(each)
    wrong = [row for row in rows if unfinished(row.asked, row.answer)]
    for row in random.Random(1).sample(wrong, min(show, len(wrong))):
        print(f"  FOUND  {row.asked[-50:]!r} {row.answer[-120:]!r}")
    for miss in random.Random(1).sample(missed, min(show, len(missed))):
        print(f"  MISSED {miss.kind} {miss.text[-80:]!r}")
    known, hits = (sum(counts[kind] for kind in KNOWN) for counts in (total, found))
    kinds = "  ".join(f"{kind} {found[kind]}/{total[kind]}" for kind in (*KNOWN, "clause"))
    return f"found of whole {len(wrong)}/{len(rows)}  of cut {hits / max(1, known):.3f}  {kinds}"


def main() -> None:
    """A line a file: how many whole answers are found, and how many cut ones by the place."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--show", type=int, default=0)
    parser.add_argument("--cuts", type=int, default=1_000)
    asked = parser.parse_args()
    jieba.setLogLevel(40)
    for path in asked.files:
        rows = [*rows_of(path)]
        rng = random.Random(3)
        prose = [row for row in rows if row.answer.rstrip()[-1] in _WHOLE_MARKS]
        picked = [row for row in prose if is_prose(row.answer) and len(row.answer) > 40]
        some = rng.sample(picked, min(len(picked), asked.cuts // 2))
        cut = [each for row in some for each in cuts(row, rng, 4)][: asked.cuts]
        print(f"{path.stem:<12} {_judge(rows, cut, asked.show)}", flush=True)


if __name__ == "__main__":
    main()
