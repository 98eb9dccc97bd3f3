"""`docs/plugin_api.md` from the authors' API; `python -m` with this module prints it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from itertools import pairwise

from sftrecipe.plugin import PAGE

_TOP = """\
<!-- Written from the docstrings: python -m sftrecipe.report.pages.api_page > docs/plugin_api.md -->
# The plugin API

All names are imported from `sftrecipe.plugin`; [plugins.md](plugins.md) says how they go together.
"""
_SAID_BY_ITS_HEADING = ("kind", "scope")
_SHORT = 60
"""Characters of a value that is shown."""


def api_page() -> str:
    """The page, in Markdown."""
    return "\n".join(_lines()).rstrip() + "\n"


def _lines() -> Iterator[str]:
    yield _TOP
    for heading, modules in PAGE.items():
        yield f"## {heading}\n"
        for module, names in modules.items():
            for name in names.split():
                yield from _entry(name, *_definition(module, name))
        yield ""


def _entry(name: str, node: ast.stmt, doc: str) -> Iterator[str]:
    """A name's line, and for a class those of what it holds."""
    if isinstance(node, ast.ClassDef):
        bases = ", ".join(map(ast.unparse, node.bases))
        yield f"- class **`{name}`**{f' ({bases})' if bases else ''}: {_first(doc)}"
        yield from _members(node)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        yield f"- function **`{name}`** `{_signature(node)}`: {_first(doc)}"
    else:
        value = getattr(node, "value", None)
        text = ast.unparse(value) if value else ""
        shown = f" `= {text}`" if 0 < len(text) <= _SHORT else ""
        yield f"- value **`{name}`**{shown}{f': {_first(doc)}' if doc else ''}"


def _members(node: ast.ClassDef) -> Iterator[str]:
    for member, doc in _with_docs(node.body):
        (name,) = _names(member) or ("",)
        if name and not name.startswith("_") and (doc or name not in _SAID_BY_ITS_HEADING):
            yield f"  - `{_shown(member, name)}`{f': {_first(doc)}' if doc else ''}"


def _shown(member: ast.stmt, name: str) -> str:
    """A class's attribute with its type, or a method with its signature."""
    if isinstance(member, ast.AnnAssign):
        return f"{name}: {ast.unparse(member.annotation)}"
    if not isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef):
        return name
    if any("property" in ast.unparse(each) for each in member.decorator_list):
        return f"{name}: {ast.unparse(member.returns)}" if member.returns else name
    begin = "async " if isinstance(member, ast.AsyncFunctionDef) else ""
    return f"{begin}{name}{_signature(member)}"


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    given = ast.unparse(node.args).removeprefix("self, ").removeprefix("cls, ")
    given = "" if given in ("self", "cls") else given
    return f"({given})" + (f" -> {ast.unparse(node.returns)}" if node.returns else "")


def _definition(module: str, name: str) -> tuple[ast.stmt, str]:
    """Where a name is defined, and the docstring that it has there."""
    for node, doc in _with_docs(_tree(module).body):
        if name in _names(node):
            return node, doc
    raise LookupError(f"{module} does not define {name}")


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(inspect.getsource(import_module(module)))


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [each.id for each in targets if isinstance(each, ast.Name)]


def _with_docs(body: list[ast.stmt]) -> Iterator[tuple[ast.stmt, str]]:
    """Statements with their docstrings: of values, the text that follows them."""
    for node, after in pairwise([*body, ast.Pass()]):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node, ast.get_docstring(node) or ""
        elif isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            yield node, inspect.cleandoc(str(after.value.value))
        else:
            yield node, ""


def _first(doc: str) -> str:
    """The first paragraph of a docstring, in one line."""
    return " ".join(doc.partition("\n\n")[0].split())


if __name__ == "__main__":
    import sys

    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.stdout.write(api_page())
