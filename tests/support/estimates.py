"""A project whose plans and runs are compared, by the commands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from click.testing import CliRunner

from sftrecipe import messages
from sftrecipe.cli.main import cli


class Told(NamedTuple):
    """What a command said."""

    returncode: int
    stdout: str
    stderr: str


class Estimating:
    """The project."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / ".sftrecipe").mkdir()

    def write_rows(self, *instructions: str) -> None:
        rows = [{"instruction": text} for text in instructions]
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (self.folder / "rows.jsonl").write_text(text)

    def write_recipe(self, *generate: dict[str, Any], **more: Any) -> None:
        recipe = {
            "version": 1,
            "name": "estimating",
            "sources": {"rows": {"use": "jsonl", "path": "rows.jsonl"}},
            "generate": list(generate),
            "export": [{"use": "jsonl"}],
            **more,
        }
        (self.folder / "recipe.yaml").write_text(yaml.safe_dump(recipe, allow_unicode=True))

    def command(self, *arguments: str, language: str = "en") -> Told:
        """What `sftrecipe` says, in this process: a test asks it many times."""
        messages.user_language.cache_clear()
        given = {"SFTRECIPE_LANG": language, "SFTRECIPE_PROJECT": str(self.folder)}
        name, recipe, *more = arguments
        result = CliRunner(env=given).invoke(cli, [name, str(self.folder / recipe), *more])
        messages.user_language.cache_clear()
        status = getattr(result.exception, "exit_status", result.exit_code)
        return Told(status, result.stdout, result.stderr)

    def plan(self) -> dict[str, Any]:
        """The plan's steps by id."""
        done = self.command("plan", "recipe.yaml", "--json")
        assert done.returncode == 0, done.stderr
        return {step["id"]: step for step in json.loads(done.stdout)["steps"]}

    def run(self, status: int = 0) -> dict[str, Any]:
        """Estimate and fact of the run's steps by id; status 1: it leaves no row."""
        done = self.command("run", "recipe.yaml", "--json")
        assert done.returncode == status, done.stderr
        facts = json.loads((self.folder / "runs/estimating/run.json").read_text())
        if status == 0:
            assert json.loads(done.stdout)["estimate"] == facts["estimate"]
        return {step["id"]: step for step in facts["estimate"]}


def within(value: float, limits: list[float | None]) -> bool:
    """Whether a value lies in a range whose end may be unknown."""
    low, high = limits
    assert low is not None
    return low <= value and (high is None or value <= high)


def check(step: dict[str, Any]) -> dict[str, Any]:
    """The fact of a step with one provider, which must lie in the estimate."""
    estimate, (fact,) = step["estimate"], step["fact"].values()
    assert within(fact["asked"] + fact["cached"], estimate["calls"]), step
    assert within(fact["asked"], estimate["asked"]), step
    for name in ("input_tokens", "output_tokens"):
        assert within(fact[name], estimate[name]), (name, step)
    for currency, limits in estimate["cost"].items():
        assert currency == fact["currency"]
        assert within(fact["cost"], limits), step
    found: dict[str, Any] = fact
    return found


def middle(limits: list[float]) -> float:
    return sum(limits) / 2
