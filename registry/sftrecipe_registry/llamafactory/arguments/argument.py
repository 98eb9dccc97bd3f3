"""A training argument as LLaMA-Factory declares it, and the table of all that one version has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

COMPUTED = "(computed)"
"""Stands for a default that only running the code would tell."""


@dataclass(frozen=True)
class Argument:
    """One argument as its dataclass declares it."""

    name: str
    types: tuple[str, ...]
    optional: bool
    choices: tuple[object, ...]
    default: object
    group: str
    """The dataclass it is of: model, data, training, finetuning or generating."""
    splits: bool = False
    """Whether text is split at its commas, so that a list will do as well."""

    @property
    def type(self) -> str:
        """Return the types as a person would write them, such as 'int or null'."""
        names = ["one of " + ", ".join(map(str, self.choices))] if self.choices else self.types
        return " or ".join([*names, "null"] if self.optional else names)


@dataclass(frozen=True)
class ArgumentTable:
    """What one version of LLaMA-Factory accepts."""

    version: str
    arguments: Mapping[str, Argument]
    templates: frozenset[str]
