"""The schemas that editors read: up to date, valid, and of one mind with `validate`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from sftrecipe.cli.schema import write_schemas
from sftrecipe.recipe.language.json_schema import RECIPE_FILE, schema_text, schemas
from sftrecipe.recipe.reader.yaml_reader import parse_recipe, read_recipe_file

from ...support import stand_in_plugins as stand_ins

ROOT = Path(__file__).parents[3]
RECIPES = sorted((ROOT / "recipes").glob("*.yaml"))


def errors(schema: dict[str, Any], text: str) -> list[Any]:
    document = parse_recipe(text.encode(), "recipe.yaml").plain()
    return list(Draft202012Validator(schema).iter_errors(document))


def test_checked_in_schemas_are_up_to_date() -> None:
    wanted = {name: schema_text(schema) for name, schema in schemas(built_in=True).items()}
    found = {
        file.name: file.read_text(encoding="utf-8")
        for file in (ROOT / "schemas").glob("*.schema.json")
    }
    assert found.keys() == wanted.keys(), "run `sftrecipe schema --write`"
    for name, text in wanted.items():
        assert found[name] == text, f"schemas/{name} is stale: run `sftrecipe schema --write`"


def test_every_schema_is_valid() -> None:
    for schema in schemas().values():
        Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.name)
def test_recipes_are_accepted(recipe: Path) -> None:
    document = read_recipe_file(recipe).plain()
    found = Draft202012Validator(schemas()[RECIPE_FILE]).iter_errors(document)
    assert [f"{list(error.absolute_path)}: {error.message}" for error in found] == []


def test_writing_removes_what_is_gone(tmp_path: Path) -> None:
    (tmp_path / "filter.gone.schema.json").write_text("{}")
    write_schemas(tmp_path)
    assert not (tmp_path / "filter.gone.schema.json").exists()
    assert write_schemas(tmp_path) == []


class TestWithStandIns:
    """What an editor says of a recipe."""

    @pytest.fixture(autouse=True)
    def plugins(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        stand_ins.install(monkeypatch, broken=False)
        yield
        monkeypatch.undo()
        stand_ins.forget()

    @pytest.mark.parametrize(
        "text",
        [
            "version: 1\nname: x\nfilter: [{use: length, with: {max_chars: 5}}]",
            "version: 1\nname: x\nfilter: [{use: length}]",
            "version: 1\nname: x\nfilter: [{use: length, with: {max_chars: '${vars.n}'}}]",
            "version: 1\nname: x\nmix: {total: 5, weights: {a: 1}}",
            "version: 1\nname: x\nlanguage: '${vars.language}'\nseed: '${vars.seed}'",
            "version: 1\nname: x\nbudget: {max_calls: '${vars.calls}'}",
            "version: 1\nextends: base.yaml\nproviders: {a: {model: m}, b: null}\nmix: null",
            "version: 1\nname: x\nprofiles: {p: {providers: {a: {model: m}}, mix: {total: 3}}}",
            "version: 1\nname: x\ntrain: {use: llamafactory, with: {anything: 1}}",
            "version: 1\nname: 医疗\nproviders: {老师: {use: openai, model: m, limits: {rpm: 3}}}",
        ],
    )
    def test_accepts(self, text: str) -> None:
        assert errors(schemas()[RECIPE_FILE], text) == []

    @pytest.mark.parametrize(
        ("text", "place"),
        [
            ("filter: [{use: length, with: {max_char: 5}}]", ["filter", 0, "with"]),
            ("filter: [{use: lenght}]", ["filter", 0, "use"]),
            ("filter: [{use: near}]", ["filter", 0]),
            ("filter: [{use: near, with: {}}]", ["filter", 0, "with"]),
            ("mix: {total: 0, weights: {a: 1}}", ["mix"]),
            ("mix: {weights: {a: 1}}", ["mix"]),
            ("seed: '7'", ["seed"]),
            ("budget: {max_calls: 'vars.calls'}", ["budget"]),
            ("providers: {a: {use: openai}}", ["providers", "a"]),
            (
                "providers: {a: {use: openai, model: m, limits: {rpm: 0}}}",
                ["providers", "a", "limits"],
            ),
            (
                "profiles: {p: {providers: {a: {use: openai, mode: m}}}}",
                ["profiles", "p", "providers"],
            ),
            ("profiles: {p: {profiles: {}}}", ["profiles", "p"]),
        ],
    )
    def test_refuses(self, text: str, place: list[str | int]) -> None:
        found = errors(schemas()[RECIPE_FILE], f"version: 1\nname: x\n{text}")
        assert any(list(error.absolute_path)[: len(place)] == place for error in found)

    def test_options_are_described(self) -> None:
        schema = schemas()["filter.length.schema.json"]
        assert schema["properties"]["max_chars"]["description"] == "Most characters."
        recipe = schemas()[RECIPE_FILE]
        assert recipe["$defs"]["FilterShape"]["properties"]["use"]["oneOf"][1]["description"]
        for name, shape in recipe["$defs"].items():
            for key, option in shape.get("properties", {}).items():
                if name.endswith("Shape"):
                    assert option.get("description"), f"{name}.{key}"
