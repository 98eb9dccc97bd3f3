"""Jinja2 prompts in a sandbox: rendering, the variables of a template, a plugin's own files."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sftrecipe.plugin.base import OptionFiles, Plugin
from sftrecipe.plugin.option_types import PromptMarker, values_of
from sftrecipe.plugin.provider import CallFailed

if TYPE_CHECKING:
    from jinja2 import Template, nodes

    from sftrecipe.plugin.prompts.sandbox import Sandbox

_OF_VALUES = (
    *(TypeError, ValueError, LookupError, ArithmeticError),
    *(AttributeError, RecursionError, MemoryError),
)
"""What an expression raises on a value that it does not fit."""

_METHODS = frozenset({None, *dir(dict)})
"""Keys that take a mapping as a whole: one put together at run time, and `entities.items`."""


class PromptFailed(CallFailed):
    """A prompt cannot be filled for a row: a column is missing, or the sandbox forbids it."""

    def __init__(self, message: str) -> None:
        super().__init__("final", message, reason="prompt_failed")


class Filled(NamedTuple):
    """A prompt that was filled before its call, or why it could not be."""

    text: str
    failed: PromptFailed | None = None

    def checked(self) -> str:
        """The text. Raises PromptFailed, which rejects the row alone where it is asked for one."""
        if self.failed is not None:
            raise self.failed
        return self.text


class Prompt:
    """A compiled template."""

    def __init__(self, text: str) -> None:
        from jinja2 import TemplateSyntaxError  # noqa: PLC0415

        try:
            self._template: Template = _environment().from_string(text)
        except (RecursionError, SyntaxError, MemoryError) as error:  # of the code that it becomes
            raise TemplateSyntaxError("template is nested too deeply", 1) from error

    def render(self, variables: Mapping[str, Any]) -> str:
        """The prompt, filled.

        Raises PromptFailed, which rejects the row alone where it is raised for one.
        """
        from jinja2 import TemplateError  # noqa: PLC0415

        from sftrecipe.plugin.prompts.sandbox import render_template  # noqa: PLC0415

        try:
            return render_template(self._template, _with_thought(variables))
        except (TemplateError, *_OF_VALUES) as error:
            raise PromptFailed(str(error)) from error

    def filled(self, variables: Mapping[str, Any]) -> Filled:
        """The prompt, filled where no row is at work yet: a failure is kept for its call."""
        try:
            return Filled(self.render(variables))
        except PromptFailed as failure:
            return Filled("", failure)


def _with_thought(variables: Mapping[str, Any]) -> Mapping[str, Any]:
    """With the thought before the last answer of chat turns, as plain rows have it in a column."""
    turns = variables.get("messages")
    if not turns or "reasoning" in variables or not isinstance(turns, list):
        return variables
    thought = turns[-1].get("reasoning") if isinstance(turns[-1], Mapping) else None
    return {**variables, "reasoning": thought} if thought else variables


@lru_cache(maxsize=256)
def compiled(text: str) -> Prompt:
    """The template of a text. Raises jinja2.TemplateSyntaxError."""
    return Prompt(text)


def parsed(text: str) -> nodes.Template:
    """The syntax tree of a template. Raises jinja2.TemplateSyntaxError."""
    return _environment().parse(text)


def required_variables(tree: nodes.Template) -> frozenset[str]:
    """Names that must be given: not Jinja2's own, nor those asked about (`is defined`, `default`).

    Raises jinja2.TemplateError when the template uses a filter or test that does not exist.
    """
    from jinja2 import nodes  # noqa: PLC0415 - jinja2 costs 50 ms, and few commands need it

    optional = {node.name for node in _asked_about(tree) if isinstance(node, nodes.Name)}
    return outside_variables(tree) - optional


def outside_variables(tree: nodes.Template) -> frozenset[str]:
    """Every name that a template takes from outside, those asked about among them.

    Raises jinja2.TemplateError when the template uses a filter or test that does not exist.
    """
    from jinja2 import meta  # noqa: PLC0415

    return frozenset(meta.find_undeclared_variables(tree) - _environment().globals.keys())


def template_keys(text: str, variable: str, *, required: bool = False) -> frozenset[str] | None:
    """The keys that a template reaches for in a mapping (`entities.disease`), or of them those
    `required`, not asked about; None where it uses the mapping as a whole.

    Raises jinja2.TemplateSyntaxError.
    """
    from jinja2 import nodes  # noqa: PLC0415

    tree = parsed(text)
    keys: dict[nodes.Node, str | None] = {}
    for each in tree.find_all((nodes.Getattr, nodes.Getitem)):
        if isinstance(each, nodes.Getattr) and _is_named(each.node, variable):
            keys[each] = each.attr
        elif isinstance(each, nodes.Getitem) and _is_named(each.node, variable):
            keys[each] = _constant_text(each.arg)
    uses = sum(_is_named(node, variable) for node in tree.find_all(nodes.Name))
    if uses != len(keys) or not _METHODS.isdisjoint(keys.values()):
        return None
    left_out = _asked_about(tree) if required else []
    return frozenset(key for node, key in keys.items() if key and not _among(node, left_out))


def _is_named(node: nodes.Node, name: str) -> bool:
    return getattr(node, "name", None) == name


def _among(node: nodes.Node, others: Sequence[nodes.Node]) -> bool:
    return any(node is each for each in others)


def _asked_about(tree: nodes.Template) -> list[nodes.Node]:
    """What a template uses only where it is there (`is defined`, `default`)."""
    from jinja2 import nodes  # noqa: PLC0415

    return [
        node.node
        for node in tree.find_all((nodes.Test, nodes.Filter))
        if node.name in ("defined", "undefined", "default", "d") and node.node is not None
    ]


def _constant_text(node: nodes.Node) -> str | None:
    from jinja2 import nodes  # noqa: PLC0415

    return node.value if isinstance(node, nodes.Const) and isinstance(node.value, str) else None


@lru_cache(maxsize=1)
def _environment() -> Sandbox:
    from sftrecipe.plugin.prompts.sandbox import Missing, make_sandbox  # noqa: PLC0415 - imports jinja2

    return make_sandbox(Missing)


PREFIX = "builtin:"
"""`builtin:NAME` in a prompt option is the plugin's own file `prompts/NAME.<language>.j2`."""
_ENGLISH = "en"


