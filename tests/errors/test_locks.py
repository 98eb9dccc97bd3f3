"""One lock a slug: what `lock --check` says of it, in English and Chinese."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sftrecipe import messages
from sftrecipe.cli.lock import lock
from sftrecipe.errors import RecipeError
from sftrecipe.report.text.problem_text import render

from .test_errors import entered

HERE = Path(__file__).parent / "locks"
CASES = sorted(HERE.iterdir())


@pytest.fixture
def case(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A copy of a case's folder, entered; of one with an `after.yaml`, the recipe is locked, and
    then that."""
    folder = entered(request.param, tmp_path, monkeypatch)
    (folder / ".sftrecipe").mkdir()
    after = folder / "after.yaml"
    if after.exists():
        told("en")
        after.replace("recipe.yaml")
    yield folder
    messages.user_language.cache_clear()


def told(language: str, *words: str) -> Result:
    """`sftrecipe lock` on the case."""
    messages.user_language.cache_clear()
    return CliRunner(env={"SFTRECIPE_LANG": language}).invoke(
        lock, ["recipe.yaml", *words], standalone_mode=False
    )


def said(language: str) -> str:
    """What `lock --check` says of what is wrong; it ends with 2."""
    result = told(language, "--check")
    error = result.exception
    if isinstance(error, RecipeError):
        assert error.exit_status == 2
        return render(error.problems, language) + "\n"
    assert error is None, error
    assert result.return_value == 2
    return result.stderr + result.stdout


@pytest.mark.parametrize("case", CASES, ids=lambda folder: folder.name, indirect=True)
def test_message(case: Path) -> None:
    for language, name in (("en", "expected.txt"), ("zh", "expected.zh.txt")):
        text = said(language)
        assert text == (case / name).read_text(encoding="utf-8")
        assert f"[{case.name}]" in text
