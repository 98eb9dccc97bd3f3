"""What a filter costs a row: CPU of the whole command over real rows, less a run that keeps all.

python benchmarks/filters/cost.py [FILTER …] [--beside OTHER/bin/sftrecipe] [--rows 3500] [--runs 3]

Rows of `../shared/data`. The least of the runs, which take turns; `x floor` is beside the run that
keeps all, `x beside` the filter's part beside that of another checkout's command.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from real_rows import listed_rows

FLOOR = "length"
FILTERS: Mapping[str, Mapping[str, Any]] = {
    "blacklist": {"words": ["limited offer", "click here", "点击这里", "加微信"]},
    "decontaminate": {"benchmarks": ["questions.jsonl"]},
    "exact_dedup": {},
    "format": {},
    "language": {"keep": ["zh", "en"]},
    FLOOR: {"min_chars": 1},
    "near_dedup": {},
    "pii": {"action": "mask"},
    "rouge_novelty": {},
    "safety": {},
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("filters", nargs="*", choices=[[], *FILTERS])
    parser.add_argument("--beside", metavar="PROGRAM", help="another checkout's sftrecipe")
    parser.add_argument("--rows", type=int, default=3500)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    programs = [str(Path(sys.executable).with_name("sftrecipe"))]
    programs += [asked.beside] if asked.beside else []
    rows = _rows()[: asked.rows]
    characters = sum(len(str(text)) for row in rows for text in row.values()) // len(rows)
    print(
        f"{len(rows)} rows of {characters} characters; CPU-microseconds a row of the filter alone"
    )
    print(f"{'':<16} {'ours':>8} {'x floor':>8} {'beside':>8} {'x beside':>8}")
    floors = [_least(program, FLOOR, rows, asked.runs) for program in programs]
    for name in asked.filters or [each for each in FILTERS if each != FLOOR]:
        print(f"{name:<16}{_line(programs, floors, name, rows, asked.runs)}", flush=True)


def _line(
    programs: Sequence[str],
    floors: Sequence[float],
    name: str,
    rows: Sequence[Mapping[str, Any]],
    runs: int,
) -> str:
    spent = [_least(program, name, rows, runs) for program in programs]
    parts = [(all_ - floor) / len(rows) * 1e6 for all_, floor in zip(spent, floors, strict=True)]
    line = f"{parts[0]:>9.0f} {spent[0] / floors[0]:>8.2f}"
    return line + (f" {parts[1]:>8.0f} {parts[0] / parts[1]:>8.2f}" if len(parts) > 1 else "")


def _least(program: str, name: str, rows: Sequence[Mapping[str, Any]], runs: int) -> float:
    """CPU-seconds of the whole command, the least of several times."""
    return min(_seconds(program, name, rows) for _ in range(runs))


def _seconds(program: str, name: str, rows: Sequence[Mapping[str, Any]]) -> float:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        _write(folder / "rows.jsonl", rows)
        _write(folder / "questions.jsonl", _rows()[-500:])
        recipe = {
            "version": 1,
            "name": "cost",
            "language": "en",
            "sources": {"rows": {"use": "jsonl", "path": "rows.jsonl"}},
            "filter": [{"use": name, "on": "rows", "with": dict(FILTERS[name])}],
            "export": [{"use": "jsonl", "from": "rows"}],
        }
        (folder / "cost.yaml").write_text(json.dumps(recipe), encoding="utf-8")
        command = [program, "run", "cost.yaml", "-q"]
        with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL) as process:
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
        return used.ru_utime + used.ru_stime


def _write(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    lines = (json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@cache
def _rows() -> Sequence[dict[str, Any]]:
    """Plain rows of both languages, mixed by a fixed seed."""
    rows = [
        row
        for name in ("alpaca_en", "alpaca_zh", "chatdoctor")
        for row in listed_rows(name)
        if row.get("instruction") and row.get("output")
    ]
    random.Random(1).shuffle(rows)
    return rows


if __name__ == "__main__":
    main()
