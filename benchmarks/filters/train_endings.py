"""Fit the model of cut ends on real answers, cut at random, against the whole ones.

python benchmarks/filters/train_endings.py --write
"""

from __future__ import annotations

import argparse
import random
import re
from collections.abc import Iterator

from logistic_fit import Example, chances, fit
from real_answers import real_rows
from refusal_examples import tuned_rows
from train_refusals import SMALLEST, WEIGHTS, precision_and_recall

from sftrecipe_registry.filters.format.ending_features import ending_features
from sftrecipe_registry.filters.format.open_syntax import is_code
from sftrecipe_registry.filters.format.phrase_weights import table
from sftrecipe_registry.shared.text.scripts import has_unspaced

LEAST, RIDGE, MARK_RIDGE = 3, 1e-5, 1e-5
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


def main() -> None:
    """Figures on the labelled rows, and the weights where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--tuned", action="store_true", help="learn from the labelled rows too")
    asked = parser.parse_args()
    for language in ("en", "zh"):
        examples = list(cut_and_whole(language))
        if asked.tuned:
            examples += [
                _example(row.asked, row.answer.rstrip(), row.label, 2)[1]
                for row in tuned_rows(language, "unfinished")
                if _open(row.answer.rstrip())
            ]
        weights = fit(examples, LEAST, RIDGE, MARK_RIDGE)
        rows = [
            _example(row.asked, row.answer.rstrip(), row.label, 1)[1]
            for row in tuned_rows(language, "unfinished")
            if _open(row.answer.rstrip())
        ]
        found = chances(weights, rows)
        print(language, len(examples), sum(e.label for e in examples), len(rows))
        for threshold in (0.3, 0.5, 0.7, 0.8, 0.9, 0.95):
            figures = precision_and_recall(found, [row.label for row in rows], threshold)
            print(f"{language} {threshold:.2f}  P {figures[0]:.3f}  R {figures[1]:.3f}", flush=True)
        if asked.write:
            kept = {k: w for k, w in weights.items() if abs(w) > SMALLEST or k == "@bias"}
            (WEIGHTS / f"ending.{language}.tsv").write_text(table(kept), "utf-8")


if __name__ == "__main__":
    main()
