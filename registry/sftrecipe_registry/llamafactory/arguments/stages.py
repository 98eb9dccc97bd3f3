"""Which data sets a stage of LLaMA-Factory trains on."""

from __future__ import annotations

from collections.abc import Iterable

from sftrecipe.plugin import DataSet, RowKind, Text, Texts
from sftrecipe_registry.llamafactory.formats.content_lists import FORMATTING

texts = Texts(__package__)

_WANTED: dict[str, RowKind] = {
    "pt": "text",
    "sft": "answers",
    "ppo": "answers",
    "rm": "pairs",
    "dpo": "pairs",
    "kto": "judgements",
}

_NEEDS: dict[RowKind, str] = {
    "answers": "needs-answers",
    "pairs": "needs-pairs",
    "judgements": "needs-judgements",
    "text": "needs-text",
}


def teaches(data_set: DataSet) -> RowKind | None:
    """What a data set teaches, by its catalogue entry; None: it has none."""
    if data_set.entry is None:
        return None
    columns = data_set.entry.get("columns", {})
    if data_set.entry.get("ranking"):
        return "pairs"
    if data_set.entry.get("formatting") == FORMATTING:
        return "answers"
    if columns.get("kto_tag"):
        return "judgements"
    return "answers" if columns.get("response") or columns.get("messages") else "text"


def taken(stage: str) -> RowKind:
    """What the stage trains on."""
    return _WANTED.get(stage, "answers")


def wanted(stage: str) -> Text:
    """The same, and what brings it."""
    return texts(_NEEDS[taken(stage)])


def fitting(stage: str, data_sets: Iterable[DataSet]) -> list[DataSet]:
    """The data sets that the stage takes; of others it drops the rows, or stops."""
    return [each for each in data_sets if teaches(each) == taken(stage)]


def fits_ranking(stage: str) -> bool:
    """Whether the stage takes data sets with `ranking: true`, and no others."""
    return _WANTED.get(stage) == "pairs"
