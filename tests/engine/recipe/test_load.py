"""A recipe put together: layers, profiles, variables, and what the layers above are given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sftrecipe.errors import RecipeError
from sftrecipe.recipe.load import check_recipe, profile_problems

from ...support import stand_in_plugins as stand_ins

RECIPE = """\
version: 1
name: medical
language: zh
seed: 7
vars: {rounds: 3, model: small, stop: [a, b]}
budget: {max_cost: 50 CNY, max_calls: 5000}
providers:
  teacher: {use: embedded}
  judge: {use: openai, model: "gpt-${vars.model}", api_key: none, base_url: "http://localhost:1/v1"}
sources:
  seeds: {use: jsonl, path: data/seeds.jsonl}
generate:
  - id: ask
    use: self_instruct
    from: seeds
    provider: teacher
    with: {template: data/prompt.j2, rounds: "${vars.rounds}"}
filter:
  - {use: length, with: {max_chars: 400}}
  - {use: length, on: [ask, seeds], with: {field: instruction, min_chars: 2}}
mix: {total: 10, weights: {ask: 0.5, seeds: 0.5}}
export:
  - {use: llamafactory}
train:
  use: llamafactory
  with: {stage: sft}
evaluate:
  - {use: pairwise, on: ask, with: {models: [teacher, judge]}}
profiles:
  big:
    vars: {rounds: 30}
    providers: {teacher: {use: openai, model: gpt-4o, api_key: none, base_url: "http://127.0.0.1/v1"}}
    generate: [{id: ask, with: {batch: 8}}]
    mix: null
