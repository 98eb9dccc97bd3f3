"""What strangers' recipes and rows do without the user's word: nothing that matters."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sftrecipe.cli.main import cli
from sftrecipe_registry.generators.backtranslate import instruction_in
from sftrecipe_registry.methods.evol.evolution import evolved_text
from sftrecipe_registry.methods.self_instruct.format import _FIELD
from sftrecipe_registry.methods.self_instruct.numbered_tasks import parse_tasks
from sftrecipe_registry.shared.text.sentences import sentences

Said = Callable[..., list[str]]
HEAD = "version: 1\nname: t\nsources:\n  s: {use: jsonl, path: rows.jsonl}\n"
TRAIN = (
    "export:\n  - {use: llamafactory, from: s}\n"
    "train: {use: llamafactory, with: {model_name_or_path: org/m, template: qwen, MORE}}\n"
)
TRACKED = base64.urlsafe_b64encode(b'{"wandb": {"enabled": true}}').decode()


@pytest.fixture
def said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Said:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("SFTRECIPE_LANG", "en")
    python = tmp_path / "envs" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    (tmp_path / "project").mkdir()
    row = {"instruction": "a", "output": "b"}
    (tmp_path / "project" / "rows.jsonl").write_text(json.dumps(row))
    monkeypatch.chdir(tmp_path / "project")

    def command(recipe: str, *words: str) -> list[str]:
        Path("recipe.yaml").write_text(recipe)
        cli.main(["validate", "recipe.yaml", "--json", *words], standalone_mode=False)
        (facts,) = json.loads(capsys.readouterr().out)
        return [each["slug"] for each in facts["problems"]]

    return command


@pytest.mark.parametrize(
    ("options", "variable"),
    [
        ("use: vllm, model: org/m, serve: {python: PYTHON}", "SFTRECIPE_VLLM_ENV"),
        ("use: transformers, model: org/m, python: PYTHON", "SFTRECIPE_TRAIN_ENV"),
    ],
)
def test_a_python_that_a_recipe_names(
    said: Said,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: str,
    variable: str,
) -> None:
    named = options.replace("PYTHON", str(tmp_path / "envs" / "bin" / "python"))
    recipe = f"{HEAD}providers: {{p: {{{named}}}}}\nexport: [{{use: jsonl, from: s}}]\n"
    assert said(recipe) == ["needs-permission"]
    assert said(recipe, "--allow", "python") == []
    assert said(recipe) == []
    other = recipe.replace("envs/bin/python", "envs/bin/python3")
    (tmp_path / "envs" / "bin" / "python3").symlink_to("python")
    assert said(other) == ["needs-permission"]
    monkeypatch.setenv(variable, str(tmp_path / "envs" / "bin" / "python3"))
    assert said(other) == []


@pytest.mark.parametrize(
    "more", [f"deepspeed: {TRACKED}", "deepspeed: absent.json", "fsdp_config: absent.json",
             "cache_dir: 'simplecache::http'", "lora_target: ['${']"]
)  # fmt: skip
def test_arguments_that_are_not_what_they_seem(said: Said, more: str) -> None:
    assert len(said(HEAD + TRAIN.replace("MORE", more))) == 1


LONG = 100_000


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (evolved_text, "\n" * LONG),
        (instruction_in, f"a{'*' * LONG}"),
        (instruction_in, f"-{'*' * LONG}a"),
        (instruction_in, f"instruction{' ' * LONG}a"),
        (lambda text: parse_tasks(text, first=1), "\n " * LONG + "a"),
        (lambda text: list(sentences(text)), "." * LONG + "a"),
        (_FIELD.findall, "a" * LONG),
    ],
)
def test_a_long_reply_is_soon_read(read: Callable[[str], object], text: str) -> None:
    started = time.process_time()
    read(text)
    assert time.process_time() - started < 1
