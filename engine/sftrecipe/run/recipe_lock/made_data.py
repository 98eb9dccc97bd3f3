"""What finished steps made, as a lock holds it: every stream's rows, every data set's bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any

import orjson

from sftrecipe.plan.steps import Plan, Step
from sftrecipe.plan.stream_contents import StreamContents
from sftrecipe.plugin.plugin_kinds import Exporter
from sftrecipe.run.recipe_lock.lock_contents import UNKNOWN, FactPath
from sftrecipe.run.steps.step_files import ROWS, advance_streams
from sftrecipe.store.step_facts import DataSetFacts
from sftrecipe.store.streams import Stream

_Fact = tuple[FactPath, Any]


def made_facts(plan: Plan) -> Iterator[_Fact]:
    """Streams and data sets of the plan's steps; UNKNOWN where a step is not done, or what it read
    changed since."""
    contents = StreamContents(plan.store)
    streams: dict[str, Stream | None] = {}
    exported: list[_Fact] = []
    for step in plan.steps:
        stands = contents.stands(step) and all(streams.get(each) is not None for each in step.thins)
        contents.advance(step)
        facts = plan.store.facts(step.key) if stands else None
        _advance(plan, streams, step, stands=stands)
        if isinstance(step.block.plugin, Exporter):
            unknown = [(("data_sets", step.id), UNKNOWN)]
            exported += data_set_facts(step.id, facts.data_sets) if facts else unknown
    for name, stream in sorted(streams.items()):
        if stream is None:
            yield ("streams", name), UNKNOWN
        else:
            yield from stream_facts(name, stream)
    yield from exported


def stream_facts(name: str, stream: Stream) -> Iterator[_Fact]:
    """A stream that is there."""
    rows, content = _rows_content(stream)
    yield ("streams", name, "rows"), rows
    yield ("streams", name, "content"), content


def data_set_facts(step: str, data_sets: Sequence[DataSetFacts]) -> Iterator[_Fact]:
    """The data sets that a step wrote."""
    for each in data_sets:
        begin = ("data_sets", step, each.name)
        yield (*begin, "role"), each.role
        yield (*begin, "rows"), each.rows
        for name, content in sorted(each.contents.items()):
            yield (*begin, "files", name), f"blake2b:{content}"


def _rows_content(stream: Stream) -> tuple[int, str]:
    """How many rows a stream holds, and a hash of their ids and columns.

    Not of its files, whose bytes another version of Arrow may write otherwise.
    """
    rows, found = 0, blake2b(digest_size=16)
    for row in stream:
        rows += 1
        found.update(orjson.dumps([row.id, row.columns], option=orjson.OPT_SORT_KEYS) + b"\n")
    return rows, f"blake2b:{found.hexdigest()}"


def _advance(plan: Plan, streams: dict[str, Stream | None], step: Step, *, stands: bool) -> None:
    if not stands:
        streams |= dict.fromkeys((*step.makes, *step.thins))
        return
    folder = plan.store.path(step.key)
    known = {name: stream for name, stream in streams.items() if stream is not None}
    advance_streams(known, step, folder)
    streams |= known
    if step.makes and not (folder / ROWS).exists():  # it held nothing out
        streams |= dict.fromkeys(step.makes)
