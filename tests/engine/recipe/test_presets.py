"""Presets by name: where they are found, and that each reads the files of its own folder alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sftrecipe import installed_packages
from sftrecipe.errors import Position, Problem, RecipeError
from sftrecipe.plan.steps import plan_recipe
from sftrecipe.recipe.load import check_recipe
from sftrecipe.recipe.presets.preset import Preset, preset_at
from sftrecipe.recipe.presets.preset_facts import preset_facts
from sftrecipe.recipe.presets.preset_header import preset_header
from sftrecipe.recipe.presets.preset_lookup import project_preset
from sftrecipe.recipe.reader.paths import Roots
from sftrecipe.store.project import project_of

LAW = """version: 1
name: bylaws
vars: {topics: topics.jsonl, folder: more}
providers: {teacher: {use: embedded}}
sources:
  topics: {use: jsonl, path: "${vars.topics}"}
  more: {use: jsonl, path: "${vars.folder}"}
generate:
  - {id: ask, use: respond, from: topics, provider: teacher, with: {prompt: ask.j2}}
export:
  - {id: out, use: jsonl}
"""
TRAIN = """train:
  use: llamafactory
  with: {model_name_or_path: org/model, template: qwen, deepspeed: %s}
"""


def law(shelf: Path, recipe: str = LAW) -> Path:
    """The preset `bylaws`, with its files."""
    folder = shelf / "bylaws"
    (folder / "more").mkdir(parents=True)
    (folder / "recipe.yaml").write_text(recipe)
    (folder / "ask.j2").write_text("Ask of {{ topic }}.\n")
    for name in ("topics.jsonl", "more/a.jsonl"):
        (folder / name).write_text('{"topic": "a"}\n')
    return folder


def package(site: Path, name: str, shelf: str) -> Path:
    """An installed package that declares the preset `bylaws`; importing it fails."""
    info = site / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[sftrecipe.presets]\nbylaws = {name}.{shelf}\n")
    (site / name).mkdir()
    (site / name / "__init__.py").write_text("raise ImportError('it is heavy')\n")
    return site / name / shelf


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of installed packages; whoever fills it has them found."""
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    installed_packages.declarations.cache_clear()
    yield folder
    monkeypatch.undo()
    installed_packages.declarations.cache_clear()


def mine(folder: Path, more: str = "", extends: str = "bylaws") -> Path:
    folder.mkdir(exist_ok=True)
    recipe = folder / "mine.yaml"
    recipe.write_text(f"version: 1\nname: mine\nextends: {extends}\n{more}")
    return recipe


def problems(recipe: Path, **terms: object) -> list[Problem]:
    with pytest.raises(RecipeError) as raised:
        check_recipe(recipe, **terms)  # type: ignore[arg-type]
    return raised.value.problems


def keys(recipe: Path) -> dict[str, str | None]:
    checked = check_recipe(recipe)
    plan = plan_recipe(checked, project_of(recipe), "data")
    return {step.id: step.key for step in plan.steps}


def test_of_a_package_that_is_not_imported(site: Path, tmp_path: Path) -> None:
    law(package(site, "lawyers", "presets"))
    checked = check_recipe(mine(tmp_path / "p"))
    assert checked.presets[0].source == "lawyers 1.0"
    assert checked.presets[0].kind == "package"


def test_two_packages_with_one_name(site: Path, tmp_path: Path) -> None:
    law(package(site, "lawyers", "presets"))
    law(package(site, "judges", "presets"))
    (problem,) = problems(mine(tmp_path / "p"))
    assert problem.slug == "preset-duplicate"
    assert {problem.values["first"], problem.values["second"]} == {"lawyers 1.0", "judges 1.0"}
    law(tmp_path / "p" / "presets")  # the project's own goes before
    assert check_recipe(mine(tmp_path / "p")).presets[0].kind == "folder"


@pytest.mark.parametrize("value", ["lawyers.nowhere", "nothing", "lawyers..presets", "os:path"])
def test_a_package_without_its_preset(site: Path, tmp_path: Path, value: str) -> None:
    law(package(site, "lawyers", "presets"))
    entry = site / "lawyers-1.0.dist-info" / "entry_points.txt"
    entry.write_text(f"[sftrecipe.presets]\nbylaws = {value}\n")
    assert [each.slug for each in problems(mine(tmp_path / "p"))] == ["preset-not-in-package"]


