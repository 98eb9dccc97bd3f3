"""What asking costs, beside a bare aiohttp script: `python benchmarks/calls.py`.

Every figure is of a whole process, start-up included, against the same stand-in server; ratios are
of medians of alternating runs.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

_HERE = Path(__file__).parent
sys.path.insert(0, str(_HERE.parent / "tests"))

from standin import StandIn, stand_in  # noqa: E402


class Run(NamedTuple):
    """One process."""

    wall: float
    cpu: float
    megabytes: float
    first: float
    """Seconds from its start to the first request."""
    said: str


def run(script: str, server: StandIn, *arguments: object) -> Run:
    """Run a script of this folder and measure it."""
    server.forget()
    command = [sys.executable, str(_HERE / script), server.url, *map(str, arguments)]
    began, started = time.monotonic(), time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.read().strip()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - started
    times = server.count()["times"]
    first = times[0] - began if times else 0.0
    assert process.returncode == 0, said
    return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, first, said)


def compare(case: str, runs: int) -> dict:
    """Ours and the bare script, in turns."""
    prompts, concurrency, timeout, options = CASES[case]
    asked = (prompts, concurrency, timeout)
    ours, bare, again = [], [], []
    requests = turned = 0
    with stand_in(*options) as server:
        for _ in range(runs):
            bare.append(run("bare_aiohttp.py", server, *asked))
            folder = tempfile.mkdtemp()
            try:
                ours.append(run("asking.py", server, *asked, folder))
                counted = server.count()
                requests, turned = counted["requests"], counted["turned_away"]
                again.append(run("asking.py", server, *asked, folder))
                assert server.requests() == 0
            finally:
                shutil.rmtree(folder)

    def median(of: list[Run], what: str) -> float:
        return statistics.median(getattr(each, what) for each in of)

    facts = {
        "case": case,
        "bare": {what: round(median(bare, what), 3) for what in ("wall", "cpu", "megabytes")},
        "ours": {
            what: round(median(ours, what), 3) for what in ("wall", "cpu", "megabytes", "first")
        },
        "wall_ratio": round(median(ours, "wall") / median(bare, "wall"), 3),
        "cpu_ratio": round(median(ours, "cpu") / median(bare, "cpu"), 3),
        "requests": requests,
        "turned_away": turned,
        "again": {what: round(median(again, what), 3) for what in ("wall", "cpu")},
        "said": {"bare": bare[-1].said, "ours": ours[-1].said, "again": again[-1].said},
    }
    print(json.dumps(facts), flush=True)
    return facts


CASES = {
    "steady": (2000, 256, 60, ("--delay", 0.2)),
    "long": (10000, 256, 60, ("--delay", 0.2)),
    "faults": (
        2000,
        256,
        1,
        ("--delay", 0.2, "--faults", "429=0.025", "500=0.025", "slow=0.025", "garbage=0.025"),
    ),
    "admits-64": (2000, 256, 60, ("--delay", 0.2, "--admit", 64)),
    "stray-429": (2000, 256, 60, ("--delay", 0.2, "--faults", "429=0.1")),
    "long-tailed": (2000, 256, 60, ("--delay", 0.2, "--sigma", 1)),
}


def main() -> None:
    """Run the cases that are named; all of them else."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", default=list(CASES), help=" ".join(CASES))
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    for case in options.cases:
        compare(case, options.runs)


if __name__ == "__main__":
    main()
