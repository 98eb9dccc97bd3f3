"""Fit the model of cut ends on real answers, cut at random, against the whole ones.

python benchmarks/filters/train_endings.py --write [--more FILE …]

FILE: rows to learn from beside those of ../shared/data, as `cut_answers.py` reads them.
"""

from __future__ import annotations

import argparse
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from cut_answers import KNOWN, cuts, is_prose, rows_of
from logistic_fit import Example, chances, fit
from real_answers import real_rows
from refusal_examples import HERE, Labelled, labelled_rows
from train_refusals import WEIGHTS, precision_and_recall

from sftrecipe_registry.filters.format.ending_features import ending_features
from sftrecipe_registry.filters.format.phrase_weights import table
from sftrecipe_registry.shared.text.scripts import has_unspaced

LEAST, RIDGE, MARK_RIDGE = 3, 1e-5, 1e-5
STEPS = 150
SMALLEST = {"en": 0.5, "zh": 0.5}
"""Weights below it are left out of the table."""
LABELLED = 6.0
"""Weight of a labelled row."""
CUTS = 6
"""Cuts of an answer, and as many sentences of it."""
WHOLE, SENTENCE, CLAUSE, WRITTEN = 4.0, 1.0, 1.0, 3.0
_STOP = ".!?。！？"
_SENTENCE_END = re.compile(r"[.!?](?=\s|$)|[。！？]")


def _example(asked: str, text: str, label: bool, weight: float) -> tuple[str, Example]:
    language, phrases, marks = ending_features(asked, text)
    return language, Example(frozenset(phrases), frozenset(marks), label, weight)


def _open(text: str) -> bool:
    """Whether the rules by signs leave the text to the model."""
    return bool(text) and (text[-1].isalnum() or text[-1] in "-—–%")


def cut_and_whole(language: str, more: Sequence[Path]) -> Iterator[Example]:
    """Answers cut where a cut can be known, and whole clauses bereft of their final mark."""
    rng = random.Random(11)
    for row in (*real_rows(), *chain.from_iterable(map(rows_of, more))):
        text = row.answer.strip()
        if has_unspaced(text[:200]) != (language == "zh") or not is_prose(text):
            continue
        made = [(each.text, True, 1.0) for each in cuts(row, rng, CUTS) if each.kind in KNOWN]
        made += [(whole, False, weight) for whole, weight in _whole(rng, text, row.source)]
        for shown, label, weight in made:
            if len(shown) > 3 and _open(shown):
                found, example = _example(row.asked, shown, label, weight)
                if found == language:
                    yield example


def _whole(rng: random.Random, text: str, source: str) -> Iterator[tuple[str, float]]:
    """The answer, its sentences with and without those before, and the same without marks."""
    yield text, WHOLE
    ends = [found.start() for found in _SENTENCE_END.finditer(text)]
    for end in rng.sample(ends, min(len(ends), CUTS)):
        yield text[:end], SENTENCE
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > 2 and all(line.rstrip()[-1] in _STOP for line in lines[-2:]):
        yield "\n".join(line.rstrip().rstrip(_STOP) for line in lines), SENTENCE
    if source != "chatdoctor_3000":
        yield rng.choice(_SENTENCE_END.split(text)).strip(), SENTENCE
        if len(lines) == 1:
            yield from ((part, CLAUSE) for part in rng.sample(*_two_of(_clauses(text))))


def _two_of(parts: list[str]) -> tuple[list[str], int]:
    return parts, min(2, len(parts))


def _clauses(text: str) -> list[str]:
    """Parts between marks, which stand for titles, names and slogans."""
    parts = (part.strip() for part in re.split(r"[,.!?;:，。！？；：、\n]", text))
    return [part for part in parts if 3 < len(part) < 40]


def written_ends(language: str) -> Iterator[Example]:
    """Whole answers without a final mark: lists of terms, labels, menus, signed letters, data."""
    path = HERE / "training" / f"unmarked.{language}.txt"
    for line in path.read_text("utf-8").splitlines() if path.exists() else ():
        asked, answer = line.split("\t")
        if _open(answer):
            yield _example(asked, answer.replace("\\n", "\n"), False, WRITTEN)[1]


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
    parser.add_argument("--more", nargs="*", default=[], type=Path)
    parser.add_argument("--no-figures", action="store_true")
    parser.add_argument("languages", nargs="*", default=["en", "zh"])
    asked = parser.parse_args()
    for language in asked.languages:
        examples = [*cut_and_whole(language, asked.more), *written_ends(language)]
        labelled = labelled_rows(language, "unfinished")
        print(language, len(examples), sum(example.label for example in examples))
        if not asked.no_figures:
            _judge(examples, labelled)
        if asked.write:
            for rows in labelled.values():
                examples += _labelled(rows, LABELLED)
            weights = fit(examples, LEAST, RIDGE, MARK_RIDGE, STEPS)
            kept = {k: w for k, w in weights.items() if abs(w) > SMALLEST[language] or k == "@bias"}
            (WEIGHTS / f"ending.{language}.tsv").write_text(table(kept), "utf-8")


if __name__ == "__main__":
    main()
