"""A recipe in Python: loaded from a file or a mapping, checked, planned."""

from __future__ import annotations

import json
import subprocess
import sys
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.plain_runs import Plain, examples, lines

import sftrecipe
from sftrecipe import Recipe, RecipeError
from sftrecipe.api.python_document import python_document
from sftrecipe.recipe.reader.yaml_reader import parse_recipe

DOCUMENT = {
    "version": 1,
    "name": "plain",
    "vars": {"file": "rows.jsonl", "most": 100, "how": "yes"},
    "sources": {"rows": {"use": "jsonl", "path": "${vars.file}"}},
    "filter": [
        {"use": "length", "on": "rows",
         "with": {"field": "output", "max_chars": "${vars.most}"}},
    ],
    "export": [{"use": "jsonl"}],
}  # fmt: skip


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plain:
    monkeypatch.setenv("SFTRECIPE_LANG", "en")
    sftrecipe.messages.user_language.cache_clear()
    made = Plain(tmp_path / "project")
    made.rows(range(5))
    monkeypatch.chdir(tmp_path)
    return made


def changed(**more: Any) -> dict[str, Any]:
    return {**DOCUMENT, **more}


def test_a_mapping_has_no_lock(project: Plain) -> None:
    with pytest.raises(RecipeError) as raised:
        Recipe.load(DOCUMENT, folder=project.folder).run(locked=True)
    (problem,) = raised.value.problems
    assert (problem.slug, problem.hint) == ("lock-without-file", "lock-needs-file")


def test_problems_tell_the_keys(project: Plain) -> None:
    wrong = changed(
        sources={"rows": {"use": "jsonl", "path": "rws.jsonl"}},
        filter=[DOCUMENT["filter"][0], {"use": "lenght"}],  # type: ignore[index]
    )
    problems = Recipe.load(wrong, folder=project.folder).validate()
    assert [str(each.position) for each in problems] == ["sources.rows.path", "filter[1].use"]
    assert [each.slug for each in problems] == ["missing-file", "unknown-plugin"]
    assert problems.is_wrong
    assert "sources.rows.path: error[missing-file]: file 'rws.jsonl'" in str(problems)
    assert "did you mean 'rows.jsonl'" in repr(problems)
    assert problems[0].as_json()["path"] == "sources.rows.path"
    with pytest.raises(RecipeError) as raised:
        Recipe.load(wrong, folder=project.folder).run()
    assert raised.value.problems == list(problems)
    assert any("sources.rows.path: error" in note for note in raised.value.__notes__)


def test_a_file_and_a_mapping_are_one_recipe(project: Plain) -> None:
    (project.folder / "recipe.yaml").write_text(json.dumps(DOCUMENT))
    by_file = Recipe.load(project.folder / "recipe.yaml")
    by_mapping = Recipe.load(DOCUMENT, folder=project.folder)
    assert not by_file.validate() and not by_mapping.validate()
    keys = [[each.step.key for each in recipe.plan().estimates] for recipe in (by_file, by_mapping)]
    assert keys[0] == keys[1]
    assert by_file.path == project.folder / "recipe.yaml" and by_mapping.path is None
    assert by_file.name == by_mapping.name == "plain"
    assert repr(by_mapping) == "Recipe(<plain>)"


def test_a_mapping_that_changes_later_changes_nothing(project: Plain) -> None:
    document = json.loads(json.dumps(DOCUMENT))
    recipe = Recipe.load(document, folder=project.folder)
    document["filter"].append({"use": "nothing"})
    assert recipe.validate() == []


def test_paths_start_at_the_folder(project: Plain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.folder)
    assert Recipe.load(DOCUMENT).validate() == []
    monkeypatch.chdir(project.folder.parent)
    assert [each.slug for each in Recipe.load(DOCUMENT).validate()] == ["missing-file"]
    relative = Recipe.load(DOCUMENT, folder="project")
    monkeypatch.chdir("/")
    assert relative.validate() == []


def test_a_mapping_may_extend_a_file(project: Plain) -> None:
    (project.folder / "base.yaml").write_text(json.dumps(DOCUMENT))
    recipe = Recipe.load({"extends": "base.yaml", "name": "above"}, folder=project.folder)
    assert recipe.validate() == [] and recipe.name == "above"
    wrong = Recipe.load({"extends": "base.yaml", "nme": "above"}, folder=project.folder)
    assert [str(each.position) for each in wrong.validate()] == ["nme"]


def test_variables_of_any_plain_kind(project: Plain) -> None:
    (project.folder / "other.jsonl").write_text(lines(range(3)))

    def document(**values: Any) -> Any:
        recipe = Recipe.load(DOCUMENT, folder=project.folder, set=values)
        assert recipe.validate() == []
        return recipe.check().document

    assert document(most=7)["filter"][0]["with"]["max_chars"] == 7
    assert document(most="7")["filter"][0]["with"]["max_chars"] == 7
    assert document(how=True)["vars"]["how"] == "yes"  # vars stay as written
    assert document(file=Path("other.jsonl"))["sources"]["rows"]["path"] == "other.jsonl"
    with pytest.raises(TypeError, match=r"set\['most'\]: value is a Python list"):
        Recipe.load(DOCUMENT, folder=project.folder, set={"most": [7]})  # type: ignore[dict-item]
    wrong = Recipe.load(DOCUMENT, folder=project.folder, set={"mst": 7}).validate()
    assert [each.slug for each in wrong] == ["unknown-variable"]


