"""Reading small YAML files that a recipe names: lists and mappings of texts, nothing that grows."""

from __future__ import annotations

from typing import Any

import yaml

from sftrecipe.plugin import Texts

texts = Texts(__package__)


DEEPEST = 16
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def plain_yaml(text: str) -> Any:
    """The content. Raises ValueError where it is no YAML, has aliases, or is nested too deeply.

    Aliases and merge keys let a few lines stand for more than a machine can hold.
    """
    depth = 0
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            if isinstance(event, yaml.AliasEvent):
                raise ValueError(texts("yaml-alias"))
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                raise ValueError(texts("yaml-deep", most=DEEPEST))
        return yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        raise ValueError(texts("no-yaml", error=error)) from error
