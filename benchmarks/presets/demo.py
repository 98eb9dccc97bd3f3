"""Every preset at demo scale, as it stands: rows, rejects, seconds and three rows of each, into results.md.

python benchmarks/presets/demo.py [NAME …]; what lies in --out already is not run again.
"""

# ruff: noqa: E501
from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHELF = ROOT / "recipes" / "presets"
RESULTS = Path(__file__).with_name("results.md")
HEAD = """\
# Presets at demo scale

Written by `python benchmarks/presets/demo.py`: each preset as it stands, without a profile, on the packaged models
(SmolLM2-135M; Gemma 3 270M in the Chinese ones), on a CPU. Seconds are of a machine of two cores that had much else
to do (load 7 to 11); alone it takes a quarter to a tenth of it;
where a run had been stopped or a filter changed, replies came from the ledger. What such small models write is to be looked at, not trained on.
"""


def exported(folder: Path, name: str) -> list[dict[str, object]]:
    """The rows of a run, held-out ones too."""
    files = [folder / f"{name}.json", folder / f"{name}_holdout.json"]
    return [row for file in files if file.exists() for row in json.loads(file.read_text("utf-8"))]


def section(name: str, folder: Path) -> str:
    """What is told of one preset."""
    told = json.loads((folder / "run.json").read_text("utf-8"))
    rejects = Counter(
        (reject["step"], reject["reason"])
        for line in (folder / "rejects.jsonl").read_text("utf-8").splitlines()
        for reject in [json.loads(line)]
    )
    rows = exported(folder, name)
    lost = ", ".join(f"{step}: {count} {reason}" for (step, reason), count in rejects.items())
    lines = [
        f"## {name}\n",
        f"{len(rows)} rows, {rejects.total()} rejected{f' ({lost})' if lost else ''}, "
        f"{told['seconds']:.0f} s\n",
        "```json",
        *(json.dumps(row, ensure_ascii=False)[:600] for row in rows[:3]),
        "```\n",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--out", type=Path, default=Path("/tmp/presets"))
    asked = parser.parse_args()
    parts = [HEAD]
    for name in asked.names or sorted(file.parent.name for file in SHELF.glob("*/recipe.yaml")):
        folder = asked.out / name
        if not (folder / "run.json").exists():
            command = [
                sys.executable,
                "-m",
                "sftrecipe.cli.main",
                "run",
                str(SHELF / name / "recipe.yaml"),
            ]
            subprocess.run([*command, "--out", str(folder)], check=True)
        parts.append(section(name, folder))
    RESULTS.write_text("\n".join(parts), "utf-8")


if __name__ == "__main__":
    main()
