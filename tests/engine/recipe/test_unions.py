"""An option with a short and a long form: what is wrong with the one is told of it alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from sftrecipe.errors import RecipeError
from sftrecipe.recipe.load import check_recipe


@pytest.mark.parametrize(
    ("holdout", "told"),
    [
        ("{share: 0}", [("out-of-range", "'share' is 0")]),
        ("{apart: 0.7}", [("missing-key", "'share' is missing")]),
        ("{}", [("missing-key", "'share' is missing")]),
        ("{share: 0.1, byy: topic}", [("unknown-key", "'byy'")]),
        ("{share: '10%'}", [("wrong-type", "'share' is a text, expected a number")]),
        ("{share: 0.1, by: ['', topic]}", [("bad-format", "'by[0]' is ''")]),
        ("{share: 0.1, by: [3, topic]}", [("wrong-type", "'by[0]' is a whole number")]),
        ("{share: 0, apart: 7}", [("out-of-range", "'share'"), ("out-of-range", "'apart' is 7")]),
        (
            "{share: 0.1, by: 3}",
            [("wrong-type", "'by' is a whole number, expected a text /")],
        ),
        ("[1]", [("wrong-type", "'holdout' is a list, expected a number / a mapping")]),
        ("many", [("wrong-type", "'holdout' is a text, expected a number / a mapping")]),
        ("-1", [("out-of-range", "'holdout' is -1")]),
    ],
)
def test_errors_are_those_of_the_form_that_is_written(
    tmp_path: Path, holdout: str, told: list[tuple[str, str]]
) -> None:
    (tmp_path / "rows.jsonl").write_text('{"instruction": "a", "output": "b"}\n')
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        "version: 1\nname: x\nsources: {rows: {use: jsonl, path: rows.jsonl}}\n"
        f"export: [{{use: llamafactory, with: {{holdout: {holdout}}}}}]\n"
    )
    with pytest.raises(RecipeError) as raised:
        check_recipe(recipe)
    found = raised.value.problems
    assert [each.slug for each in found] == [slug for slug, _ in told]
    assert all(text in each.message("en") for each, (_, text) in zip(found, told, strict=True))