def test_keys_do_not_depend_on_where_it_lies(site: Path, tmp_path: Path) -> None:
    folder = law(tmp_path / "p" / "presets")
    of_project = keys(mine(tmp_path / "p"))
    own = tmp_path / "own"
    (own / "more").mkdir(parents=True)
    for name in ("ask.j2", "topics.jsonl", "more/a.jsonl"):
        (own / name).write_text((folder / name).read_text())
    (own / "mine.yaml").write_text(LAW.replace("name: bylaws", "name: mine"))
    law(package(site, "lawyers", "presets"))
    of_package = keys(mine(tmp_path / "q"))
    assert of_project == of_package == keys(own / "mine.yaml")
    assert None not in of_project.values()


def test_a_value_is_seen_from_where_it_was_written(site: Path, tmp_path: Path) -> None:
    folder = law(tmp_path / "p" / "presets")
    (tmp_path / "p" / "own.jsonl").write_text('{"topic": "own"}\n')
    at_home = str(folder / "topics.jsonl")
    own = str(tmp_path / "p" / "own.jsonl")

    def read(more: str = "", **given: str) -> str:
        recipe = mine(tmp_path / "p", more)
        return next(
            iter(check_recipe(recipe, variables=given).sources["topics"].files.paths.values())
        )

    assert read() == at_home
    assert read("vars: {topics: own.jsonl}\n") == own
    assert read(topics="own.jsonl") == own
    assert read(topics=own) == own
    assert read("profiles: {x: {}}\nsources: {topics: {path: own.jsonl}}\n") == own
    # The preset's own variable, used in the recipe, means the preset's file.
    again = 'sources: {again: {use: jsonl, path: "${vars.topics}"}}\n'
    checked = check_recipe(mine(tmp_path / "p", again))
    assert list(checked.sources["again"].files.paths.values()) == [at_home]


@pytest.mark.parametrize(
    "change",
    [
        ("topics: topics.jsonl", "topics: ../../mine.jsonl"),
        ("topics: topics.jsonl", "topics: ../other/topics.jsonl"),
        ("topics: topics.jsonl", "topics: linked.jsonl"),
        ("topics: topics.jsonl", "topics: away/mine.jsonl"),
        ("topics: topics.jsonl", "topics: /etc/passwd"),
        ("folder: more", "folder: .."),
        ("folder: more", "folder: away"),
        ('path: "${vars.topics}"', 'path: "more/../../../mine.jsonl"'),
        ("prompt: ask.j2", "prompt: ../../ask.j2"),
        ("use: jsonl, path", "use: dataset, name: x, catalogue: ../../dataset_info.json, _"),
    ],
)
def test_nothing_of_the_recipe_is_read(site: Path, tmp_path: Path, change: tuple[str, str]) -> None:
    project = tmp_path / "p"
    folder = law(project / "presets", LAW.replace(*change))
    for name in ("mine.jsonl", "presets/other/topics.jsonl"):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text('{"topic": "secret"}\n')
    (project / "ask.j2").write_text("{{ topic }}")
    (project / "dataset_info.json").write_text("{}")
    (folder / "linked.jsonl").symlink_to(project / "mine.jsonl")
    (folder / "away").symlink_to(project)
    found = problems(mine(project))
    assert "preset-path-outside" in {problem.slug for problem in found}
    # Not where the user allows a folder to his recipe either.
    found = problems(mine(project), allow_paths=[project, Path("/etc")])
    assert "preset-path-outside" in {problem.slug for problem in found}


