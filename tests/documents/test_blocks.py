"""What the README and docs show is true: recipes validate, Python runs, commands exist."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from sftrecipe.cli.main import COMMANDS, imported_command
from sftrecipe.errors import RecipeError
from sftrecipe.plugin.discovery import plugins
from sftrecipe.recipe.checks.secrets import hosts_by_variable
from sftrecipe.recipe.load import check_recipe

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "README.zh.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / ".github").glob("*.md")),
]
BASE = """
version: 1
name: base
providers:
  teacher: {use: embedded}
sources:
  seeds: {use: jsonl, path: medical/seed_tasks.en.jsonl}
generate:
  - {id: ask, use: respond, from: seeds, provider: teacher}
export:
  - {use: jsonl}
"""
"""What a block that shows a part of a recipe is laid over."""


def blocks(*languages: str) -> Iterator[Any]:
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for found in re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            if found[1] in languages:
                line = text.count("\n", 0, found.start()) + 1
                yield pytest.param(found[2], id=f"{document.relative_to(ROOT)}:{line}")


@pytest.mark.parametrize("text", list(blocks("yaml")))
def test_recipes_validate(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in hosts_by_variable():
        monkeypatch.setenv(key, "a-key")
    monkeypatch.setenv("SFTRECIPE_VLLM_ENV", sys.prefix)
    monkeypatch.setenv("SFTRECIPE_TRAIN_ENV", sys.prefix)
    shown = yaml.load(text, _Loader)
    whole = "sources" in shown and "version" in shown
    shutil.copytree(ROOT / "recipes", tmp_path / "recipes")
    recipe = tmp_path / "recipes" / "shown.yaml"
    recipe.write_text(text if whole else laid_over_base(shown), encoding="utf-8")
    for profile in [None, *shown.get("profiles", {})]:
        try:
            check_recipe(recipe, profile=profile)
        except RecipeError as error:
            raise AssertionError(str(error)) from error


def laid_over_base(shown: dict[str, Any]) -> str:
    base = yaml.load(BASE, _Loader)
    named = {key: base[key] | shown.get(key, {}) for key in ("providers", "sources")}
    return yaml.safe_dump(base | shown | named, sort_keys=False)


class _Loader(yaml.SafeLoader):
    """YAML in which `on` is a word, as recipes are read."""


_Loader.yaml_implicit_resolvers = {
    letter: [rule for rule in rules if letter not in "oO" or not rule[0].endswith(":bool")]
    for letter, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_python_runs(document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = document.read_text(encoding="utf-8")
    if "```python" in text:
        shutil.copytree(ROOT / "recipes", tmp_path / "recipes")
        monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "shown"}
    for found in re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        exec(compile(found[1], str(document), "exec", dont_inherit=True), names)


@pytest.mark.parametrize("text", list(blocks("sh", "bash")))
def test_commands_exist(text: str) -> None:
    for line in text.splitlines():
        words = shlex.split(line, comments=True)
        if "sftrecipe" in words:
            check(words[words.index("sftrecipe") + 1 :])


def check(words: list[str]) -> None:
    """Fail unless the words name a command of sftrecipe and options that it has."""
    if not words:
        return
    name, *words = words
    assert name in COMMANDS, f"no command {name}"
    command = imported_command(name)
    while isinstance(command, click.Group) and words and words[0] in command.commands:
        command, words = command.commands[words[0]], words[1:]
    known = {option for param in command.params for option in param.opts}
    used = {word.partition("=")[0] for word in words if word.startswith("-")}
    assert used <= known, f"{command.name} has no {used - known}"


def test_commands_of_the_readme_are_all_there() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"^\| `sftrecipe (\w+)", readme, re.MULTILINE))
    assert shown == set(COMMANDS)


@pytest.mark.parametrize("kind", ["generator", "filter", "judge"])
def test_every_method_has_its_place(kind: str) -> None:
    told = set(re.findall(r"`(\w+)`", (ROOT / "docs/methods.md").read_text(encoding="utf-8")))
    assert {
        name for name, found in plugins(kind).items() if found.package[:9] == "sftrecipe"
    } <= told


def test_links_lead_somewhere() -> None:
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


@pytest.mark.parametrize("section", ["Quick start", "Tests"])
def test_the_first_block_of_a_section_is_one_command(section: str) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    text = readme.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    found = re.search(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    assert found[1] == "sh"
    assert len(found[2].splitlines()) == 1
