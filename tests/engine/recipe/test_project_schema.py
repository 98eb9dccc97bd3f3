"""`sftrecipe schema --project`: the schema that knows a project's own names."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from sftrecipe.cli.schema import schema
from sftrecipe.recipe.reader.yaml_reader import parse_recipe

RECIPE = """version: 1
name: x
providers: {teacher: {use: openai, model: m}}
sources: {topics: {use: jsonl, path: t.jsonl}}
generate: [{id: ask, use: respond, from: topics, provider: teacher}]
filter: [{use: length, on: [ask, topics], with: {min_chars: 1}}]
mix: {weights: {ask: 1, topics: 2}}
export: [{id: all, use: llamafactory}]
train:
  use: llamafactory
  on: all
  with: {stage: sft, model_name_or_path: m, template: qwen, learning_rate: 1e-5, bf16: true}
profiles: {small: {providers: {little: {use: embedded}}}}
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The schema of a folder with this recipe, one that breaks off, and one that is none."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "recipe.yaml").write_text(RECIPE)
    (folder / "broken.yaml").write_text("version: 1\nname: {")
    (folder / "other.yaml").write_text("sources: {elsewhere: {}}")
    result = CliRunner().invoke(schema, ["--project", str(folder)], standalone_mode=False)
    assert result.return_value == 0
    file = folder / "recipe.v1.schema.json"
    assert result.stdout == f"written {file}\n"
    loaded: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return loaded


def offered(written: dict[str, Any], shape: str, key: str) -> list[str]:
    """What an editor offers for a key."""
    choices = written["$defs"][shape]["properties"][key]["anyOf"]
    return next((list(each["enum"]) for each in choices if "enum" in each), [])


def test_a_layer_is_offered_them_too(written: dict[str, Any]) -> None:
    """It may also take a key away."""
    for shape in ("GenerateShape", "FilterShape"):
        layered = written["$defs"][f"{shape}Layer"]["properties"]
        assert '"ask"' in json.dumps(layered)


def test_names_are_offered_where_they_are_referred_to(written: dict[str, Any]) -> None:
    assert offered(written, "GenerateShape", "from") == ["topics", "ask"]
    assert offered(written, "FilterShape", "on") == ["topics", "ask"]
    assert offered(written, "EvaluateShape", "on") == ["topics", "ask", "holdout"]
    assert offered(written, "GenerateShape", "provider") == ["teacher", "little"]
    assert offered(written, "TrainShape", "on") == ["all"]
    assert "models" in offered(written, "Recipe", "extends")
    weights = written["$defs"]["mixer.weights"]["properties"]["weights"]["anyOf"][0]
    assert weights["properties"].keys() == {"topics", "ask"}


def test_other_names_are_taken_too(written: dict[str, Any]) -> None:
    checker = Draft202012Validator(written)
    for text in (RECIPE, RECIPE.replace("from: topics", "from: of_a_preset")):
        document = parse_recipe(text.encode(), "recipe.yaml").plain()
        assert [error.message for error in checker.iter_errors(document)] == []


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("stage: sft", "stage: sfd"),
        ("bf16: true", "bf16: 'yes'"),
        ("template: qwen", "template: qwne"),
        ("min_chars: 1", "min_char: 1"),
        ("ask: 1, ", "ask: much, "),
    ],
)
def test_values_are_checked(written: dict[str, Any], was: str, now: str) -> None:
    document = parse_recipe(RECIPE.replace(was, now).encode(), "recipe.yaml").plain()
    assert list(Draft202012Validator(written).iter_errors(document))