@pytest.mark.parametrize(
    "path",
    [
        "${vars.folder}/../private/a.jsonl",
        "${vars.folder}/${vars.up}/private/a.jsonl",
        "${vars.empty}private/a.jsonl",
        "${vars.pri}vate/a.jsonl",
        "${vars.again}/../private/a.jsonl",
    ],
)
def test_a_user_s_variable_leads_no_further(site: Path, tmp_path: Path, path: str) -> None:
    project = tmp_path / "p"
    declared = (
        '{topics: topics.jsonl, folder: x, up: .., empty: x, pri: x, again: "${vars.folder}"}'
    )
    recipe = LAW.replace("{topics: topics.jsonl, folder: more}", declared)
    law(project / "presets", recipe.replace('"${vars.topics}"', f'"{path}"'))
    for name in ("more", "private"):
        (project / name).mkdir()
        (project / name / "a.jsonl").write_text('{"topic": "secret"}\n')
    given = "vars: {folder: more, empty: '', pri: pri}\n"
    assert problems(mine(project, given))[0].slug in ("preset-path-outside", "missing-file")
    below = recipe.replace('"${vars.topics}"', '"${vars.again}/a.jsonl"')
    (project / "presets" / "bylaws" / "recipe.yaml").write_text(below)
    read = check_recipe(mine(project, given)).sources["topics"].files.paths.values()
    assert list(read) == [str(project / "more/a.jsonl")]


MODEL = "providers: {teacher: {use: transformers, model: %s}}\n"


@pytest.mark.parametrize("model", ["../../model", "/etc", "~/model", "..", "./link"])
def test_models_lie_in_a_preset_s_folder(site: Path, tmp_path: Path, model: str) -> None:
    project = tmp_path / "p"
    folder = law(
        project / "presets", LAW.replace("providers: {teacher: {use: embedded}}\n", MODEL % model)
    )
    for each in (project / "model", folder / "model"):
        each.mkdir()
        (each / "config.json").write_text("{}")
    (folder / "link").symlink_to(project / "model")
    assert [each.slug for each in problems(mine(project))] == ["preset-path-outside"]
    own = check_recipe(mine(project, "providers: {teacher: {model: ./model}}\n"))
    assert own.providers["teacher"].plugin.model == str(project / "model")  # type: ignore[attr-defined]
    text = (folder / "recipe.yaml").read_text().replace(f"model: {model}}}", "model: ./model}")
    (folder / "recipe.yaml").write_text(text)
    within = check_recipe(mine(project)).providers["teacher"].plugin
    assert within.model == str(folder / "model")  # type: ignore[attr-defined]


def test_a_training_s_model_is_seen_from_its_preset(site: Path, tmp_path: Path) -> None:
    project = tmp_path / "p"
    judged = (
        "evaluate:\n  - {id: j, use: reference, on: topics, with: {models: [base, tuned]}}\n"
        "train: {use: llamafactory, with: {model_name_or_path: %s, template: qwen}}\n"
    )
    topics = '{"instruction": "a", "output": "b", "topic": "c"}\n'
    recipe = LAW.replace("use: jsonl}", "use: llamafactory}")
    folder = law(project / "presets", recipe + judged % "model")
    (folder / "topics.jsonl").write_text(topics)
    for each in (project / "model", folder / "model"):
        each.mkdir()
        (each / "config.json").write_text("{}")
    base = check_recipe(mine(project)).providers["base"].plugin
    assert base.model == str(folder / "model")  # type: ignore[attr-defined]
    mixed = mine(project, "train: {with: {adapter_name_or_path: model}}\n")
    assert [each.slug for each in problems(mixed)] == ["preset-two-files"]
    (folder / "recipe.yaml").write_text(recipe + judged % "../../model")
    assert [each.slug for each in problems(mine(project))] == ["needs-permission"]
    given = mine(project, "train: {with: {model_name_or_path: ./model}}\n")
    base = check_recipe(given).providers["base"].plugin
    assert base.model == str(project / "model")  # type: ignore[attr-defined]


def test_the_project_s_catalogue_is_not_a_preset_s(site: Path, tmp_path: Path) -> None:
    project = tmp_path / "p"
    source = "topics: {use: dataset, name: own}"
    law(project / "presets", LAW.replace('topics: {use: jsonl, path: "${vars.topics}"}', source))
    (project / "own.json").write_text('[{"instruction": "a", "output": "b"}]')
    catalogue = {"own": {"file_name": "own.json"}}
    (project / "dataset_info.json").write_text(json.dumps(catalogue))
    assert "preset-path-outside" in {problem.slug for problem in problems(mine(project))}


def test_a_recipe_reads_no_installed_preset_by_path(site: Path, tmp_path: Path) -> None:
    folder = law(package(site, "lawyers", "presets"))
    more = f"sources: {{other: {{use: jsonl, path: {folder / 'topics.jsonl'}}}}}\n"
    assert [each.slug for each in problems(mine(tmp_path / "p", more))] == ["path-outside"]


