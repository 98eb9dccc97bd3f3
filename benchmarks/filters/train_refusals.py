"""Fit the model of refusals, judge it on rows of authors it has not seen.

python benchmarks/filters/train_refusals.py           # figures: learned of two authors, on a third
python benchmarks/filters/train_refusals.py --write   # and the weights that the filter ships
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from logistic_fit import Example, chances, fit
from refusal_examples import HERE, Labelled, labelled_rows, said_often, written_rows

from sftrecipe_registry.filters.format.phrase_weights import table
from sftrecipe_registry.filters.format.refusal_signs import refuses, sends_away
from sftrecipe_registry.filters.format.refusals import AT_A_GLANCE, least_probability
from sftrecipe_registry.filters.format.substance import at_a_glance

FORMAT = HERE.parents[1] / "registry/sftrecipe_registry/filters/format"
WEIGHTS = FORMAT / "weights"
LEAST, RIDGE, MARK_RIDGE, STEPS = 2, 1e-5, 1e-4, 150
FACTORS = (0.3, 0.5, 0.7, 1.0, 1.3, 1.6)
"""Of the probability that an answer of its kind must have."""
LABELLED = 3.0
"""Weight of a labelled row."""
SMALLEST = {"refusal": 0.24, "glance": 0.4}
"""Weights below it are left out of the table."""


def precision_and_recall(
    found: Sequence[float], wanted: Sequence[bool], threshold: float
) -> tuple[float, float]:
    """Of those at or above the threshold the share that is right, and the share of the right."""
    hits = sum(chance >= threshold and label for chance, label in zip(found, wanted, strict=True))
    taken = sum(chance >= threshold for chance in found)
    return hits / max(taken, 1), hits / max(sum(wanted), 1)


def _learned(rows: Sequence[Labelled]) -> tuple[frozenset[str], dict[str, float]]:
    """The stems that refusals share, and the weights."""
    said = said_often(rows)
    return said, fit([row.example(said) for row in rows], LEAST, RIDGE, MARK_RIDGE, STEPS)


def _glance(rows: Sequence[Labelled]) -> dict[str, float]:
    """Weights of the words of the beginning alone, for the first look."""
    return fit([_glanced(row) for row in rows], 3, 2e-5, MARK_RIDGE, 100)


def _glanced(row: Labelled) -> Example:
    stems, marks = at_a_glance(row.answer)
    return Example(frozenset(stems), frozenset(marks), row.label, row.weight)


def _heavier(rows: Sequence[Labelled]) -> list[Labelled]:
    return [row._replace(weight=LABELLED) for row in rows]


def _judge(
    language: str,
    written: Sequence[Labelled],
    labelled: dict[str, list[Labelled]],
    verbose: bool,
) -> None:
    """Figures of every author's rows by a model of the others'."""
    ratios, wanted = [], []
    for held, rows in labelled.items():
        others = [row for name in labelled if name != held for row in labelled[name]]
        seen = [*written, *_heavier(others)]
        said, weights = _learned(seen)
        examples = [row.example(said) for row in rows]
        looks = chances(_glance(seen), map(_glanced, rows))
        found = [
            chance
            / least_probability(list(example.marks))
            * (look >= AT_A_GLANCE[language])
            * (refuses(list(example.marks)) or sends_away(row.answer, language))
            for chance, example, look, row in zip(
                chances(weights, examples), examples, looks, rows, strict=True
            )
        ]
        _show(held, found, rows, verbose)
        ratios += found
        wanted += rows
    _show("all", ratios, wanted, False)


def _show(name: str, found: Sequence[float], rows: Sequence[Labelled], verbose: bool) -> None:
    for factor in FACTORS:
        precision, recall = precision_and_recall(found, [row.label for row in rows], factor)
        print(f"{name:8} {factor:.2f}  P {precision:.3f}  R {recall:.3f}", flush=True)
    for chance, row in sorted(zip(found, rows, strict=True)) if verbose else ():
        if (chance >= 1) != row.label:
            print(f"  {chance:.2f} {row.label!s:5} {row.group} {row.asked[:60]!r} {row.answer!r}")


def main() -> None:
    """Figures, and the weights where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--no-figures", action="store_true")
    parser.add_argument("languages", nargs="*", default=["en", "zh"])
    asked = parser.parse_args()
    for language in asked.languages:
        written = list(written_rows(language))
        labelled = labelled_rows(language)
        print(language, len(written), {name: len(rows) for name, rows in labelled.items()})
        if not asked.no_figures:
            _judge(language, written, labelled, asked.verbose)
        if asked.write:
            _write(language, [*written, *(r for rs in labelled.values() for r in _heavier(rs))])


def _write(language: str, rows: Sequence[Labelled]) -> None:
    said, weights = _learned(rows)
    for name, learned in (("refusal", weights), ("glance", _glance(rows))):
        kept = {k: w for k, w in learned.items() if abs(w) > SMALLEST[name] or k == "@bias"}
        Path(WEIGHTS / f"{name}.{language}.tsv").write_text(table(kept), "utf-8")
    words = FORMAT / "words" / f"refusals_say.{language}.txt"
    words.write_text("".join(f"{stem}\n" for stem in sorted(said)), "utf-8")


if __name__ == "__main__":
    main()