@pytest.mark.parametrize("written", [DOCUMENT, "recipe.yaml", Path("recipe.yaml")])
def test_the_class_itself_is_not_called_with_a_recipe(written: Any) -> None:
    with pytest.raises(TypeError, match=r"Recipe\.load"):
        Recipe(written)


@pytest.mark.parametrize(
    ("value", "slug"),
    [
        ({1, 2}, "python-value"),
        (object(), "python-value"),
        (b"bytes", "python-value"),
        (float("nan"), "python-number"),
        (10**20, "python-number"),
        pytest.param(10**5000, "python-number", id="more digits than Python writes"),
        ("\ud800", "yaml"),
    ],
)
def test_what_a_recipe_cannot_hold(value: Any, slug: str, project: Plain) -> None:
    with pytest.raises(RecipeError) as raised:
        Recipe.load(changed(mix={"total": [1, value]}), folder=project.folder)
    (problem,) = raised.value.problems
    assert (problem.slug, str(problem.position)) == (slug, "mix.total[1]")


def test_a_mapping_that_holds_itself_ends(project: Plain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sftrecipe.api.python_document.MAX_VALUES", 1000)
    endless: dict[str, Any] = {}
    endless["again"] = endless
    wide: list[Any] = []
    for _ in range(30):
        wide = [wide, wide]
    for value in (endless, wide):
        with pytest.raises(RecipeError):
            Recipe.load(changed(mix=value), folder=project.folder)


class Words(str, Enum):  # noqa: UP042 - whose str() is not its text
    """Texts that are more than texts."""

    TOTAL = "total"


def test_texts_of_other_kinds(project: Plain) -> None:
    mix = {Words.TOTAL: np.str_("3"), np.str_("on"): [Words.TOTAL]}
    found = python_document(mix, project.folder).plain()
    assert found == {"total": "3", "on": ["total"]}
    assert {type(each) for each in (*found, found["total"], *found["on"])} == {str}
    document: dict[Any, Any] = {np.str_(key): value for key, value in DOCUMENT.items()}
    recipe = Recipe.load(document, folder=project.folder, set={"how": Words.TOTAL})
    assert recipe.validate() == []
    assert recipe._terms.variables == {"how": "total"}


def test_numbers_of_other_packages(project: Plain) -> None:
    mix = {"total": np.int64(3), "weights": {"rows": np.float32(0.5)}, "seed": Fraction(1, 2)}
    document = python_document(mix, project.folder).plain()
    assert document == {"total": 3, "weights": {"rows": 0.5}, "seed": 0.5}


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=examples(25), deadline=None)
@given(st.dictionaries(st.text(min_size=1, max_size=5), PLAIN, min_size=1, max_size=4))
def test_a_mapping_is_the_tree_of_its_json(document: dict[str, Any]) -> None:
    node = python_document(document, Path("/"))
    assert node.plain() == document
    text = json.dumps(document)
    if "e" not in text and "\\" not in text:  # JSON's exponents and escapes are not YAML's all
        assert parse_recipe(text.encode(), "x").plain() == document
    places = [place for _, place in node.texts()]
    assert len({each.place.line for each in places}) == len(places)


def test_a_file_is_read_when_it_is_asked(project: Plain) -> None:
    project.recipe()
    recipe = Recipe.load(str(project.folder / "recipe.yaml"))
    assert recipe.validate() == []
    project.recipe(filter=[{"use": "nothing"}])
    assert [each.slug for each in recipe.validate()] == ["unknown-plugin"]
    for name, slug in (("none.yaml", "file-missing"), ("rows.jsonl", "yaml")):
        with pytest.raises(RecipeError) as raised:
            Recipe.load(project.folder / name)
        assert raised.value.problems[0].slug == slug


def test_a_plan_is_typed_and_shows_itself(project: Plain) -> None:
    plan = Recipe.load(DOCUMENT, folder=project.folder).plan()
    rows, length, export = plan.steps
    assert (rows.id, rows.section, rows.use, rows.cached) == ("rows", "sources", "jsonl", False)
    assert rows.rows == (5, 5) and rows.calls == (0, 0) and plan.cost == {} and plan.calls == (0, 0)
    assert (length.section, export.section) == ("filter", "export")
    assert "sources: jsonl" in repr(plan)
    assert "<td>sources: jsonl</td>" in plan._repr_html_()


def test_importing_is_cheap() -> None:
    code = (
        "import sys, sftrecipe\n"
        "sftrecipe.Recipe\n"
        "heavy = {'pyarrow', 'numpy', 'aiohttp', 'pandas', 'asyncio', 'click'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, sftrecipe\nassert len(sys.modules) < 400\n{code}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "[]\n"


def test_names_that_were_there_stay() -> None:
    assert len(sftrecipe.__all__) <= 20
    for name in ("CallFailed", "Exporter", "Judge", "Mixer", "Reply"):
        assert getattr(sftrecipe, name) is getattr(sftrecipe.plugin, name)
