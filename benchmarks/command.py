"""The whole command as a user starts it: `sftrecipe run` on 2,000 prompts, again, and `validate`.

python benchmarks/command.py [--beside OTHER/bin/sftrecipe] [--runs 3] [--prompts 10000]

Beside a bare aiohttp script that sends as many requests, in turns; `--beside`: and beside the same
command of another checkout. Medians of whole processes, start-up included; `budget`: the same run
with a budget that it does not reach. `tail`: from the last reply to the end. Modules are compiled
before: until December 2026 the figures held their compiling where PYTHONDONTWRITEBYTECODE was set.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from measured import HERE, Run, measure
from standin import StandIn, stand_in

AT_ONCE, DELAY = 256, 0.2
TEXT = "What should a person do who has slept badly, works at night and drinks coffee? " * 6
RECIPE = """
version: 1
name: whole
BUDGET
providers:
  teacher:
    use: openai
    model: m
    base_url: "URL"
    api_key: ""
    limits: {concurrency: 256}
    price: {input: 1, output: 2}
sources:
  seeds: {use: jsonl, path: seeds.jsonl}
generate:
  - {id: answers, use: respond, from: seeds, provider: teacher}
filter:
  - {use: length, on: answers, with: {field: output, min_chars: 1}}
export:
  - {use: llamafactory, with: {formatting: alpaca}}
"""
BUDGET = "budget: {max_cost: 1000 USD, max_calls: 1000000}"


def bare(server: StandIn, prompts: int) -> Run:
    """The script that asks and keeps nothing."""
    arguments = [server.url, str(prompts), str(AT_ONCE), "60"]
    return measure([sys.executable, str(HERE / "bare_aiohttp.py"), *arguments], server)


def project(server: StandIn, folder: Path, budget: str, prompts: int) -> Path:
    """A recipe and its seeds."""
    recipe = folder / "recipe.yaml"
    recipe.write_text(RECIPE.replace("URL", server.url).replace("BUDGET", budget), encoding="utf-8")
    with (folder / "seeds.jsonl").open("w", encoding="utf-8") as seeds:
        for number in range(prompts):
            seeds.write(json.dumps({"instruction": f"{number}: {TEXT}"}) + "\n")
    return recipe


def command(program: str, server: StandIn, budget: str, prompts: int) -> dict[str, Run]:
    """A first run, the same again, and the check alone."""
    folder = Path(tempfile.mkdtemp())
    os.environ["SFTRECIPE_PROJECT"] = str(folder)
    try:
        recipe = project(server, folder, budget, prompts)
        run = [program, "run", str(recipe), "-q", "--out", str(folder / "out")]
        found = {
            "run": measure(run, server),
            "again": measure(run, server),
            "validate": measure([program, "validate", str(recipe)], server),
        }
    finally:
        shutil.rmtree(folder)
    assert [each.status for each in found.values()] == [0, 0, 0], found
    assert [each.requests for each in found.values()] == [prompts, 0, 0], found
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--beside", metavar="PROGRAM", help="another checkout's sftrecipe")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--prompts", type=int, default=2000)
    asked = parser.parse_args()
    ours = str(Path(sys.executable).with_name("sftrecipe"))
    programs = {"ours": ours} | ({"beside": asked.beside} if asked.beside else {})
    found: dict[str, list[Run]] = defaultdict(list)
    with stand_in("--delay", DELAY) as server:
        for _ in range(asked.runs):
            found["bare aiohttp"].append(bare(server, asked.prompts))
            for name, program in programs.items():
                for budget in ("", BUDGET):
                    for what, run in command(program, server, budget, asked.prompts).items():
                        found[f"{name}: {what}{', budget' if budget else ''}"].append(run)
    floor = statistics.median(each.wall for each in found["bare aiohttp"])
    heads = ("seconds", "x bare", "CPU-s", "first", "tail", "MB")
    print(f"{'':<26}" + "".join(f"{head:>9}" for head in heads))
    for name, runs in found.items():
        wall, cpu, first, last, size = (
            statistics.median(getattr(each, part) for each in runs)
            for part in ("wall", "cpu", "first", "last", "megabytes")
        )
        told = (wall, wall / floor, cpu, first, max(0.0, last - DELAY), round(size))
        print(f"{name:<26}" + "".join(f"{each:>9.4g}" for each in told))


if __name__ == "__main__":
    main()
