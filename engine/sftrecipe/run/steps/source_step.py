"""Sources: what the engine does to the rows of every source plugin."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from sftrecipe.errors import SftrecipeError, limit_reached
from sftrecipe.plan.steps import Step
from sftrecipe.plugin.context import Context, Reject
from sftrecipe.plugin.drawing import draw_rows
from sftrecipe.plugin.plugin_kinds import Source
from sftrecipe.record import Columns, Record, record_id
from sftrecipe.run.steps.encoding_damage import undamaged
from sftrecipe.run.steps.step_files import breathing, write_rows
from sftrecipe.run.steps.step_runner import StepRunner
from sftrecipe.store.step_facts import StepFacts
from sftrecipe.turns.columns import read_columns
from sftrecipe.turns.faults import UnreadTurn, kind_of
from sftrecipe.turns.tools import read_tools

_TEXTS = frozenset({"instruction", "input", "output", "reasoning", "system", "text"})


class SourceStep(StepRunner):
    """Reads the rows of a source."""

    def rows_to_see(self, step: Step) -> None:
        """Nobody knows before they are read."""

    async def execute(self, step: Step, draft: Path) -> StepFacts:
        """Read the source."""
        plugin, ctx = step.block.plugin, self.context_of(step)
        assert isinstance(plugin, Source)  # noqa: S101 - the section's blocks are
        rows = breathing(read_source(plugin, ctx))
        return await write_rows(rows, ctx, draft, self.teller_of(step))


def read_source(plugin: Source, ctx: Context) -> Iterator[Record | Reject]:
    """A source's rows: renamed by `map`, repaired, checked, sampled; what is wrong as rejects.

    Raises SftrecipeError when a file cannot be read.
    """
    rows = _examined(plugin, ctx)
    if plugin.sample is not None:
        rows = draw_rows(rows, plugin.sample, ctx)
    try:
        yield from rows
    except FileNotFoundError as error:
        raise SftrecipeError("missing-file", path=error.filename) from error
    except OSError as error:
        if limit := limit_reached(error):
            raise limit from error
        path, reason = error.filename or plugin.__class__.__name__, error.strerror or str(error)
        raise SftrecipeError("unreadable-file", path=path, error=reason) from error


class _Fault(Exception):
    """What is wrong with a row."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


def _examined(plugin: Source, ctx: Context) -> Iterator[Record | Reject]:
    renames, stream = plugin.map, ctx.step

    origin = ""

    def count(name: str) -> None:
        ctx.count(name)
        ctx.tell(name, origin)

    for item in undamaged(plugin.read(ctx), plugin.repair, ctx):
        if not isinstance(item, Record):
            yield item
            continue
        try:
            old, origin = item.columns, item.origin
            new = _renamed(old, renames) if renames else old
            new = _checked(read_columns(new, plugin.leave_out, count))
        except (_Fault, UnreadTurn) as fault:
            yield Reject(item, fault.reason, fault.detail)
            continue
        yield item if new is old else item._replace(id=record_id(stream, new), columns=new)


def _renamed(columns: Columns, renames: Mapping[str, str]) -> Columns:
    """The columns under their new names. Raises _Fault naming those that the row lacks."""
    missing = [old for old in renames.values() if old not in columns]
    if missing:
        raise _Fault("missing_column", ", ".join(dict.fromkeys(missing)))
    new = {name: columns[old] for name, old in renames.items()}
    gone = new.keys() | renames.values()
    new.update((name, value) for name, value in columns.items() if name not in gone)
    return new


def _checked(columns: Columns) -> Columns:
    """The columns; the same object where nothing changed. Raises _Fault."""
    changes: dict[str, Any] = {}
    for name, value in columns.items():
        if type(value) is str:
            if value and name == "history":
                _check_history(name, value)
            elif name == "tools" and (tools := read_tools(value)) is not value:
                changes[name] = _as_json_text(tools)
        elif value is None:
            continue
        elif name == "tools":
            changes[name] = _as_json_text(read_tools(value))
        elif name in _CHECKS:
            _CHECKS[name](name, value)
    return {**columns, **changes} if changes else columns


def _as_json_text(value: Any) -> str:
    """Tools that stand as objects, as the JSON text that they are elsewhere."""
    return orjson.dumps(value).decode() if isinstance(value, list | dict) else _no_text(value)


def _no_text(value: Any) -> str:
    raise _Fault("wrong_type", f"tools is {kind_of(value)}, expected a JSON text")


def _check_text(name: str, value: Any) -> None:
    raise _Fault("wrong_type", f"{name} is {kind_of(value)}, expected a text")


def _check_history(name: str, value: Any) -> None:
    if not isinstance(value, list | tuple):
        raise _Fault("bad_history", f"{name} is {kind_of(value)}, expected a list of pairs")
    for number, pair in enumerate(value, 1):
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise _Fault("bad_history", f"item {number} is not a pair of texts")
        if not (isinstance(pair[0], str) and isinstance(pair[1], str)):
            raise _Fault("bad_history", f"item {number} is not a pair of texts")


_CHECKS: dict[str, Callable[[str, Any], None]] = {
    **dict.fromkeys(_TEXTS, _check_text),
    "history": _check_history,
}
"""What is asked of a value that is no text."""
