"""The exporter's option `holdout` in its long form."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, floor, sqrt
from typing import Annotated

from annotated_types import Ge, Gt, Le
from pydantic import StringConstraints

from sftrecipe.plugin import Described, Inputs, OptionProblem, Texts, closest

texts = Texts(__package__)

Word = Annotated[str, StringConstraints(pattern=r"\S")]
SOURCE = "source"
"""The name in `by` that is no column: the source or block that made a row."""


class Holdout(Described):
    """A holdout that has no twins in training, and of every kind of row its share."""

    share: Annotated[float, Gt(0)]
    """Share of the rows (`0.1`), or their number (`200`)."""
    apart: Annotated[float, Ge(0.3), Le(1)] | None = None
    """Similarity from which on two questions stay on one side, with all that are like either of
    them; `0.7` finds a greeting, a typo or some words changed, `0.6` most rewordings. Compared is
    what the user says, without courtesies and lines that many rows share: by Jaccard's index of its
    words, common ones counting less, less 0.15, or of a short question's letters, less 0.1. Groups
    greater than the holdout's part stay in training, and are told: questions made from one long
    template may be such a group, then raise it. Left out: rows that ask exactly the same stay
    together."""
    by: Word | tuple[Word, ...] = ()
    """What the holdout has the same shares of as all rows: `source`, the source or block that made
    the row, or names of columns or tags. Rows without the value are a stratum of their own."""

    @property
    def names(self) -> tuple[str, ...]:
        """`by` as a list, each once."""
        return tuple(dict.fromkeys((self.by,) if isinstance(self.by, str) else self.by))

    @property
    def is_plain(self) -> bool:
        """Whether it asks for no more than a share or number does."""
        return self.apart is None and not self.names

    def problems(self, inputs: Inputs) -> Iterator[OptionProblem]:
        """Names in `by` that no row has."""
        if inputs is None:
            return
        known = ", ".join([SOURCE, *sorted(inputs - {SOURCE})])
        for name in self.names:
            if name == SOURCE or name in inputs:
                continue
            message = texts("by-no-column", name=name, known=known)
            if meant := closest(name, [SOURCE, *inputs]):
                yield OptionProblem(("holdout", "by"), message, texts("by-meant", name=meant))
            else:
                hint = texts("by-tag", name=name)
                yield OptionProblem(("holdout", "by"), message, hint, severity="warning")


Wish = Annotated[float, Ge(0)] | Holdout


def holdout_problems(holdout: float | Holdout, inputs: Inputs) -> Iterator[OptionProblem]:
    """What is neither a share nor a number of rows, and names in `by` that no row has."""
    path: tuple[str, ...] = ("holdout",)
    wish = holdout.share if isinstance(holdout, Holdout) else holdout
    if isinstance(holdout, Holdout):
        path = ("holdout", "share")
        yield from holdout.problems(inputs)
    if wish > 1 and wish != int(wish):
        message = texts("no-share-no-number", holdout=wish)
        yield OptionProblem(path, message, texts("write-share-or-number"))


def expected_rows(holdout: float | Holdout, least: int, most: int | None) -> tuple[int, int | None]:
    """The number; of a share, it and what its draw may add or leave out.

    Groups may be too large for the holdout, and the last one is taken where it comes nearer.
    """
    if not isinstance(holdout, Holdout):
        return _drawn(holdout, least, most)
    low, high = _drawn(holdout.share, least, most)
    if holdout.is_plain or high is None or most is None:
        return low if holdout.is_plain else 0, high
    return 0, min(most, 2 * high)


def _drawn(wish: float, least: int, most: int | None) -> tuple[int, int | None]:
    if wish >= 1:
        number = int(wish)
        return min(number, least), number if most is None else min(number, most)
    top = None if most is None else min(most, ceil(wish * most + _spread(wish, most)))
    return max(0, floor(wish * least - _spread(wish, least))), top


def _spread(wish: float, rows: int) -> float:
    """Three standard deviations of how many of the rows a share draws."""
    return 3 * sqrt(rows * wish * (1 - wish))
