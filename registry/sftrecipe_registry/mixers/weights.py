"""Streams mixed in the ratios that the recipe asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Gt, MinLen

from sftrecipe import Context, Mixer, PluginRefused, Rows
from sftrecipe.kinds import Mix
from sftrecipe_registry.shared.apportion import apportion, largest_total, shares_of


class Weights(Mixer):
    """Draw rows from streams in given ratios, and shuffle them.

    Which rows are drawn depends on the seed and the rows' ids alone: one more row in a stream
    changes at most a few draws. The numbers of rows are the ratios rounded by largest remainders.
    """

    example: ClassVar[str] = (
        "{total: 1500, weights: {ask: 0.45, general: 0.55}, on_shortage: scale}"
    )

    weights: Annotated[dict[str, Annotated[float, Gt(0)]], MinLen(1)]
    """Stream or source → its weight in rows. Weights need not add up to 1: only their ratios
    count."""
    total: Annotated[int, Gt(0)] | None = None
    """Rows in all; left out: the most that the streams can give in these ratios."""
    on_shortage: Literal["error", "scale", "repeat"] = "error"
    """When a stream has fewer rows than its part of `total`: stop with an `error`; `scale` the
    total down until it has enough; `repeat` its rows, each as often as any other, or once more."""

    def wanted(self) -> Mapping[str, float]:
        """The streams with their weights, as the recipe gives them."""
        return self.weights

    def expected(self, rows: Mapping[str, tuple[int, int | None]]) -> tuple[int, int | None]:
        """`total`, or what the streams can give in these ratios; none where it cannot be filled."""
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

    def mix(self, streams: Mapping[str, Rows], ctx: Context) -> Mix:
        """Which rows, in which order.

        Raises PluginRefused when a stream is empty, or too short with `on_shortage: error`.
        """
        from sftrecipe_registry.shared.drawing import draw  # noqa: PLC0415 - numpy

        shares = shares_of(self.weights)
        available = {name: len(streams[name]) for name in shares}
        empty = [name for name, rows in available.items() if not rows]
        if empty:
            raise PluginRefused(f"stream '{empty[0]}' has no rows, so it cannot be mixed")
        most = largest_total(shares, available)
        asked = apportion(shares, most if self.total is None else self.total)
        short = {
            name: rows - available[name] for name, rows in asked.items() if rows > available[name]
        }
        if short and self.on_shortage == "error":
            raise PluginRefused(_shortage(asked, available, short, most))
        given = apportion(shares, most) if short and self.on_shortage == "scale" else asked
        picks = draw({name: (streams[name].ids(), given[name]) for name in sorted(given)}, ctx)
        return Mix(picks, _notes(self.total, shares, asked, given, available))


def _shortage(
    asked: Mapping[str, int], available: Mapping[str, int], short: Mapping[str, int], most: int
) -> str:
    parts = [f"stream '{name}' has {available[name]} rows of {asked[name]}" for name in short]
    return (
        f"{'; '.join(parts)} that the mix asks for: set total to {most} at most, "
        "or on_shortage to scale or repeat"
    )


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
