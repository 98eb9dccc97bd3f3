"""Trains the classifier of the filter `safety`: a logistic regression on the packaged embedding.

    python benchmarks/filters/train_safety.py [--check]

What a row asks and what it answers are embedded each by itself and as a product; the weights, of
8 bits, go to safety_weights.json beside the filter. Rows: training/safety.*.tsv (label, question,
answer), the labelled rows of two origins, and every third of the rows of ../shared/data, which are
all harmless, whole and with the first sentence of their answers. `--check` leaves out one origin
after the other and tells what the classifier is worth on it, and on real rows kept apart.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sftrecipe_registry.filters.safety.classifier import features
from sftrecipe_registry.shared.vectors.packaged_embedding import load_embedder

HERE = Path(__file__).parent
WEIGHTS = HERE.parents[1] / "registry/sftrecipe_registry/filters/safety/safety_weights.json"
DATA = HERE.parents[2] / "shared/data"
LANGUAGES = ("en", "zh")
ORIGINS = ("tuned", "second")
"""Folders of labelled rows, each of its own authors."""
RIDGE = 3e-4
HARMLESS_WEIGHT = 0.5
"""Of a row of real data beside one that was written for this."""


class Pair(NamedTuple):
    """A question and its answer."""

    asked: str
    answered: str
    label: bool
    weight: float = 1.0


def written() -> list[Pair]:
    """The rows that were written to learn from."""
    pairs = []
    for language in LANGUAGES:
        for line in (HERE / f"training/safety.{language}.tsv").read_text("utf-8").splitlines():
            label, asked, answered = line.split("\t")
            pairs.append(Pair(asked, answered, label == "1"))
    return pairs


def labelled(origin: str) -> list[Pair]:
    """The bench's rows of one origin."""
    pairs = []
    for language in LANGUAGES:
        path = HERE / f"rows/{origin}/safety.{language}.jsonl"
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            pairs.append(Pair(*_asked_and_answered(row["columns"]), row["label"]))
    return pairs


def _asked_and_answered(columns: dict[str, Any]) -> tuple[str, str]:
    turns = columns.get("messages") or []
    said = {
        role: "\n".join(turn["content"] for turn in turns if turn["role"] == role)
        for role in ("user", "assistant")
    }
    asked = "\n".join(filter(None, (columns.get("instruction"), columns.get("input"))))
    return asked or said["user"], columns.get("output") or said["assistant"]


def harmless(first: int) -> list[Pair]:
    """Every third row of real data from one on, and with it the sentence that it begins with."""
    pairs = []
    names = (
        "llamafactory/alpaca_zh_demo",
        "llamafactory/alpaca_en_demo",
        "chatdoctor/chatdoctor_3000",
    )
    for name in names:
        for row in json.loads((DATA / f"{name}.json").read_text("utf-8"))[first::3]:
            asked = f"{row['instruction']}\n{row.get('input', '')}".strip()
            begin = re.split(r"(?<=[.!?])\s|(?<=[。！？])", row["output"], maxsplit=1)[0]
            for answered in dict.fromkeys((row["output"], begin)):
                pairs.append(Pair(asked, answered, False, HARMLESS_WEIGHT))
    return pairs


def matrix(pairs: list[Pair]) -> NDArray[np.float64]:
    """The features of all pairs."""
    rows = features([(pair.asked, pair.answered) for pair in pairs], load_embedder())
    return np.hstack([rows.astype(float), np.ones((len(pairs), 1))])


def fit(rows: NDArray[np.float64], pairs: list[Pair], steps: int = 10) -> NDArray[np.float64]:
    """Weights and bias by Newton's method: the same every time."""
    wanted = np.array([pair.label for pair in pairs], dtype=float)
    weight = np.array([pair.weight for pair in pairs])
    weight /= weight.sum()
    found = np.zeros(rows.shape[1])
    penalty = np.full(rows.shape[1], RIDGE)
    penalty[-1] = 0
    for _ in range(steps):
        chance = 1 / (1 + np.exp(-np.clip(rows @ found, -30, 30)))
        slope = rows.T @ (weight * (chance - wanted)) + penalty * found
        curve = (rows * (weight * chance * (1 - chance) + 1e-9)[:, None]).T @ rows
        found -= np.linalg.solve(curve + np.diag(penalty + 1e-9), slope)
    return found


def tell(name: str, chances: NDArray[np.float64], pairs: list[Pair]) -> None:
    """Precision and recall at some thresholds."""
    wanted = np.array([pair.label for pair in pairs])
    for least in (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8):
        said = chances >= least
        right = int((said & wanted).sum())
        precision, recall = right / max(1, said.sum()), right / max(1, wanted.sum())
        rows = f"{len(pairs)} rows, {int(said.sum())} rejected"
        print(f"{name:10} {least}: precision {precision:.3f} recall {recall:.3f} of {rows}")


def check(origins: dict[str, list[Pair]], real: tuple[list[Pair], list[Pair]]) -> None:
    """What it is worth on each origin, learned from the others; and on real rows kept apart."""
    parts = {**origins, "learned": real[0], "(real)": real[1]}
    rows = {name: matrix(pairs) for name, pairs in parts.items()}
    for judged in origins:
        names = [name for name in parts if name not in (judged, "(real)")]
        learned = [pair for name in names for pair in parts[name]]
        found = fit(np.vstack([rows[name] for name in names]), learned)
        for name in (judged, "(real)"):
            tell(name, 1 / (1 + np.exp(-(rows[name] @ found))), parts[name])


def main() -> None:
    """Learn, and write or tell."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    origins = {"training": written(), **{name: labelled(name) for name in ORIGINS}}
    if parser.parse_args().check:
        check(origins, (harmless(0), harmless(1)))
        return
    learned = [pair for pairs in origins.values() for pair in pairs] + harmless(0)
    found = fit(matrix(learned), learned)
    scale = float(np.abs(found[:-1]).max()) / 127
    table = {
        "scale": scale,
        "bias": round(float(found[-1]), 4),
        "weights": [round(value / scale) for value in found[:-1]],
    }
    WEIGHTS.write_text(json.dumps(table) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
