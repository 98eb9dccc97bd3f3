"""Whether the providers that a block asks can do what it writes of their requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sftrecipe.errors import Problem
from sftrecipe.plugin.base import OptionProblem, Plugin
from sftrecipe.plugin.option_types import ProviderMarker, Sampling, values_of
from sftrecipe.plugin.provider import Provider
from sftrecipe.recipe.blocks import BlockDraft, crash_problem, of_section
from sftrecipe.recipe.reader.node import Node, Path, place_of

_WRITING = frozenset({"chat", "complete"})


def request_problems(root: Node, drafts: Sequence[BlockDraft]) -> Iterator[Problem]:
    """What a block's sampling asks of a provider that cannot do it."""
    providers = {draft.id: draft.plugin for draft in of_section(drafts, "providers")}
    for draft in drafts:
        if draft.plugin is None:
            continue
        try:
            yield from _block_problems(root, draft, draft.plugin, providers)
        except Exception as error:  # a third party's provider must not end `validate`
            yield crash_problem(draft, root, error)


def _block_problems(
    root: Node, draft: BlockDraft, plugin: Plugin, providers: Mapping[str, Plugin | None]
) -> Iterator[Problem]:
    for path, sampling, name in asked_samplings(plugin, draft.provider):
        provider = providers.get(name)
        if isinstance(provider, Provider):
            for found in provider.sampling_problems(sampling.sampling()):
                yield _problem(root, (*draft.options, *path, *found.path), name, found)


def asked_samplings(plugin: Plugin, own: str | None) -> Iterator[tuple[Path, Sampling, str]]:
    """Each sampling of a block, where it stands in the options, and a provider that is asked so;
    `own`: the block's."""
    named = [
        name
        for _, marker, name in values_of(plugin, ProviderMarker)
        if not _WRITING.isdisjoint(marker.needs)
    ]
    for path, sampling in _samplings(plugin):
        for name in dict.fromkeys([own] if own and (not path or not named) else named):
            yield path, sampling, name


def _samplings(plugin: Plugin) -> Iterator[tuple[Path, Sampling]]:
    """The plugin's own sampling, and those among its options."""
    if isinstance(plugin, Sampling):
        yield (), plugin
    for name in type(plugin).model_fields:
        value = getattr(plugin, name)
        if isinstance(value, Sampling):
            yield (name,), value


def _problem(root: Node, path: Path, provider: str, found: OptionProblem) -> Problem:
    values = {"provider": provider, "message": found.message, "advice": found.hint}
    place = place_of(root, path, key=found.at_key)
    return Problem("provider-option", place, values, "advice" if found.hint else None)
