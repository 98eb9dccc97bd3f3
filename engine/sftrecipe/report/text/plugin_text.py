"""Plugins for people, and as JSON: the list, the page of one, what a new one was written to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from inspect import cleandoc
from shlex import quote
from textwrap import indent

import orjson

from sftrecipe.errors import PluginError, UsageError, unknown
from sftrecipe.messages import Word, message, word
from sftrecipe.plugin.discovery import KINDS, Found, known_kind
from sftrecipe.plugin.discovery import plugins as plugins_of
from sftrecipe.plugin.environments import install_command, test_command
from sftrecipe.plugin.measured import Measured
from sftrecipe.plugin.new_package import NewPackage
from sftrecipe.recipe.language.sections import SECTION_OF
from sftrecipe.report.pages.plugin_page import OptionPage, PluginPage, PromptPage
from sftrecipe.report.text.folding import cells, paragraph
from sftrecipe.report.text.plugin_descriptions import described
from sftrecipe.report.text.table import table

_DEEP = " " * 6
_WRITTEN = 100
"""Cells of a line in code: a longer one was written to be folded."""


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


def plugin_lines(kind: str | None = None, language: str = "en") -> list[PluginLine]:
    """All plugins, or those of a kind, by kind and name; broken ones say so.

    Raises UsageError for an unknown kind, PluginError when two packages declare the same name.
    """
    kinds = [known_kind(kind)] if kind else list(KINDS)
    return [
        _plugin_line(found, language)
        for each in kinds
        for _, found in sorted(plugins_of(each).items())
    ]


def listing_text(lines: list[PluginLine]) -> str:
    """The list for people: a block for each kind."""
    kinds = dict.fromkeys(line.kind for line in lines)
    blocks = [f"{_heading(kind)}\n{_kind_text(lines, kind)}" for kind in kinds]
    return "\n\n".join(blocks) if blocks else message("no-plugins", {})


def _heading(kind: str) -> str:
    """Of plugins of a kind; by its Chinese name too, where it has one."""
    name = word(kind)
    return f"{kind}s" if name == kind else f"{name}（{kind}）"


def _kind_text(lines: Sequence[PluginLine], kind: str) -> str:
    """A line a plugin of the kind, the names of all kinds equally wide."""
    width = max(len(line.name) for line in lines)
    cells = [
        [line.name.ljust(width), f"{line.summary}  [{line.package}]"]
        if line.error is None
        else [line.name.ljust(width), message("plugin-not-importable", {"package": line.package})]
        for line in lines
        if line.kind == kind
    ]
    return table([], cells, indent="  ")


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
        values = {"name": name, "kind": Word(kind or "plugin")}
        raise UsageError.of(
            unknown("no-such-plugin", None, name, names, hint="plugins-list", **values)
        )
    return found


def new_package_text(package: NewPackage) -> str:
    """What `plugins new` wrote, and what to do next."""
    files = "\n".join(f"  {package.folder / file}" for file in package.files)
    folder = quote(str(package.folder))
    wrote = message("plugin-wrote", {"kind": Word(package.kind), "name": package.name})
    command = f"{install_command()} pytest -e {folder} && {test_command()} {folder}"
    return f"{wrote}\n{files}\n{message('next-command', {'command': command})}"


def new_package_json(package: NewPackage) -> str:
    """What `plugins new` wrote, as JSON."""
    facts = asdict(package) | {"folder": str(package.folder)}
    return orjson.dumps(facts, option=orjson.OPT_INDENT_2).decode()


def _plugin_line(found: Found, language: str) -> PluginLine:
    try:
        plugin = found.load()
        text = described(cleandoc(plugin.__doc__ or ""), plugin, language)
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
    about = {"kind": Word(page.kind), "name": page.name, "package": page.package}
    yield message("page-head", {**about, "version": page.version})
    yield ""
    yield from _description_lines(page.description)
    yield ""
    if page.scope:
        yield message(f"page-scope-{page.scope}", {})
    if page.needs or page.needs_vary:
        needed = [*page.needs, *([message("page-needs-vary", {})] if page.needs_vary else [])]
        yield message("page-needs", {"needed": ", ".join(needed)})
    if page.paper:
        yield message("page-paper", {"paper": page.paper})
    yield from _option_lines(page.options)
    if page.reasons:
        yield f"\n{message('page-reasons', {})}"
        for reason, explained in page.reasons.items():
            yield f"  {reason}"
            yield from paragraph(explained.line, _DEEP)
    yield from _measured_lines(page.measured)
    if page.prompts:
        yield f"\n{message('page-prompts', {})}"
        for prompt in page.prompts:
            yield from _prompt_lines(prompt)
    example = message("page-example", {"section": SECTION_OF[page.kind].name})
    yield f"\n{example}\n"
    yield indent(page.example, "  ")


def _description_lines(text: str) -> Iterator[str]:
    """As its author broke the lines; what stands in one line is folded."""
    for line in (text or message("page-undescribed", {})).split("\n"):
        yield from paragraph(line, "") if cells(line) > _WRITTEN else [line]


def _measured_lines(figures: Sequence[Measured]) -> Iterator[str]:
    if not figures:
        return
    width = max(len(figure.what) for figure in figures)
    yield f"\n{message('page-measured', {})}"
    yield f"  {'':<{width}}  {message('page-measured-columns', {})}"
    for figure in figures:
        marked, others = figure.found + figure.missed, figure.wrong + figure.right
        precision = f"{figure.precision:.2f}" if figure.found else "-"
        recall = f"{figure.recall:.2f}" if marked else "-"
        counts = f"{marked:>6}  {others:>6}  {figure.wrong:>5}"
        line = f"{figure.language:<8}  {precision:>9}  {recall:>6}  {counts}"
        yield f"  {figure.what:<{width}}  {line}"


def _option_lines(options: Sequence[OptionPage]) -> Iterator[str]:
    yield "\n" + message("page-options" if options else "page-no-options", {})
    for option in options:
        facts = [option.type, *option.constraints]
        if option.required:
            facts.append(message("page-required", {}))
        elif option.default is not None:
            facts.append(message("page-default", {"value": _value_text(option.default)}))
        yield f"  {option.name}: {', '.join(facts)}"
        yield from paragraph(option.doc, _DEEP)


def _prompt_lines(prompt: PromptPage) -> Iterator[str]:
    names = [*prompt.variables, *([message("page-columns", {})] if prompt.columns else [])]
    yield f"  {prompt.option}" + (
        f" {message('page-filled', {'names': ', '.join(names)})}" if names else ""
    )
    for language, text in prompt.texts.items():
        yield f"    {language}"
        yield indent(text.rstrip("\n"), "    | ", lambda line: True)
    if prompt.default is not None and not prompt.texts:
        yield indent(prompt.default, "    | ", lambda line: True)


def _value_text(value: object) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    if "\n" in text:
        return message("page-under-prompts", {})
    return repr(text) if isinstance(value, str) else text
