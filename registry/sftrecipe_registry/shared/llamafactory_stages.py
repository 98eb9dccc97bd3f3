"""Which data sets a stage of LLaMA-Factory trains on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from sftrecipe.kinds import DataSet

Teaches = Literal["answers", "preferences", "judgements", "text", "nothing"]

_WANTED: dict[str, Teaches] = {
    "pt": "text",
    "sft": "answers",
    "ppo": "answers",
    "rm": "preferences",
    "dpo": "preferences",
    "kto": "judgements",
}

_NEEDS: dict[Teaches, str] = {
    "answers": "answers (rows with 'output' or 'messages')",
    "preferences": "preferences (rows with 'chosen' and 'rejected')",
    "judgements": "judgements (rows with 'label')",
    "text": "text (an exporter with `formatting: text`)",
}


def teaches(data_set: DataSet) -> Teaches:
    """What a data set teaches, by its catalogue entry."""
    if data_set.entry is None:
        return "nothing"
    columns = data_set.entry.get("columns", {})
    if data_set.entry.get("ranking"):
        return "preferences"
    if columns.get("kto_tag"):
        return "judgements"
    return "answers" if columns.get("response") or columns.get("messages") else "text"


def wanted(stage: str) -> str:
    """What the stage trains on, and what brings it."""
    return _NEEDS[_WANTED.get(stage, "answers")]


def fitting(stage: str, data_sets: Iterable[DataSet]) -> list[DataSet]:
    """The data sets that the stage takes; of others it drops the rows, or stops."""
    return [each for each in data_sets if teaches(each) == _WANTED.get(stage, "answers")]


def fits_ranking(stage: str) -> bool:
    """Whether the stage takes data sets with `ranking: true`, and no others."""
    return _WANTED.get(stage) == "preferences"
