"""Plugins for people, and as JSON: the list, the page of one, what a new one was written to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from inspect import cleandoc
from shlex import quote
from textwrap import indent, wrap

import orjson

from sftrecipe.errors import PluginError, UsageError, unknown
from sftrecipe.plugin.discovery import KINDS, Found, known_kind
from sftrecipe.plugin.discovery import plugins as plugins_of
from sftrecipe.plugin.environments import install_command
from sftrecipe.plugin.measured import Measured
from sftrecipe.plugin.new_package import NewPackage
from sftrecipe.recipe.language.sections import SECTION_OF
from sftrecipe.report.pages.plugin_page import OptionPage, PluginPage, PromptPage

_WIDTH = 96


@dataclass(frozen=True)
class PluginLine:
    """A plugin in the list."""

    kind: str
    name: str
    package: str
    summary: str
    """First line of its documentation."""
    error: str | None = None
    """Why it cannot be used."""


def plugin_lines(kind: str | None = None) -> list[PluginLine]:
    """All plugins, or those of a kind, by kind and name; broken ones say so.

    Raises UsageError for an unknown kind, PluginError when two packages declare the same name.
    """
    kinds = [known_kind(kind)] if kind else list(KINDS)
    return [_plugin_line(found) for each in kinds for _, found in sorted(plugins_of(each).items())]


def listing_text(lines: list[PluginLine]) -> str:
    """The list for people: a block for each kind."""
    width = max((len(line.name) for line in lines), default=0)
    text: list[str] = []
    for kind in dict.fromkeys(line.kind for line in lines):
        text.append(f"{kind}s" if not text else f"\n{kind}s")
        for line in lines:
            if line.kind == kind:
                about = line.summary if line.error is None else "cannot be imported"
                text.append(f"  {line.name:<{width}}  {about}  [{line.package}]")
    return "\n".join(text) if text else "no plugins"


def listing_json(lines: list[PluginLine]) -> str:
    """The list as JSON."""
    return orjson.dumps([asdict(line) for line in lines], option=orjson.OPT_INDENT_2).decode()


def plugins_named(name: str, kind: str | None = None) -> list[Found]:
    """The plugins of that name: one, or one of each kind that has it.

    Raises UsageError, with the nearest name, when there is none.
    """
    kinds = [known_kind(kind)] if kind else list(KINDS)
    found = [plugins_of(each)[name] for each in kinds if name in plugins_of(each)]
    if not found:
        names = {other for each in kinds for other in plugins_of(each)}
        values = {"name": name, "kind": kind or "plugin"}
        raise UsageError.of(
            unknown("no-such-plugin", None, name, names, hint="plugins-list", **values)
        )
    return found


def new_package_text(package: NewPackage) -> str:
    """What `plugins new` wrote, and what to do next."""
    files = "\n".join(f"  {package.folder / file}" for file in package.files)
    folder = quote(str(package.folder))
    return (
        f"wrote {package.kind} '{package.name}':\n{files}\n"
        f"next: {install_command()} -e {folder} && pytest {folder}"
    )


def new_package_json(package: NewPackage) -> str:
    """What `plugins new` wrote, as JSON."""
    facts = asdict(package) | {"folder": str(package.folder)}
    return orjson.dumps(facts, option=orjson.OPT_INDENT_2).decode()


def _plugin_line(found: Found) -> PluginLine:
    try:
        text = cleandoc(found.load().__doc__ or "")
    except PluginError as error:
        return PluginLine(found.kind, found.name, found.package, "", error.problem.message())
    return PluginLine(found.kind, found.name, found.package, text.partition("\n")[0])


def pages_text(pages: Sequence[PluginPage]) -> str:
    """Pages one under the other."""
    return "\n\n\n".join("\n".join(_page_lines(page)) for page in pages)


def pages_json(pages: Sequence[PluginPage]) -> str:
    """A list of pages as JSON."""
    plain = [page.as_json() for page in pages]
    return orjson.dumps(plain, option=orjson.OPT_INDENT_2).decode()


def _page_lines(page: PluginPage) -> Iterator[str]:
    yield f"{page.kind} {page.name}  [{page.package}, plugin version {page.version}]"
    yield ""
    yield page.description or "(no description)"
    yield ""
    if page.scope:
        seen = "one row at a time" if page.scope == "row" else "all rows at once"
        yield f"scope: {page.scope} (sees {seen})"
    if page.needs or page.needs_vary:
        needed = [*page.needs, *(["what the options ask for"] if page.needs_vary else [])]
        yield f"needs: a provider with {', '.join(needed)}"
    if page.paper:
        yield f"paper: {page.paper}"
    yield from _option_lines(page.options)
    if page.reasons:
        yield "\nreasons to reject a row"
        for reason, explained in page.reasons.items():
            yield f"  {reason}"
            yield from (f"      {line}" for line in wrap(explained.line, _WIDTH - 6))
    yield from _measured_lines(page.measured)
    if page.prompts:
        yield "\nprompts"
        for prompt in page.prompts:
            yield from _prompt_lines(prompt)
    yield f"\nexample, for `{SECTION_OF[page.kind].name}`\n"
    yield indent(page.example, "  ")


def _measured_lines(figures: Sequence[Measured]) -> Iterator[str]:
    if not figures:
        return
    width = max(len(figure.what) for figure in figures)
    yield "\nmeasured on labelled rows that it was not made with"
    yield f"  {'':<{width}}  language  precision  recall  marked  others  wrong"
    for figure in figures:
        marked, others = figure.found + figure.missed, figure.wrong + figure.right
        precision = f"{figure.precision:.2f}" if figure.found else "-"
        recall = f"{figure.recall:.2f}" if marked else "-"
        counts = f"{marked:>6}  {others:>6}  {figure.wrong:>5}"
        line = f"{figure.language:<8}  {precision:>9}  {recall:>6}  {counts}"
        yield f"  {figure.what:<{width}}  {line}"


def _option_lines(options: Sequence[OptionPage]) -> Iterator[str]:
    yield "\noptions" if options else "\nno options"
    for option in options:
        facts = [option.type, *option.constraints]
        if option.required:
            facts.append("required")
        elif option.default is not None:
            facts.append(f"default {_value_text(option.default)}")
        yield f"  {option.name}: {', '.join(facts)}"
        yield from (f"      {line}" for line in wrap(option.doc, _WIDTH - 6))


def _prompt_lines(prompt: PromptPage) -> Iterator[str]:
    names = [*prompt.variables, *(["the row's columns"] if prompt.columns else [])]
    yield f"  {prompt.option}" + (f" (filled in: {', '.join(names)})" if names else "")
    for language, text in prompt.texts.items():
        yield f"    {language}"
        yield indent(text.rstrip("\n"), "    | ", lambda line: True)
    if prompt.default is not None and not prompt.texts:
        yield indent(prompt.default, "    | ", lambda line: True)


def _value_text(value: object) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    if "\n" in text:
        return "as under prompts"
    return repr(text) if isinstance(value, str) else text
