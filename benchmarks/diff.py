"""`sftrecipe diff` of two large runs beside a floor: reading both runs' rows with pyarrow alone.

python benchmarks/diff.py [--rows 100000] [--runs 3] [--write]

Both are whole processes. Of the second run's rows one in fifty has another answer, as many are new
and as many are gone; a filter keeps most of them, and one that masks changes some.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
RESULTS = HERE / "diff.md"
RECIPE = """
version: 1
name: rows
sources:
  all: {use: jsonl, path: rows.jsonl}
filter:
  - {use: length, on: all, with: {field: output, min_chars: 20}}
  - {use: exact_dedup, on: all}
mix: {use: weights, weights: {all: 1}}
export:
  - {use: jsonl}
"""
FLOOR = """
import sys, pyarrow.parquet as pq
for path in sys.argv[1:]:
    print(pq.read_table(path).num_rows)
"""
WORDS = [
    *("rest", "water", "sleep", "fever", "cough", "doctor", "clinic", "week"),
    *("pain", "daily", "medicine", "ask", "walk", "eat", "see"),
]
EVERY = 50


def write_rows(path: Path, count: int, *, later: bool) -> None:
    """Rows of some 400 characters; `later`: as the second run reads them."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(count + (count // EVERY if later else 0)):
            chance = random.Random(number)
            if later and number < count and number % EVERY == 7:
                continue
            output = f"{number}: " + " ".join(chance.choices(WORDS, k=60))
            if later and number % EVERY == 3:
                output += " and so on"
            file.write(json.dumps({"instruction": f"Case {number}?", "output": output}) + "\n")


def measured(command: list[str], folder: Path) -> tuple[float, float, float, str]:
    """Seconds, CPU-seconds and the peak memory of a process in MB; what it printed."""
    began = time.perf_counter()
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, env=os.environ | {"SFTRECIPE_LANG": "en"}
    ) as process:
        assert process.stdout is not None
        said = process.stdout.read().decode()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, said
    seconds = time.perf_counter() - began
    return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, said


def main() -> None:
    """Make two runs, compare them, and read their rows, in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="write the results file")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="diff-"))
    sftrecipe = [sys.executable, "-m", "sftrecipe.cli.main"]
    try:
        (folder / ".sftrecipe").mkdir()
        (folder / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
        for later in (False, True):
            write_rows(folder / "rows.jsonl", options.rows, later=later)
            subprocess.run([*sftrecipe, "run", "recipe.yaml", "-q"], cwd=folder, check=True)
        kept = [str(each) for each in folder.glob(".sftrecipe/steps/*/*/rows.parquet")]
        cases = {
            "floor": [sys.executable, "-c", FLOOR, *kept],
            "diff": [*sftrecipe, "diff", "last~1", "last"],
        }
        found: dict[str, list[tuple[float, float, float, str]]] = {name: [] for name in cases}
        for _ in range(options.runs):
            for name, command in cases.items():
                found[name].append(measured(command, folder))
    finally:
        shutil.rmtree(folder)
    text = table(found, options.rows)
    print(found["diff"][0][3][:1500])
    print(text)
    if options.write:
        RESULTS.write_text(text + "\n", encoding="utf-8")


def table(found: dict[str, list[tuple[float, float, float, str]]], rows: int) -> str:
    """Medians, and what the command takes beside the floor."""
    medians = {
        name: [statistics.median(run[at] for run in runs) for at in range(3)]
        for name, runs in found.items()
    }
    lines = [
        f"`diff` of {rows:,} rows against {rows:,}, whole processes, median of "
        f"{len(found['diff'])} (`python benchmarks/diff.py --rows {rows}`).",
        "",
        "| | seconds | CPU-seconds | MB |",
        "|---|---|---|---|",
    ]
    named = {"floor": "reading all rows of both with pyarrow", "diff": "`sftrecipe diff`"}
    for name, label in named.items():
        wall, cpu, memory = medians[name]
        lines.append(f"| {label} | {wall:.2f} | {cpu:.2f} | {memory:.0f} |")
    ratios = [diff / floor for diff, floor in zip(medians["diff"], medians["floor"], strict=True)]
    lines.append("| ratio | " + " | ".join(f"{each:.2f}" for each in ratios) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
