"""Whether what the exports write is what a training trains on, as far as columns tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from sftrecipe.errors import Problem
from sftrecipe.messages import Word
from sftrecipe.plugin.base import Inputs
from sftrecipe.plugin.plugin_kinds import Exporter
from sftrecipe.plugin.row_kinds import RowKind
from sftrecipe.plugin.trainer import Trainer
from sftrecipe.recipe.blocks import BlockDraft, crash_problem, of_section
from sftrecipe.recipe.reader.node import Node


def trained_rows_problems(
    root: Node,
    drafts: Sequence[BlockDraft],
    reads: Mapping[BlockDraft, tuple[str, ...]],
    columns: Callable[[BlockDraft], Inputs],
) -> Iterator[Problem]:
    """Trainings for whose rows there is no export."""
    exports = {draft.id: draft for draft in of_section(drafts, "export")}
    for draft in drafts:
        if not isinstance(draft.plugin, Trainer):
            continue
        try:
            taken = draft.plugin.takes()
            read = [exports[name] for name in reads[draft]]
            found = [_kinds(each, columns(each)) for each in read] if taken else []
        except Exception as error:
            yield crash_problem(draft, root, error)
            continue
        if taken is None or not any(found) or None in found:
            continue
        kinds = {kind for each in found for kind in each or ()}
        if taken not in kinds:
            values: dict[str, object] = {
                "step": draft.id,
                "kind": Word(f"kind-{taken}"),
                "found": Word(" / ".join(f"kind-{kind}" for kind in sorted(kinds))),
            }
            yield Problem("untaught", draft.place(root, "with", "stage"), values, "untaught")


def _kinds(draft: BlockDraft, inputs: Inputs) -> frozenset[RowKind] | None:
    """What an export's rows may teach; nothing where no trainer reads them; None: not known."""
    if not isinstance(draft.plugin, Exporter):
        return None
    kinds = draft.plugin.row_kinds(inputs)
    if kinds is None:
        written = draft.plugin.writes("")
        return frozenset() if written and all(each.entry is None for each in written) else None
    return kinds
