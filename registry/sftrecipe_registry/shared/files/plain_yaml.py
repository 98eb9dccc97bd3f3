"""Reading small YAML files that a recipe names: lists and mappings of texts, nothing that grows."""

from __future__ import annotations

from typing import Any

import yaml

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
                raise ValueError("it has an alias")
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                raise ValueError(f"it is nested over {DEEPEST} deep")
        return yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        raise ValueError(f"it is no YAML: {error}") from error
