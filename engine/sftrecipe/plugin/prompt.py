"""Jinja2 prompts in a sandbox: rendering, and which variables a template uses."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from sftrecipe.plugin.provider import CallFailed

if TYPE_CHECKING:
    from jinja2 import Template, nodes
    from jinja2.sandbox import ImmutableSandboxedEnvironment


class PromptFailed(CallFailed):
    """A prompt cannot be filled for a row: a column is missing, or the sandbox forbids it."""

    def __init__(self, message: str) -> None:
        super().__init__("final", message)

    @property
    def reason(self) -> str:
        """The reason written beside the row."""
        return "prompt_failed"


class Prompt:
    """A compiled template."""

    def __init__(self, text: str) -> None:
        self._template: Template = _environment().from_string(text)

    def render(self, variables: Mapping[str, Any]) -> str:
        """The prompt, filled.

        Raises PromptFailed, which rejects the row alone where it is raised for one.
        """
        from jinja2 import TemplateError  # noqa: PLC0415

        try:
            return self._template.render(variables)
        except (TemplateError, TypeError, ValueError, LookupError, ArithmeticError) as error:
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


MAX_TEXT = 4_000_000
"""Characters that one operation of a template may make."""


_PADDING = frozenset({"center", "ljust", "rjust", "zfill", "format", "format_map", "expandtabs"})
"""Methods of texts that make a gigabyte out of a number."""
_PADDING_FILTERS = ("center", "indent", "format", "wordwrap", "filesizeformat")
MAX_RANGE = 1000


def _short_range(*arguments: int) -> range:
    made = range(*arguments)
    if len(made) > MAX_RANGE:
        raise ValueError(f"range has {len(made)} numbers, expected at most {MAX_RANGE}")
    return made


@lru_cache(maxsize=1)
def _environment() -> ImmutableSandboxedEnvironment:
    from jinja2 import StrictUndefined  # noqa: PLC0415
    from jinja2.exceptions import SecurityError  # noqa: PLC0415
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415

    class Sandbox(ImmutableSandboxedEnvironment):
        """Jinja2's sandbox, that also refuses to fill the memory by `'a' * 10 ** 10`."""

        intercepted_binops = frozenset({"*", "**", "%"})

        def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
            padding = isinstance(obj, str) and attr in _PADDING
            return not padding and super().is_safe_attribute(obj, attr, value)

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            if operator == "%" and isinstance(left, str):
                raise SecurityError("'%' does not format text here")
            sized, times = (right, left) if isinstance(left, int) else (left, right)
            if operator == "**":
                too_large = abs(left) > 1000 or abs(right) > 100
            else:
                too_large = hasattr(sized, "__len__") and len(sized) * times > MAX_TEXT
            if too_large:
                raise SecurityError(f"'{operator}' makes too much")
            return super().call_binop(context, operator, left, right)

    environment = Sandbox(undefined=StrictUndefined, keep_trailing_newline=False, autoescape=False)
    for name in _PADDING_FILTERS:
        del environment.filters[name]
    for name in ("lipsum", "cycler", "joiner"):
        del environment.globals[name]
    environment.globals["range"] = _short_range
    environment.filters["json"] = lambda value: orjson.dumps(value).decode()
    return environment
