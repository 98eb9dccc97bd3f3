"""What commands say in a Chinese session: no line of it is English prose."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from sftrecipe import messages
from sftrecipe.cli.main import cli
from sftrecipe.errors import RecipeError, SftrecipeError
from sftrecipe.report.text.problem_text import render

RECIPE = """version: 1
name: 问诊
language: zh
sources:
  faq: {use: jsonl, path: faq.jsonl}
filter:
  - {id: short, use: length, on: faq, with: {field: output, min_chars: 3}}
  - {id: once, use: exact_dedup, on: faq, with: {field: instruction}}
export:
  - {use: llamafactory, from: faq, with: {formatting: alpaca}}
profiles:
  strict:
    filter: [{id: short, with: {min_chars: 5}}]
"""
MISTAKEN = """version: 1
name: 问诊
langauge: zh
providers:
  teacher: {use: vllm, base_url: "http://127.0.0.1:9/v1"}
sources:
  faq: {use: jsonl, path: faw.jsonl, sample: ten}
filter:
  - {id: short, use: lenght, on: faq, min_chars: 3}
export:
  - {use: llamafactory, form: faq, with: {formatting: alpacca}}
"""
ROWS = """{"instruction": "感冒了怎么办？", "output": "多喝水，多休息。"}
{"instruction": "感冒了怎么办？", "output": "多喝热水，早点休息。"}
{"instruction": "发烧到几度要去医院？", "output": "是"}
{"instruction": "咳嗽多久要看医生？", "output": "超过三周，或者咳血，都要去看。"}
"""
PROSE = re.compile(r"\b[A-Za-z][a-z']+(?:,? [a-z']{2,}){2,}")
"""Three English words in a row."""
NAMES = (
    r"`[^`]*`",
    r"'[^']*'",
    r"\"[^\"]*\"",
    r"sftrecipe [a-z]+(?: [\w./=-]+)*",
    r"llamafactory \d\S*, transformers \d\S*, snapshot",
    r"https?://\S+",
    r"可用的有：.*",
    r"[\w-]+/[\w./-]+",
)
"""What is no prose: what is quoted, commands, versions, addresses, paths, lists of names."""


def told(*words: str) -> str:
    """All that a command prints."""
    messages.user_language.cache_clear()
    result = CliRunner(env={"SFTRECIPE_LANG": "zh"}).invoke(cli, list(words))
    return f"{result.output}\n{_error(result.exception)}"


def _error(error: BaseException | None) -> str:
    """What the command would tell of an error."""
    if isinstance(error, RecipeError):
        return render(error.problems)
    if isinstance(error, SftrecipeError):
        return render([error.problem])
    assert error is None or isinstance(error, SystemExit), error
    return ""


def prose(text: str) -> list[str]:
    """The lines that are English."""
    found = []
    for line in text.splitlines():
        bare = line
        for name in NAMES:
            bare = re.sub(name, "", bare)
        if PROSE.search(bare):
            found.append(line)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a recipe that has run."""
    place = tmp_path_factory.mktemp("chinese")
    (place / "faq.jsonl").write_text(ROWS, encoding="utf-8")
    (place / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    (place / "mistaken.yaml").write_text(MISTAKEN, encoding="utf-8")
    (place / "dataset_info.json").write_text("{}")
    return place


@pytest.fixture(autouse=True)
def chinese(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SFTRECIPE_LANG", "zh")
    messages.user_language.cache_clear()


COMMANDS = (
    "validate recipe.yaml",
    "validate mistaken.yaml",
    "validate recipe.yaml --profile strickt",
    "validate recipe.yml",
    "plan recipe.yaml",
    "preview recipe.yaml",
    "run recipe.yaml",
    "run recipe.yaml --profile strict",
    "report",
    "explain 感冒",
    "explain 发烧",
    "explain 没有这一行",
    "history",
    "diff recipe.yaml",
    "lock recipe.yaml",
    "lock recipe.yaml --check",
    "ledger",
    "ledger verify",
    "gc",
    "doctor recipe.yaml",
    "presets",
    "plugins show lenght",
    "sweep recipe.yaml",
    "train recipe.yaml --check",
    "evaluate recipe.yaml",
)


def test_no_line_is_english_prose() -> None:
    found = {command: lines for command in COMMANDS if (lines := prose(told(*command.split())))}
    assert found == {}


def test_prose_is_found() -> None:
    assert prose("the rows are lost\n数据行 'made of rows here' 完成") == ["the rows are lost"]
