"""Trees of contexts, as AugCon grows them: rows that say of which node of which tree they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sftrecipe.record import Record
from sftrecipe.report.pages.run.facts.opened_run import OpenedRun
from sftrecipe.report.pages.run.facts.texts import cell_text, shortened
from sftrecipe.store.streams import Stream

_COLUMNS = {"context", "node", "parent", "depth"}
_READ = 2000
_TREES = 3
_NODES = 60
_TEXT = 500


@dataclass
class TreeNode:
    """A context with its question, and the contexts that it was split into."""

    path: str
    question: str
    context: str
    characters: int
    kept: bool
    """Whether the row is still in its stream after the filters."""
    below: list[TreeNode] = field(default_factory=list)


@dataclass(frozen=True)
class ContextTree:
    """The trees of one whole context."""

    stream: str
    nodes: int
    kept: int
    tops: list[TreeNode]


def context_trees(opened: OpenedRun) -> list[ContextTree]:
    """The trees of the first contexts of a stream that holds such rows."""
    for stream in opened.streams.values():
        rows = _first_rows(opened, stream)
        if rows:
            kept = set(stream.ids())
            by_root: dict[str, list[Record]] = {}
            for row in rows:
                by_root.setdefault(cell_text(row.columns.get("root")), []).append(row)
            return [
                _tree(stream.name, opened.scrub(found), kept)
                for found in islice(by_root.values(), _TREES)
            ]
    return []


def _first_rows(opened: OpenedRun, stream: Stream) -> list[Record]:
    """The first rows of a stream as it was made; none where it does not hold nodes."""
    if stream.name not in {step.id for step in opened.steps if step.section == "generate"}:
        return []
    rows = iter(stream.as_made())
    first = next(rows, None)
    if first is None or not _COLUMNS.issubset(first.columns):
        return []
    return [first, *islice(rows, _READ)]


def _tree(stream: str, rows: list[Record], kept: set[str]) -> ContextTree:
    nodes = {_path(row): _node(row, row.id in kept) for row in rows[:_NODES]}
    tops = list(_tops(nodes, {_path(row): row.columns for row in rows}))
    return ContextTree(stream, len(rows), sum(row.id in kept for row in rows), tops)


def _tops(
    nodes: Mapping[str, TreeNode], columns: Mapping[str, Mapping[str, Any]]
) -> Iterator[TreeNode]:
    """The nodes without a parent; all others are hung below theirs."""
    for path, node in nodes.items():
        parent = nodes.get(cell_text(columns[path].get("parent")))
        if parent is None or parent is node or not path.startswith(parent.path):
            yield node
        else:
            parent.below.append(node)


def _path(row: Record) -> str:
    return cell_text(row.columns["node"])


def _node(row: Record, kept: bool) -> TreeNode:
    context = row.text("context")
    question = shortened(row.text("instruction"), _TEXT)
    return TreeNode(_path(row), question, shortened(context, _TEXT), len(context), kept)
