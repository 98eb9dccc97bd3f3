"""What lies in a project unused: a table, and JSON."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson

from sftrecipe.messages import message, word
from sftrecipe.recipe.presets.git_cache import kept_bytes
from sftrecipe.report.text.table import table
from sftrecipe.report.text.training_text import duration_text
from sftrecipe.run.leftovers import KINDS, Leftover, Leftovers
from sftrecipe.run.run_history import HistoryEntry
from sftrecipe.store.project import Project

_HEAD = ("gc-kind", "gc-made-by", "gc-age", "gc-size", "gc-place")
_TOGETHER = ("checkpoint", "step", "draft")
"""Kinds of which there are many: one line for those of a recipe."""
_THOUSAND = 1000
_SHOWN = 10


def gc_text(
    found: Leftovers, freeable: Sequence[Leftover], project: Project, gone: Sequence[HistoryEntry]
) -> str:
    """What can be freed, by kind; what is kept at the user's wish; what stays in any case;
    `gone`: runs whose rows go with it."""
    lines, free = [], set(freeable)
    if freeable:
        head = [word(name) for name in _HEAD]
        lines.append(table(head, list(_rows(freeable, project))))
        lines.append(message("gc-sum", {"size": size_text(_sum(freeable))}))
        if gone:
            ids = word("between-names").join(each.id for each in gone[-_SHOWN:])
            lines.append(message("gc-runs-gone", {"count": len(gone), "ids": ids}))
    else:
        lines.append(message("gc-nothing", {}))
    if kept := [each for each in found.found if each not in free]:
        lines.append(message("gc-kept", {"count": len(kept), "size": size_text(_sum(kept))}))
    lines.append(message("gc-used", {"size": size_text(found.used_bytes)}))
    if project.ledger.exists():
        lines.append(message("gc-ledger", {"size": size_text(project.ledger.stat().st_size)}))
    folder, size = kept_bytes()
    if size:
        lines.append(message("gc-presets", {"size": size_text(size), "folder": str(folder)}))
    if found.foreign:
        shown = word("between-names").join(_shown(path, project) for path in found.foreign[:_SHOWN])
        shown += " …" if len(found.foreign) > _SHOWN else ""
        lines.append(message("gc-foreign", {"paths": shown}))
    return "\n".join(lines)


def gc_json(
    found: Leftovers,
    freeable: Sequence[Leftover],
    project: Project,
    gone: Sequence[HistoryEntry],
    *,
    freed: bool,
) -> str:
    """The same facts as JSON."""
    free, (presets, size) = set(freeable), kept_bytes()
    facts = {
        "project": str(project.folder),
        "unused": [{**each.facts(), "kept": each not in free} for each in found.found],
        "freeable_bytes": _sum(freeable),
        "runs_without_rows": [each.id for each in gone],
        "used_bytes": found.used_bytes,
        "presets_from_git": {"folder": str(presets), "bytes": size},
        "foreign": [str(path) for path in found.foreign],
        "freed": freed,
    }
    return orjson.dumps(facts, option=orjson.OPT_INDENT_2).decode()


def size_text(size: float) -> str:
    """`812 B`, `1.4 MB`, `15 GB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < _THOUSAND:
            return f"{size:.3g} {unit}"
        size /= _THOUSAND
    return f"{size:.3g} TB"


def _rows(found: Sequence[Leftover], project: Project) -> Iterator[list[str]]:
    for kind in KINDS:
        of_kind = [each for each in found if each.kind == kind]
        if kind not in _TOGETHER:
            for each in of_kind:
                yield _row(kind, [each], _shown(each.path, project))
            continue
        for maker in sorted({each.made_by.partition("/")[0] for each in of_kind}):
            theirs = [each for each in of_kind if each.made_by.partition("/")[0] == maker]
            yield _row(kind, theirs, message("gc-count", {"count": len(theirs)}))


def _row(kind: str, found: Sequence[Leftover], place: str) -> list[str]:
    makers = {each.made_by for each in found}
    maker = makers.pop() if len(makers) == 1 else found[0].made_by.partition("/")[0]
    age = duration_text(time.time() - max(each.changed for each in found))
    return [word(f"gc-{kind}"), maker or word("gc-unknown"), age, size_text(_sum(found)), place]


def _sum(found: Sequence[Leftover]) -> int:
    return sum(each.bytes for each in found)


def _shown(path: Path, project: Project) -> str:
    folder = project.folder.resolve()
    return os.path.relpath(path, folder) if path.is_relative_to(folder) else str(path)