def test_training_arguments_of_a_preset(site: Path, tmp_path: Path) -> None:
    project = tmp_path / "p"
    folder = law(project / "presets", LAW + TRAIN % "zero.json")
    (project / "zero.json").write_text('{"steps_per_print": 1, "odd": 1}')  # the user's
    (folder / "zero.json").write_text('{"steps_per_print": 1}')
    check_recipe(mine(project))
    text = (LAW + TRAIN) % "../../zero.json"
    (folder / "recipe.yaml").write_text(text)
    (problem,) = problems(mine(project))
    assert problem.slug == "needs-permission"


def test_a_word_is_not_good_for_what_a_preset_becomes(site: Path, tmp_path: Path) -> None:
    folder = law(tmp_path / "p" / "presets", LAW + TRAIN % "zero.json\n    , report_to: wandb")
    (folder / "zero.json").write_text('{"steps_per_print": 1}')
    recipe = mine(tmp_path / "p")
    assert [each.slug for each in problems(recipe)] == ["needs-permission"]
    check_recipe(recipe, allow=["report_to"])
    check_recipe(recipe)
    (folder / "ask.j2").write_text("Ask otherwise of {{ topic }}.\n")
    assert [each.slug for each in problems(recipe)] == ["needs-permission"]


def test_a_preset_s_content_is_all_of_it(site: Path, tmp_path: Path) -> None:
    folder = law(tmp_path / "p" / "presets")
    for number in range(1001):
        (folder / f"a{number:04}.txt").touch()
    last = folder / "topics.jsonl"

    def content() -> str:
        return Preset("bylaws", folder / "recipe.yaml", "folder").content

    before = content()
    last.write_text('{"topic": "b"}\n')
    assert content() != before


def test_installed_files_may_be_links(site: Path, tmp_path: Path) -> None:
    folder = law(package(site, "lawyers", "presets"))
    preset = Preset("bylaws", folder / "recipe.yaml", "package")
    before, names = preset.content, [name for name, _ in preset.files()]
    for name in names:
        (folder / name).rename(tmp_path / Path(name).name)
        (folder / name).symlink_to(tmp_path / Path(name).name)
    linked = Preset("bylaws", folder / "recipe.yaml", "package")
    assert (linked.content, [name for name, _ in linked.files()]) == (before, names)
    assert len(names) == 3
    assert not list(Preset("bylaws", folder / "recipe.yaml", "folder").files())


@pytest.mark.parametrize("name", ["bylaws.yaml", "bylaws/recipe.yaml"])
def test_what_is_called_its_own_is_no_link(site: Path, tmp_path: Path, name: str) -> None:
    project, elsewhere = tmp_path / "p", law(tmp_path / "elsewhere")
    shelf = project / "presets"
    shelf.mkdir(parents=True)
    (shelf / "bylaws").symlink_to(elsewhere)
    if name == "bylaws.yaml":  # a part, whose files lie in the folder of its name
        part = "version: 1\nsources: {rows: {use: jsonl, path: bylaws/topics.jsonl}}\n"
        (shelf / name).write_text(part)
    for extends in ("bylaws", f"presets/{name}"):
        recipe = mine(project, extends=extends)
        (problem,) = problems(recipe)
        expected = "path-outside" if extends.endswith("/recipe.yaml") else "preset-linked"
        assert problem.slug == expected, extends
        assert check_recipe(recipe, allow_paths=[elsewhere]).presets[0].kind == "folder"
    (shelf / "bylaws").unlink()
    (shelf / "bylaws").symlink_to("..")
    if name == "bylaws.yaml":
        assert [each.slug for each in problems(mine(project))] == ["preset-linked"]


def test_a_recipe_that_is_a_link_is_not_read(site: Path, tmp_path: Path) -> None:
    folder = law(tmp_path / "p" / "presets")
    (folder / "recipe.yaml").unlink()
    (tmp_path / "token").write_text("hunter2: [")
    (folder / "recipe.yaml").symlink_to(tmp_path / "token")
    assert [each.slug for each in problems(mine(tmp_path / "p"))] == ["preset-linked"]


