"""Seconds from a process's start to its first request: `python benchmarks/first_request.py`.

The least of several alternating runs: of Python alone (its whole run), of a bare aiohttp script, of
the engine's asking, and of the real `sftrecipe run`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from measured import HERE, Run, measure
from standin import StandIn, stand_in

RECIPE = """
version: 1
name: first
providers:
  teacher: {use: openai, model: m, base_url: "URL", api_key: ""}
sources:
  seeds: {use: jsonl, path: seeds.jsonl}
generate:
  - {id: answers, use: respond, from: seeds, provider: teacher}
export:
  - {use: jsonl}
"""
PROGRAM = "from sftrecipe.cli.main import main; main()"


NAMES = ("python -c pass", "bare aiohttp", "asking.py", "sftrecipe run")


def command(name: str, server: StandIn, folder: str) -> list[str]:
    """What is started under a name."""
    python, one = sys.executable, (server.url, "1", "1", "60")
    (Path(folder) / "recipe.yaml").write_text(RECIPE.replace("URL", server.url), encoding="utf-8")
    (Path(folder) / "seeds.jsonl").write_text('{"instruction": "question"}\n', encoding="utf-8")
    recipe = [f"{folder}/recipe.yaml", "--out", f"{folder}/out", "-q"]
    return {
        "python -c pass": [python, "-c", "pass"],
        "bare aiohttp": [python, str(HERE / "bare_aiohttp.py"), *one],
        "asking.py": [python, str(HERE / "asking.py"), *one, folder],
        "sftrecipe run": [python, "-c", PROGRAM, "run", *recipe],
    }[name]


def once(name: str, server: StandIn) -> Run:
    """One run in a new folder."""
    folder = tempfile.mkdtemp()
    os.environ["SFTRECIPE_PROJECT"] = folder
    try:
        found = measure(command(name, server, folder), server)
    finally:
        shutil.rmtree(folder)
    assert found.status == 0, found.said
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    found: dict[str, list[Run]] = {name: [] for name in NAMES}
    with stand_in() as server:
        for _ in range(runs):
            for name in NAMES:
                found[name].append(once(name, server))
    bare = min(each.first for each in found["bare aiohttp"])
    print(f"{'':<16} {'seconds':>8} {'x bare':>8} {'CPU-s':>8}")
    for name, of in found.items():
        seconds = min(each.first or each.wall for each in of)
        cpu = min(each.cpu for each in of)
        print(f"{name:<16} {seconds:>8.3f} {seconds / bare:>8.2f} {cpu:>8.3f}")


if __name__ == "__main__":
    main()
