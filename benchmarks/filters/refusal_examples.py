"""Texts to learn refusals from: written ones, what is composed of them, real and labelled rows.

A refusal alone, between courtesies and before advice to ask others is one; the same sentence
before a real answer, or as the text that was asked for, is none.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import yaml
from logistic_fit import Example
from real_answers import Real, real_rows

from sftrecipe import Record
from sftrecipe_registry.filters.format.refusal_features import language_of, refusal_features
from sftrecipe_registry.filters.format.substance import stems
from sftrecipe_registry.shared.meaning.traditional import simplified
from sftrecipe_registry.shared.text.asked import answered_text, asked_text

HERE = Path(__file__).parent
_DECLINES = re.compile(
    r"sorry|apolog|unable|cannot|can't|refus|declin|reject|letter|e-?mail|customer|translate"
    r"|无法|抱歉|对不起|不能|拒绝|婉|信|邮件|翻译|客",
    re.IGNORECASE,
)
_MAYBE = re.compile(
    r"sorry|unable|cannot|can't|won't|rather not|as an ai|无法|抱歉|对不起|不能|"
    r"作为.{0,6}(?:AI|人工|语言)",
    re.IGNORECASE,
)
_SHARED_BY = 4
"""Refusals that a stem stands in at least to count as one that refusals share."""
_WRITTEN = {"answered": False, "directed": False, "evaded": True, "deflected": True}
"""Files of written questions and answers, and whether these refuse."""
_MAYBE_LONGEST = 600
"""Characters of a real answer that may be a refusal: such rows are not learned from unlabelled."""


class Labelled(NamedTuple):
    """An example and the group that must not be parted between learning and judging."""

    group: str
    asked: str
    answer: str
    label: bool
    weight: float = 1.0

    def example(self, said: frozenset[str] | None = None) -> Example:
        """What the model sees of it; `said`: the stems that refusals share."""
        phrases, marks = refusal_features(self.asked, self.answer, said)
        return Example(frozenset(phrases), frozenset(marks), self.label, self.weight)


def labelled_rows(language: str, task: str = "refusal") -> dict[str, list[Labelled]]:
    """The rows that people labelled, by author."""
    paths = {"first": HERE / "rows" / "tuned" / f"{task}.{language}.jsonl"}
    for origin in ("second", "third"):
        path = HERE / "training" / f"{task}.{origin}.{language}.jsonl"
        paths |= {origin: path} if path.exists() else {}
    return {origin: list(_labelled(path)) for origin, path in paths.items()}


def said_often(rows: Sequence[Labelled]) -> frozenset[str]:
    """Stems that the refusals among the rows share, beside those of their questions."""
    counts: Counter[str] = Counter()
    for row in rows:
        if row.label:
            counts.update(stems(row.answer) - stems(row.asked))
    return frozenset(stem for stem, count in counts.items() if count >= _SHARED_BY)


def _labelled(path: Path) -> Iterator[Labelled]:
    for line in simplified(path.read_text("utf-8")).splitlines():
        row = json.loads(line)
        record = Record("row", row["columns"], "data")
        marked = row.get("label", False) is True
        yield Labelled(row["kind"], asked_text(record), answered_text(record), marked)


def ordinary_rows(language: str) -> Iterator[Labelled]:
    """Answers labelled for other tasks, which are no refusals."""
    for task in ("unfinished", "repetition", "pii", "language", "safety"):
        path = HERE / "rows" / "tuned" / f"{task}.{language}.jsonl"
        for row in _labelled(path) if path.exists() else ():
            if row.answer.strip() and language_of(row.answer) == language and not _may_refuse(row):
                yield Labelled("ordinary", row.asked, row.answer, False)


def written_rows(language: str) -> Iterator[Labelled]:
    """All that is made of the texts in `training/`, and the real rows."""
    rng = random.Random(7)
    real = [row for row in real_rows() if language_of(row.answer) == language]
    refused = _lines(f"refused.{language}.txt")
    around = yaml.safe_load((HERE / "training" / f"around.{language}.yaml").read_text("utf-8"))
    questions = [row.asked for row in real if not _DECLINES.search(row.asked)]
    answers = [row for row in real if not _may_refuse(row) and len(row.answer) > 15]
    between = "" if language == "zh" else " "
    for sentence in refused:
        yield Labelled("written", rng.choice(questions), sentence, True, 1.5)
        for _ in range(3):
            text = between.join(_surrounded(rng, sentence, refused, around))
            yield Labelled("written", rng.choice(questions), text, True, 0.5)
        yield from _answered_after_all(rng, sentence, around, answers, between)
    yield from _asked_for(rng, refused, around["asked"])
    for name, label in _WRITTEN.items():
        for line in _lines(f"{name}.{language}.txt"):
            asked, answer = line.split("\t")
            yield Labelled("written", asked, answer.replace("\\n", "\n"), label, 1.5)
    yield from ordinary_rows(language)
    yield from (Labelled("real", r.asked, r.answer, False, 0.7) for r in real if not _may_refuse(r))


def _surrounded(
    rng: random.Random, sentence: str, refused: Sequence[str], around: dict[str, list[str]]
) -> list[str]:
    before = rng.sample(around["before"], rng.choice((0, 0, 1, 1, 2)))
    after = rng.sample(around["after"], rng.choice((0, 1, 1, 2, 3, 4)))
    second = [rng.choice(refused)] if rng.random() < 0.3 else []
    return [*before, sentence, *second, *after]


def _answered_after_all(
    rng: random.Random,
    sentence: str,
    around: dict[str, list[str]],
    answers: Sequence[Real],
    between: str,
) -> Iterator[Labelled]:
    """A limit before a real answer, and courtesies around one."""
    for _ in range(2):
        row = rng.choice(answers)
        if len(row.answer) > 80:
            before = rng.sample(around["before"], rng.choice((0, 0, 1)))
            parts = [*before, sentence, rng.choice(around["turns"]), row.answer]
            yield Labelled("written", row.asked, between.join(filter(None, parts)), False, 0.7)
    row = rng.choice(answers)
    before = rng.sample(around["before"], rng.choice((0, 1)))
    after = rng.sample(around["after"], rng.choice((0, 1, 2)))
    yield Labelled("written", row.asked, between.join([*before, row.answer, *after]), False, 0.7)


def _asked_for(
    rng: random.Random, refused: Sequence[str], questions: Sequence[str]
) -> Iterator[Labelled]:
    """Refusals that are the text that was asked for."""
    for sentence in rng.sample(list(refused), len(refused) * 2 // 5):
        answer = rng.choice(("{}", "“{}”", "{}")).format(sentence)
        yield Labelled("written", rng.choice(questions).format(sentence), answer, False)


def _may_refuse(row: Real | Labelled) -> bool:
    return len(row.answer) < _MAYBE_LONGEST and _MAYBE.search(row.answer[:150]) is not None


def _lines(name: str) -> list[str]:
    text = simplified((HERE / "training" / name).read_text("utf-8"))
    return [line for line in text.splitlines() if line.strip()]
