"""Where the streams stand after a step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

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


def verdicts_on(step: str, reads: Sequence[str], folder: Path) -> list[tuple[Judged, str]]:
    """The verdicts of a filter or a mix on each of the streams that it read."""
    return [(Judged(step, folder / verdict_file(place)), name) for place, name in enumerate(reads)]
