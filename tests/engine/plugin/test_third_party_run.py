"""A third party's provider, generator and filter: validated, run, its rows explained by lineage."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sftrecipe.plugin.new_package import new_package

from .installed import Installed, install

RECIPE = """
version: 1
name: third
seed: 7
providers:
  teacher: {use: my_echo}
sources:
  seeds: {use: jsonl, path: seeds.jsonl}
generate:
  - id: reword
    use: my_reword
    from: seeds
    provider: teacher
    with: {prompt: "Reword: {{ instruction }} {{ hint }}"}
filter:
  - {use: my_plain, on: reword, with: {column: instruction, min: 0.5}}
export:
  - {use: jsonl}
"""
SEEDS = [
    {"instruction": "name three fruits", "hint": "from a warm country"},
    {"instruction": "go go go go go go", "hint": "go go"},
]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("third")
    (folder / "site").mkdir()
    for kind, name in (
        ("provider", "my_echo"),
        ("generator", "my_reword"),
        ("filter", "my_plain"),
    ):
        last = install(new_package(kind, name, folder / name).folder, folder / "site")
    (folder / "recipe.yaml").write_text(RECIPE)
    (folder / "seeds.jsonl").write_text("".join(json.dumps(seed) + "\n" for seed in SEEDS))
    return last


def recipe(installed: Installed) -> Path:
    return installed.site.parent / "recipe.yaml"


def test_validates(installed: Installed) -> None:
    checked = installed.sftrecipe("validate", str(recipe(installed)))
    assert checked.returncode == 0, checked.stderr


def test_mistakes_in_its_options_are_found(installed: Installed) -> None:
    wrong = recipe(installed).with_name("wrong.yaml")
    wrong.write_text(RECIPE.replace("min: 0.5", "min: 7").replace("{{ hint }}", "{{ hnit }}"))
    checked = installed.sftrecipe("validate", str(wrong))
    assert checked.returncode == 2
    assert "wrong.yaml:14:" in checked.stderr
    assert "hnit" in checked.stderr
    assert "wrong.yaml:16:" in checked.stderr


def test_runs(installed: Installed) -> None:
    out = installed.site.parent / "out"
    run = installed.sftrecipe("run", str(recipe(installed)), "--out", str(out))
    assert run.returncode == 0, run.stderr
    assert "untagged" not in run.stderr + run.stdout  # its kept row had a reason, too
    (data,) = list(out.glob("third*.jsonl"))
    rows = [json.loads(line) for line in data.read_text().splitlines()]
    assert [row["instruction"] for row in rows] == ["Reword: name three fruits from a warm country"]
    rejects = [json.loads(line) for line in (out / "rejects.jsonl").read_text().splitlines()]
    assert [reject["reason"] for reject in rejects] == ["repetitive"]
    explained = installed.sftrecipe("explain", "warm country", "--run", str(out))
    assert explained.returncode == 0, explained.stderr
    assert "seeds.jsonl:1" in explained.stdout
    assert "my_echo" in explained.stdout
