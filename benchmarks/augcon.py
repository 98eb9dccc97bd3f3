"""AugCon's tree at scale: calls against their bound, memory, and a kill in the midst of it.

python benchmarks/augcon.py --articles 1000

The real command asks the stand-in server about articles of 4,000 characters; it is killed (SIGKILL)
halfway and run again. Memory is the larger peak of both runs.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

_HERE = Path(__file__).parent
sys.path.insert(0, str(_HERE.parent / "tests" / "support"))

from standin import StandIn, stand_in  # noqa: E402

CHARACTERS = 4000
SMALLEST, ATTEMPTS, TREES = 60, 4, 2
RECIPE = f"""\
version: 1
name: augcon
seed: 42
providers:
  teacher: {{{{use: openai, base_url: "{{url}}", model: stand-in, api_key: ""}}}}
sources:
  articles: {{{{use: jsonl, path: articles.jsonl}}}}
generate:
  - {{{{id: contexts, use: chunk, from: articles}}}}
  - id: queries
    use: augcon_queries
    from: contexts
    provider: teacher
    with:
      {{{{smallest: {SMALLEST}, attempts: {ATTEMPTS}, trees: {TREES}, characters_a_query: 100}}}}
filter:
  - {{{{use: augcon_filter, on: queries}}}}
mix: {{{{weights: {{{{queries: 1}}}}, on_shortage: scale}}}}
export:
  - {{{{use: jsonl}}}}
"""
PARTS = "ba be bi bo da de di do fa fe ga go ka ki lo lu ma me mi mo na ne no pa pe ra ri so ta ti"


def write_project(folder: Path, articles: int, url: str) -> None:
    """Articles of sentences of invented words: no two contexts are alike."""
    chance, parts = random.Random(0), PARTS.split()
    (folder / ".sftrecipe").mkdir()
    (folder / "recipe.yaml").write_text(RECIPE.format(url=url), "utf-8")
    with (folder / "articles.jsonl").open("w", encoding="utf-8") as file:
        for number in range(articles):
            text = ""
            while len(text) < CHARACTERS:
                words = ["".join(chance.choices(parts, k=3)) for _ in range(12)]
                text += f"{' '.join(words).capitalize()}. "
            file.write(json.dumps({"text": text[:CHARACTERS], "title": f"{number}"}) + "\n")


def start(folder: Path, concurrency: int) -> subprocess.Popen[bytes]:
    """The real command."""
    command = [sys.executable, "-m", "sftrecipe.cli.main", "run", "recipe.yaml", "-q"]
    return subprocess.Popen([*command, "--concurrency", str(concurrency)], cwd=folder)


def ended(process: subprocess.Popen[bytes]) -> float:
    """Wait for its end; its peak memory in MB."""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_maxrss / 1024


def counted(server: StandIn) -> dict[str, Any]:
    """What the server was asked so far, without the prompts themselves."""
    with urlopen(f"{server.root}/count", timeout=60) as reply:
        found: dict[str, Any] = json.load(reply)
    return found


def killed_at(process: subprocess.Popen[bytes], server: StandIn, requests: int) -> float:
    """Kill it when so many requests came; its peak memory in MB."""
    while process.poll() is None and counted(server)["requests"] < requests:
        time.sleep(0.1)
    if process.returncode is None:
        os.kill(process.pid, signal.SIGKILL)
        return ended(process)
    raise SystemExit("the run ended before it could be killed")


def bound(folder: Path) -> tuple[int, int]:
    """Contexts, and the calls that they take at most by the plugin's rule."""
    contexts: set[str] = set()
    most = 0
    for line in (folder / "runs/augcon/augcon.jsonl").open(encoding="utf-8"):
        row = json.loads(line)
        if row["node"] == "1" and row["root"] not in contexts:
            contexts.add(row["root"])
            most += 2 * len(row["context"]) // SMALLEST * ATTEMPTS * TREES
    return len(contexts), most


def measured(articles: int, concurrency: int) -> dict[str, Any]:
    """One killed and resumed run."""
    folder = Path(tempfile.mkdtemp(prefix="augcon-"))
    try:
        with stand_in("--reply", "split", "--delay", 0.01, "--jitter", 0.9) as server:
            write_project(folder, articles, server.url)
            began = time.perf_counter()
            first = killed_at(start(folder, concurrency), server, articles * 30)
            at_kill = counted(server)["requests"]
            again = start(folder, concurrency)
            second = ended(again)
            if again.returncode:
                raise SystemExit(f"the second run ended with status {again.returncode}")
            asked = counted(server)
            contexts, most = bound(folder)
        facts = json.loads((folder / "runs/augcon/run.json").read_text("utf-8"))
        step = next(step for step in facts["steps"] if step["id"] == "queries")
        return {
            "articles": articles,
            "contexts": contexts,
            "calls": asked["prompts"],
            "bound": most,
            "killed_at": at_kill,
            "asked_twice": asked["requests"] - asked["prompts"],
            "in_flight_at_most": concurrency,
            "rows": step["kept"],
            "lost": step["rejected"],
            "peak_mb": round(max(first, second), 1),
            "seconds": round(time.perf_counter() - began, 1),
        }
    finally:
        shutil.rmtree(folder)


def main() -> None:
    """Measure a tenth of the articles, then all of them: memory must not grow with them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=1000)
    parser.add_argument("--concurrency", type=int, default=32)
    options = parser.parse_args()
    for articles in (max(options.articles // 10, 1), options.articles):
        print(json.dumps(measured(articles, options.concurrency)), flush=True)


if __name__ == "__main__":
    main()
