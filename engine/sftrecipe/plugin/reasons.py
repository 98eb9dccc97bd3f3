"""What the reasons to reject a row mean, as the package that rejects explains them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

from sftrecipe.messages import Text, in_user_language, own_text
from sftrecipe.messages.catalogues import OWN, catalogue, reason_slug
from sftrecipe.plugin.base import Plugin
from sftrecipe.plugin.option_types import Described


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason to reject a row, for people."""

    name: str
    """As files have it, in other languages than English with a translation before it."""
    meaning: str = ""
    """One line; empty where nobody explains it."""
    remedy: str = ""
    """What to change so that such rows are not lost; empty where there is nothing."""

    @property
    def line(self) -> str:
        """Meaning and remedy in the user's language."""
        if self.remedy:
            told = own_text("reason-remedy", meaning=self.meaning, remedy=self.remedy)
            return told.told()
        return in_user_language(self.meaning)


def reason_of(reason: str, *plugins: type[Plugin]) -> Reason:
    """What a reason means where one of the plugins rejected: its own package's word, or the
    nearest one's around it, or the engine's."""
    for package in packages_of(*plugins):
        if reason in catalogue(package, "en").reasons:
            return _explained(package, reason)
    return Reason(reason)


def packages_of(*plugins: type[Plugin]) -> list[str]:
    """The packages that explain what plugins do: each one's, those of what it is built on, then
    the packages that hold these; the engine last."""
    within = [package for plugin in plugins for package in _within(plugin)]
    around = [around for package in within for around in _around(package)]
    return list(dict.fromkeys([*within, *around, OWN]))


def _explained(package: str, reason: str) -> Reason:
    known = catalogue(package, "en").texts
    name, meaning, remedy = (reason_slug(reason, part) for part in ("name", "meaning", "remedy"))
    return Reason(
        Text(package, name, {}),
        Text(package, meaning, {}) if meaning in known else "",
        Text(package, remedy, {}) if remedy in known else "",
    )


def _within(plugin: type[Plugin]) -> Iterator[str]:
    for base in plugin.__mro__:
        package = getattr(sys.modules.get(base.__module__), "__package__", None)
        if package and issubclass(base, Described) and package.partition(".")[0] != OWN:
            yield package


def _around(package: str) -> Iterator[str]:
    while "." in package:
        package = package.rpartition(".")[0]
        yield package
