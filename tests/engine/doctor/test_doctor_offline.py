"""What `sftrecipe doctor --offline` sees: all that this machine lacks, without asking anybody."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sftrecipe.plugin.environments import unfinished_environment

PROVIDERS = {
    "served": "{use: vllm, model: x/y, serve: {}}",
    "loaded": "{use: transformers, model: x/y}",
    "small": "{use: embedded, model: /no/such.gguf}",
    "deepseek": "{use: openai, model: m, vendor: deepseek}",
    "ernie": "{use: ernie, model: m}",
    "claude": "{use: litellm, model: anthropic/claude-sonnet-5-5}",
}
LACKS = {
    "served": ("fault", "no environment that has vLLM is named"),
    "loaded": ("fault", "no environment that has"),
    "small": ("fault", "/no/such.gguf"),
    "deepseek": ("fault", "DEEPSEEK_API_KEY"),
    "ernie": ("fault", "is not set"),
    "claude": ("warning", "ANTHROPIC_API_KEY"),
}
_OURS = ("SFTRECIPE_", "_API_KEY")


def found(folder: Path, *asked: str, more: str = "", **variables: str) -> list[dict[str, Any]]:
    """The faults and warnings of a recipe that asks these providers."""
    (folder / ".sftrecipe").mkdir(exist_ok=True)
    (folder / "seeds.jsonl").write_text('{"instruction": "How are you?"}\n' * 30)
    lines = [
        "version: 1",
        "name: ready",
        "providers:",
        *(f"  {name}: {PROVIDERS[name]}" for name in asked),
        "sources: {seeds: {use: jsonl, path: seeds.jsonl}}",
        "generate:",
        *(f"  - {{id: by_{n}, use: respond, from: seeds, provider: {n}}}" for n in asked),
        "export: [{use: llamafactory}]",
        more,
    ]
    (folder / "recipe.yaml").write_text("\n".join(lines), "utf-8")
    words = ("doctor", "recipe.yaml", "--offline", "--json")
    done = subprocess.run(
        [sys.executable, "-m", "sftrecipe.cli.main", *words],
        cwd=folder, capture_output=True, text=True, timeout=300, check=False,
        env={**clean(), "SFTRECIPE_LANG": "en", "XDG_DATA_HOME": str(folder), **variables},
    )  # fmt: skip
    facts = json.loads(done.stdout)
    told = [check for check in facts["checks"] if check["state"] != "ok"]
    assert done.returncode == any(check["state"] == "fault" for check in told), done.stderr
    return told


def clean() -> Mapping[str, str]:
    """The environment without what names environments and keys."""
    own = {name: value for name, value in os.environ.items() if not any(o in name for o in _OURS)}
    bins = [each for each in own["PATH"].split(os.pathsep) if "llamafactory" not in each]
    return {**own, "PATH": os.pathsep.join(bins)}


def test_what_each_kind_of_provider_lacks(tmp_path: Path) -> None:
    told = found(tmp_path, *PROVIDERS)
    for name, (state, text) in LACKS.items():
        of_it = [each for each in told if each["subject"] == name and text in each["message"]]
        assert [each["state"] for each in of_it] == [state], name
        assert of_it[0]["hint"], name


def test_an_environment_that_is_half_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "sftrecipe" / "envs" / "train"
    package = folder / "lib" / "python3.11" / "site-packages" / "llamafactory"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (folder / ".incomplete").touch()
    train = "train: {use: llamafactory, with: {model_name_or_path: x/y, template: qwen}}"
    told = found(tmp_path, "loaded", more=train, SFTRECIPE_TRAIN_ENV=str(folder))
    needs = [each for each in told if each["check"] == "needs"]
    assert {each["subject"] for each in needs} == {"loaded", "train"}
    for each in needs:
        assert each["state"] == "fault"
        assert "is half made: run sftrecipe env train again" in each["message"]
        assert "run it again: sftrecipe env train" in each["hint"]
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    for named in (None, folder, folder / "bin" / "python"):
        monkeypatch.delenv("SFTRECIPE_TRAIN_ENV", raising=False)
        if named:
            monkeypatch.setenv("SFTRECIPE_TRAIN_ENV", str(named))
        assert unfinished_environment("SFTRECIPE_TRAIN_ENV") == folder
    (folder / ".complete").touch()  # killed when all was done but the clearing away
    assert unfinished_environment("SFTRECIPE_TRAIN_ENV") is None
