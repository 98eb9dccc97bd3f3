"""What a data set for LLaMA-Factory teaches, and which rows are of that kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from sftrecipe.plugin import FIRST_ROWS, PAIR, Columns, Inputs, RowKind
from sftrecipe_registry.llamafactory.formats.conversation import Preference
from sftrecipe_registry.llamafactory.formats.judgement_label import counts_more, judgement
from sftrecipe_registry.llamafactory.formats.turns import Unusable

_KINDS: dict[Preference, RowKind] = {"none": "answers", "ranking": "pairs", "kto": "judgements"}
LABELS = ("kto_tag", "kto_label", "label", "labels")
"""Columns that may hold the judgement of an answer, of which the first that there is counts."""
_FEW = 10
"""More than one of so many labels that is another number than 1, 0 and -1 shows classes."""
_OWN: dict[RowKind, tuple[str, ...]] = {
    "answers": ("output", "messages"),
    "pairs": PAIR,
    "text": ("text",),
}
"""By kind, the columns of which a row has one."""


class OtherKind(Unusable):
    """A row that teaches something else than its data set."""

    def __init__(self, reason: str, teaches: RowKind, value: str | None = None) -> None:
        super().__init__(reason, value)
        self.teaches: RowKind = teaches


class DataSetKind(NamedTuple):
    """What the rows of a data set teach."""

    teaches: RowKind
    stated: bool = False
    """Whether the recipe says it."""
    labels: bool = False
    """Whether the column of labels holds judgements; else it is a column as any other."""
    unread: bool = False
    """Whether there is such another column, and nobody said what it is."""

    @property
    def preference(self) -> Preference:
        """The same in the word of the exporter's option."""
        return next((name for name, kind in _KINDS.items() if kind == self.teaches), "none")

    def taken(self, columns: Columns) -> Columns:
        """The columns of a row that is of this kind, a label as true or false. Raises Unusable."""
        found = row_kind(columns, labels=self.labels)
        if self.teaches == "judgements":
            return _judged(columns, found)
        if self.stated and _has(columns, *_OWN[self.teaches]):
            return columns  # the recipe's word: whatever else the row has is not looked at
        if found in (None, self.teaches):
            return columns
        if self.teaches == "pairs":
            if _has(columns, *PAIR):
                return columns  # half a pair: what is wrong with it is told
            raise OtherKind("not_a_pair", found, "chosen is no answer")
        if found == "text" or self.teaches == "text":
            raise OtherKind("no_prompt" if found == "text" else "no_text", found)
        raise OtherKind("other_kind", found, found)


def data_set_kind(
    stated: Preference | None, rows: Iterable[Columns], *, text: bool = False
) -> DataSetKind:
    """The kind that the recipe states, else what most of the rows have.

    Labels are judgements where at least half of those that there are can be read as such: a class
    ("cardiology", or 2 of 0 to 3) is none.
    """
    if text:
        return DataSetKind("text", stated=True)
    if stated is not None:
        return DataSetKind(_KINDS[stated], stated=True, labels=stated == "kto")
    first = [columns for _, columns in zip(range(FIRST_ROWS), rows, strict=False)]
    labels = [label for columns in first if (label := label_of(columns)) is not None]
    read = sum(judgement(label) is not None for label in labels)
    others = sum(map(counts_more, labels))
    is_judged = bool(read) and 2 * read >= len(labels) and _FEW * others <= len(labels)
    found = (row_kind(columns, labels=is_judged) for columns in first)
    kinds = Counter(kind for kind in found if kind not in (None, "text"))
    most: RowKind | None = next((kind for kind, _ in kinds.most_common(1)), None)
    unread = bool(labels) and not is_judged
    return DataSetKind(most or "answers", labels=is_judged, unread=unread)


def row_kind(columns: Columns, *, labels: bool) -> RowKind | None:
    """What a row teaches; None: nothing that is known. `labels`: whether its label judges it."""
    if all(columns.get(name) is not None for name in PAIR):
        return "pairs"
    if labels and label_of(columns) is not None:
        return "judgements"
    if _has(columns, *_OWN["answers"]):
        return "answers"
    return "text" if _has(columns, "text") and not _has(columns, "instruction", "input") else None


def possible_kinds(stated: Preference | None, inputs: Inputs, *, text: bool) -> frozenset[RowKind]:
    """What rows with these columns can teach, as far as their names tell."""
    if text:
        return frozenset({"text"})
    if stated is not None:
        return frozenset({_KINDS[stated]})
    kinds: set[RowKind] = set(_KINDS.values())
    if inputs is not None:
        if not inputs.intersection(PAIR):
            kinds.discard("pairs")
        if inputs.isdisjoint(LABELS):
            kinds.discard("judgements")
        if inputs.issuperset(PAIR) and inputs.isdisjoint(_OWN["answers"]):
            kinds.discard("answers")
    return frozenset(kinds)


def _judged(columns: Columns, found: RowKind | None) -> Columns:
    label = label_of(columns)
    if label is None:
        if found in ("pairs", "text"):
            raise OtherKind("other_kind", found, found)
        raise Unusable("no_label")
    good = judgement(label)
    if good is None:
        raise Unusable("bad_label", f"{label!r}"[:80])
    return columns if columns.get("label") is good else {**columns, "label": good}


def label_of(columns: Columns) -> Any:
    """A row's label, by whichever name; None where it has none."""
    for name in LABELS:
        if (label := columns.get(name)) is not None:
            return label
    return None


def _has(columns: Columns, *names: str) -> bool:
    return any(columns.get(name) is not None for name in names)
