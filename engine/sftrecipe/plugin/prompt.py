"""Jinja2 prompts in a sandbox: rendering, and which variables a template uses."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sftrecipe.plugin.provider import CallFailed

if TYPE_CHECKING:
    from jinja2 import Template, nodes

    from sftrecipe.plugin.sandbox import Sandbox


_OF_VALUES = (
    *(TypeError, ValueError, LookupError, ArithmeticError),
    *(AttributeError, RecursionError, MemoryError),
)
"""What an expression raises on a value that it does not fit."""


class PromptFailed(CallFailed):
    """A prompt cannot be filled for a row: a column is missing, or the sandbox forbids it."""

    def __init__(self, message: str) -> None:
        super().__init__("final", message, reason="prompt_failed")


class Prompt:
    """A compiled template."""

    def __init__(self, text: str) -> None:
        self._template: Template = _environment().from_string(text)

    def render(self, variables: Mapping[str, Any]) -> str:
        """The prompt, filled.

        Raises PromptFailed, which rejects the row alone where it is raised for one.
        """
        from jinja2 import TemplateError  # noqa: PLC0415

        from sftrecipe.plugin.sandbox import rendered  # noqa: PLC0415

        try:
            return rendered(self._template, variables)
        except (TemplateError, *_OF_VALUES) as error:
            raise PromptFailed(str(error)) from error


@lru_cache(maxsize=256)
def compiled(text: str) -> Prompt:
    """The template of a text. Raises jinja2.TemplateSyntaxError."""
    return Prompt(text)


def parsed(text: str) -> nodes.Template:
    """The syntax tree of a template. Raises jinja2.TemplateSyntaxError."""
    return _environment().parse(text)


def used_variables(text: str) -> frozenset[str]:
    """Names that the template takes from outside. Raises jinja2.TemplateSyntaxError."""
    return required_variables(parsed(text))


def required_variables(tree: nodes.Template) -> frozenset[str]:
    """Names that must be given: not Jinja2's own, nor those asked about (`is defined`, `default`).

    Raises jinja2.TemplateError when the template uses a filter or test that does not exist.
    """
    from jinja2 import meta, nodes  # noqa: PLC0415 - jinja2 costs 50 ms, and few commands need it

    optional = {
        node.node.name
        for node in tree.find_all((nodes.Test, nodes.Filter))
        if node.name in ("defined", "undefined", "default", "d")
        and isinstance(node.node, nodes.Name)
    }
    names = meta.find_undeclared_variables(tree)
    return frozenset(names - optional - _environment().globals.keys())


@lru_cache(maxsize=1)
def _environment() -> Sandbox:
    from sftrecipe.plugin.sandbox import sandbox  # noqa: PLC0415 - imports jinja2

    return sandbox()
