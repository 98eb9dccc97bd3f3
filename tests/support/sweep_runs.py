"""A project with a sweep over toy trainings, run by the real command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

TOYS = Path(__file__).parent / "toys" / "toys.py"
RECIPE = {
    "version": 1,
    "name": "toy",
    "vars": {"rate": 1.0},
    "sources": {name: {"use": "jsonl", "path": f"{name}.jsonl"} for name in ("a", "b", "exam")},
    "mix": {"total": 20, "weights": {"a": 1, "b": 1}},
    "export": [{"use": "jsonl"}],
    "train": {"use": "toy", "with": {"rate": "${vars.rate}"}},
    "evaluate": [{"id": "judged", "use": "toy", "on": "exam", "provider": "tuned"}],
}
MIXES = [{"a": 1, "b": 9}, {"a": 4, "b": 6}, {"a": 8, "b": 2}]
QUESTIONS = 12


class Sweeping:
    """The project."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / ".sftrecipe").mkdir(parents=True)
        info = folder / "third" / "toys-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toys\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(
            "[sftrecipe.trainers]\ntoy = toys:ToyTrainer\n"
            "[sftrecipe.providers]\ntoy = toys:ToyProvider\n"
            "[sftrecipe.judges]\ntoy = toys:ToyJudge\n"
        )
        (folder / "third" / "toys.py").write_bytes(TOYS.read_bytes())
        for name, count in (("a", 20), ("b", 20), ("exam", QUESTIONS)):
            rows = ({"instruction": f"{name} {n}", "output": "x"} for n in range(count))
            (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    @property
    def out(self) -> Path:
        return self.folder / "runs" / "toy"

    def write(self, sweep: dict[str, Any] | None, **changes: Any) -> None:
        """The recipe, with a sweep over the mix unless it says otherwise."""
        standard = {"over": {"mix.weights": MIXES}, "metric": "judged.loss", "goal": "lower"}
        whole = RECIPE | changes | ({} if sweep is None else {"sweep": standard | sweep})
        (self.folder / "recipe.yaml").write_text(json.dumps(whole))

    def command(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "sftrecipe.cli.main", *words],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            env={
                **os.environ,
                "SFTRECIPE_LANG": "en",
                "PYTHONPATH": str(self.folder / "third"),
                "TOY_LOG": str(self.folder / "log"),
                **environment,
            },
        )

    def sweep(self, *options: str, status: int = 0, **environment: str) -> dict[str, Any]:
        """What the command told as JSON; nothing where it ended in an error."""
        done = self.command("sweep", "recipe.yaml", "--json", *options, **environment)
        assert done.returncode == status, done.stderr
        facts: dict[str, Any] = json.loads(done.stdout) if done.stdout else {"error": done.stderr}
        return facts

    def trainings(self) -> list[str]:
        """The trainings that took place so far: folder, rate, seed."""
        log = self.folder / "log"
        return log.read_text().splitlines() if log.exists() else []

    def models(self) -> list[str]:
        """The variants whose models are there."""
        return sorted(path.parent.name for path in (self.out / "sweep").glob("*/model"))
