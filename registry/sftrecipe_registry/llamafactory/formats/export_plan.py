"""What the rows of a data set decide together: who is held out, who loses thoughts, who learns."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from heapq import nsmallest
from typing import Any, Literal, NamedTuple

from sftrecipe.plugin import Columns, ExportContext, Record
from sftrecipe_registry.llamafactory.formats.conversation import (
    MEDIA,
    Conversation,
    Masks,
    Preference,
    conversation,
    masks,
)
from sftrecipe_registry.llamafactory.formats.data_set_kind import LABELS, DataSetKind, label_of
from sftrecipe_registry.llamafactory.formats.rows import Formatting
from sftrecipe_registry.llamafactory.formats.turns import ANSWERS, Unusable

Part = Literal["train", "holdout"]
ID = "id"
"""The column of ids; no format has one of that name."""
ALL = 2**64
"""Every draw is below it."""

_COMMON = frozenset({"system", "tools", *MEDIA})
_PLAIN = frozenset({"instruction", "input", "history"})
_ANSWERS: dict[Preference, frozenset[str]] = {
    "none": frozenset({"output", "reasoning"}),
    "kto": frozenset({"output", "reasoning", *LABELS}),
    "ranking": frozenset({"chosen", "rejected"}),
}
_WRITTEN: dict[tuple[str, bool], frozenset[str]] = {
    **{(kind, False): _COMMON | _PLAIN | answers for kind, answers in _ANSWERS.items()},
    **{
        (kind, True): _COMMON | {"messages"} | answers - {"output", "reasoning"}
        for kind, answers in _ANSWERS.items()
    },
    **{("text", has_turns): frozenset({"text"}) for has_turns in (False, True)},
}
"""Columns that are written, by what is taught and whether the row is turns."""


class AskedRow(NamedTuple):
    """A row that can be written."""

    draw: int
    """The number of what is asked."""
    record: Record
    said: Conversation | str
    """The conversation, or the text."""

    @property
    def asked(self) -> str:
        """What the user says, all turns of it; of a text the whole."""
        if isinstance(self.said, str):
            return self.said
        return "\n".join(turn.aloud for turn in self.said.asked if turn.role == "user")


@dataclass
class Plan:
    """How every row of a data set and its holdout is written."""

    formatting: Formatting
    kind: DataSetKind
    ids: bool = False
    """Whether each row is written with its id."""
    is_v1: bool = False
    """Whether rows are written as LLaMA-Factory's v1 loads them."""
    masks: Masks | None = None
    """Which answers are learned; None where no training masks them."""
    limit: int = 0
    """Rows whose draw is below it are held out."""
    held: frozenset[int] = frozenset()
    """Draws of further rows that are held out."""
    non_thinking: dict[Part, int] = field(default_factory=dict)
    """Rows with a thought whose own draw is below it lose it."""

    @property
    def preference(self) -> Preference:
        """What the rows teach, in the word of the exporter's option."""
        return self.kind.preference

    def identified(self, row: dict[str, Any], record: Record) -> dict[str, Any]:
        """A row as it is written of a record, with that one's id where ids are asked for."""
        return {ID: record.id, **row} if self.ids else row

    def role(self, drawn: int) -> Part:
        """Where a row goes."""
        return "holdout" if drawn < self.limit or drawn in self.held else "train"

    def choose_non_thinking(self, share: float, rows: Iterable[AskedRow]) -> None:
        """Of the rows with a thought, as many of each data set as the share asks for."""
        thinking: dict[Part, array[int]] = {"train": array("Q"), "holdout": array("Q")}
        for row in rows:
            if isinstance(row.said, Conversation) and row.said.thinks:
                thinking[self.role(row.draw)].append(_thought_draw(row.said))
        for role, draws in thinking.items():
            chosen = nsmallest(round(share * len(draws)), draws)
            self.non_thinking[role] = chosen[-1] + 1 if chosen else 0

    def is_non_thinking(self, talk: Conversation, role: Part) -> bool:
        """Whether a row with a thought is one of those without."""
        return role in self.non_thinking and _thought_draw(talk) < self.non_thinking[role]

    def check_masks(self, talk: Conversation) -> None:
        """A row of which others learn more, or less, than is asked for. Raises Unusable."""
        if self.masks is None:
            return
        if (found := masks(talk)) not in ("any", self.masks):
            answers = [turn for turn in talk.turns if turn.role in ANSWERS]
            which = "the last alone is" if found == "last" else "all are"
            raise Unusable("masked_turn", f"of {len(answers)} answers {which} to be learned")

    def learned(self, talk: Conversation) -> Masks:
        """Which answers are learned of a row that is written."""
        if self.masks is None or len(talk.asked) == 1:
            return "any"
        return self.masks

    def unwritten(self, columns: Columns) -> Iterator[str]:
        """Columns of a row that have no place in what is written of it."""
        kind = "text" if self.formatting == "text" else self.preference
        written = _WRITTEN[kind, columns.get("messages") is not None]
        if columns.keys() <= written:
            return
        for name in columns.keys() - written:
            if columns[name] is not None:
                yield name


def most_masks(first: Iterable[Record]) -> Masks:
    """Whether most of the rows that tell it learn all answers, or the last alone."""
    found: Counter[Masks] = Counter()
    for record in first:
        try:
            found[masks(conversation(record.columns, "none"))] += 1
        except Unusable:
            continue
    return "last" if found["last"] > found["all"] else "all"


def names_speakers(columns: Columns) -> bool:
    """Whether turns name who speaks them; a tool's name stands in its call."""
    return any(
        turn.get("name") and turn["role"] != "tool" for turn in columns.get("messages") or ()
    )


def draw(asked: str) -> int:
    """A number that is the same for the same text in each run."""
    return int.from_bytes(blake2b(asked.encode(), digest_size=8).digest(), "big")


def asked_draw(talk: Conversation) -> int:
    """The draw of what is asked, whichever thoughts are written."""
    return draw("\0".join(turn.aloud for turn in talk.asked))


def _thought_draw(talk: Conversation) -> int:
    return draw("\0".join(["thoughts", *(turn.content() for turn in talk.turns)]))


def count_labels(
    rows: Iterable[Mapping[str, Any]], record: Record, plan: Plan, to: ExportContext
) -> None:
    """Count what a record's rows judge, or that its label judges nothing."""
    if plan.preference == "kto":
        for row in rows:
            to.context.count("judged_good" if row["label"] else "judged_bad")
    elif plan.kind.unread and label_of(record.columns) is not None:
        to.context.count("unjudging_labels")
