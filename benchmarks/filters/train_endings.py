"""Fit the model of cut ends on real answers, cut at random, against the whole ones.

python benchmarks/filters/train_endings.py --write
"""

from __future__ import annotations

import argparse
import random
import re
from collections.abc import Iterable, Iterator

from logistic_fit import Example, chances, fit
from real_answers import real_rows
from refusal_examples import Labelled, labelled_rows
from train_refusals import WEIGHTS, precision_and_recall

from sftrecipe_registry.filters.format.ending_features import ending_features
from sftrecipe_registry.filters.format.open_syntax import is_code
from sftrecipe_registry.filters.format.phrase_weights import table
from sftrecipe_registry.shared.text.scripts import has_unspaced

LEAST, RIDGE, MARK_RIDGE = 3, 1e-5, 1e-5
STEPS = 150
SMALLEST = {"en": 0.4, "zh": 0.3}
"""Weights below it are left out of the table."""
LABELLED = 6.0
"""Weight of a labelled row."""
CUTS = {"en": 3, "zh": 8}
_STOP = ".!?。！？"


def _example(asked: str, text: str, label: bool, weight: float) -> tuple[str, Example]:
    language, phrases, marks = ending_features(asked, text)
    return language, Example(frozenset(phrases), frozenset(marks), label, weight)


def _open(text: str) -> bool:
    """Whether the rules by signs leave the text to the model."""
    return bool(text) and (text[-1].isalnum() or text[-1] in "-—–%")


def cut_and_whole(language: str) -> Iterator[Example]:
    """Cut answers, whole ones without final punctuation, and whole ones bereft of it."""
    rng = random.Random(11)
    for row in real_rows():
        text = row.answer.strip()
        if has_unspaced(text[:200]) != (language == "zh") or "```" in text or is_code(text):
            continue
        for _ in range(CUTS[language]):
            cut = _cut(rng, text, language).rstrip()
            if len(cut) > 8 and _open(cut):
                found, example = _example(row.asked, cut, True, 1.0)
                if found == language:
                    yield example
        for whole, weight in _whole(rng, text, row.source):
            if _open(whole):
                found, example = _example(row.asked, whole, False, weight)
                if found == language:
                    yield example


def _cut(rng: random.Random, text: str, language: str) -> str:
    at = rng.randrange(1, max(2, len(text)))
    if language == "zh" or rng.random() < 0.25:
        return text[:at]
    end = text.find(" ", at)
    return text[: end if end > 0 else at]


def _whole(rng: random.Random, text: str, source: str) -> Iterator[tuple[str, float]]:
    yield text, 4.0
    bare = text.rstrip(_STOP)
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) == 1 and not re.search(r"[.!?]\s|[。！？]", bare):
        yield bare, 2.0
    if len(lines) == 1 and source != "chatdoctor_3000":
        for part in rng.sample(_clauses(text), min(2, len(_clauses(text)))):
            yield part, 1.5
    if len(lines) > 2 and all(line.rstrip()[-1] in _STOP for line in lines[-2:]):
        yield "\n".join(line.rstrip().rstrip(_STOP) for line in lines), 1.0
    sentences = re.split(r"(?<=[.!?])\s+|(?<=[。！？])", text)
    chosen = rng.choice(sentences).strip().rstrip(_STOP)
    if len(chosen) > 3 and source != "chatdoctor_3000":
        yield chosen, 2.0


def _clauses(text: str) -> list[str]:
    """Parts between marks, which stand for titles, names and slogans."""
    parts = (part.strip() for part in re.split(r"[,.!?;:，。！？；：、\n]", text))
    return [part for part in parts if 3 < len(part) < 40]


def _labelled(rows: Iterable[Labelled], weight: float) -> list[Example]:
    """The labelled rows that the rules by signs leave to the model."""
    return [
        _example(row.asked, row.answer.rstrip(), row.label, weight)[1]
        for row in rows
        if _open(row.answer.rstrip())
    ]


def _judge(examples: list[Example], labelled: dict[str, list[Labelled]]) -> None:
    """Figures of every author's rows by a model of the others'."""
    for held, rows in labelled.items():
        others = [row for name in labelled if name != held for row in labelled[name]]
        weights = fit([*examples, *_labelled(others, LABELLED)], LEAST, RIDGE, MARK_RIDGE, STEPS)
        judged = _labelled(rows, 1)
        found = chances(weights, judged)
        for threshold in (0.3, 0.5, 0.6, 0.7, 0.8, 0.9):
            figures = precision_and_recall(found, [each.label for each in judged], threshold)
            print(f"{held} {threshold:.2f}  P {figures[0]:.3f}  R {figures[1]:.3f}", flush=True)


def main() -> None:
    """Figures, and the weights where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    for language in ("en", "zh"):
        examples = list(cut_and_whole(language))
        labelled = labelled_rows(language, "unfinished")
        print(language, len(examples), sum(example.label for example in examples))
        _judge(examples, labelled)
        if asked.write:
            for rows in labelled.values():
                examples += _labelled(rows, LABELLED)
            weights = fit(examples, LEAST, RIDGE, MARK_RIDGE, STEPS)
            kept = {k: w for k, w in weights.items() if abs(w) > SMALLEST[language] or k == "@bias"}
            (WEIGHTS / f"ending.{language}.tsv").write_text(table(kept), "utf-8")


if __name__ == "__main__":
    main()
