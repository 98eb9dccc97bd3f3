"""Models that the recipe itself trains, where providers and later trainings name them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from sftrecipe.errors import Position, Problem, unknown
from sftrecipe.plugin import discovery
from sftrecipe.plugin.base import Plugin
from sftrecipe.plugin.option_types import ModelMarker, trained_block, values_of
from sftrecipe.plugin.trainer import Trainer
from sftrecipe.recipe.blocks import BlockDraft, of_section
from sftrecipe.recipe.language.sections import SECTIONS
from sftrecipe.recipe.reader.node import Node, place_of, source_of
from sftrecipe.recipe.reader.paths import Roots, is_of_preset, seen_from_presets

TRAINED_PROVIDERS: tuple[Literal["base"], Literal["tuned"]] = ("base", "tuned")
"""Names by which judges ask the model before and after the training."""
_SEEN_FROM_HERE = ("./", "../")


def trained_models(plugin: Plugin) -> Iterator[tuple[str, str]]:
    """Options of a plugin that name a model which the recipe trains: (option, train block).

    The block is `""` where the last one is meant.
    """
    for path, _, model in values_of(plugin, ModelMarker):
        if (block := trained_block(model)) is not None:
            yield str(path[0]), block


def models_before_and_after(
    drafts: Sequence[BlockDraft], folder: Path, roots: Roots
) -> list[BlockDraft]:
    """Providers `base` and `tuned`, which judges name and the recipe does not define.

    `folder`: the recipe's, where the model that a training starts from may lie; one that a preset
    names lies beside that.
    """
    defined = {draft.id for draft in of_section(drafts, "providers")}
    trainings = of_section(drafts, "train")
    asked = {name for judge in of_section(drafts, "evaluate") for name in judge.asks.values()}
    made: list[BlockDraft] = []
    for name in TRAINED_PROVIDERS:
        if name in asked - defined and trainings:
            # Before all trainings, after the last one.
            training = trainings[0] if name == "base" else trainings[-1]
            made.extend(_provider(name, training, folder, roots))
    return made


def _provider(
    name: Literal["base", "tuned"], training: BlockDraft, folder: Path, roots: Roots
) -> Iterator[BlockDraft]:
    """The provider with which the trainer has its model asked; none where that is not known."""
    answers = training.plugin.answers(name) if isinstance(training.plugin, Trainer) else None
    if answers is None or answers["use"] not in discovery.plugins("provider"):
        return
    options = {key: value for key, value in answers.items() if key != "use"}
    model = str(options.get("model", ""))
    seen = seen_from_presets(training.node, roots).get(model)
    folder = folder if seen is None else seen.folder
    if model.startswith(_SEEN_FROM_HERE) or (folder / model).is_dir():
        options["model"] = absolute_model(model, folder)
    plugin = discovery.plugin_class("provider", answers["use"])(**options)
    place = training.node.place
    node = Node({key: Node(value, place) for key, value in answers.items()}, place)
    yield BlockDraft(
        SECTIONS["providers"], name, training.path, node, answers["use"], named=True, plugin=plugin
    )


def training_problems(root: Node, drafts: Sequence[BlockDraft]) -> Iterator[Problem]:
    """Models that are named before they are trained, or that nothing trains."""
    trainings = of_section(drafts, "train")
    ids = [training.id for training in trainings]
    trained: set[str] = set()
    for draft in of_section(drafts, "providers"):
        for option, block in trained_models(draft.plugin) if draft.plugin else ():
            trained.add(draft.id)
            if draft.path[0] != "providers":
                continue  # made from a train block, whose own model is checked there
            place = place_of(root, (*draft.path, option))
            if ids:
                yield from _unknown_training(block, ids, place)
            else:
                yield Problem("nothing-trained", place, {})
    for draft in trainings:
        if isinstance(draft.plugin, Trainer):
            yield from _wrong_base(draft, draft.plugin, ids, root)
    for draft in (*of_section(drafts, "generate"), *of_section(drafts, "filter")):
        for name in trained & set(draft.asks.values()):
            place = draft.place(root, "provider" if draft.provider == name else "use")
            yield Problem("not-trained-yet", place, {"provider": name})


def _wrong_base(
    draft: BlockDraft, trainer: Trainer, trainings: Sequence[str], root: Node
) -> Iterator[Problem]:
    """A training that goes on from a model which no block before it trains."""
    block = trained_block(trainer.goes_on_from() or "")
    if block is not None:
        earlier = trainings[: trainings.index(draft.id)]
        place = draft.place(root, "with", "model_name_or_path")
        yield from _unknown_training(block, earlier, place)


def _unknown_training(block: str, trainings: Sequence[str], place: Position) -> Iterator[Problem]:
    """No problem where no block is named but the last one, if there is one."""
    if not block and not trainings:
        yield Problem("trained-too-early", place, {}, None)
    elif block and block not in trainings:
        yield unknown("unknown-training", place, block, trainings, block=block)


def place_models(root: Node, drafts: Sequence[BlockDraft], roots: Roots) -> Iterator[Problem]:
    """Give every provider the absolute path where it names a model by `./` or `../`.

    It is connected where no recipe is at hand. A model of the hub has no such name. Yields the
    problems of models in folders that no preset may name.
    """
    for draft in of_section(drafts, "providers"):
        found = {}
        named = values_of(draft.plugin, ModelMarker) if draft.plugin else ()
        for path, _, value in named if draft.path[0] == "providers" else ():
            source = source_of(root, (*draft.options, *path))
            folder, preset = Path(source.path).parent, roots.preset_of(source)
            if value.startswith(_SEEN_FROM_HERE):
                found[str(path[0])] = absolute_model(value, folder)
            if preset and _is_folder(value) and not is_of_preset(value, folder, preset):
                place = place_of(root, (*draft.options, *path))
                values = {"path": value, "preset": preset.name}
                yield Problem("preset-path-outside", place, values)
                draft.plugin = None  # nothing of the folder is read
        if draft.plugin is not None and found:
            draft.plugin = draft.plugin.model_copy(update=found)


def _is_folder(model: str) -> bool:
    return model.startswith((*_SEEN_FROM_HERE, "/", "~")) or model in (".", "..")


def absolute_model(name: str, folder: Path) -> str:
    """The path of a model's folder as seen from another folder, whether it is there or not."""
    return str((folder / name).resolve())
