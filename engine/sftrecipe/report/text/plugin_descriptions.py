"""What plugins say of themselves and their options, in the user's language where they have it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sftrecipe.messages import user_language
from sftrecipe.messages.catalogues import descriptions
from sftrecipe.plugin.base import Plugin
from sftrecipe.plugin.discovery import Found
from sftrecipe.report.pages.plugin_page import PluginPage, plugin_page


def described_page(found: Found) -> PluginPage:
    """The page of a plugin, described for the user. Raises PluginError as `plugin_page`."""
    page, plugin = plugin_page(found), found.load()
    return replace(
        page,
        description=described(page.description, plugin),
        options=tuple(
            replace(option, doc=described(option.doc, plugin)) for option in page.options
        ),
    )


def described(text: str, plugin: type[Plugin], language: str | None = None) -> str:
    """What a plugin says of itself or an option, in the user's language unless one is given.

    As it is where none of the packages of its classes has a translation.
    """
    language = language or user_language()
    if language == "en":
        return text
    line = " ".join(text.split())
    for package in dict.fromkeys(_packages(plugin)):
        if found := descriptions(package, language).get(line):
            return found
    return text


def _packages(plugin: type[Plugin]) -> Iterator[str]:
    """Those that its classes come from, each with the packages around it."""
    for base in plugin.__mro__:
        parts = base.__module__.split(".")
        yield from (".".join(parts[:depth]) for depth in range(len(parts), 0, -1))
