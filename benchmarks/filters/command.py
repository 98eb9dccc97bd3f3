"""One filter over rows, by the command as a user starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

COMMAND = Path(os.environ.get("SFTRECIPE") or Path(sys.executable).with_name("sftrecipe"))
"""Of the environment that runs this; another one's to compare two."""


class Outcome(NamedTuple):
    """What became of one row."""

    reason: str | None
    """None: it was kept."""
    detail: str
    columns: Mapping[str, Any]
    """As the filter left them; of a rejected row as they were."""


def outcomes(
    use: str,
    options: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    language: str,
    others: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
) -> list[Outcome]:
    """What the filter says of each row; `others` are files of rows beside them, by source."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        sources = {"rows": list(rows), **{name: [*some] for name, some in (others or {}).items()}}
        for name, some in sources.items():
            lines = (json.dumps(row, ensure_ascii=False) for row in some)
            (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        recipe = {
            "version": 1,
            "name": "bench",
            "language": language,
            "sources": {name: {"use": "jsonl", "path": f"{name}.jsonl"} for name in sources},
            "filter": [{"use": use, "on": "rows", "with": dict(options)}],
            "export": [{"use": "jsonl", "from": "rows"}],
        }
        (folder / "bench.yaml").write_text(json.dumps(recipe), encoding="utf-8")
        _run(folder)
        return _read(folder / "runs" / "bench", len(rows))


def _run(folder: Path) -> None:
    ran = subprocess.run(
        [COMMAND, "run", "bench.yaml"], cwd=folder, capture_output=True, text=True, check=False
    )
    if ran.returncode and "[nothing-left]" not in ran.stderr:
        raise SystemExit(f"sftrecipe run ended with {ran.returncode}:\n{ran.stdout}{ran.stderr}")


def _read(run: Path, size: int) -> list[Outcome]:
    """The outcome of every row: rejects know their line, the others keep their order."""
    found: list[Outcome | None] = [None] * size
    for line in _lines(run / "rejects.jsonl"):
        row = line["row"]
        file, _, number = row["origin"].rpartition(":")
        if line["step"].startswith("filter") and file == "rows.jsonl":
            found[int(number) - 1] = Outcome(
                line["reason"], str(line["detail"] or ""), row["columns"]
            )
        elif file == "rows.jsonl":
            found[int(number) - 1] = Outcome(None, "not read", row["columns"])
    kept = iter(_lines(run / "bench.jsonl"))
    return [each or Outcome(None, "", next(kept)) for each in found]


def _lines(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
