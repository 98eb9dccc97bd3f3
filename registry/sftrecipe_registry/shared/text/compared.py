"""Whether what rows are compared by says anything: a column that is nearly the same in all rows, or
empty, makes all rows repeats of one another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from itertools import islice

from sftrecipe.plugin import Context, Inputs, OptionProblem, Record, Rows, Texts
from sftrecipe_registry.shared.text.asked import asked_text
from sftrecipe_registry.shared.text.row_text import TextOf, text_of

texts = Texts(__package__)

_ASKED = ("instruction", "input", "messages", "text")
_FEWEST = 20
"""Rows below which nothing is told: a handful may well agree."""
_MOST_ALIKE = 0.5
"""Share of the rows with one text from which on it is told."""
_FEW_TEXTS = 0.05
"""Texts a row, below which it is told."""
_MANY_EMPTY = 0.5
_SHOWN = 60


_LOOKED_AT = 256
"""Rows that show whether the instruction is one for all."""


def compared_problems(
    field: str | tuple[str, ...] | None, inputs: Inputs
) -> Iterator[OptionProblem]:
    """That rows ask nothing, as their columns show, where no column is named."""
    if field is None and inputs and inputs.isdisjoint(_ASKED):
        told = texts("nothing-asked", columns=", ".join(sorted(inputs)))
        yield OptionProblem((), told, texts("set-field"))


def compared_text(
    field: str | tuple[str, ...] | None, rows: Rows, default: TextOf = asked_text
) -> TextOf:
    """A function that gives what rows are compared by: the named columns, else `default`.

    An instruction that all rows share, with their questions in `input`, counts for nothing: it
    would make any two of them alike.
    """
    if field is not None:
        return text_of(field, default)
    constant = _shared_instruction(rows)
    if not constant:
        return default

    def apart(row: Record) -> str:
        columns = row.columns
        if columns.get("instruction") != constant or not columns.get("input"):
            return default(row)
        return default(row._replace(columns={**columns, "instruction": ""}))

    return apart


def _shared_instruction(rows: Rows) -> str:
    """The instruction of all of the first rows, which have an input; empty where there is none."""
    first = [row.columns for row in islice(rows, _LOOKED_AT)]
    if len(first) < _FEWEST or not all(columns.get("input") for columns in first):
        return ""
    found = {str(columns.get("instruction") or "") for columns in first}
    return found.pop() if len(found) == 1 else ""


class Monotony:
    """Counts how often each compared text comes; 60 bytes a distinct one."""

    def __init__(self) -> None:
        self._counts: Counter[bytes] = Counter()
        self._example: dict[bytes, str] = {}
        self._rows = 0
        self._empty = 0

    def add(self, text: str) -> None:
        """Take the next row's text."""
        self._rows += 1
        if not text or text.isspace():
            self._empty += 1
            return
        digest = blake2b(text.strip().encode("utf-8", "surrogatepass"), digest_size=8).digest()
        self._counts[digest] += 1
        if self._counts[digest] == 2:
            self._example[digest] = text

    def tell(self, ctx: Context) -> None:
        """Tell of it at the end of the run, where it is so."""
        if self._rows < _FEWEST:
            return
        if self._empty >= _MANY_EMPTY * self._rows:
            ctx.tell("compared_empty", f"{self._empty} of {self._rows} rows")
        spoken = self._counts.total()
        if not spoken:
            return
        digest, most = self._counts.most_common(1)[0]
        if most >= max(_MOST_ALIKE * spoken, 2) or len(self._counts) < _FEW_TEXTS * spoken:
            shown = " ".join(self._example.get(digest, "").split())[:_SHOWN]
            ctx.tell("compared_alike", f"{most} of {self._rows} rows: {shown}")


def tell_monotony(texts: Iterable[str], ctx: Context) -> None:
    """Tell of texts that are nearly all alike or empty."""
    monotony = Monotony()
    for text in texts:
        monotony.add(text)
    monotony.tell(ctx)


def tell_few(distinct: int, rows: int, ctx: Context) -> None:
    """Tell that rows have few distinct contents, where only their number is known."""
    if rows >= _FEWEST and distinct < max(_FEW_TEXTS * rows, 2):
        ctx.tell("compared_alike", f"{distinct} of {rows} rows differ")
