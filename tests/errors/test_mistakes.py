"""Mistakes that new users make, with the real plugins: one message each, at the very token."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sftrecipe import messages
from sftrecipe_registry.llamafactory.arguments.current_table import argument_table

from .test_errors import entered, run

HERE = Path(__file__).parent / "mistakes"
CASES = sorted(folder for folder in HERE.iterdir() if folder.is_dir())
PLAIN = {"jinja-in-a-file", "jinja-in-the-recipe", "jinja-not-closed"}
"""Their message says it all."""


@pytest.fixture
def case(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A copy of a case's folder, entered."""
    folder = entered(request.param, tmp_path, monkeypatch)
    shutil.copy(HERE / "topics.jsonl", folder)
    monkeypatch.delenv("DEEPSEEK_API_KEY", raising=False)
    monkeypatch.setenv("SFTRECIPE_TRAIN_ENV", "nowhere")  # the snapshot's arguments are told
    argument_table.cache_clear()
    yield folder
    argument_table.cache_clear()
    messages.user_language.cache_clear()


@pytest.mark.parametrize("case", CASES, ids=lambda folder: folder.name, indirect=True)
def test_one_mistake_is_one_message_that_says_what_to_write(case: Path) -> None:
    for language, name in (("en", "expected.txt"), ("zh", "expected.zh.txt")):
        result = run(case, language)
        assert result.exception is None, result.exception
        assert result.return_value == 2
        assert result.stderr == (case / name).read_text(encoding="utf-8")
        assert len(re.findall(r"^(?:\S+ )?(?:error|错误)\[", result.stderr, re.MULTILINE)) == 1
        hinted = re.search(r"^  (?:hint|提示)", result.stderr, re.MULTILINE)
        assert hinted or case.name in PLAIN


def test_there_are_forty_of_them() -> None:
    assert len(CASES) >= 40


def test_dates_and_json_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(HERE / "topics.jsonl", tmp_path)
    recipe = {
        "version": 1,
        "name": "2026-11-30",
        "sources": {"topics": {"use": "jsonl", "path": "topics.jsonl", "map": {"text": "topic"}}},
        "export": [{"use": "llamafactory", "from": "topics", "with": {"formatting": "text"}}],
    }
    text = json.dumps(recipe, ensure_ascii=False).replace('"2026-11-30"', "2026-11-30")
    (tmp_path / "recipe.yaml").write_text("\ufeff" + text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    result = run(tmp_path, "en")
    assert result.return_value == 0, result.stderr
