"""What selecting rows costs, beside what people use today: CPU-seconds and memory, as ratios.

python benchmarks/selection.py dedup [--rows 52000]
python benchmarks/selection.py novelty [--rows 5000] [--original 1500] [--many 44000]

`dedup`: length, regex, blacklist, exact and near duplicates by the real command, beside
data-juicer's nearest recipe (needs uv). `novelty`: `rouge_novelty` beside Alpaca's way, on short
texts; what grows with the square of the rows is measured on fewer and extrapolated. Both read the
data folder beside the project.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from math import ceil
from pathlib import Path
from typing import NamedTuple

from peers.table import environment
from selection_rows import instructions, rows

from sftrecipe_registry.shared.text.tokenizers import tokenizer

HERE = Path(__file__).parent
RECIPE = """\
version: 1
name: selection
sources:
  all: {use: jsonl, path: rows.jsonl, repair: false}
filter:
  - {use: length, on: all, with: {field: text, min_chars: 100, max_chars: 20000}}
  - {use: regex, on: all, with: {field: text, drop: ['https?://']}}
  - {use: blacklist, on: all, with: {field: text, words: [flowchart]}}
  - {use: exact_dedup, on: all, with: {field: text}}
  - {id: near, use: near_dedup, on: all, with: {field: text, similarity: 0.7, shingle: 5}}
export:
  - {use: jsonl}
"""


class Cost(NamedTuple):
    """Of one process and its children, start-up included."""

    cpu: float
    megabytes: float
    """Of its largest process."""
    said: str
    """Its last line."""


def cost(command: list[str], folder: Path) -> Cost:
    """Run a command to its end."""
    with (
        (folder / "stderr").open("wb") as log,
        subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        assert process.stdout is not None
        said = process.stdout.read().strip().splitlines()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, (folder / "stderr").read_text("utf-8")[-2000:]
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, said[-1] if said else "")


def write_texts(path: Path, count: int) -> list[str]:
    """The rows, each as one text."""
    texts = [
        "\n".join(filter(None, (row["instruction"], row["input"], row["output"])))
        for row in rows(count)
    ]
    with path.open("w", encoding="utf-8") as file:
        for text in texts:
            file.write(json.dumps({"text": text}) + "\n")
    return texts


def dedup(count: int, folder: Path) -> None:
    """Ours beside data-juicer's, and the near duplicates beside those of comparing all pairs."""
    (folder / ".sftrecipe").mkdir()
    (folder / "recipe.yaml").write_text(RECIPE, "utf-8")
    write_texts(folder / "rows.jsonl", count)
    program = "from sftrecipe.cli.main import main; main()"
    ours = cost([sys.executable, "-c", program, "run", "recipe.yaml", "-q"], folder)
    facts = json.loads((folder / "runs/selection/run.json").read_text("utf-8"))
    kept = {step["id"]: step["kept"] for step in facts["steps"]}
    print(f"ours: {ours.cpu:.1f} CPU-s, {ours.megabytes:.0f} MB, kept {kept}", flush=True)
    if (python := environment("juicer")) is not None:
        beside_peer(python, ours, folder)
    check(folder)


def beside_peer(python: str, ours: Cost, folder: Path) -> None:
    """data-juicer on the same rows."""
    (folder / "peer").mkdir()
    script = str(HERE / "peers" / "juicer.py")
    peer = cost([python, script, str(folder / "rows.jsonl"), str(folder / "peer")], folder)
    print(f"data-juicer: {peer.cpu:.1f} CPU-s, {peer.megabytes:.0f} MB, {peer.said}")
    print(
        f"ratios: CPU {ours.cpu / peer.cpu:.3f}, memory {ours.megabytes / peer.megabytes:.3f}",
        flush=True,
    )


def check(folder: Path) -> None:
    """Compare the filter's outcome with an exact join of plain Python sets."""
    seen: set[str] = set()
    sets = []
    for line in (folder / "rows.jsonl").open(encoding="utf-8"):
        text = json.loads(line)["text"]
        dropped = re.search(r"https?://|\b(?i:flowchart)\b", text)
        if dropped or text in seen or not 100 <= len(text) <= 20000:
            continue
        seen.add(text)
        sets.append(shingles(text))
    expected = kept_by_comparing(sets, 0.7)
    exported = (folder / "runs/selection/selection.jsonl").open(encoding="utf-8")
    found = Counter(shingles(json.loads(line)["text"]) for line in exported)  # they are shuffled
    assert found == Counter(sets[place] for place in expected), (found.total(), len(expected))
    print(f"near duplicates: {len(sets) - len(expected)}, the same as by comparing plain sets")


def shingles(text: str) -> frozenset[tuple[str, ...]]:
    """Runs of five words."""
    words = tokenizer("char", "en")(text)
    return frozenset(tuple(words[at : at + 5]) for at in range(max(len(words) - 4, 1)))


def kept_by_comparing(sets: list[frozenset[tuple[str, ...]]], at_least: float) -> list[int]:
    """Each set that is unlike all kept before it; compared are those that share a rare shingle.

    Similar sets share one of the rarest, of which there are as many as they may differ in, and one.
    """
    common = Counter(shingle for one in sets for shingle in one)
    holders: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    kept = []
    for place, one in enumerate(sets):
        ranked = sorted(one, key=lambda shingle: (common[shingle], shingle))
        rare = ranked[: len(one) - ceil(at_least * len(one) - 1e-9) + 1]
        others = {other for shingle in rare for other in holders[shingle]}
        if all(len(one & sets[at]) / len(one | sets[at]) < at_least for at in others):
            kept.append(place)
            for shingle in rare:
                holders[shingle].append(place)
    return kept


def novelty(few: int, count: int, many: int, folder: Path) -> None:
    """Ours beside Alpaca's way, and ours alone on many rows."""
    costs = {}
    for name, script, size in (
        ("original", "peers/alpaca_novelty.py", few),
        ("same", "novelty.py", few),
        ("ours", "novelty.py", count),
        ("many", "novelty.py", many),
    ):
        texts = folder / f"{size}.json"
        texts.write_text(json.dumps(instructions(size)), "utf-8")
        costs[name] = cost([sys.executable, str(HERE / script), str(texts)], folder)
        found = costs[name]
        print(
            f"{name}: {size} texts, {found.cpu:.1f} CPU-s, {found.megabytes:.0f} MB, {found.said}"
        )
    assert costs["original"].said == costs["same"].said, "not the same rows"
    extrapolated = costs["original"].cpu * (count / few) ** 2
    print(f"the original at {count}: {extrapolated:.0f} CPU-s, if it grows with the square")
    print(f"ratio: {extrapolated / costs['ours'].cpu:.0f}")


def main() -> None:
    """Run one of both."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("dedup", "novelty"))
    parser.add_argument("--rows", type=int, help="52000, of novelty 5000")
    parser.add_argument(
        "--original", type=int, default=1500, help="texts that Alpaca's way is given"
    )
    parser.add_argument("--many", type=int, default=44000)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="selection-"))
    try:
        if options.what == "dedup":
            dedup(options.rows or 52000, folder)
        else:
            novelty(options.original, options.rows or 5000, options.many, folder)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
