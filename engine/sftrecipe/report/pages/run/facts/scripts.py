"""The writing systems of the result's rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sftrecipe.report.pages.run.facts.opened_run import OpenedRun
from sftrecipe.report.pages.run.facts.texts import whole_text

_LONGEST = 5000
_BLOCKS: Mapping[str, tuple[tuple[int, int], ...]] = {
    "latin": ((0x41, 0x5B), (0x61, 0x7B), (0xC0, 0xD7), (0xD8, 0xF7), (0xF8, 0x250),
              (0x1E00, 0x1F00), (0xFF21, 0xFF5B)),
    "han": ((0x3400, 0x4DC0), (0x4E00, 0xA000), (0xF900, 0xFB00), (0x20000, 0x32000)),
    "kana": ((0x3040, 0x3100), (0x31F0, 0x3200), (0xFF66, 0xFFA0)),
    "hangul": ((0x1100, 0x1200), (0x3130, 0x3190), (0xAC00, 0xD7B0)),
    "cyrillic": ((0x400, 0x530),),
    "greek": ((0x370, 0x400), (0x1F00, 0x2000)),
    "arabic": ((0x600, 0x700), (0x750, 0x780), (0x8A0, 0x900), (0xFB50, 0xFE00), (0xFE70, 0xFEFF)),
    "hebrew": ((0x590, 0x600),),
    "devanagari": ((0x900, 0x980),),
    "thai": ((0xE00, 0xE80),),
}  # fmt: skip
"""Unicode's blocks of letters, each from its first code point up to the one after its last."""


@dataclass(frozen=True)
class ScriptShare:
    """How much of the rows a writing system makes."""

    script: str
    rows: int
    """Rows of the sample with more letters of it than of any other."""
    letters: float
    """Share of all letters."""


def scripts(opened: OpenedRun) -> list[ScriptShare]:
    """The writing systems of the sample, the most frequent first; `none`: rows without a letter."""
    letters: Counter[str] = Counter()
    rows: Counter[str] = Counter()
    for row in opened.sample:
        counted = _letters(whole_text(row)[:_LONGEST])
        letters.update(counted)
        rows[counted.most_common(1)[0][0] if counted else "none"] += 1
    total = max(letters.total(), 1)
    names = sorted(set(rows) | set(letters), key=lambda name: (-rows[name], -letters[name]))
    return [ScriptShare(name, rows[name], letters[name] / total) for name in names]


def _letters(text: str) -> Counter[str]:
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    blocks = np.searchsorted(_EDGES, points, side="right")
    counts = np.bincount(blocks, minlength=len(_NAMES))
    counted: Counter[str] = Counter()
    for name, count in zip(_NAMES, counts.tolist(), strict=True):
        if name and count:
            counted[name] += count
    return counted


def _table() -> tuple[list[int], list[str]]:
    """Edges of the blocks, and what lies before each edge and after the last."""
    spans = sorted((low, high, name) for name, found in _BLOCKS.items() for low, high in found)
    edges: list[int] = []
    names = [""]
    for low, high, name in spans:
        if edges and edges[-1] == low:
            names[-1] = name
        else:
            edges.append(low)
            names.append(name)
        edges.append(high)
        names.append("")
    return edges, names


_EDGES, _NAMES = _table()