def test_links_among_its_own_files(site: Path, tmp_path: Path) -> None:
    folder = law(tmp_path / "p" / "presets")
    (folder / "same.jsonl").symlink_to("topics.jsonl")
    (folder / "other.jsonl").symlink_to(tmp_path / "p" / "mine.yaml")
    preset = Preset("bylaws", folder / "recipe.yaml", "folder")
    names = [name for name, _ in preset.files()]
    assert "same.jsonl" in names
    assert "other.jsonl" not in names


def test_parts_and_parts_of_parts(site: Path, tmp_path: Path) -> None:
    shelf = tmp_path / "p" / "presets"
    law(shelf, LAW + "extends: base\n")
    (shelf / "base.yaml").write_text("version: 1\nseed: 9\nextends: top\n")
    (shelf / "top.yaml").write_text("version: 1\nlanguage: zh\n")
    checked = check_recipe(mine(tmp_path / "p"))
    assert (checked.seed, checked.language) == (9, "zh")
    assert [preset.name for preset in checked.presets] == ["bylaws", "base", "top"]
    (shelf / "top.yaml").write_text("version: 1\nextends: bylaws\n")
    assert [each.slug for each in problems(mine(tmp_path / "p"))] == ["extends-cycle"]
    (shelf / "top.yaml").write_text("version: 1\nextends: basee\n")
    (problem,) = problems(mine(tmp_path / "p"))
    assert (problem.slug, problem.values["suggestion"]) == ("unknown-preset", "base")


def test_header(tmp_path: Path) -> None:
    file = tmp_path / "bylaws.yaml"
    file.write_text(
        "# yaml-language-server: $schema=x\n# purpose: Laws\n#   and more laws\n"
        "# purpose.zh：法律\n# other\n# cost: 2 USD\n# paper: A (2024)\n# paper: B\nversion: 1\n"
        "# needs: nothing here\nvars: {n: 3}\nprofiles: {openai: {}}\n"
    )
    header = preset_header(file)
    assert header.told == {"purpose": "Laws and more laws", "purpose.zh": "法律", "cost": "2 USD"}
    assert header.papers == ["A (2024)", "B"]
    assert header.text("purpose", "zh") == "法律"
    assert header.text("cost", "zh") == "2 USD"
    facts = preset_facts(Preset("bylaws", file, "folder"))
    assert (facts.variables, facts.profiles, facts.is_part) == ({"n": 3}, ["openai"], True)


STEP = st.sampled_from(
    ["..", ".", "bylaws", "other", "more", "topics.jsonl", "a.jsonl", "away", "", "~"]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(STEP, min_size=1, max_size=6), st.booleans())
def test_no_path_leads_out(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str], absolute: bool
) -> None:
    shelf = _shelf(tmp_path_factory)
    preset = preset_at(shelf / "bylaws" / "recipe.yaml")
    assert preset is not None
    roots = Roots(shelf.parent / "mine.yaml", [shelf.parent])
    roots.confine(preset.file, preset)
    value = ("/" if absolute else "") + "/".join(steps)
    place = Position(str(preset.file), 1, 1)
    file = roots.checked(value, place, place, [], folders=True)
    assert file is None or file.resolve().is_relative_to((shelf / "bylaws").resolve())


def _shelf(factory: pytest.TempPathFactory, made: Callable[[Path], Path] = law) -> Path:
    shelf = factory.getbasetemp() / "shelf" / "presets"
    if not shelf.exists():
        folder = made(shelf)
        (shelf / "other").mkdir()
        (shelf / "other" / "topics.jsonl").write_text("{}\n")
        (folder / "away").symlink_to(shelf)
    return shelf


@pytest.mark.parametrize(("mark", "found"), [(".git", False), (".sftrecipe", False), (None, True)])
def test_presets_are_looked_for_up_to_the_top_of_the_project(
    tmp_path: Path, mark: str | None, *, found: bool
) -> None:
    shelf, inner = tmp_path / "recipes" / "presets", tmp_path / "recipes" / "clinic"
    for folder in (shelf, inner):
        folder.mkdir(parents=True)
    (shelf / "far.yaml").write_text("version: 1\nname: far\n", encoding="utf-8")
    if mark is not None:
        (inner / mark).mkdir()
    assert (project_preset("far", inner) is not None) == found
