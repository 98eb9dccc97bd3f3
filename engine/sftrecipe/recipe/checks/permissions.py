"""What blocks do only with the user's word: on the command line, or in the user's own settings.

A word on the command line is kept with the recipe's file and what it was said of, so that it is
said once, and again where the recipe changes that. The user may also write words for all recipes
into the settings, under `"*"`.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from sftrecipe.errors import Problem
from sftrecipe.messages import Word
from sftrecipe.plugin.base import Plugin
from sftrecipe.plugin.permission import Permission, Places
from sftrecipe.recipe.blocks import BlockDraft, crash_problem
from sftrecipe.recipe.presets.preset import Preset
from sftrecipe.recipe.reader.node import Node, place_of, source_of
from sftrecipe.recipe.reader.paths import Roots, seen_from_presets
from sftrecipe.recipe.user_settings import ALLOWED_WORDS, add_settings, read_settings

_EVERY_RECIPE = "*"


class Consent:
    """The words that the user gives for one recipe, now and before."""

    def __init__(self, recipe: Path, words: Collection[str]) -> None:
        self._recipe = os.path.realpath(recipe)
        self._words = frozenset(words)
        self._kept = read_settings(ALLOWED_WORDS)
        self.given: set[str] = set()
        """Words of the permissions that were asked and given."""

    def allows(self, permission: Permission, preset: Preset | None = None) -> bool:
        """Whether the user allows it; a word of the command line is kept for the next time.

        What a preset asks is allowed as it is now: it is asked again where the preset changes.
        """
        entry = f"{permission.word}={permission.value}"
        if preset is not None:
            entry += f" in {preset.name} {preset.content[:16]}"
        known = self._kept.get(self._recipe, [])
        if permission.word in self._words and entry not in known:
            known = self._kept[self._recipe] = [*known, entry]
            with suppress(OSError):  # then it is said again the next time
                add_settings(ALLOWED_WORDS, {self._recipe: [entry]})
        allowed = entry in known or permission.word in self._kept.get(_EVERY_RECIPE, [])
        if allowed:
            self.given.add(permission.word)
        return allowed


def permission_problems(
    drafts: Sequence[BlockDraft], root: Node, places: Places, consent: Consent, roots: Roots
) -> Iterator[Problem]:
    """What blocks do without the user's word."""
    for draft in drafts:
        if draft.plugin is None:
            continue
        try:
            seen = places._replace(of_presets=seen_from_presets(draft.node, roots))
            asked = list(draft.plugin.asks_permission(seen))
        except Exception as error:
            yield crash_problem(draft, root, error)
            continue
        for permission in asked:
            preset = _preset_of(draft, root, permission, roots)
            if not consent.allows(permission, preset) and permission.required:
                place = place_of(root, (*draft.options, *permission.path))
                yield Problem("needs-permission", place, permission_values(permission), "allow")


def _preset_of(
    draft: BlockDraft, root: Node, permission: Permission, roots: Roots
) -> Preset | None:
    """The preset that asks: the option's, or one of the block's where the option is not written."""
    path = (*draft.options, *permission.path)
    if permission.path and place_of(root, path) != place_of(root, draft.options):
        return roots.preset_of(source_of(root, path))
    sources = (node.written_at for _, node in draft.node.texts())
    found = (preset for each in sources if (preset := roots.preset_of(each)) is not None)
    return next(found, None)


def lacking_permissions(
    plugin: Plugin, places: Places, allowed: Collection[str]
) -> Iterator[Permission]:
    """What a plugin would do without the user's word, now that the output folder is known."""
    for permission in plugin.asks_permission(places):
        if permission.required and permission.word not in allowed:
            yield permission


def permission_values(permission: Permission) -> dict[str, object]:
    """What a message says of a permission."""
    name = ".".join(str(step) for step in permission.path) or permission.word
    risk = Word(f"does-{permission.risk}")
    return {"name": name, "value": permission.value, "risk": risk, "word": permission.word}
