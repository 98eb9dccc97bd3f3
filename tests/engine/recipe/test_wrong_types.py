"""What is of another type than expected is told with the way to write it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sftrecipe.errors import RecipeError
from sftrecipe.recipe.load import check_recipe


@pytest.mark.parametrize(
    ("filters", "slug", "advice"),
    [
        ("[{use: blacklist, on: rows, with: {words: 神药}}]", "wrong-type", "write [神药]"),
        ("[{use: language, on: rows, with: {keep: en}}]", "wrong-type", "write [en]"),
        ("{use: exact_dedup, on: rows}", "wrong-type", "write every item with `- ` before it"),
        ("length", "wrong-type", None),
    ],
)
def test_what_should_be_a_list(tmp_path: Path, filters: str, slug: str, advice: str | None) -> None:
    (tmp_path / "rows.jsonl").write_text('{"instruction": "a", "output": "b"}\n')
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        "version: 1\nname: x\nsources: {rows: {use: file, path: rows.jsonl}}\n"
        f"filter: {filters}\nexport: [{{use: llamafactory, from: rows}}]\n"
    )
    with pytest.raises(RecipeError) as raised:
        check_recipe(recipe)
    (problem,) = raised.value.problems
    assert (problem.slug, problem.advice("en")) == (slug, advice)
