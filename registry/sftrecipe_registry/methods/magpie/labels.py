"""A judge's labels: Magpie's rating scales, and reading a label out of a reply."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sftrecipe_registry.shared.replies.json_items import find_items

DIFFICULTIES = ("very easy", "easy", "medium", "hard", "very hard")
QUALITIES = ("very poor", "poor", "average", "good", "excellent")
"""From the lowest label to the highest (arXiv 2406.08464, section 3)."""


def read_reply(text: str, keys: Sequence[str]) -> dict[str, Any]:
    """The object in a reply that has most of the keys; of broken JSON the texts of those keys.

    Never raises; empty where there is nothing.
    """
    items = find_items(text).items
    best = max(items, key=lambda item: sum(key in item for key in keys), default={})
    if any(key in best for key in keys):
        return best
    found = {key: re.search(rf'"{re.escape(key)}"\s*:\s*"([^"\n]*)"', text) for key in keys}
    return {key: match[1] for key, match in found.items() if match}


def legal_label(said: Any, labels: Sequence[str]) -> str | None:
    """The label that was said, whatever its case and the brackets around it; else None."""
    if not isinstance(said, str):
        return None
    folded = said.strip(" \t\n[]<>\"'`*.").casefold()
    return next((label for label in labels if label.casefold() == folded), None)
