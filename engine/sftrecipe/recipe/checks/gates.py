"""What the figures of a judge must reach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sftrecipe.errors import Problem, unknown
from sftrecipe.plugin.plugin_kinds import Judge
from sftrecipe.recipe.blocks import BlockDraft, crash_problem, of_section
from sftrecipe.recipe.reader.node import Node, place_of
from sftrecipe.recipe.recipe import Gate


def gates_of(draft: BlockDraft) -> Mapping[str, Gate]:
    """The gates of a block whose shape is right, by figure."""
    written = draft.node.get("gate") if draft.section.takes("gate") else None
    if written is None or not written.is_mapping:
        return {}
    return {name: Gate(**bounds) for name, bounds in written.plain().items()}


def gate_problems(root: Node, drafts: Sequence[BlockDraft]) -> Iterator[Problem]:
    """Figures that the judge does not find; gates without a bound, or that nothing can pass."""
    for draft in of_section(drafts, "evaluate"):
        written = draft.node.get("gate")
        if written is None or not written.is_mapping or not isinstance(draft.plugin, Judge):
            continue
        try:
            known = draft.plugin.metrics()
        except Exception as error:
            yield crash_problem(draft, root, error)
            continue
        for name, bounds in written.value.items():
            place = place_of(root, (*draft.path, "gate", name), key=True)
            if known is not None and name not in known:
                values = {"metric": name, "use": draft.use}
                yield unknown("unknown-metric", place, name, sorted(known), **values)
            elif bounds.is_mapping and not _passable(bounds.plain()):
                yield Problem("gate-bounds", place, {"metric": name}, "gate-form")


def _passable(bounds: Mapping[str, object]) -> bool:
    """Whether there is a bound, and a number that keeps within both."""
    least, most = bounds.get("at_least"), bounds.get("at_most")
    if isinstance(least, int | float) and isinstance(most, int | float):
        return least <= most
    return least is not None or most is not None
