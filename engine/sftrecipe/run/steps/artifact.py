"""Where the streams stand after a step."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Any

from sftrecipe.recipe.language.sections import HELD_OUT, MIXED
from sftrecipe.run.steps.filter_step import verdict_file
from sftrecipe.run.steps.making import ROWS
from sftrecipe.store.streams import Judged, Stream


def follow(
    streams: dict[str, Stream],
    step: str,
    folder: Path,
    *,
    makes: Sequence[str],
    thins: Sequence[str],
) -> None:
    """Bring the streams to where they are after a step whose artifact lies in `folder`."""
    for judged, name in verdicts_on(step, thins, folder):
        streams[name] = streams[name].through(judged)
    streams |= {name: Stream(name, folder / ROWS) for name in makes}


def follow_told(streams: dict[str, Stream], step: Mapping[str, Any], folder: Path) -> None:
    """The same for a step as a `run.json` tells it."""
    makes = streams_made_by(step, streams, folder)
    follow(streams, step["id"], folder, makes=makes, thins=streams_thinned_by(step))


def streams_made_by(
    step: Mapping[str, Any], streams: Container[str], folder: Path
) -> Sequence[str]:
    """The streams that a step of a `run.json` makes; of one written before they stood there, by
    its section."""
    if "makes" in step:
        made: Sequence[str] = step["makes"]
        return made
    section = step["section"]
    if section in ("sources", "generate"):
        return (step["id"],)
    if section == "export" and HELD_OUT not in streams and (folder / ROWS).exists():
        return (HELD_OUT,)
    return (MIXED,) if section == "mix" else ()


def streams_thinned_by(step: Mapping[str, Any]) -> Sequence[str]:
    """The streams that a step of a `run.json` thins, in the same way."""
    found: Sequence[str] = step["reads"] if step["section"] == "filter" else ()
    thins: Sequence[str] = step.get("thins", found)
    return thins


def verdicts_on(step: str, reads: Sequence[str], folder: Path) -> list[tuple[Judged, str]]:
    """The verdicts of a filter or a mix on each of the streams that it read."""
    return [(Judged(step, folder / verdict_file(place)), name) for place, name in enumerate(reads)]
