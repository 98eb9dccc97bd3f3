"""The recipe's blocks behind a run's steps: their options as they were in force."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sftrecipe.plugin.discovery import plugin_class
from sftrecipe.recipe.language.sections import SECTIONS
from sftrecipe.run.run_record import StepRecord

_ENGINE_KEYS = {"id", "use", "from", "on", "provider", "with", "budget"}


def block_options(document: Mapping[str, Any], step: StepRecord) -> dict[str, Any]:
    """A step's options, the plugin's defaults among them; empty where its block is not found."""
    for name, block in blocks(document, step.section):
        if name == step.id:
            beside = {key: value for key, value in block.items() if key not in _ENGINE_KEYS}
            return {
                **_defaults(step.section, step.use),
                **beside,
                **(block.get("with") or {}),
            }
    return {}


def blocks(document: Mapping[str, Any], section: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The blocks of a section with their ids, as the recipe's reader names them."""
    found = document.get(section) or {}
    if section in SECTIONS and SECTIONS[section].form == "named":
        yield from found.items()
        return
    taken: set[str] = set()
    for block in [found] if isinstance(found, Mapping) and found else found:
        unnamed = section if isinstance(found, Mapping) else f"{section}-{block.get('use')}"
        name = block.get("id") or _free(unnamed, taken)
        taken.add(name)
        yield name, block


def _free(name: str, taken: set[str]) -> str:
    number, free = 2, name
    while free in taken:
        free, number = f"{name}-{number}", number + 1
    return free


def _defaults(section: str, use: str) -> dict[str, Any]:
    if section not in SECTIONS:
        return {}
    try:
        fields = plugin_class(SECTIONS[section].kind, use).model_fields
    except Exception:  # somebody's plugin that is gone by now: its options are not known
        return {}
    return {name: field.default for name, field in fields.items() if not field.is_required()}
