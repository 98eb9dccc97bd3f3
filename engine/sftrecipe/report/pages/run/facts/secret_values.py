"""Taking secrets out of what is shown: values of the environment, keys written in a recipe."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from sftrecipe.recipe.checks.secrets import environment

HIDDEN = "•••"
_NAMED_IN_RECIPE = re.compile(r"\$\{\s{0,20}env\s{0,20}:([^}$]{0,100})\}")
_SECRET_NAME = re.compile(r"key|token|secret|passw|credential|authori[sz]ation", re.IGNORECASE)
_COUNTS = re.compile(r"tokens|tokenizer|keys?_?(column|field)", re.IGNORECASE)
_SHORTEST = 6
"""Shorter values are no secrets, and would be found in every text."""


class Scrub:
    """Replaces every secret in a value, however deep it lies."""

    def __init__(self, document: Any) -> None:
        secrets = {*_of_environment(document), *_of_recipe(document)}
        known = sorted((text for text in secrets if len(text) >= _SHORTEST), key=len, reverse=True)
        self._any = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, value: Any) -> Any:
        """The value without secrets; named tuples and data classes keep their type."""
        return self._clean(value) if self._any else value

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._any.sub(HIDDEN, value) if self._any else value
        if isinstance(value, Mapping):
            return {self._clean(name): self._clean(item) for name, item in value.items()}
        if is_dataclass(value) and not isinstance(value, type):
            texts = {each.name: self._clean(getattr(value, each.name)) for each in fields(value)}
            return replace(value, **texts)
        if isinstance(value, tuple) and hasattr(value, "_make"):
            return value._make(map(self._clean, value))
        if isinstance(value, list | tuple):
            return type(value)(map(self._clean, value))
        return value


def _of_environment(document: Any) -> Iterator[str]:
    """Values of the variables that the recipe names, and of those whose names say `key` or so."""
    uses = (use for text in _texts(document) for use in _NAMED_IN_RECIPE.finditer(text))
    named = {use[1].strip() for use in uses}
    for name, value in environment().items():
        if name in named or _is_secret(name):
            yield value


def _of_recipe(document: Any) -> Iterator[str]:
    """Keys that stand in the recipe's providers in clear."""
    providers = document.get("providers") if isinstance(document, Mapping) else None
    for name, value in _named_texts(providers or {}):
        if _is_secret(name) and not _NAMED_IN_RECIPE.search(value):
            yield value


def _is_secret(name: str) -> bool:
    return bool(_SECRET_NAME.search(name)) and not _COUNTS.search(name)


def _named_texts(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _named_texts(item, str(key))
    elif isinstance(value, list):
        for item in value:
            yield from _named_texts(item, name)


def _texts(value: Any) -> Iterator[str]:
    return (text for _, text in _named_texts(value))
