"""Rows of LLaMA-Factory's alpaca format in the canonical columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sftrecipe_registry.llamafactory.formats.catalogue_entry import Entry
from sftrecipe_registry.llamafactory.formats.judgement_label import judgement
from sftrecipe_registry.shared.readers.rows import Shape, WrongShape

CANONICAL = frozenset(
    (
        *("instruction", "input", "output", "system", "history", "messages", "tools", "text"),
        *("chosen", "rejected", "label", "images", "videos", "audios"),
        *("conversations", "conversation", "contents"),
    )
)
"""Columns with a meaning."""
MEDIA = ("images", "videos", "audios")

_QUESTIONS = frozenset({"instruction", "prompt", "query", "question"})
"""Columns that hold prompts even where a data set has nothing else."""


def alpaca_shape(entry: Entry) -> Shape:
    """How a row of the entry becomes a row of canonical columns."""
    named = entry.columns
    prompt, response = named["prompt"], named["response"]
    names = {
        "text" if _is_text(named) else "instruction": prompt,
        "input": named["query"],
        "output": response,
        "history": named["history"],
        "system": named["system"],
        "tools": named["tools"],
    }
    names |= {name: named[name] for name in MEDIA}
    is_pair = entry.ranking and bool(named["chosen"] and named["rejected"])
    if is_pair:
        names |= {"chosen": named["chosen"], "rejected": named["rejected"]}
    if named["kto_tag"]:
        names["label"] = named["kto_tag"]
    used = frozenset(name for name in names.values() if name)

    def shape(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if prompt and prompt not in row:
            raise WrongShape("missing_column", prompt)
        columns = canonical(row, names)
        if not columns.get("history"):
            columns.pop("history", None)  # LLaMA-Factory looks at lists alone; others are rejected
        _split_pair(columns)
        if is_pair:
            _check_pair(columns)
        if "label" in names:
            check_label(columns)
        yield columns | extras(row, used)

    return shape


def canonical(row: Mapping[str, Any], names: Mapping[str, str | None]) -> dict[str, Any]:
    """The named columns under their canonical names; empty ones are left out."""
    found = ((name, row.get(old)) for name, old in names.items() if old)
    columns = {name: value for name, value in found if value is not None}
    for name in MEDIA:
        if isinstance(columns.get(name), str):
            columns[name] = [columns[name]]
    return columns


def extras(row: Mapping[str, Any], used: frozenset[str]) -> dict[str, Any]:
    """Columns that mean nothing to LLaMA-Factory, but for those with a canonical name."""
    return {
        name: value for name, value in row.items() if name not in used and name not in CANONICAL
    }


def check_label(columns: dict[str, Any]) -> None:
    """Make the judgement true or false. Raises WrongShape for a label that is none."""
    label = columns.get("label")
    good = judgement(label)
    if good is None:
        raise WrongShape("bad_label", f"label is {label!r}"[:80])
    columns["label"] = good


def _is_text(named: Mapping[str, str | None]) -> bool:
    """Whether the rows are texts to pre-train on: the prompt is all that is named."""
    others = [name for key, name in named.items() if name and key != "prompt"]
    return bool(named["prompt"]) and not others and named["prompt"] not in _QUESTIONS


def _split_pair(columns: dict[str, Any]) -> None:
    """The old format of preferences: the better and the worse answer as `output`."""
    output = columns.get("output")
    if isinstance(output, list) and len(output) == 2:
        if not all(isinstance(answer, str) for answer in output):
            raise WrongShape("wrong_type", "output is a list, but not of two texts")
        del columns["output"]
        columns["chosen"], columns["rejected"] = output


def _check_pair(columns: Mapping[str, Any]) -> None:
    for name in ("chosen", "rejected"):
        if name not in columns:
            raise WrongShape("missing_column", name)
        if not isinstance(columns[name], str):
            raise WrongShape("wrong_type", f"{name} is no text")
