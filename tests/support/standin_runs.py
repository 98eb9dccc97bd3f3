"""A project with a recipe that asks the stand-in, run by the real command."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

TEMPLATE = """\
Write {{ count }} items on {{ entities.disease }}, like:
{% for example in examples %}{{ example.instruction }}
{% endfor %}"""
RECIPE = """\
version: 1
name: whole
seed: 42
providers:
  teacher: {{use: openai, base_url: "{url}", model: stand-in, api_key: ""}}
sources:
  seeds: {{use: jsonl, path: seeds.jsonl}}
generate:
  - id: ask
    use: self_instruct
    from: seeds
    provider: teacher
    with:
      template: prompt.j2
      entities: {{disease: diseases.yaml}}
      rounds: {rounds}
      seeds_per_round: 3
  - {{id: answered, use: respond, from: ask, provider: teacher, with: {{replace: true}}}}
filter:
  - {{id: long_enough, use: length, on: ask, with: {{field: instruction, max_chars: {max_chars}}}}}
  - {{id: once, use: exact_dedup, on: answered}}
mix: {{total: {total}, weights: {{answered: 4, seeds: 1}}, on_shortage: scale}}
export:
  - {{use: llamafactory, with: {{formatting: alpaca, holdout: 0.2}}}}
"""
DATA = ("whole.json", "whole_holdout.json", "dataset_info.json", "rejects.jsonl")


class Whole:
    """The project."""

    def __init__(self, folder: Path, url: str, seeds: int = 12) -> None:
        self.folder = folder
        self.url = url
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".sftrecipe").mkdir(exist_ok=True)
        (folder / "prompt.j2").write_text(TEMPLATE)
        (folder / "diseases.yaml").write_text(json.dumps([f"disease {n}" for n in range(20)]))
        self.write_seeds(range(seeds))
        self.write_recipe()

    def write_seeds(self, numbers: Any) -> None:
        rows = [{"instruction": f"Seed question {n}?", "output": f"Answer {n}."} for n in numbers]
        (self.folder / "seeds.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def write_recipe(self, rounds: int = 6, max_chars: int = 60, total: int = 60) -> None:
        text = RECIPE.format(url=self.url, rounds=rounds, max_chars=max_chars, total=total)
        (self.folder / "recipe.yaml").write_text(text)

    @property
    def out(self) -> Path:
        return self.folder / "runs" / "whole"

    def start(self, *options: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "sftrecipe.cli.main", "run", "recipe.yaml", *options]
        return subprocess.Popen(
            command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "SFTRECIPE_LANG": "en"},
        )  # fmt: skip

    def run(self, *options: str, status: int = 0) -> dict[str, Any]:
        """The outcome of a run, or its error under `error`."""
        process = self.start("--json", *options)
        out, error = process.communicate(timeout=120)
        assert process.returncode == status, error
        return json.loads(out) if status == 0 else {"error": error}

    def told(self, *words: str) -> str:
        """What another command prints."""
        done = self.command(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def command(self, *words: str, language: str = "en") -> subprocess.CompletedProcess[str]:
        """Another command, ended."""
        return subprocess.run(
            [sys.executable, "-m", "sftrecipe.cli.main", *words],
            cwd=self.folder, capture_output=True, text=True, check=False,
            env={**os.environ, "SFTRECIPE_LANG": language},
        )  # fmt: skip

    def steps(self) -> dict[str, Any]:
        """The steps of the last run by id."""
        return {step["id"]: step for step in self.facts()["steps"]}

    def facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads((self.out / "run.json").read_text())
        return facts

    def result(self) -> dict[str, str]:
        """Hashes of everything that a run leaves but its clock."""
        return {name: hashlib.sha256((self.out / name).read_bytes()).hexdigest() for name in DATA}
