"""Which provider a block asks, and whether that can do what the block needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sftrecipe.errors import Position, Problem, unknown
from sftrecipe.messages import Word
from sftrecipe.plugin.option_types import ProviderMarker, values_of
from sftrecipe.plugin.provider import Provider
from sftrecipe.recipe.blocks import BlockDraft, crash_problem, of_section
from sftrecipe.recipe.checks.misplaced import has_unnamed_block, hides_a_section
from sftrecipe.recipe.checks.trained_models import TRAINED_PROVIDERS
from sftrecipe.recipe.reader.node import Node, place_of


class ProviderCheck:
    """The providers of a recipe, and who asks them."""

    def __init__(self, root: Node, drafts: Sequence[BlockDraft], problems: list[Problem]) -> None:
        self._root = root
        self._problems = problems
        self._drafts = drafts
        self._providers = {draft.id: draft for draft in of_section(drafts, "providers")}
        section = root.get("providers")
        self._names = list(section.value) if section and section.is_mapping else []
        self._unreadable = section is not None and not section.is_mapping
        hidden = hides_a_section(root, "providers") or has_unnamed_block(problems, "providers")
        self._unreadable = self._unreadable or hidden
        trainings = of_section(drafts, "train")
        self._by_training = TRAINED_PROVIDERS if trainings else ()
        self._trainer_known = all(draft.plugin is not None for draft in trainings)
        self._asked: dict[str, BlockDraft] = {}

    def asked(self) -> list[BlockDraft]:
        """The providers that some block asks, once each; checks every block on the way."""
        for draft in self._drafts:
            if draft.section.takes("provider"):
                self._check_block(draft)
            if draft.plugin is not None:
                for path, marker, name in values_of(draft.plugin, ProviderMarker):
                    place = place_of(self._root, (*draft.options, *path))
                    self._check_capabilities(name, marker.needs, draft, place)
        return list(self._asked.values())

    def _check_block(self, draft: BlockDraft) -> None:
        name = draft.provider
        place = draft.place(self._root, "provider")
        if draft.plugin is None:
            if name is not None:
                self._asked_provider(name, place)
            return
        try:
            needs: frozenset[str] = draft.plugin.required()
        except Exception as error:
            self._problems.append(crash_problem(draft, self._root, error))
            return
        values: dict[str, object] = {"kind": Word(draft.section.kind), "use": draft.use}
        asks = needs or any(values_of(draft.plugin, ProviderMarker))
        if draft.node.get("budget") and not asks:
            budget = draft.place(self._root, "budget")
            self._problems.append(Problem("budget-not-taken", budget, values))
        if name is None:
            if needs and not draft.node.get("provider"):
                self._problems.append(self._provider_missing(draft, values))
        elif not needs:
            values["provider"] = name
            self._problems.append(Problem("provider-not-taken", place, values, "remove-provider"))
            self._asked_provider(name, place)
        else:
            self._check_capabilities(name, needs, draft, place)

    def _provider_missing(self, draft: BlockDraft, values: Mapping[str, object]) -> Problem:
        hint = "add-provider" if self._names else "define-provider"
        place = draft.place(self._root, "use")
        return Problem("provider-missing", place, {**values, "known": ", ".join(self._names)}, hint)

    def _check_capabilities(
        self, name: str, needs: Iterable[str], draft: BlockDraft, place: Position
    ) -> None:
        provider = self._asked_provider(name, place)
        if provider is None:
            return
        able = self._capabilities(provider)
        for capability in sorted(needs):
            if able is None or capability in able:
                continue
            others = [
                other.id
                for other in self._providers.values()
                if capability in (self._capabilities(other) or ())
            ]
            values: dict[str, object] = {
                "provider": name,
                "capability": Word(capability),
                "use": draft.use,
                "known": ", ".join(others),
            }
            hint = "capable" if others else None
            self._problems.append(Problem("missing-capability", place, values, hint))

    def _capabilities(self, draft: BlockDraft) -> frozenset[str] | None:
        if not isinstance(draft.plugin, Provider):
            return None
        try:
            return draft.plugin.capabilities()
        except Exception as error:
            self._problems.append(crash_problem(draft, self._root, error))
            return None

    def _asked_provider(self, name: str, place: Position) -> BlockDraft | None:
        """The provider of this name, which is asked from now on; None, and a problem unless that
        is told elsewhere, where there is none."""
        if name in self._providers:
            return self._asked.setdefault(name, self._providers[name])
        if name in self._names or self._unreadable:  # something else is wrong with it
            return None
        if name in self._by_training and not self._trainer_known:
            return None
        if name in self._by_training:
            problem = Problem("unknown-provider", place, {"provider": name}, "define-trained")
        else:
            values = {"provider": name, "known": ", ".join(self._names)}
            hint = "known" if self._names else "define-provider"
            names = (*self._names, *self._by_training)
            problem = unknown("unknown-provider", place, name, names, hint=hint, **values)
        self._problems.append(problem)
        return None
