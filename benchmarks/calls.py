"""What asking costs, beside a bare aiohttp script and beside peers.

python benchmarks/calls.py [CASE …] [--runs 3]
python benchmarks/calls.py --peers [CASE …] [--runs 1]

Every figure is of a whole process, start-up included, against the same stand-in server; ratios are
of medians of alternating runs.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile

from measured import HERE, Run, measure
from peers.table import compare_peers
from standin import StandIn, stand_in

from cases import CASES, EXTRA, PEER_CASES, Case


def run(script: str, server: StandIn, *arguments: object) -> Run:
    """Run a script of this folder and measure it."""
    found = measure([sys.executable, str(HERE / script), server.url, *map(str, arguments)], server)
    assert found.status == 0, found.said
    return found


def compare(name: str, case: Case, runs: int) -> None:
    """Ours and the script that it is compared with, in turns."""
    asked = (case.prompts, case.concurrency, case.timeout)
    ours, other, again = [], [], []
    with stand_in(*case.server) as server:
        for _ in range(runs):
            other.append(run(case.beside, server, *asked))
            folder = tempfile.mkdtemp()
            try:
                ours.append(run("asking.py", server, *asked, folder, case.use))
                again.append(run("asking.py", server, *asked, folder, case.use))
                assert again[-1].requests == 0
            finally:
                shutil.rmtree(folder)
    print(json.dumps({"case": name, **facts(ours, other, again)}), flush=True)


def facts(ours: list[Run], other: list[Run], again: list[Run]) -> dict:
    """Medians and their ratios."""

    def medians(of: list[Run]) -> dict[str, float]:
        names = ("wall", "cpu", "megabytes", "first")
        return {
            what: round(statistics.median(getattr(each, what) for each in of), 3) for what in names
        }

    mine, theirs = medians(ours), medians(other)
    return {
        "other": theirs,
        "ours": mine,
        "again": medians(again),
        "wall_ratio": round(mine["wall"] / theirs["wall"], 3),
        "cpu_ratio": round(mine["cpu"] / theirs["cpu"], 3),
        "first_ratio": round(mine["first"] / theirs["first"], 3),
        "requests": ours[-1].requests,
        "turned_away": ours[-1].turned_away,
        "said": {"other": other[-1].said, "ours": ours[-1].said, "again": again[-1].said},
    }


def main() -> None:
    """Run the cases that are named; all of them else."""
    every = CASES | EXTRA
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", nargs="*", metavar="CASE", help=" ".join(every))
    parser.add_argument("--runs", type=int, help="of each; 3, with peers 1")
    parser.add_argument("--peers", action="store_true", help="beside other engines (needs uv)")
    options = parser.parse_args()
    if unknown := set(options.cases) - set(every):
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    if options.peers:
        for name in options.cases or PEER_CASES:
            compare_peers(name, every[name], options.runs or 1)
        return
    for name in options.cases or CASES:
        compare(name, every[name], options.runs or 3)


if __name__ == "__main__":
    main()
