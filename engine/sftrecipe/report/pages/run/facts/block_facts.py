"""The recipe's blocks behind a run's steps: their options as they were in force."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sftrecipe.plugin.discovery import plugin_class
from sftrecipe.recipe.language.sections import SECTIONS
from sftrecipe.run.run_record import StepRecord
from sftrecipe.run.written_blocks import written_blocks

_ENGINE_KEYS = {"id", "use", "from", "on", "provider", "with", "budget"}


def block_options(document: Mapping[str, Any], step: StepRecord) -> dict[str, Any]:
    """A step's options, the plugin's defaults among them; empty where its block is not found."""
    for name, block in written_blocks(document, step.section):
        if name == step.id:
            beside = {key: value for key, value in block.items() if key not in _ENGINE_KEYS}
            return {
                **_defaults(step.section, step.use),
                **beside,
                **(block.get("with") or {}),
            }
    return {}


def _defaults(section: str, use: str) -> dict[str, Any]:
    if section not in SECTIONS:
        return {}
    try:
        fields = plugin_class(SECTIONS[section].kind, use).model_fields
    except Exception:  # somebody's plugin that is gone by now: its options are not known
        return {}
    return {name: field.default for name, field in fields.items() if not field.is_required()}