"""


@pytest.fixture(autouse=True)
def plugins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    stand_ins.install(monkeypatch)
    yield
    monkeypatch.undo()
    stand_ins.forget()


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    folder = tmp_path / "project" / "recipes"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "seeds.jsonl").write_text('{"instruction": "为什么？", "output": "x"}\n')
    (folder / "data" / "prompt.j2").write_text("{{ examples }}")
    (folder / "medical.yaml").write_text(RECIPE, encoding="utf-8")
    return folder / "medical.yaml"


def slugs(path: Path, **options: object) -> list[str]:
    with pytest.raises(RecipeError) as raised:
        check_recipe(path, **options)  # type: ignore[arg-type]
    return [problem.slug for problem in raised.value.problems]


def test_what_the_layers_above_are_given(recipe: Path) -> None:
    checked = check_recipe(recipe)
    assert (checked.name, checked.seed, checked.language) == ("medical", 7, "zh")
    assert checked.generate[0].plugin.rounds == 3  # type: ignore[attr-defined]
    assert checked.generate[0].inputs == ("seeds",)
    assert checked.generate[0].provider == "teacher"
    assert checked.generate[0].files.paths == {
        "data/prompt.j2": str(recipe.parent / "data" / "prompt.j2")
    }
    assert [block.id for block in checked.filter] == ["filter-length", "filter-length-2"]
    assert [block.inputs for block in checked.filter] == [("ask",), ("ask", "seeds")]
    assert checked.mix is not None
    assert (checked.mix.id, checked.mix.use, checked.mix.inputs) == (
        "mix",
        "weights",
        ("ask", "seeds"),
    )
    assert checked.export[0].inputs == ("mix",)
    assert checked.providers["judge"].plugin.model_name() == "gpt-small"  # type: ignore[attr-defined]
    assert checked.train[0].plugin.model_extra == {"stage": "sft"}
    assert (checked.budget.max_cost, checked.budget.currency) == (50.0, "CNY")
    assert "profiles" not in checked.document
    assert checked.document["generate"][0]["with"]["rounds"] == 3


def test_profile_and_command_line_change_it(recipe: Path) -> None:
    checked = check_recipe(recipe, profile="big")
    assert checked.mix is None
    assert checked.export[0].inputs == ("ask",)
    assert checked.providers["teacher"].use == "openai"
    plugin = checked.generate[0].plugin
    assert (plugin.rounds, plugin.batch) == (30, 8)  # type: ignore[attr-defined]
    assert (
        check_recipe(recipe, profile="big", variables={"rounds": "5"})
        .generate[0]
        .raw["with"]["rounds"]
        == 5
    )
    assert slugs(recipe, variables={"rounds": "many"}) == ["wrong-type"]


def test_empty_keys_take_away_what_is_there_or_nothing(recipe: Path) -> None:
    top = recipe.parent / "top.yaml"
    top.write_text(
        "version: 1\nname: top\nextends: medical.yaml\nmix: {limit: null}\n"
        "generate: [{id: ask, with: {rounds: null}}]\n"
        "profiles:\n"
        "  big: {generate: [{id: ask, with: {batch: null, rounds: null}}]}\n"
        "  many: {mix: {seeds: null}, providers: {other: {use: embedded}}}\n"
    )
    plain = check_recipe(top)
    assert plain.generate[0].raw["with"] == {"template": "data/prompt.j2"}
    assert plain.document["mix"] == {"total": 10, "weights": {"ask": 0.5, "seeds": 0.5}}
    assert check_recipe(top, profile="big").generate[0].raw["with"] == plain.generate[0].raw["with"]
    assert check_recipe(top, profile="many").document["mix"] == plain.document["mix"]
    top.write_text(top.read_text().replace("batch: null, ", ""))
    assert check_recipe(top, profile="big").generate[0].raw["with"]["batch"] == 8


def test_a_profile_is_taken_away(recipe: Path) -> None:
    top = recipe.parent / "top.yaml"
    top.write_text(
        "version: 1\nname: top\nextends: medical.yaml\nprofiles: {big: null, p: {mix: null}}\n"
    )
    assert slugs(top, profile="big") == ["unknown-profile"]
    assert check_recipe(top, profile="p").mix is None


def test_what_is_extended_keeps_its_places_and_its_folder(recipe: Path) -> None:
    top = recipe.parent / "zh.yaml"
    (recipe.parent / "below").mkdir()
    recipe.rename(recipe.parent / "below" / "medical.yaml")
    (recipe.parent / "data").rename(recipe.parent / "below" / "data")
    top.write_text("version: 1\nname: zh\nextends: below/medical.yaml\nvars: {rounds: 9}\n")
    checked = check_recipe(top)
    assert checked.name == "zh"
    assert checked.generate[0].plugin.rounds == 9  # type: ignore[attr-defined]
    (recipe.parent / "below" / "data" / "prompt.j2").unlink()
    with pytest.raises(RecipeError) as raised:
        check_recipe(top)
    problem = raised.value.problems[0]
    assert problem.slug == "missing-file"
    assert problem.position is not None
    assert problem.position.path.endswith("below/medical.yaml")
    assert problem.position.line == 17


def test_preset_of_the_project(recipe: Path) -> None:
    presets = recipe.parent / "presets"
    presets.mkdir()
    (presets / "small.yaml").write_text("version: 1\nseed: 3\n")
    top = recipe.parent / "top.yaml"
    top.write_text("version: 1\nname: top\nextends: small\n")
    assert check_recipe(top).seed == 3


def test_catalogue_is_found_above(recipe: Path) -> None:
    recipe.write_text(RECIPE + "register: true\n")
    assert slugs(recipe) == ["no-catalogue"]
    (recipe.parents[1] / "dataset_info.json").write_text("{}")
    assert check_recipe(recipe).register_in == recipe.resolve().parents[1] / "dataset_info.json"


def test_problems_are_in_file_order(recipe: Path) -> None:
    text = RECIPE.replace("seed: 7", "sead: 7").replace("from: seeds", "from: sedes")
    recipe.write_text(text.replace("stage: sft", "epochs: 3"))
    with pytest.raises(RecipeError) as raised:
        check_recipe(recipe)
    lines = [problem.position.line for problem in raised.value.problems if problem.position]
    assert lines == sorted(lines)
    assert [problem.slug for problem in raised.value.problems] == [
        "unknown-key",
        "unknown-stream",
        "option",
    ]


def test_variables_of_variables_are_bounded(recipe: Path) -> None:
    chain = "".join(f"  v{n}: ['${{vars.v{n + 1}}}']\n" for n in range(500))
    recipe.write_text(f"version: 1\nname: x\nvars:\n{chain}  v500: 1\ndescription: ${{vars.v0}}\n")
    assert "variables-too-large" in slugs(recipe)


def test_every_profile_is_checked(recipe: Path) -> None:
    assert profile_problems(recipe) == []
    recipe.write_text(RECIPE.replace("{batch: 8}", "{batch: 7}"))
    check_recipe(recipe)
    found = profile_problems(recipe)
    assert [problem.slug for problem in found] == ["out-of-range"]


def test_keys_of_another_profile_need_not_be_set(
    recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    profile = "  keyed: {providers: {teacher: {use: openai, model: gpt-4o}}}\n"
    recipe.write_text(RECIPE + profile)
    assert profile_problems(recipe) == []
    assert slugs(recipe, profile="keyed") == ["unset-environment"]


def test_a_file_of_a_like_name_is_suggested(recipe: Path) -> None:
    recipe.write_text(recipe.read_text().replace("path: data/seeds.jsonl", "path: data/seed.jsonl"))
    with pytest.raises(RecipeError) as raised:
        check_recipe(recipe)
    (problem,) = (each for each in raised.value.problems if each.slug == "missing-file")
    assert problem.advice("en") == "did you mean 'data/seeds.jsonl'?"
