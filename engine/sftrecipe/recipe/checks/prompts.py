"""Jinja2 prompts: their syntax, their variables, and what the sandbox would refuse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sftrecipe.errors import Position, Problem, unknown
from sftrecipe.plugin.base import Inputs
from sftrecipe.plugin.option_types import ANY_COLUMN, PromptMarker
from sftrecipe.plugin.prompts.prompt import (
    compiled,
    outside_variables,
    parsed,
    required_variables,
)
from sftrecipe.recipe.checks.template_places import TemplatePlaces

if TYPE_CHECKING:
    from jinja2 import nodes

_ALWAYS_FILE = (".j2", ".jinja", ".jinja2")
_USUALLY_FILE = (".txt", ".md", ".prompt")


def is_file(value: str) -> bool:
    """Whether the value of a prompt option is the path of a file, and not the prompt itself."""
    if "\n" in value or "{" in value:
        return False
    return value.endswith(_ALWAYS_FILE) or (value.endswith(_USUALLY_FILE) and " " not in value)


def template_problems(
    text: str,
    file: str | None,
    place: Position,
    marker: PromptMarker,
    inputs: Inputs,
    *,
    beside: str = "",
    own: bool = False,
) -> Iterator[Problem]:
    """What is wrong with a prompt; `beside`: the one of the same call that may do its part.

    `own`: a plugin brings it, so that it is known to compile.

    Problems stand in the template's file where it has one, else where the recipe holds its text.
    """
    from jinja2 import TemplateError, TemplateSyntaxError  # noqa: PLC0415

    where = TemplatePlaces(text, file, place)
    try:
        tree = parsed(text)
        yield from _forbidden(tree, where)
        used, named = required_variables(tree), outside_variables(tree)
        if not own:
            compiled(text)
    except TemplateSyntaxError as error:
        place = where.error(_reason(error), error.lineno)
        yield Problem("template-syntax", place, {"error": _reason(error)})
        return
    except (TemplateError, RecursionError) as error:
        yield Problem("template-syntax", place, {"error": _reason(error)})
        return
    yield from _unshown(named | _named_in(beside), place, marker)
    yield from _unknown_variables(used, where, marker, inputs)


def _unknown_variables(
    used: frozenset[str], where: TemplatePlaces, marker: PromptMarker, inputs: Inputs
) -> Iterator[Problem]:
    """Variables that neither the plugin passes nor the rows have, as far as their columns are
    known."""
    if marker.columns and inputs is None:
        return
    known = marker.variables | (inputs or frozenset() if marker.columns else frozenset())
    if "messages" in known and marker.columns:
        known |= {"reasoning"}  # the last answer's thought
    for name in sorted(used - known):
        slug, use = "unknown-template-variable", where.word(name)
        yield unknown(slug, use, name, sorted(known), variable=name)


def _unshown(named: frozenset[str], place: Position, marker: PromptMarker) -> Iterator[Problem]:
    """What a prompt must show, and does not."""
    for group in marker.shows:
        columns = marker.columns and ANY_COLUMN in group
        if named & group or (columns and named - marker.variables):
            continue
        known = sorted(group - {ANY_COLUMN})
        values: dict[str, object] = {"known": ", ".join(known)}
        hint = "show-variable" if known and not columns else "show-column"
        yield Problem("template-shows-nothing", place, values, hint)


def _named_in(text: str) -> frozenset[str]:
    """Names that the other prompt of a call takes from outside; its own check tells its faults."""
    from jinja2 import TemplateError  # noqa: PLC0415

    try:
        return outside_variables(parsed(text)) if text else frozenset()
    except (TemplateError, RecursionError):
        return frozenset()


def _reason(error: Exception) -> str:
    return str(getattr(error, "message", None) or error).rstrip(".")


def _forbidden(tree: nodes.Template, where: TemplatePlaces) -> Iterator[Problem]:
    from jinja2 import nodes  # noqa: PLC0415

    loading = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)
    for node in tree.find_all(loading):
        yield Problem("template-include", where.line(node.lineno))
    for found in tree.find_all((nodes.Getattr, nodes.Getitem, nodes.Filter)):
        name = _reached(found)
        if name is not None and name.startswith("_"):
            yield Problem(
                "template-private", where.error(f"'{name}'", found.lineno), {"name": name}
            )
    for name, line in _unlisted_methods(tree):
        yield Problem("template-private", where.error(f"'{name}'", line), {"name": name})
    for output in tree.find_all(nodes.Output):
        for part in output.nodes:
            if isinstance(part, nodes.Getattr) and isinstance(part.node, nodes.Const):
                error = f"'{part.attr}' is a method and not called"
                yield Problem("template-syntax", where.line(part.lineno), {"error": error})


def _unlisted_methods(tree: nodes.Template) -> Iterator[tuple[str, int]]:
    """Calls of methods that texts, lists and objects have, but no template may use."""
    from jinja2 import nodes  # noqa: PLC0415

    from sftrecipe.plugin.prompts.sandbox import METHODS  # noqa: PLC0415 - imports jinja2

    public = {
        name for kind in (str, list, dict, int, float) for name in dir(kind) if name[0] != "_"
    }
    for call in tree.find_all(nodes.Call):
        method = call.node
        if isinstance(method, nodes.Getattr) and method.attr in public - METHODS:
            yield method.attr, call.lineno


def _reached(node: nodes.Node) -> str | None:
    """The attribute that a node reaches for, as far as the template tells."""
    from jinja2 import nodes  # noqa: PLC0415

    if isinstance(node, nodes.Getattr):
        return node.attr
    if isinstance(node, nodes.Getitem):
        return _constant(node.arg)
    if isinstance(node, nodes.Filter) and node.name == "attr" and node.args:
        return _constant(node.args[0]) or "_"  # what is put together at run time is no name
    return None


def _constant(node: nodes.Node) -> str | None:
    from jinja2 import nodes  # noqa: PLC0415

    return node.value if isinstance(node, nodes.Const) and isinstance(node.value, str) else None
