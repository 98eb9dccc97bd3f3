"""The authors' API: one list, on a page, lazily imported."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

import sftrecipe
import sftrecipe.plugin
from sftrecipe.report.pages.api_page import api_page

ROOT = Path(__file__).parents[3]


def test_page_is_fresh() -> None:
    assert (ROOT / "docs" / "plugin_api.md").read_text("utf-8") == api_page(), (
        "python -m sftrecipe.report.pages.api_page > docs/plugin_api.md"
    )


def test_its_lists_are_one() -> None:
    told = [
        name
        for modules in sftrecipe.plugin.PAGE.values()
        for names in modules.values()
        for name in names.split()
    ]
    assert sorted(told) == sorted(sftrecipe.plugin.__all__)
    told_elsewhere = {"Problem", "Recipe", "RecipeError", "Run"}
    assert set(sftrecipe.__all__) - told_elsewhere <= set(told)
    page = Path("docs/python.md").read_text("utf-8")
    assert all(name in page for name in told_elsewhere)
    assert all(getattr(sftrecipe.plugin, name) is not None for name in told)


def test_type_checkers_see_the_same_places() -> None:
    source = Path(sftrecipe.plugin.__file__ or "").read_text("utf-8")
    checked = {
        (node.module, each.name)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sftrecipe.")
        for each in node.names
    }
    assert checked == {
        (module, name)
        for modules in sftrecipe.plugin.PAGE.values()
        for module, names in modules.items()
        for name in names.split()
    }


@pytest.mark.parametrize("former", ["kinds", "options"])
def test_former_places_warn(former: str) -> None:
    module = importlib.import_module(f"sftrecipe.{former}")
    with pytest.warns(DeprecationWarning, match=r"Answer is in sftrecipe\.plugin"):
        assert module.Answer is sftrecipe.plugin.Answer
    with pytest.raises(AttributeError, match="has no attribute 'Anser'"):
        module.Anser  # noqa: B018


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Filer'"):
        sftrecipe.plugin.Filer  # noqa: B018
