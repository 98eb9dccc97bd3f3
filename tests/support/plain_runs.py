"""A project without models: a recipe, its files, and the real command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

COMMAND = (sys.executable, "-m", "sftrecipe.cli.main")


class Plain:
    """The project."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / ".sftrecipe").mkdir(parents=True)

    def recipe(self, name: str = "recipe.yaml", **document: Any) -> None:
        """Write a recipe; left out: it exports what `rows.jsonl` holds."""
        usual = {
            "version": 1,
            "name": "plain",
            "sources": {"rows": {"use": "jsonl", "path": "rows.jsonl"}},
            "export": [{"use": "jsonl"}],
        }
        (self.folder / name).write_text(json.dumps(usual | document))

    def rows(self, numbers: Iterable[int], name: str = "rows.jsonl", word: str = "Q") -> None:
        """Write a file of questions."""
        (self.folder / name).write_text(lines(numbers, word))

    def start(self, *words: str, before: str = "", **environment: str) -> subprocess.Popen[str]:
        """Start a command; `before`: shell words in front, such as limits."""
        shell = ["bash", "-c", f'{before}\nexec "$@"', "-", *COMMAND, *words]
        return subprocess.Popen(
            shell if before else [*COMMAND, *words],
            cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "SFTRECIPE_LANG": "en", **environment},
        )  # fmt: skip

    def run(
        self, *words: str, status: int = 0, command: str = "run", before: str = "", **env: str
    ) -> str:
        """What a command says on stderr; `recipe.yaml` is run unless words are given."""
        process = self.start(command, *(words or ("recipe.yaml",)), before=before, **env)
        out, error = process.communicate(timeout=240)
        assert process.returncode == status, error + out
        assert "Traceback" not in error
        return error

    @property
    def out(self) -> Path:
        return self.folder / "runs" / "plain"

    def data(self, name: str = "plain.jsonl") -> list[dict[str, Any]]:
        """The exported rows."""
        return [json.loads(line) for line in (self.out / name).read_text().splitlines()]


def lines(numbers: Iterable[int], word: str = "Q") -> str:
    """JSON Lines of equal lengths for equal numbers."""
    rows = ({"instruction": f"{word} {n:05}?", "output": f"A {n:05}."} for n in numbers)
    return "".join(json.dumps(row) + "\n" for row in rows)


def examples(few: int) -> int:
    """How many random cases are tried; SFTRECIPE_TEST_RUNS asks for more."""
    return max(few, int(os.environ.get("SFTRECIPE_TEST_RUNS", "0")))
