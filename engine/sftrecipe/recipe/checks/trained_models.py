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
from sftrecipe.recipe.blocks import BlockDraft
from sftrecipe.recipe.checks.model_folders import absolute_model
from sftrecipe.recipe.language.sections import SECTIONS
from sftrecipe.recipe.reader.node import Node, place_of

TRAINED_PROVIDERS: tuple[Literal["base"], Literal["tuned"]] = ("base", "tuned")
"""Names by which judges ask the model before and after the training."""


def trained_models(plugin: Plugin) -> Iterator[tuple[str, str]]:
    """Options of a plugin that name a model which the recipe trains: (option, train block).

    The block is `""` where the last one is meant.
    """
    for path, _, model in values_of(plugin, ModelMarker):
        if (block := trained_block(model)) is not None:
            yield str(path[0]), block


def models_before_and_after(drafts: Sequence[BlockDraft], folder: Path) -> list[BlockDraft]:
    """Providers `base` and `tuned`, which judges name and the recipe does not define.

    `folder`: the recipe's, where the model that a training starts from may lie.
    """
    defined = {draft.id for draft in drafts if draft.section.name == "providers"}
    trainings = [draft for draft in drafts if draft.section.name == "train"]
    asked = {
        name for draft in drafts if draft.section.name == "evaluate" for name in draft.asks.values()
    }
    made: list[BlockDraft] = []
    for name in TRAINED_PROVIDERS:
        if name in asked - defined and trainings:
            # Before all trainings, after the last one.
            training = trainings[0] if name == "base" else trainings[-1]
            made.extend(_provider(name, training, folder))
    return made


def _provider(
    name: Literal["base", "tuned"], training: BlockDraft, folder: Path
) -> Iterator[BlockDraft]:
    """The provider with which the trainer has its model asked; none where that is not known."""
    answers = training.plugin.answers(name) if isinstance(training.plugin, Trainer) else None
    if answers is None or answers["use"] not in discovery.plugins("provider"):
        return
    options = {key: value for key, value in answers.items() if key != "use"}
    if (folder / str(options.get("model", ""))).is_dir():
        options["model"] = absolute_model(options["model"], folder)
    plugin = discovery.plugin_class("provider", answers["use"])(**options)
    place = training.node.place
    node = Node({key: Node(value, place) for key, value in answers.items()}, place)
    yield BlockDraft(
        SECTIONS["providers"], name, training.path, node, answers["use"], named=True, plugin=plugin
    )


def check_trained(root: Node, drafts: Sequence[BlockDraft], problems: list[Problem]) -> None:
    """Models that are named before they are trained, or that nothing trains."""
    trainings = [draft.id for draft in drafts if draft.section.name == "train"]
    late = set()
    for draft in drafts:
        if draft.section.name == "providers" and draft.plugin is not None:
            for option, block in trained_models(draft.plugin):
                late.add(draft.id)
                if draft.path[0] != "providers":
                    continue  # made from a train block, whose own model is checked there
                place = place_of(root, (*draft.path, option))
                if trainings:
                    problems.extend(_unknown(block, trainings, place))
                else:
                    problems.append(Problem("nothing-trained", place, {}))
        elif draft.section.name == "train" and isinstance(draft.plugin, Trainer):
            problems.extend(_wrong_base(draft, draft.plugin, trainings, root))
        elif draft.section.name in ("generate", "filter"):
            for name in set(draft.asks.values()) & late:
                place = draft.place(root, "provider" if draft.text("provider") == name else "use")
                problems.append(Problem("not-trained-yet", place, {"provider": name}))


def _wrong_base(
    draft: BlockDraft, trainer: Trainer, trainings: Sequence[str], root: Node
) -> Iterator[Problem]:
    """A training that goes on from a model which no block before it trains."""
    block = trained_block(trainer.goes_on_from() or "")
    if block is not None:
        earlier = trainings[: trainings.index(draft.id)]
        place = draft.place(root, "with", "model_name_or_path")
        yield from _unknown(block, earlier, place)


def _unknown(block: str, trainings: Sequence[str], place: Position) -> Iterator[Problem]:
    """No problem where no block is named but the last one, if there is one."""
    if not block and not trainings:
        yield Problem("trained-too-early", place, {}, None)
    elif block and block not in trainings:
        yield unknown("unknown-training", place, block, trainings, block=block)
