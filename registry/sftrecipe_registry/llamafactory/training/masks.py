"""Which answers a training learns, against which the exported rows want learned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sftrecipe.plugin import DataSet, Finding
from sftrecipe_registry.llamafactory.training.output import listed

ARGUMENT = "mask_history"


def needed(names: Sequence[str], data: Sequence[DataSet]) -> bool:
    """Whether a data set that is trained on has answers before the last that are not learned."""
    return any(each.needs.get(ARGUMENT) is True for each in data if each.name in names)


def mask_findings(settings: Mapping[str, Any], data: Sequence[DataSet]) -> Iterator[Finding]:
    """Data sets that want the other `mask_history` than the training has."""
    if settings.get("stage", "sft") != "sft" or settings.get("dataset_dir") != ".":
        return
    given = settings.get(ARGUMENT) is True
    for each in data:
        wanted = each.needs.get(ARGUMENT, given)
        if each.name not in listed(settings.get("dataset")) or wanted is given:
            continue
        if wanted:
            text = f"data set '{each.name}' has turns that are not to be learned, and {ARGUMENT} "
            advice = f"write {ARGUMENT}: true in the train block, or leave it out"
            yield Finding("fault", "masks", f"{text}is not true: they are", advice)
        else:
            text = f"{ARGUMENT} is true: of data set '{each.name}' the last answer alone is learned"
            advice = "leave it out, or let the exporter write a row for each answer (masked: split)"
            yield Finding("warning", "masks", text, advice)
