"""A recipe's lock through the command: two clones, one lock; what drifted is named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.plain_runs import Plain, lines
from tests.support.standin import StandIn, stand_in

from sftrecipe.cli.main import cli
from sftrecipe.errors import Problem, RecipeError, SftrecipeError
from sftrecipe.run.recipe_lock.lock_contents import FORMAT, UNKNOWN, RecipeLock
from sftrecipe.run.recipe_lock.lock_reader import parse_lock, read_lock
from sftrecipe.run.recipe_lock.lock_writer import lock_text, write_lock

ASKED: dict[str, Any] = {
    "seed": 42,
    "sources": {"rows": {"use": "jsonl", "path": "rows.jsonl", "sample": 4}},
    "generate": [
        {
            "id": "ask",
            "use": "respond",
            "from": "rows",
            "provider": "p",
            "with": {"replace": True},
        }
    ],
    "export": [{"use": "jsonl"}],
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plain:
    made = Plain(tmp_path / "first")
    monkeypatch.setenv("SFTRECIPE_LANG", "en")
    made.rows(range(6))
    return made


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with stand_in() as running:
        yield running


def asking(server: StandIn, **changes: Any) -> dict[str, Any]:
    provider = {"use": "openai", "base_url": server.url, "model": "m", "api_key": ""}
    return {**ASKED, "providers": {"p": provider}, **changes}


def clone(project: Plain) -> Plain:
    """The project as git brings it: its files, and nothing of what was made."""
    other = Plain(project.folder.with_name("second"))
    for file in project.folder.iterdir():
        if file.is_file():
            shutil.copy(file, other.folder / file.name)
    return other


def told(project: Plain, *words: str, status: int = 0) -> Result:
    """What a command says, in this process."""
    recipe = str(project.folder / "recipe.yaml")
    result = CliRunner().invoke(cli, [words[0], recipe, *words[1:]], standalone_mode=False)
    found = getattr(result.exception, "exit_status", None)
    code = result.return_value if result.exception is None else found
    assert (code or 0) == status, (result.output, result.exception)
    return result


def facts(project: Plain, *words: str, status: int = 0) -> Any:
    return json.loads(told(project, "lock", *words, "--json", status=status).stdout)


def problem_of(result: Result) -> Problem:
    assert isinstance(result.exception, SftrecipeError)
    return result.exception.problem


def test_two_clones_make_the_same_bytes(project: Plain, server: StandIn) -> None:
    project.recipe(**asking(server))
    project.run("recipe.yaml")
    project.run("recipe.yaml", command="lock")
    second = clone(project)
    fresh = facts(second, "--check")
    assert fresh["ok"]
    assert "streams.ask" in fresh["unchecked"], "told as unchecked, not as fine"

    asked = server.requests()
    second.run("recipe.yaml", "--locked")
    assert server.requests() == asked + 4
    assert (second.out / "plain.jsonl").read_bytes() == (project.out / "plain.jsonl").read_bytes()
    assert facts(second, "--check")["unchecked"] == []
    before = (second.folder / "recipe.lock").read_bytes()
    assert not facts(second)["written"]
    assert (second.folder / "recipe.lock").read_bytes() == before

    second.recipe(**asking(server, seed=43))
    asked = server.requests()
    error = second.run("recipe.yaml", "--locked", status=2)
    assert "seed was 42, is 43" in error
    assert "recipe.lock:6:1: error[lock-changed]" in error
    assert server.requests() == asked
    drift = facts(second, "--check", status=2)["drift"]
    assert [(each["name"], each["was"], each["is"]) for each in drift] == [("seed", 42, 43)]
    assert "seed was 42, is 43" in second.run("recipe.yaml", "--check", command="lock", status=2)


def test_two_clones_with_the_embedded_model(project: Plain) -> None:
    pytest.importorskip("xllamacpp")
    provider = {"use": "embedded", "context": 256}
    block = {
        **ASKED["generate"][0],
        "with": {"replace": True, "max_tokens": 4, "keep_cut_off": True},
    }
    project.rows(range(1))
    project.recipe(**{**ASKED, "providers": {"p": provider}, "generate": [block]})
    project.run("recipe.yaml")
    facts(project)
    second = clone(project)
    second.run("recipe.yaml", "--locked")
    assert (second.out / "plain.jsonl").read_bytes() == (project.out / "plain.jsonl").read_bytes()
    lock = read_lock(second.folder / "recipe.lock")
    assert lock.facts["models", "p", "revision"]
    assert lock.facts["programs", "xllamacpp"]
    assert facts(second, "--check")["ok"]


def test_a_server_that_answers_otherwise(project: Plain, server: StandIn) -> None:
    project.recipe(**asking(server))
    told(project, "run", "-q")
    facts(project)
    second = clone(project)
    with stand_in("--words", 7) as other:
        second.recipe(**asking(other))
        failed = told(second, "run", "--locked", status=1)
    text = str(failed.exception)
    assert "stream 'ask' has other rows, 4 as before" in text
    assert "data set 'plain' holds something else in 4 rows as before" in text
    assert str(second.out) in str(problem_of(failed).advice("en"))
    assert (second.out / "plain.jsonl").exists(), "what it left is there"


def test_another_number_of_rows_is_told_with_both(project: Plain) -> None:
    project.recipe()
    told(project, "run", "-q")
    facts(project)
    path = project.folder / "recipe.lock"
    held = read_lock(path)
    other = {("streams", "rows", "rows"): 5, ("data_sets", "export-jsonl", "plain", "rows"): 7}
    write_lock(path, lock_text(RecipeLock({**held.facts, **other}), "x"))
    text = str(told(project, "run", "--locked", status=1).exception)
    assert "stream 'rows' has 6 rows, was 5" in text
    assert "data set 'plain' has 6 rows, was 7" in text


def test_an_update_renews_one_entry_and_nothing_else(project: Plain) -> None:
    project.recipe()
    told(project, "run", "-q")
    facts(project)
    project.rows(range(6), word="P")
    assert [each["name"] for each in facts(project, "--check", status=2)["drift"]] == [
        "files.rows.jsonl"
    ]
    before = read_lock(project.folder / "recipe.lock").facts
    facts(project, "--update", "rows.jsonl")
    after = read_lock(project.folder / "recipe.lock").facts
    assert {path for path in after if after[path] != before[path]} == {("files", "rows.jsonl")}
    assert list(after) == list(before)
    assert facts(project, "--check")["ok"]
    for name, hint in (("row.jsonl", "lock-no-entry"), ("rows", "lock-entries")):
        wrong = told(project, "lock", "--update", name, status=2)
        assert problem_of(wrong).slug == hint
    wrong = told(project, "lock", "--update", "nothing-like-it", status=2)
    listed = str(problem_of(wrong).values["known"]).split(", ")
    assert len(listed) == len(set(listed)) <= 13
    assert "files.rows.jsonl" in listed
    assert "rows.jsonl" not in listed, "each entry once"
    not_run = told(project, "lock", "--update", "streams.rows", status=2)
    assert problem_of(not_run).slug == "lock-entry-unknown"
    told(project, "run", "-q")
    facts(project, "--update", "streams.rows")
    facts(project, "--update", "plain")
    assert not facts(project)["written"], "as made anew as a whole"


def test_a_lock_made_in_a_fresh_clone_keeps_what_the_same_steps_made(
    project: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.recipe()
    told(project, "run", "-q")
    facts(project)
    second = clone(project)
    monkeypatch.setenv("SFTRECIPE_TRAIN_ENV", str(project.folder))
    assert not facts(second)["written"]
    # A program that is not here stays as it was locked, in its place.
    path = second.folder / "recipe.lock"
    trained = {"use": "llamafactory", "with": {"model_name_or_path": "m/m", "template": "qwen"}}
    second.recipe(export=[{"use": "llamafactory"}], train=trained)
    facts(second)
    held = read_lock(path)
    assert held.facts["packages", "llamafactory"] == UNKNOWN
    known = RecipeLock({**held.facts, ("packages", "llamafactory"): "0.9.5"})
    write_lock(path, lock_text(known, "sftrecipe lock recipe.yaml"))
    assert facts(second, "--check")["unchecked"] == ["packages.llamafactory"]
    assert not facts(second)["written"]


def test_data_of_other_steps_is_not_kept(project: Plain) -> None:
    project.recipe()
    told(project, "run", "-q")
    facts(project)
    second = clone(project)
    second.rows(range(3))
    assert facts(second)["unknown"] == ["streams.rows", "data_sets.export-jsonl"]


def test_what_decides_nothing_is_told_and_no_drift(project: Plain, server: StandIn) -> None:
    project.recipe(**asking(server))
    facts(project)
    provider = {"use": "openai", "base_url": server.url, "model": "m", "api_key": ""}
    priced = {**provider, "price": {"input": 1, "output": 2}, "limits": {"concurrency": 3}}
    project.recipe(**asking(server, providers={"p": priced}, budget={"max_cost": "5 USD"}))
    found = facts(project, "--check")
    assert found["ok"]
    (price,) = found["others"]
    assert (price["name"], price["change"]) == ("prices.p", "new")
    assert price["is"] == "currency USD, input 1.0, output 2.0, from recipe"

    told(project, "run", "-q")
    facts(project)
    path = project.folder / "recipe.lock"
    held = read_lock(path)
    assert held.facts["told", "p", "model"] == "m"
    another = RecipeLock({**held.facts, ("told", "p", "model"): "m-2"})
    write_lock(path, lock_text(another, "x"))
    warned = told(project, "run", "--locked")
    assert "warning[lock-changed]: told.p.model was m-2, is m" in warned.stderr


def test_layers_and_presets_are_held_by_content(project: Plain) -> None:
    project.recipe("base.yaml")
    base = project.folder / "base.yaml"
    shelf = project.folder / "presets" / "clinic"
    shelf.mkdir(parents=True)
    (shelf / "rows.jsonl").write_text(lines(range(4)))
    base.rename(shelf / "recipe.yaml")
    base.write_text("extends: clinic\n")
    (project.folder / "recipe.yaml").write_text("extends: base.yaml\n")
    facts(project)
    held = read_lock(project.folder / "recipe.lock").facts
    assert {path[1] for path in held if path[0] == "extends"} == {"base.yaml", "clinic"}
    assert ("files", "presets/clinic/rows.jsonl") in held

    base.write_text("# for the clinic\nextends: clinic\n")
    told_only = facts(project, "--check")
    assert told_only["ok"]
    assert [each["name"] for each in told_only["others"]] == ["extends.base.yaml.content"]
    facts(project, "--update", "base.yaml")
    (shelf / "rows.jsonl").write_text(lines(range(5)))
    found = facts(project, "--check", status=2)
    assert [each["name"] for each in found["drift"]] == ["files.presets/clinic/rows.jsonl"]
    assert [each["name"] for each in found["others"]] == ["extends.clinic.content"]
    facts(project, "--update", "clinic")
    assert facts(project, "--check", status=2)["others"] == []


def test_a_catalogues_entry_is_held(project: Plain) -> None:
    """Which column is the answer decides the data, though no file of rows changed."""
    project.recipe(sources={"rows": {"use": "dataset", "name": "talks"}})
    for answer in ("output", "input"):
        columns = {"prompt": "instruction", "response": answer}
        talks = {"talks": {"file_name": "rows.jsonl", "columns": columns}}
        (project.folder / "dataset_info.json").write_text(json.dumps(talks))
        if answer == "output":
            told(project, "lock")
    found = facts(project, "--check", status=2)
    assert [each["name"] for each in found["drift"]] == ["steps.rows.read_as"]
    told(project, "run", "--locked", status=2)
    assert not project.out.exists()


def test_every_profile_has_a_lock_of_its_own(project: Plain) -> None:
    project.recipe(profiles={"more": {"seed": 7}})
    facts(project, "--profile", "more")
    path = project.folder / "recipe.more.lock"
    assert read_lock(path).facts["seed",] == 7
    # A lock knows its recipe and profile.
    checked = CliRunner().invoke(cli, ["lock", str(path), "--check"], standalone_mode=False)
    assert checked.return_value == 0
    assert "recipe.more.lock: fine" in checked.stdout
    copied = shutil.copy(path, project.folder / "base.lock")
    of_another = CliRunner().invoke(cli, ["lock", str(copied), "--check"], standalone_mode=False)
    assert isinstance(of_another.exception, RecipeError)
    (problem,) = of_another.exception.problems
    assert problem.message("en").endswith("recipe.yaml --profile more, not of base.yaml")
    missing = told(project, "lock", "--check", status=2)
    assert isinstance(missing.exception, RecipeError)
    (problem,) = missing.exception.problems
    assert "there are locks for --profile more" in str(problem.advice("en"))


WORDS = st.text(max_size=12)
VALUES = st.one_of(
    WORDS, st.integers(-(10**15), 10**15), st.booleans(), st.lists(st.integers(0, 9), max_size=3),
    st.floats(allow_nan=False, allow_infinity=False),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(WORDS, VALUES, max_size=6), st.dictionaries(WORDS, WORDS, max_size=4))
def test_what_is_written_is_what_is_read(values: dict[str, Any], files: dict[str, str]) -> None:
    written: dict[tuple[str, ...], Any] = {
        ("recipe",): "a.yaml",
        **{("steps", "s", name): value for name, value in values.items()},
        **{("files", name): value for name, value in files.items()},
    }
    text = lock_text(RecipeLock(written), "sftrecipe lock a.yaml")
    for content in (text, text.replace("\n", "\r\n"), f"\ufeff{text}"):
        found = parse_lock(content.encode(), "a.lock")
        assert found.facts == written
        assert list(found.facts) == list(written)
    assert text.startswith("# Generated") and f"\nlock: {FORMAT}\n" in text
