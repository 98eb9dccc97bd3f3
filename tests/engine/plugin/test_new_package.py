"""`sftrecipe plugins new` writes packages that work."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from sftrecipe.errors import UsageError
from sftrecipe.plugin.discovery import KINDS
from sftrecipe.plugin.new_package import new_package

from .installed import Installed, install


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Installed]:
    """A package of every kind, all installed in one folder."""
    folder = tmp_path_factory.mktemp("new")
    (folder / "site").mkdir()
    return {
        kind: install(
            new_package(kind, f"my_{kind}", folder / kind).folder,
            folder / "site",
        )
        for kind in KINDS
    }


def test_are_all_found(packages: dict[str, Installed]) -> None:
    listed = packages["filter"].sftrecipe("plugins", "--json")
    assert listed.returncode == 0, listed.stderr
    lines = {line["name"]: line for line in json.loads(listed.stdout)}
    for kind in KINDS:
        assert lines[f"my_{kind}"]["kind"] == kind
        assert lines[f"my_{kind}"]["package"] == f"sftrecipe-my-{kind} 0.1.0"
        assert lines[f"my_{kind}"]["summary"]


@pytest.mark.parametrize("kind", KINDS)
def test_are_shown(kind: str, packages: dict[str, Installed]) -> None:
    shown = packages[kind].sftrecipe("plugins", "show", f"my_{kind}", "--json")
    assert shown.returncode == 0, shown.stderr
    (page,) = json.loads(shown.stdout)
    assert page["kind"] == kind
    assert page["example"]
    assert [option["name"] for option in page["options"] if not option["doc"]] == []


@pytest.mark.parametrize("kind", KINDS)
def test_pass_their_own_tests(kind: str, packages: dict[str, Installed]) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    tested = packages[kind].run(*command, folder=packages[kind].package)
    assert tested.returncode == 0, tested.stdout
    assert " passed" in tested.stdout


def test_are_small_and_clean(packages: dict[str, Installed]) -> None:
    folders = [installed.package for installed in packages.values()]
    modules = [str(module) for folder in folders for module in folder.glob("sftrecipe_*/*.py")]
    assert max(len(Path(module).read_text().splitlines()) for module in modules) < 30
    for command in (["ruff", "check"], ["ruff", "format", "--check"], ["mypy", "--strict"]):
        checked = packages["filter"].run(sys.executable, "-m", *command, *modules)
        assert checked.returncode == 0, f"{command}: {checked.stdout}{checked.stderr}"


@pytest.mark.parametrize(
    ("kind", "name", "slug", "hint"),
    [
        ("filtr", "mine", "no-such-kind", "did you mean 'filter'?"),
        ("zzz", "mine", "no-such-kind", "the kinds are provider, source"),
        ("filter", "My-Filter", "plugin-name", "for example 'my_filter'"),
        ("filter", "length", "plugin-name-taken", "choose another name"),
    ],
)
def test_refuses(kind: str, name: str, slug: str, hint: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        new_package(kind, name, tmp_path / "package")
    assert caught.value.problem.slug == slug
    assert hint in (caught.value.problem.advice("en") or "")
    assert not (tmp_path / "package").exists()


def test_keeps_what_is_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(UsageError, match="is not empty"):
        new_package("filter", "mine", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
