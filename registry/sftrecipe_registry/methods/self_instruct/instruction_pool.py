"""The instructions that new ones are shown and compared with: seeds, and what was made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from sftrecipe.plugin import Record
from sftrecipe_registry.shared.text.instruction_rules import Fault
from sftrecipe_registry.shared.text.rouge_index import RougeIndex
from sftrecipe_registry.shared.text.tokenizers import Tokenize


class Similar(NamedTuple):
    """The row of the pool that is most like a text."""

    value: float
    """ROUGE-L F1."""
    row: Record | None
    """None where nothing is alike."""


class InstructionPool:
    """Rows with an instruction each; made rows join in the order in which they are accepted."""

    def __init__(
        self, seeds: Iterable[Record], split: Tokenize, fault: Callable[[str], Fault | None]
    ) -> None:
        self.fault = fault
        """What makes an instruction unfit for the pool, whatever is in it."""
        self.seeds: list[Record] = []
        """Those with an instruction, each instruction once."""
        self.made: list[Record] = []
        self.silent = 0
        """Seeds in whose instruction the tokenizer finds nothing."""
        self._split = split
        self._index = RougeIndex()
        self._indexed: list[Record] = []
        texts: set[str] = set()
        for row in seeds:
            text = row.text("instruction").strip()
            if text and text not in texts:
                texts.add(text)
                self.seeds.append(row)
                self.silent += not self._add(row)

    def similar(self, text: str) -> Similar | None:
        """The row most like a text; None where the tokenizer finds nothing in it."""
        tokens = self._split(text)
        if not tokens:
            return None
        value, place = self._index.nearest(tokens)
        return Similar(value, self._indexed[place] if place >= 0 else None)

    def accept(self, row: Record) -> None:
        """A made row joins the pool."""
        self.made.append(row)
        self._add(row)

    def _add(self, row: Record) -> bool:
        tokens = self._split(row.text("instruction"))
        if tokens:
            self._index.add(tokens)
            self._indexed.append(row)
        return bool(tokens)
