"""Jinja2 prompts in a sandbox: rendering, and which variables a template uses."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from jinja2 import Template
    from jinja2.sandbox import ImmutableSandboxedEnvironment


class Prompt:
    """A compiled template."""

    def __init__(self, text: str) -> None:
        self._template: Template = _environment().from_string(text)

    def render(self, variables: Mapping[str, Any]) -> str:
        """The prompt, filled.

        Raises jinja2.TemplateError: an undefined name, or something the sandbox forbids.
        """
        return self._template.render(variables)


@lru_cache(maxsize=256)
def compiled(text: str) -> Prompt:
    """The template of a text. Raises jinja2.TemplateSyntaxError."""
    return Prompt(text)


def used_variables(text: str) -> frozenset[str]:
    """Names that the template takes from outside. Raises jinja2.TemplateSyntaxError."""
    from jinja2 import meta  # noqa: PLC0415 - jinja2 costs 50 ms, and few commands need it

    return frozenset(meta.find_undeclared_variables(_environment().parse(text)))


@lru_cache(maxsize=1)
def _environment() -> ImmutableSandboxedEnvironment:
    from jinja2 import StrictUndefined  # noqa: PLC0415
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415

    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, keep_trailing_newline=False, autoescape=False
    )
    environment.filters["json"] = lambda value: orjson.dumps(value).decode()
    return environment
