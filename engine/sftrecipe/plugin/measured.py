"""What a plugin is worth: figures that its package measured on labelled rows."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.resources import files as package_files

import yaml

from sftrecipe.plugin.base import Plugin

FILE = "measured.yaml"
"""Beside the plugin's module: name of the plugin → its figures."""


@dataclass(frozen=True, slots=True)
class Measured:
    """How well a filter finds what people marked."""

    what: str
    """What was to be found, as bench and rows name it."""
    language: str
    found: int
    """Marked rows that it found."""
    missed: int
    """Marked rows that it passed."""
    wrong: int
    """Rows that it found and nobody marked."""
    right: int
    """Rows that it passed, rightly."""

    @property
    def precision(self) -> float:
        """Share of what it finds that is marked; 1 where it finds nothing."""
        return self.found / (self.found + self.wrong) if self.found + self.wrong else 1.0

    @property
    def recall(self) -> float:
        """Share of the marked rows that it finds; 1 where none is marked."""
        return self.found / (self.found + self.missed) if self.found + self.missed else 1.0


def measured(plugin: type[Plugin], name: str) -> tuple[Measured, ...]:
    """The figures of a plugin, none where its package has none."""
    package = getattr(sys.modules.get(plugin.__module__), "__package__", None)
    if not package:
        return ()
    file = package_files(package) / FILE
    if not file.is_file():
        return ()
    known = yaml.safe_load(file.read_text(encoding="utf-8"))
    return tuple(Measured(**figure) for figure in known.get(name, ()))
