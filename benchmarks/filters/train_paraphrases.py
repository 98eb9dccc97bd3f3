"""Weights of `shared/meaning/paraphrases.py`, fitted on labelled pairs and on neighbours of real
rows and changed questions, which count as different; once a language.

python benchmarks/filters/train_paraphrases.py PAIRS.jsonl … [--rows ROWS.json …] [--changed en|zh]
    [--judge PAIRS …]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from changed_pairs import changed_pairs

from sftrecipe_registry.shared.meaning import paraphrases as model
from sftrecipe_registry.shared.meaning.difference import order_differs, other_numbers
from sftrecipe_registry.shared.meaning.reading import read
from sftrecipe_registry.shared.meaning.word_vectors import word_vectors
from sftrecipe_registry.shared.vectors.packaged_embedding import load_embedder

REAL_WEIGHT = 0.7
CHANGED_WEIGHT = 0.3
CHANGED = 900
RIDGE = 3.0


def labelled(paths: list[Path]) -> list[tuple[str, str, bool]]:
    """The pairs of all files, but the plain ones."""
    rows = [
        json.loads(line) for path in paths for line in path.open(encoding="utf-8") if line.strip()
    ]
    return [(row["first"], row["second"], row["same"]) for row in rows if row["kind"] != "plain"]


def neighbours(paths: list[Path]) -> list[tuple[str, str, bool]]:
    """Pairs of real rows that are near and may be looked at."""
    found = []
    for path in paths:
        rows = json.loads(path.read_text(encoding="utf-8"))
        texts = [f"{row['instruction']}\n{row.get('input') or ''}".strip() for row in rows]
        texts = [*dict.fromkeys(text for text in texts if model._brief(text))]
        vectors = load_embedder()(texts)
        firsts, seconds = np.nonzero(np.triu(vectors @ vectors.T >= model.LEAST, 1))
        pairs = [(texts[one], texts[other]) for one, other in zip(firsts, seconds, strict=True)]
        found += [(*pair, False) for pair in pairs if fair(*pair)]
    return found


def fair(first: str, second: str) -> bool:
    """Whether the signs decide."""
    one, other = read(first), read(second)
    return model.may_paraphrase(first, second) and not (
        other_numbers(one, other) or order_differs(one, other)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", nargs="+", type=Path)
    parser.add_argument("--rows", nargs="*", type=Path, default=[])
    parser.add_argument("--changed", choices=["en", "zh"])
    parser.add_argument("--judge", nargs="*", type=Path, default=[])
    asked = parser.parse_args()
    real = neighbours(asked.rows)
    known = labelled(asked.pairs)
    half = real[::2] if asked.judge else real
    changed = [
        (first, second, False)
        for first, second, _ in (changed_pairs(asked.changed, CHANGED) if asked.changed else ())
    ]
    fair_ones = [[pair for pair in pairs if fair(*pair[:2])] for pairs in (known, half, changed)]
    weights, bias = fitted(*fair_ones)
    print("weights", tuple(round(float(weight), 2) for weight in weights))
    print("and", round(float(bias), 2))
    model._WEIGHTS = dict.fromkeys((False, True), (tuple(weights), bias))
    for name, pairs in (("labelled", labelled(asked.judge) or known), ("real", real[1::2])):
        judge(name, pairs)


def judge(name: str, pairs: list[tuple[str, str, bool]]) -> None:
    wanted = np.array([pair[2] for pair in pairs])
    values = signs(pairs)
    looked = [
        each.cosine >= model.LEAST and fair(*pair[:2])
        for each, pair in zip(values, pairs, strict=True)
    ]
    chances = np.array([model.chance(each, False) for each in values]) * looked
    for limit in (0.4, 0.5, 0.6, 0.7, 0.8):
        found = chances >= limit
        print(
            name,
            limit,
            f"found {(found & wanted).sum()}/{wanted.sum()}",
            f"wrong {(found & ~wanted).sum()}/{(~wanted).sum()}",
        )
    for at in np.argsort(-chances)[:400]:
        if chances[at] >= 0.6 and not wanted[at]:
            print(f"  {chances[at]:.2f} {values[at].cosine:.2f} {pairs[at][:2]}")


def signs(pairs: list[tuple[str, str, bool]]) -> list[model.Signs]:
    embed, vectors = load_embedder(), word_vectors()
    if not pairs:
        return []
    first, second = (embed([pair[side] for pair in pairs]) for side in (0, 1))
    cosines = np.einsum("ij,ij->i", first, second)
    return [
        model.signs(a, b, float(c), vectors) for (a, b, _), c in zip(pairs, cosines, strict=True)
    ]


def fitted(
    known: list[tuple[str, str, bool]],
    real: list[tuple[str, str, bool]],
    changed: list[tuple[str, str, bool]],
) -> tuple[np.ndarray, float]:
    """Newton's method on the penalised likelihood of standardised signs."""
    every = known + real + changed
    values = np.array([each.values() for each in signs(every)])
    wanted = np.array([pair[2] for pair in every], float)
    kinds = ((known, 1.0), (real, REAL_WEIGHT), (changed, CHANGED_WEIGHT))
    counts = np.array([weight for pairs, weight in kinds for _ in pairs])
    middle, spread = values.mean(0), values.std(0) + 1e-6
    scaled = np.c_[(values - middle) / spread, np.ones(len(values))]
    ridge = np.append(np.full(values.shape[1], RIDGE), 1e-6)
    found = np.zeros(scaled.shape[1])
    for _ in range(40):
        chance = 1 / (1 + np.exp(-scaled @ found))
        slope = scaled.T @ (counts * (chance - wanted)) + ridge * found
        curve = (scaled.T * (counts * chance * (1 - chance))) @ scaled + np.diag(ridge)
        found -= np.linalg.solve(curve, slope)
    weights = found[:-1] / spread
    return weights, float(found[-1] - weights @ middle)


if __name__ == "__main__":
    main()
