"""Keys that are not set: `validate` and `plan` warn and go on, all that asks refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

RECIPE = """\
version: 1
name: keyed
providers:
  teacher: {use: openai, model: gpt-4o-mini, api_key: "${env:OPENAI_API_KEY}"}
  own: {use: openai, model: m, base_url: "${env:OWN_URL}", api_key: "${env:OWN_KEY}"}
  nobodys: {use: ernie, model: ernie-4.0-8k, api_key: "${env:QIANFAN_API_KEY}"}
sources: {seeds: {use: jsonl, path: seeds.jsonl}}
generate:
  - {id: one, use: respond, from: seeds, provider: teacher, with: {max_tokens: 50}}
  - {id: two, use: respond, from: seeds, provider: own, with: {max_tokens: 50}}
export: [{use: llamafactory, with: {formatting: alpaca}}]
"""
KEYS = ("OPENAI_API_KEY", "OWN_URL", "OWN_KEY")
ALL = (*KEYS, "QIANFAN_API_KEY")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    (tmp_path / "seeds.jsonl").write_text('{"instruction": "What is asked?"}\n')
    (tmp_path / "dataset_info.json").write_text("{}\n")
    return tmp_path


def said(project: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """What the command says."""
    kept = {k: v for k, v in os.environ.items() if k not in ALL} | {"SFTRECIPE_LANG": "en"}
    return subprocess.run(
        [sys.executable, "-m", "sftrecipe.cli.main", *words],
        cwd=project, capture_output=True, text=True, check=False, env=kept | variables,
    )  # fmt: skip


def test_what_asks_nothing_warns(project: Path) -> None:
    checked = said(project, "validate", "recipe.yaml")
    assert checked.returncode == 0 and checked.stdout == "recipe.yaml: ok\n"
    for name in KEYS:
        assert f"warning[unset-environment]: environment variable '{name}'" in checked.stderr
    assert "hint: set it: export OPENAI_API_KEY=" in checked.stderr
    assert "QIANFAN" not in checked.stderr and "error" not in checked.stderr
    (facts,) = json.loads(said(project, "validate", "recipe.yaml", "--json").stdout)
    assert facts["ok"] is True
    assert {(each["severity"], each["slug"]) for each in facts["problems"]} == {
        ("warning", "unset-environment")
    }
    planned = said(project, "plan", "recipe.yaml", "--json", SFTRECIPE_LANG="zh")
    assert planned.returncode == 0 and planned.stderr.count("警告[unset-environment]") == 3
    facts = json.loads(planned.stdout)
    assert len(facts["warnings"]) == 3 and facts["total"]["calls"] == [2, 2]


def test_an_error_beside_it_is_an_error(project: Path) -> None:
    (project / "recipe.yaml").write_text(RECIPE.replace("max_tokens: 50", "max_tokens: -1", 1))
    checked = said(project, "validate", "recipe.yaml")
    assert checked.returncode == 2 and checked.stdout == "recipe.yaml: 1 error\n"
    assert "warning[unset-environment]" in checked.stderr and "error[" in checked.stderr


@pytest.mark.parametrize("command", ["run", "preview"])
def test_what_asks_refuses(project: Path, command: str) -> None:
    refused = said(project, command, "recipe.yaml")
    assert refused.returncode == 2
    assert refused.stderr.count("error[unset-environment]") == 3
    assert not (project / "runs").exists() and not (project / ".sftrecipe").exists()


def test_doctor_tells_each(project: Path) -> None:
    found = said(project, "doctor", "recipe.yaml", "--offline", "--json")
    assert found.returncode == 1
    faults = [each for each in json.loads(found.stdout)["checks"] if each["state"] == "fault"]
    assert [each["slug"] for each in faults] == ["unset-environment"] * 3