def is_own(value: str) -> bool:
    """Whether the value of a prompt option names a prompt that the plugin brings."""
    return value.startswith(PREFIX) and not set(value) & set("\n{ ")


def own_prompt(plugin: type[Plugin], value: str, language: str) -> Path | None:
    """The file of a `builtin:NAME`; English where the language has none; None where there is none.

    The plugin's own package is looked in, then those of the classes that it is made from.
    """
    name = value.removeprefix(PREFIX)
    if ".." in name or name.startswith("/"):
        return None
    for base in plugin.__mro__:
        folder = _folder(base)
        for spoken in (re.split(r"[-_]", language.lower())[0], _ENGLISH):
            file = folder / f"{name}.{spoken}.j2" if folder else None
            if file is not None and file.is_file():
                return file
    return None


def own_prompts(plugin: type[Plugin], value: str) -> dict[str, str]:
    """A prompt's text in every language that the plugin brings it in."""
    english = own_prompt(plugin, value, _ENGLISH)
    if english is None:
        return {}
    stem = english.name.removesuffix(f".{_ENGLISH}.j2")
    files = sorted(english.parent.glob(f"{stem}.*.j2"))
    return {
        file.name[len(stem) + 1 : -3]: file.read_text(encoding="utf-8")
        for file in files
        if "." not in file.name[len(stem) + 1 : -3]
    }


def own_files(plugin: Plugin, language: str = _ENGLISH) -> OptionFiles:
    """The files of the prompts that a plugin's options take from the plugin itself."""
    paths = {}
    for _, _, value in values_of(plugin, PromptMarker):
        if is_own(value):
            file = own_prompt(type(plugin), value, language)
            if file is not None:
                paths[value] = str(file)
    return OptionFiles(paths)


def _folder(plugin: type) -> Path | None:
    file = getattr(sys.modules.get(plugin.__module__), "__file__", None)
    return Path(file).parent / "prompts" if file else None
