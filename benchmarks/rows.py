"""Rows through filters, mix and export: rows per CPU-second and peak memory of the real command.

python benchmarks/rows.py --rows 1000000 [--near] [--every]

`--every`: all filters that look at one row at a time and ask no model, one after the other.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RECIPE = """
version: 1
name: rows
sources:
  all: {use: jsonl, path: rows.jsonl}
filter:
  - {use: length, on: all, with: {field: output, min_chars: 20, max_chars: 2000}}
  - {use: regex, on: all, with: {drop: ['https?://']}}
  - {use: exact_dedup, on: all}
MORE
mix: {use: weights, weights: {all: 1}, total: TOTAL}
export:
  - {use: llamafactory, with: {formatting: alpaca, holdout: 0.01}}
"""
NEAR = "  - {use: near_dedup, on: all, with: {field: output}}"
EVERY = """\
  - {use: blacklist, on: all, with: {field: output, words: [flowchart]}}
  - {use: expression, on: all, with: {keep: 'words(output) > 3'}}
  - {use: format, on: all}
  - {use: language, on: all, with: {keep: [en]}}
  - {use: pii, on: all}
  - {use: safety, on: all}"""
WORDS = [
    *("rest", "water", "sleep", "fever", "cough", "doctor", "clinic", "week"),
    *("pain", "daily", "medicine", "ask", "walk", "eat", "see"),
]


def write_rows(path: Path, count: int) -> None:
    """Rows of some 400 characters: a tenth repeated, a few too short or with a link."""
    chance = random.Random(0)
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            name = number if number % 10 else 0
            words = " ".join(chance.choices(WORDS, k=60))
            output = f"{name}: {words}" if number % 10 else "0: the same answer as many others here"
            if number % 50 == 1:
                output = "too short"
            elif number % 50 == 2:
                output += " https://example.com"
            row = {"instruction": f"What helps with case {name}?", "input": "", "output": output}
            file.write(json.dumps(row) + "\n")


def measured(folder: Path) -> dict[str, float]:
    """Seconds, CPU-seconds and peak memory of one run."""
    command = [sys.executable, "-c", "from sftrecipe.cli.main import main; main()"]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environment = os.environ | {"SFTRECIPE_PROJECT": str(folder)}
    subprocess.run([*command, "run", "recipe.yaml", "-q"], cwd=folder, env=environment, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "seconds": time.perf_counter() - began,
        "cpu_seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "peak_mb": after.ru_maxrss / 1024,
    }


def main() -> None:
    """Measure a first run and a second one, which finds everything done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--near", action="store_true", help="near_dedup as well")
    parser.add_argument("--every", action="store_true", help="all that look at one row")
    options = parser.parse_args()
    rows = options.rows
    folder = Path(tempfile.mkdtemp(prefix="rows-"))
    try:
        write_rows(folder / "rows.jsonl", rows)
        more = EVERY * options.every + "\n" + NEAR * options.near
        recipe = RECIPE.replace("TOTAL", str(rows // 2)).replace("MORE", more)
        (folder / "recipe.yaml").write_text(recipe, encoding="utf-8")
        first = measured(folder)
        facts = json.loads((folder / "runs/rows/run.json").read_text("utf-8"))
        second = measured(folder)
    finally:
        shutil.rmtree(folder)
    for step in facts["steps"]:
        print(f"{step['id']}: {step['seconds']:.1f} s, kept {step['kept']:,}")
    first["rows_per_cpu_second"] = rows / first["cpu_seconds"]
    for name, facts in (("first run", first), ("again", second)):
        print(f"{name}: " + ", ".join(f"{key} {value:,.2f}" for key, value in facts.items()))


if __name__ == "__main__":
    main()
