"""Paths that the user gives a recipe's variables: his word for those files, and for no others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sftrecipe.errors import RecipeError
from sftrecipe.recipe.load import check_recipe

RECIPE = """\
version: 1
name: r
vars: {data: rows.jsonl}
sources: {rows: {use: jsonl, path: "%s"}}
export: [{use: jsonl, from: rows}]
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name in ("own/rows.jsonl", "elsewhere/rows.jsonl", "elsewhere/other.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text('{"instruction": "q", "output": "a"}\n')
    return tmp_path / "elsewhere" / "rows.jsonl"


def slugs(tmp_path: Path, path: str, given: str) -> list[str]:
    recipe = tmp_path / "own" / "recipe.yaml"
    recipe.write_text(RECIPE % path)
    try:
        check_recipe(recipe, variables={"data": given})
    except RecipeError as error:
        return [problem.slug for problem in error.problems]
    return []


def test_a_file_that_a_variable_names_may_be_read(data: Path, tmp_path: Path) -> None:
    assert slugs(tmp_path, "${vars.data}", str(data)) == []
    assert slugs(tmp_path, "${vars.data}/other.jsonl", str(data.parent)) == []


def test_a_file_that_is_not_there_is_missing_rather_than_outside(
    data: Path, tmp_path: Path
) -> None:
    near = str(data.with_name("row.jsonl"))
    assert slugs(tmp_path, "${vars.data}", near) == ["missing-file"]


@pytest.mark.parametrize("path", ["${vars.data}/../other.jsonl", "../elsewhere/other.jsonl"])
def test_no_other_file_may(data: Path, tmp_path: Path, path: str) -> None:
    assert slugs(tmp_path, path, str(data)) == ["path-outside"]


def test_a_link_is_what_it_leads_to(data: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.jsonl"
    link.symlink_to(data)
    assert slugs(tmp_path, "${vars.data}", str(link)) == []


@pytest.mark.parametrize("given", [os.sep, "../elsewhere/rows.jsonl", "", "\0", "x" * 9000])
def test_what_is_no_such_path_allows_nothing(data: Path, tmp_path: Path, given: str) -> None:
    assert slugs(tmp_path, str(data), given) == ["path-outside"]


def test_what_the_recipe_says_itself_is_not_the_users_word(data: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "own" / "recipe.yaml"
    text = (RECIPE % "${vars.data}").replace("data: rows.jsonl", f"data: {data}")
    recipe.write_text(text)
    with pytest.raises(RecipeError, match="outside"):
        check_recipe(recipe)
