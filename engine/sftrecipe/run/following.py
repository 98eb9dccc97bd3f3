"""Where the streams stand after a step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sftrecipe.recipe.graph import HELD_OUT, MIXED
from sftrecipe.run.making import ROWS
from sftrecipe.run.thinning import verdict_file
from sftrecipe.store.streams import Judged, Stream


def follow(
    streams: dict[str, Stream], step: str, section: str, reads: Sequence[str], folder: Path
) -> None:
    """Bring the streams to where they are after a step whose artifact lies in `folder`."""
    if section in ("sources", "generate"):
        streams[step] = Stream(step, folder / ROWS)
    elif section == "filter":
        for judged, name in verdicts_on(step, reads, folder):
            streams[name] = streams[name].through(judged)
    elif section == "mix":
        streams[MIXED] = Stream(MIXED, folder / ROWS)
    elif section == "export" and HELD_OUT not in streams and (folder / ROWS).exists():
        streams[HELD_OUT] = Stream(HELD_OUT, folder / ROWS)


def verdicts_on(step: str, reads: Sequence[str], folder: Path) -> list[tuple[Judged, str]]:
    """The verdicts of a filter or a mix on each of the streams that it read."""
    return [(Judged(step, folder / verdict_file(place)), name) for place, name in enumerate(reads)]
