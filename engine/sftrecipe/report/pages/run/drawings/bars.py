"""Bars of shares, for tables."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from sftrecipe.report.pages.run.drawings.svg import line, rect, svg

_WIDTH, _HEIGHT = 220.0, 14.0
_WHOLE = 460.0


def share_bar(share: float, label: str, mark: float | None = None) -> Markup:
    """A part of the whole; `mark`: where it was meant to be, as a line."""
    parts = [
        rect(0, 3, _WIDTH, 8, "empty"),
        rect(0, 3, _WIDTH * _inside(share), 8, "kept"),
    ]
    if mark is not None:
        x = _WIDTH * _inside(mark)
        parts.append(line((x, 0), (x, _HEIGHT), "threshold"))
    return svg(_WIDTH, _HEIGHT, label, parts)


def account_bar(kept: int, dropped: int, most: int, label: str) -> Markup:
    """Kept and dropped rows beside one another; `most` rows fill the bar."""
    scale = _WIDTH / max(most, 1)
    wide = kept * scale
    parts = [rect(0, 2, wide, 10, "kept")]
    if dropped:
        parts.append(rect(wide, 2, max(dropped * scale, 1), 10, "dropped"))
    return svg(_WIDTH, _HEIGHT, label, parts)


def parts_bar(parts: Mapping[str, int], label: str) -> Markup:
    """Counts by name beside one another, each as wide as its share of all."""
    scale = _WHOLE / max(sum(parts.values()), 1)
    drawn, x = [], 0.0
    for colour, (name, count) in enumerate(parts.items()):
        kind = f"topic-{colour % 7}"
        drawn.append(rect(x, 3, max(count * scale - 1, 0), 16, kind, f"{name}: {count:,}"))
        x += count * scale
    return svg(_WHOLE, 22, label, drawn)


def _inside(share: float) -> float:
    return min(max(share, 0.0), 1.0)
