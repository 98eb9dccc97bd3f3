"""Which answers a training learns, against which the exported rows want learned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sftrecipe.plugin import DataSet, Finding, Texts
from sftrecipe_registry.llamafactory.training.output import listed

texts = Texts(__package__)

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
            text = texts("masks-ignored", name=each.name, argument=ARGUMENT)
            yield Finding("fault", "masks", text, texts("write-argument", argument=ARGUMENT))
        else:
            text = texts("last-alone-learned", name=each.name, argument=ARGUMENT)
            yield Finding("warning", "masks", text, texts("leave-out-or-split"))
