"""The runs of a project's history: a table, and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import PurePath
from typing import Any

import orjson

from sftrecipe.messages import message, word
from sftrecipe.report.comparison.recipe_changes import RecipeChange, recipe_changes
from sftrecipe.report.text.table import table
from sftrecipe.report.text.text_format import money_text
from sftrecipe.run.run_history import HistoryEntry, without_rows
from sftrecipe.store.artifacts import StepStore
from sftrecipe.store.project import Project

_HEAD = (
    *("history-id", "history-when", "history-recipe", "history-profile", "history-status"),
    *("history-rows", "history-rejects", "calls", "cost", "history-changed"),
)
_SIGNS = {"added": "+", "removed": "−", "moved": "", "changed": ""}
_SHOWN = 3


def history_text(
    entries: Sequence[HistoryEntry], asked: Sequence[HistoryEntry], project: Project
) -> str:
    """The runs that were asked for, the newest first; `entries` are all of them.

    As wide as the terminal; elsewhere as wide as it is.
    """
    if not asked:
        return message("history-none", {"folder": project.folder})
    before, gone = _before(entries), without_rows(asked, StepStore(project.steps))
    lines = [
        _cells(entry, before.get(entry.id), is_gone=entry.id in gone) for entry in reversed(asked)
    ]
    head = [word(name) for name in _HEAD]
    told = table(head, lines)
    return f"{told}\n{message('history-note', {})}" if gone else told


def history_json(
    entries: Sequence[HistoryEntry], asked: Sequence[HistoryEntry], project: Project
) -> str:
    """The same runs as JSON, the oldest first."""
    before, gone = _before(entries), without_rows(asked, StepStore(project.steps))
    facts = [
        {
            **_facts(entry),
            "rows_gone": entry.id in gone,
            "changed": _changed_facts(before.get(entry.id), entry),
        }
        for entry in asked
    ]
    return orjson.dumps(facts, option=orjson.OPT_INDENT_2, default=str).decode()


def run_rows(entry: HistoryEntry) -> int | None:
    """Rows of the data sets that a run wrote; None where it did not come so far."""
    sets = entry.head.data_sets
    return sum(each.rows for each in sets) if sets else None


def _before(entries: Sequence[HistoryEntry]) -> Mapping[str, HistoryEntry]:
    """Of every run the one before it of the same recipe, by its id."""
    last: dict[str, HistoryEntry] = {}
    found = {}
    for entry in entries:
        if earlier := last.get(entry.out):
            found[entry.id] = earlier
        last[entry.out] = entry
    return found


def _facts(entry: HistoryEntry) -> dict[str, Any]:
    run = entry.head
    return {
        "id": entry.id,
        "began": entry.began.isoformat(),
        "recipe": run.name,
        "path": run.recipe,
        "profile": run.profile,
        "status": run.status,
        "out": entry.out,
        "rows": run_rows(entry),
        "rejects": _rejected(entry),
        "usage": run.usage and asdict(run.usage),
        "seconds": run.seconds,
    }


def _rejected(entry: HistoryEntry) -> int:
    if entry.head.rejected is not None:
        return entry.head.rejected
    return sum(step.facts.rejected for step in entry.record.steps)


def _cells(entry: HistoryEntry, before: HistoryEntry | None, *, is_gone: bool) -> list[str]:
    run, usage, rows = entry.head, entry.head.usage, run_rows(entry)
    cost = f"{money_text(usage.cost)} {usage.currency}" if usage and usage.currency else ""
    return [
        entry.id + ("*" if is_gone else ""),
        f"{entry.began.astimezone():%Y-%m-%d %H:%M}",
        _recipe_words(entry),
        run.profile or "",
        word(f"run-{run.status}"),
        "" if rows is None else f"{rows:,}",
        f"{_rejected(entry):,}",
        f"{usage.asked:,}" if usage else "",
        cost,
        word("comma").join(_changed(before, entry)),
    ]


def _recipe_words(entry: HistoryEntry) -> str:
    """The recipe's name, with its folder where that has another: a variant of a sweep, `--out`."""
    name, folder = entry.head.name, PurePath(entry.out).name
    return name if folder == name else f"{name} ({folder})"


def _changed(before: HistoryEntry | None, entry: HistoryEntry) -> list[str]:
    """What changed since the run before, in a few words."""
    if before is None:
        return [message("history-first", {})]
    words = list(_all_changed(before, entry))
    more = len(words) - _SHOWN
    told = words if more <= 0 else [*words[:_SHOWN], message("history-more", {"count": more})]
    return told or [message("history-same", {})]


def _all_changed(before: HistoryEntry, entry: HistoryEntry) -> Iterator[str]:
    was, now = before.head, entry.head
    if was.profile != now.profile:
        yield message("history-profile", {"name": now.profile or "–"})
    if orjson.dumps(was.document) != orjson.dumps(now.document):  # most runs are of what was
        changes = recipe_changes(was.document, now.document)
        yield from dict.fromkeys(map(change_name, changes))
    yield from _changed_files(before, entry)
    if was.versions != now.versions:
        yield message("history-versions", {})


def change_name(change: RecipeChange) -> str:
    """Where a change is, in a word: `+filter/short`, `generate/ask.temperature`."""
    name = change.name.replace(".with.", ".", 1)
    if change.kind == "moved":
        return message("history-moved", {"name": name})
    return f"{_SIGNS[change.kind] if not change.option else ''}{name}"


def _changed_files(before: HistoryEntry, entry: HistoryEntry) -> Iterator[str]:
    """Names of the files that hold something else; those that are new or gone are the recipe's."""
    for name, content in entry.files.items():
        if before.files.get(name, content) != content:
            yield name


def _changed_facts(before: HistoryEntry | None, entry: HistoryEntry) -> list[str] | None:
    return None if before is None else list(_all_changed(before, entry))
