"""Peers beside ours, in turns, as a table of ratios."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from measured import HERE, Run, measure
from standin import StandIn, stand_in

from cases import Case

PEERS = ("curator", "datadesigner", "litellm_bare", "distilabel_pipeline")
LIMIT = 300.0
"""Seconds after which a peer is stopped."""
_ROW = "{:<30} {:>8} {:>8} {:>8} {:>9} {:>9} {:>9}"


def compare_peers(name: str, case: Case, runs: int) -> None:
    """Every peer and ours, in turns, and print the table."""
    commands = {
        "ours": [sys.executable, str(HERE / "asking.py")],
        "bare aiohttp": [sys.executable, str(HERE / "bare_aiohttp.py")],
    }
    for peer in PEERS:
        if (python := environment(peer)) is not None:
            commands[peer] = [python, str(HERE / "peers" / f"{peer}.py")]
    found: dict[str, list[Run]] = {each: [] for each in commands}
    with stand_in(*case.server) as server:
        for _ in range(runs):
            for each, command in commands.items():
                found[each].append(once(command, server, case))
    print(f"\n{name}: {case.prompts} prompts, {case.concurrency} at once, server {case.server}")
    print(_ROW.format("", "wall", "CPU", "MB", "rows", "requests", "wall, s"))
    for each, runs_of in found.items():
        print(row(each, runs_of, found["ours"]), flush=True)


def environment(peer: str) -> str | None:
    """The Python of a peer's own environment, made by uv; None: it cannot be installed."""
    script = str(HERE / "peers" / f"{peer}.py")
    made = subprocess.run(
        ["uv", "sync", "--quiet", "--compile-bytecode", "--script", script],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        print(f"{peer} cannot be installed: {made.stderr.strip()}", file=sys.stderr)
        return None
    python = subprocess.run(
        ["uv", "python", "find", "--script", script], capture_output=True, text=True, check=True
    )
    return python.stdout.strip()


def once(command: list[str], server: StandIn, case: Case) -> Run:
    """One run in a folder of its own."""
    folder = tempfile.mkdtemp()
    asked = (server.url, case.prompts, case.concurrency, case.timeout, folder)
    try:
        with (Path(folder) / "stderr").open("wb") as log:
            return measure([*command, *map(str, asked)], server, seconds=LIMIT, log=log)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def row(name: str, runs: list[Run], ours: list[Run]) -> str:
    """Medians as multiples of ours; rows and requests as they are."""

    def times(what: str) -> str:
        mine, theirs = (
            statistics.median(getattr(each, what) for each in of) for of in (ours, runs)
        )
        return f"{theirs / mine:.2f} x"

    last = runs[-1]
    who = last.said.partition("answered by ")[2].partition(":")[0] or name
    if last.status:
        who = f"{who}: {'stopped' if last.status < 0 else f'exit {last.status}'}"
    return _ROW.format(
        who,
        times("wall"),
        times("cpu"),
        times("megabytes"),
        last.answered,
        last.requests,
        f"{statistics.median(each.wall for each in runs):.1f}",
    )
