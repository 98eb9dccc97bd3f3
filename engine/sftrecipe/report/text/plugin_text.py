"""A plugin's page for people, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import indent, wrap

import orjson

from sftrecipe.report.pages.plugin_page import SECTIONS, OptionPage, PluginPage, PromptPage

_WIDTH = 96


def pages_text(pages: Sequence[PluginPage]) -> str:
    """Pages one under the other."""
    return "\n\n\n".join("\n".join(_page(page)) for page in pages)


def pages_json(pages: Sequence[PluginPage]) -> str:
    """A list of pages as JSON."""
    plain = [page.as_json() for page in pages]
    return orjson.dumps(plain, option=orjson.OPT_INDENT_2).decode()


def _page(page: PluginPage) -> Iterator[str]:
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
    yield from _options(page.options)
    if page.reasons:
        yield "\nreasons to reject a row"
        for reason, explained in page.reasons.items():
            yield f"  {reason}"
            yield from (f"      {line}" for line in wrap(explained.line, _WIDTH - 6))
    if page.prompts:
        yield "\nprompts"
        for prompt in page.prompts:
            yield from _prompt(prompt)
    yield f"\nexample, for `{SECTIONS[page.kind]}`\n"
    yield indent(page.example, "  ")


def _options(options: Sequence[OptionPage]) -> Iterator[str]:
    yield "\noptions" if options else "\nno options"
    for option in options:
        facts = [option.type, *option.constraints]
        if option.required:
            facts.append("required")
        elif option.default is not None:
            facts.append(f"default {_shown(option.default)}")
        yield f"  {option.name}: {', '.join(facts)}"
        yield from (f"      {line}" for line in wrap(option.doc, _WIDTH - 6))


def _prompt(prompt: PromptPage) -> Iterator[str]:
    names = [*prompt.variables, *(["the row's columns"] if prompt.columns else [])]
    yield f"  {prompt.option}" + (f" (filled in: {', '.join(names)})" if names else "")
    for language, text in prompt.texts.items():
        yield f"    {language}"
        yield indent(text.rstrip("\n"), "    | ", lambda line: True)
    if prompt.default is not None and not prompt.texts:
        yield indent(prompt.default, "    | ", lambda line: True)


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    if "\n" in text:
        return "as under prompts"
    return repr(text) if isinstance(value, str) else text
