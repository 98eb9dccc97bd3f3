"""Streams mixed in the ratios that the recipe asks for, in whole numbers of rows, exactly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from annotated_types import Gt, MinLen

from sftrecipe.plugin import (
    Context,
    InputFile,
    Inputs,
    Mix,
    Mixer,
    OptionFiles,
    OptionProblem,
    PluginRefused,
    Record,
    Rows,
    Texts,
)
from sftrecipe_registry.mixers.weights.row_tokens import (
    INSTALL,
    estimated_tokens,
    token_counts,
    tokenizer_counter,
    tokenizer_is_missing,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
from fractions import Fraction
from math import floor

texts = Texts(__package__)

_SEEN = 5000
"""Rows of a stream by whose tokens those of the others are foreseen."""


class Weights(Mixer):
    """Draw rows from streams in given ratios, and shuffle them.

    Which rows are drawn depends on the seed and the rows' ids alone: one more row in a stream
    changes at most a few draws. The numbers of rows are the ratios rounded by largest remainders;
    of tokens, rows are drawn until their sum comes nearest to the stream's part.
    """

    example: ClassVar[str] = (
        "{total: 1500, weights: {ask: 0.45, general: 0.55}, on_shortage: scale}"
    )

    weights: Annotated[dict[str, Annotated[float, Gt(0)]], MinLen(1)]
    """Stream or source → its weight. Weights need not add up to 1: only their ratios count."""
    total: Annotated[int, Gt(0)] | None = None
    """Rows in all, or tokens where it goes by them; left out: the most that the streams can give in
    these ratios."""
    on_shortage: Literal["error", "scale", "repeat"] = "error"
    """When a stream has fewer rows than its part of `total`: stop with an `error`; `scale` the
    total down until it has enough; `repeat` its rows, each as often as any other, or once more."""
    by: Literal["rows", "tokens"] = "rows"
    """What weights and `total` count: `rows`; or the `tokens` of all that a row says, so that
    streams of long rows do not outweigh the others in training."""
    tokenizer: InputFile | None = None
    """The `tokenizer.json` of the model that is trained, to count tokens by. Left out, they are
    estimated from letters, words and characters, the same on every machine."""

    def identity(self) -> dict[str, object]:
        """The options, without those on tokens where it goes by rows."""
        return {
            name: value
            for name, value in super().identity().items()
            if name not in ("by", "tokenizer") or self.by == "tokens"
        }

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """A tokenizer that counts nothing, or that cannot be used."""
        if self.tokenizer is None:
            return
        if self.by == "rows":
            told = texts("nothing-to-count", tokenizer=self.tokenizer)
            yield OptionProblem(("tokenizer",), told, texts("write-by-tokens"))
            return
        if tokenizer_is_missing():
            yield OptionProblem(("tokenizer",), texts("tokenizers-not-installed"), INSTALL)

    def wanted(self) -> Mapping[str, float]:
        """The streams with their weights, as the recipe gives them."""
        return self.weights

    def expected(self, rows: Mapping[str, tuple[int, int | None]]) -> tuple[int, int | None]:
        """`total`, or what the streams can give in these ratios; none where it cannot be filled."""
        if self.by == "tokens":
            return super().expected(rows) if self.on_shortage != "repeat" else (0, None)
        shares = shares_of(self.weights)
        least = largest_total(shares, {name: rows[name][0] for name in shares})
        tops = {name: most for name in shares if (most := rows[name][1]) is not None}
        most = largest_total({name: shares[name] for name in tops}, tops) if tops else None
        if self.total is None:
            return least, most
        if self.on_shortage == "scale":
            return min(self.total, least), self.total if most is None else min(self.total, most)
        if self.on_shortage == "error":
            never = most is not None and most < self.total
            return self.total if least >= self.total else 0, 0 if never else self.total
        return self.total, self.total

    def expected_of(
        self, rows: Mapping[str, tuple[int, int | None]], seen: Mapping[str, Sequence[Record]]
    ) -> tuple[int, int | None]:
        """The same; where it goes by tokens, by those of the rows that are seen."""
        counts = {name: most for name, (_, most) in rows.items() if most}
        if self.by == "rows" or len(counts) < len(rows) or not all(map(len, seen.values())):
            return self.expected(rows)
        first = {name: token_counts(islice(seen[name], _SEEN), estimated_tokens) for name in seen}
        means = {name: max(1.0, float(each.mean())) for name, each in first.items()}
        shares = shares_of(self.weights)
        most = largest_total(shares, {name: round(counts[name] * means[name]) for name in counts})
        total = most if self.total is None else self.total
        if total > most and self.on_shortage == "scale":
            total = most
        whole = all(len(first[name]) == counts[name] for name in counts)
        if total > most and self.on_shortage == "error" and whole and self.tokenizer is None:
            return 0, 0
        parts = apportion(shares, total)
        middle = sum(round(parts[name] / means[name]) for name in parts)
        spread = len(parts) + middle // 10
        return max(0, middle - spread), middle + spread

    def mix(self, streams: Mapping[str, Rows], ctx: Context) -> Mix:
        """Which rows, in which order.

        Raises PluginRefused when a stream is empty, or too short with `on_shortage: error`.
        """
        from sftrecipe_registry.mixers.weights.picks import draw  # noqa: PLC0415 - numpy

        shares = shares_of(self.weights)
        available = {name: len(streams[name]) for name in shares}
        empty = [name for name, rows in available.items() if not rows]
        if empty:
            raise PluginRefused(texts("empty-stream", stream=empty[0]))
        sizes = self._sizes(streams, ctx) if self.by == "tokens" else None
        held = available
        if sizes is not None:
            held = {name: int(each.sum()) for name, each in sizes.items()}
        asked, given = self._parts(shares, held)
        picks = draw(
            {name: (streams[name].ids(), given[name]) for name in sorted(given)}, ctx, sizes
        )
        if sizes is None:
            return Mix(picks, _notes(self.total, shares, asked, given, available))
        sums = picks.sums(sizes)
        if none := [name for name, part in given.items() if part and not sums[name][0]]:
            told = texts("rows-longer-than-share", stream=none[0], tokens=given[none[0]])
            raise PluginRefused(told)
        notes = _notes_of_tokens(shares, asked, held, available, sums)
        counted = {"asked_tokens": self.total, "tokens_estimated": self.tokenizer is None}
        return Mix(picks, {**notes, **counted})

    def _sizes(self, streams: Mapping[str, Rows], ctx: Context) -> dict[str, NDArray[np.uint32]]:
        """Tokens of every row."""
        named = self.tokenizer
        counter = estimated_tokens if named is None else tokenizer_counter(ctx.path(named))
        found = {name: token_counts(streams[name], counter) for name in sorted(self.weights)}
        silent = [name for name, tokens in found.items() if not tokens.any()]
        if silent:
            raise PluginRefused(texts("silent-stream", stream=silent[0]))
        return found

    def _parts(
        self, shares: Mapping[str, Any], held: Mapping[str, int]
    ) -> tuple[dict[str, int], dict[str, int]]:
        """Rows or tokens of each stream that are asked for, and that are given."""
        most = largest_total(shares, held)
        asked = apportion(shares, most if self.total is None else self.total)
        short = {name: part - held[name] for name, part in asked.items() if part > held[name]}
        if short and self.on_shortage == "error":
            raise PluginRefused(_shortage_text(asked, held, short, most, self.by))
        scaled = short and self.on_shortage == "scale"
        return asked, apportion(shares, most) if scaled else asked


def _shortage_text(
    asked: Mapping[str, int],
    held: Mapping[str, int],
    short: Mapping[str, int],
    most: int,
    unit: Literal["rows", "tokens"],
) -> str:
    slug = "rows-of" if unit == "rows" else "tokens-of"
    parts = (texts(slug, stream=name, held=held[name], asked=asked[name]) for name in short)
    return texts("shortage", streams=tuple(parts), most=most)


def _notes(
    total: int | None,
    shares: Mapping[str, Any],
    asked: Mapping[str, int],
    given: Mapping[str, int],
    available: Mapping[str, int],
) -> dict[str, object]:
    rows = sum(given.values())
    return {
        "asked_total": total,
        "rows": rows,
        "streams": {
            name: {
                "asked_share": float(shares[name]),
                "asked_rows": asked[name],
                "rows": given[name],
                "share": given[name] / rows if rows else 0.0,
                "available": available[name],
                "shortage": max(0, asked[name] - available[name]),
                "repeated": max(0, given[name] - available[name]),
            }
            for name in shares
        },
    }


def _notes_of_tokens(
    shares: Mapping[str, Any],
    asked: Mapping[str, int],
    held: Mapping[str, int],
    available: Mapping[str, int],
    sums: Mapping[str, tuple[int, int]],
) -> dict[str, object]:
    rows, tokens = (sum(each[at] for each in sums.values()) for at in (0, 1))
    return {
        "rows": rows,
        "tokens": tokens,
        "streams": {
            name: {
                "asked_share": float(shares[name]),
                "asked_tokens": asked[name],
                "tokens": sums[name][1],
                "token_share": sums[name][1] / tokens if tokens else 0.0,
                "rows": sums[name][0],
                "share": sums[name][0] / rows if rows else 0.0,
                "available": available[name],
                "available_tokens": held[name],
                "shortage": max(0, asked[name] - held[name]),
                "repeated": max(0, sums[name][0] - available[name]),
            }
            for name in shares
        },
    }


def shares_of(weights: Mapping[str, float]) -> dict[str, Fraction]:
    """The weights (> 0) over their sum, exact for the decimals they were written as, by name."""
    exact = {name: Fraction(repr(weights[name])) for name in sorted(weights)}
    whole = sum(exact.values(), Fraction(0))
    return {name: weight / whole for name, weight in exact.items()}


def apportion(shares: Mapping[str, Fraction], total: int) -> dict[str, int]:
    """`total` rows by largest remainders (Hamilton): each the share rounded down or up.

    Equal remainders go to the larger share, then to the name that comes first.
    """
    quotas = {name: share * total for name, share in shares.items()}
    counts = {name: floor(quota) for name, quota in quotas.items()}
    order = sorted(quotas, key=lambda name: (counts[name] - quotas[name], -shares[name], name))
    for name in order[: total - sum(counts.values())]:
        counts[name] += 1
    return counts


def largest_total(shares: Mapping[str, Fraction], available: Mapping[str, int]) -> int:
    """The most rows at which no share asks for more than there is."""
    return floor(min(available[name] / share for name, share in shares.items()))
