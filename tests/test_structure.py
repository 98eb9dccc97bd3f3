"""The house itself: small rooms, one name for one thing, every module says what it is."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HOUSES = {"engine": ROOT / "engine/sftrecipe", "registry": ROOT / "registry/sftrecipe_registry"}
MODULES_A_FOLDER = 30
LINES_A_FILE = 400
LINES_A_FUNCTION = 40
"""Without its docstring."""
EMPTY_NAMES = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "misc",
    "manager",
    "managers",
    "base2",
}

TWO_PLUGINS = {
    "LlamaFactory": "the exporter and the trainer of one name",
}
"""Class names that a package has twice: plugins of two kinds, which recipes call by one name."""


def modules(house: str) -> list[Path]:
    return sorted(
        path for path in HOUSES[house].rglob("*.py") if "package_template" not in path.parts
    )


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def trees() -> list[tuple[Path, ast.Module]]:
    paths = [path for house in HOUSES for path in modules(house)]
    return [(path, ast.parse(path.read_text("utf-8"))) for path in paths]


@pytest.mark.parametrize("house", HOUSES)
def test_no_folder_is_a_heap(house: str) -> None:
    sizes = Counter(path.parent for path in modules(house) if path.name != "__init__.py")
    assert {name_of(folder): n for folder, n in sizes.items() if n > MODULES_A_FOLDER} == {}


def test_a_name_of_a_module_is_one_place_of_the_engine() -> None:
    names = Counter(path.stem for path in modules("engine") if path.name != "__init__.py")
    assert {name: n for name, n in names.items() if n > 1} == {}


@pytest.mark.parametrize("house", HOUSES)
def test_no_module_is_named_for_nothing(house: str) -> None:
    assert [name_of(path) for path in modules(house) if path.stem in EMPTY_NAMES] == []


def test_a_class_is_one_thing() -> None:
    """In the engine as a whole; in the registry within a package, where plugins stand apart."""
    places: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path, tree in trees():
        engine = HOUSES["engine"] in path.parents
        room = "engine" if engine else name_of(path.parent)
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                places[room, node.name].append(name_of(path))
    twice = {name: where for (_, name), where in places.items() if len(where) > 1}
    assert {name: twice[name] for name in twice.keys() - TWO_PLUGINS.keys()} == {}
    assert TWO_PLUGINS.keys() - twice.keys() == set(), "no exception is needed any more"


def test_every_module_says_what_it_is() -> None:
    assert [
        name_of(path)
        for path, tree in trees()
        if not (ast.get_docstring(tree) or "").partition("\n")[0].strip()
    ] == []


def lines_of_docstring(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    if ast.get_docstring(node, clean=False) is None:
        return 0
    return (first.end_lineno or 0) - first.lineno + 1


def test_files_and_functions_are_short() -> None:
    files = {}
    functions = {}
    for path, tree in trees():
        lines = len(path.read_text("utf-8").splitlines())
        if lines > LINES_A_FILE:
            files[name_of(path)] = lines
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1 - lines_of_docstring(node)
                if length > LINES_A_FUNCTION:
                    functions[f"{name_of(path)}:{node.name}"] = length
    assert files == {}
    assert functions == {}
