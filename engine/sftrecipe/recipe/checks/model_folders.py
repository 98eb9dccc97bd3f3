"""Models in folders that a recipe names as seen from its own file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sftrecipe.plugin.option_types import ModelMarker, values_of
from sftrecipe.recipe.blocks import BlockDraft
from sftrecipe.recipe.reader.node import Node, place_of

_SEEN_FROM_HERE = ("./", "../")


def place_models(root: Node, drafts: Sequence[BlockDraft]) -> None:
    """Give every provider the absolute path where it names a model by `./` or `../`.

    It is connected where no recipe is at hand. A model of the hub has no such name.
    """
    for draft in drafts:
        if draft.section.name == "providers" and draft.plugin is not None:
            found = {}
            for path, _, value in values_of(draft.plugin, ModelMarker):
                if value.startswith(_SEEN_FROM_HERE):
                    place = place_of(root, (*draft.options, *path))
                    found[str(path[0])] = absolute_model(value, Path(place.path).parent)
            draft.plugin = draft.plugin.model_copy(update=found) if found else draft.plugin


def absolute_model(name: str, folder: Path) -> str:
    """The path of a model's folder as seen from another folder, whether it is there or not."""
    return str((folder / name).resolve())
