"""Fit the model of refusals, judge it on rows of kinds and of an author it has not seen.

python benchmarks/filters/train_refusals.py           # figures
python benchmarks/filters/train_refusals.py --write   # and the weights that the filter ships
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from logistic_fit import Example, chances, fit
from refusal_examples import HERE, Labelled, tuned_rows, written_rows

from sftrecipe_registry.filters.format.phrase_weights import table
from sftrecipe_registry.filters.format.refusals import (
    MAY_BE_ASKED_FOR,
    REFUSES,
    REFUSES_ASKED_FOR,
)

WEIGHTS = HERE.parents[1] / "registry/sftrecipe_registry/filters/format/weights"
LEAST, RIDGE, MARK_RIDGE = 2, 1e-5, 1e-4
THRESHOLDS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
TUNED = 2.5
"""Weight of a labelled row."""
FOLDS = 8
SMALLEST = 0.06
"""Weights below it are left out of the table."""


def precision_and_recall(
    found: Sequence[float], wanted: Sequence[bool], threshold: float
) -> tuple[float, float]:
    """Of those at or above the threshold the share that is right, and the share of the right."""
    hits = sum(chance >= threshold and label for chance, label in zip(found, wanted, strict=True))
    taken = sum(chance >= threshold for chance in found)
    return hits / max(taken, 1), hits / max(sum(wanted), 1)


def _weights(examples: Sequence[Example]) -> dict[str, float]:
    return fit(examples, LEAST, RIDGE, MARK_RIDGE)


def _other_author(written: Sequence[Example], tuned: Sequence[Labelled]) -> list[float]:
    return chances(_weights(written), [row.example() for row in tuned])


def _other_kinds(written: Sequence[Example], tuned: Sequence[Labelled]) -> list[float]:
    """Chances of every row by a model that saw no row of its kind."""
    kinds = sorted({row.group for row in tuned})
    fold = {kind: at % FOLDS for at, kind in enumerate(kinds)}
    examples = [row._replace(weight=TUNED).example() for row in tuned]
    found = [0.0] * len(tuned)
    for held in range(FOLDS):
        seen = [e for row, e in zip(tuned, examples, strict=True) if fold[row.group] != held]
        places = [at for at, row in enumerate(tuned) if fold[row.group] == held]
        weights = _weights([*written, *seen])
        for at, chance in zip(
            places, chances(weights, [examples[at] for at in places]), strict=True
        ):
            found[at] = chance
    return found


def _show(name: str, tuned: Sequence[Labelled], found: Sequence[float], verbose: bool) -> None:
    wanted = [row.label for row in tuned]
    asked_for = [not MAY_BE_ASKED_FOR.isdisjoint(row.example().marks) for row in tuned]
    found = [
        chance / REFUSES_ASKED_FOR * REFUSES if hard else chance
        for chance, hard in zip(found, asked_for, strict=True)
    ]
    for threshold in THRESHOLDS:
        precision, recall = precision_and_recall(found, wanted, threshold)
        print(f"{name:24} {threshold:.2f}  P {precision:.3f}  R {recall:.3f}", flush=True)
    for chance, row in sorted(zip(found, tuned, strict=True)) if verbose else ():
        if (chance >= REFUSES) != row.label:
            print(
                f"  {chance:.2f} {row.label!s:5} {row.group} {row.asked[:60]!r} {row.answer[:90]!r}"
            )


def main() -> None:
    """Figures, and the weights where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--no-figures", action="store_true")
    parser.add_argument("languages", nargs="*", default=["en", "zh"])
    asked = parser.parse_args()
    for language in asked.languages:
        written = [row.example() for row in written_rows(language)]
        tuned = list(tuned_rows(language))
        if not asked.no_figures:
            _show(f"{language} another author", tuned, _other_author(written, tuned), False)
            _show(f"{language} other kinds", tuned, _other_kinds(written, tuned), asked.verbose)
        if asked.write:
            weights = _weights([*written, *(row._replace(weight=TUNED).example() for row in tuned)])
            kept = {k: w for k, w in weights.items() if abs(w) > SMALLEST or k == "@bias"}
            WEIGHTS.mkdir(exist_ok=True)
            Path(WEIGHTS / f"refusal.{language}.tsv").write_text(table(kept), "utf-8")


if __name__ == "__main__":
    main()
