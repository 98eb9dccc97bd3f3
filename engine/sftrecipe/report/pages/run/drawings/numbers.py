"""Numbers and labels as the charts write them."""

from __future__ import annotations

from math import ceil, floor, log10
from unicodedata import east_asian_width


def number_text(value: float) -> str:
    """A number in few letters: `12,300`, `0.71`."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.3g}"


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers between two others."""
    rough = (high - low) / most
    if rough <= 0:  # also of two numbers so near that a part of their distance is none
        return [low]
    power = 10 ** floor(log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    first = ceil(low / step)
    return [round(number * step, 10) for number in range(first, floor(high / step) + 1)]


def fitted(text: str, width: float, letter: float) -> str:
    """A text cut to a width; `letter` is about the width of a small Latin letter."""
    used = 0.0
    for place, character in enumerate(text):
        used += letter * (1.8 if east_asian_width(character) in "WF" else 1)
        if used > width:
            return text[: max(1, place - 1)] + "…"
    return text
