"""What filters are worth: precision and recall on labelled rows, by the command itself.

python benchmarks/filters/worth.py [TASK …] [--set tuned|held] [--wrong] [--write]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import yaml
from judged import Judged, judge
from tasks import LANGUAGES, TASKS, Task, figure_name

HERE = Path(__file__).parent
REGISTRY = HERE.parents[1] / "registry"


def main() -> None:
    """Print the table; with `--write` leave the figures beside the plugins."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=", ".join(TASKS))
    parser.add_argument("--set", default="held", help="folder of rows: tuned, or held")
    parser.add_argument("--rows", type=Path, default=HERE / "rows")
    parser.add_argument("--wrong", action="store_true", help="print the rows that came out wrong")
    parser.add_argument("--write", action="store_true", help="write measured.yaml beside plugins")
    asked = parser.parse_args()
    print(
        f"{'task':<34} {'lang':<4} {'P':>5} {'R':>5} {'found':>6} {'missed':>6} {'wrong':>6} right"
    )
    figures: dict[str, list[dict[str, object]]] = {}
    for name in asked.tasks or TASKS:
        for language in LANGUAGES:
            for what, judged in judge(asked.rows / asked.set, TASKS[name], language).items():
                print(_line(name, what, language, judged), flush=True)
                figures.setdefault(name, []).append(_figure(name, what, language, judged))
                if asked.wrong:
                    print(*_wrong(judged), sep="\n")
    if asked.write:
        _write(figures)


def _line(name: str, what: str, language: str, judged: Judged) -> str:
    counts = f"{judged.found:>6} {len(judged.missed):>6} {len(judged.wrong):>6} {judged.right:>5}"
    shown = figure_name(name, what)
    return f"{shown:<34} {language:<4} {judged.precision:>5.2f} {judged.recall:>5.2f} {counts}"


def _wrong(judged: Judged) -> Iterator[str]:
    yield from (f"  MISSED {row}" for row in judged.missed)
    yield from (f"  WRONG  {row}" for row in judged.wrong)


def _figure(name: str, what: str, language: str, judged: Judged) -> dict[str, object]:
    return {
        "what": figure_name(name, what),
        "language": language,
        "found": judged.found,
        "missed": len(judged.missed),
        "wrong": len(judged.wrong),
        "right": judged.right,
    }


def _write(figures: dict[str, list[dict[str, object]]]) -> None:
    """Figures by plugin, those of tasks that were not asked for as they stand."""
    for name, new in figures.items():
        task = TASKS[name]
        path = _package(task) / "measured.yaml"
        known = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
        names = {figure["what"] for figure in new}
        old = [each for each in known.get(task.use, ()) if each["what"] not in names]
        known[task.use] = old + new
        path.write_text(yaml.safe_dump(known, sort_keys=True, width=120), encoding="utf-8")


def _package(task: Task) -> Path:
    (found,) = entry_points(group="sftrecipe.filters", name=task.use)
    module = REGISTRY / Path(*found.value.partition(":")[0].split("."))
    return module.parent


if __name__ == "__main__":
    main()
