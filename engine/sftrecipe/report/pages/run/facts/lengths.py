"""Lengths of the result's rows, in the tokens of a model of the recipe where it can count them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import regex

from sftrecipe.plugin.discovery import plugin_class
from sftrecipe.plugin.provider import Provider, Request, TokenCounter
from sftrecipe.record import Record
from sftrecipe.report.pages.run.facts.histogram import Histogram, Threshold, histogram
from sftrecipe.report.pages.run.facts.opened_run import OpenedRun
from sftrecipe.report.pages.run.facts.texts import (
    answer_text,
    asked_text,
    thought_text,
    whole_text,
)
from sftrecipe.run.written_blocks import written_blocks
from sftrecipe.store.sample_places import evenly

_MOST = 400
_LONGEST = 20_000
"""Characters of a text that are counted."""
_WORD = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}]|[^\s\p{Han}\p{Hiragana}\p{Katakana}]+")

Count = Callable[[str], int]


@dataclass(frozen=True)
class Spread:
    """How one part's lengths spread."""

    part: str
    """`asked`, `thought`, `answer` or `whole`."""
    least: int
    median: int
    p90: int
    p99: int
    most: int


@dataclass(frozen=True)
class Lengths:
    """Lengths of the sampled rows."""

    provider: str
    """Whose tokens are counted; empty: words, a Chinese or Japanese character as one."""
    rows: int
    spreads: list[Spread]
    histogram: Histogram
    cutoff: int | None
    """The trainer's `cutoff_len`, where it has one."""
    over_cutoff: int
    """Rows of the sample that are longer."""
    thoughts: int = 0
    """Rows of the sample with a thought before the answer."""


def lengths(opened: OpenedRun) -> Lengths | None:
    """The lengths; None where there are no rows."""
    rows = [opened.sample[place] for place in evenly(len(opened.sample), _MOST)]
    if not rows:
        return None
    provider, count = _counter(opened.document)
    parts: Mapping[str, Callable[[Record], str]] = {
        "asked": asked_text,
        "thought": thought_text,
        "answer": answer_text,
        "whole": whole_text,
    }
    counted = {
        name: np.array([count(text[:_LONGEST]) for row in rows if (text := read(row))] or [0])
        for name, read in parts.items()
    }
    cutoff = _cutoff(opened.document)
    whole = counted["whole"]
    marks = [Threshold("cutoff_len", cutoff)] if cutoff and cutoff <= 4 * whole.max() else []
    return Lengths(
        provider,
        len(rows),
        [_spread(name, values) for name, values in counted.items() if values.max() > 0],
        histogram(whole, [], marks),
        cutoff,
        int((whole > cutoff).sum()) if cutoff else 0,
        sum(bool(thought_text(row)) for row in rows),
    )


def _counter(document: Mapping[str, Any]) -> tuple[str, Count]:
    """Whose tokens can be counted on this machine; else words."""
    for name, options in written_blocks(document, "providers"):
        if counter := _token_counter(options):
            return name, partial(_tokens, counter)
    return "", _words


def _words(text: str) -> int:
    if text.isascii():  # bytes end words where `\s` does, at a tenth of the time
        return len(text.encode().split())
    return len(_WORD.findall(text))


def _token_counter(options: Mapping[str, Any]) -> TokenCounter | None:
    given = {key: value for key, value in options.items() if key != "use"}
    try:
        plugin = plugin_class("provider", options["use"]).model_validate(given)
        return plugin.token_counter() if isinstance(plugin, Provider) else None
    except Exception:  # a model that is gone by now, or was never here
        return None


def _tokens(counter: TokenCounter, text: str) -> int:
    return counter(Request("complete", prompt=text))


def _cutoff(document: Mapping[str, Any]) -> int | None:
    """The smallest of all trainings: what is longer is cut in one of them."""
    written = [
        (block.get("with") or {}).get("cutoff_len")
        for _, block in written_blocks(document, "train")
    ]
    return min((each for each in written if isinstance(each, int) and each > 0), default=None)


def _spread(part: str, values: Any) -> Spread:
    return Spread(part, *(round(each) for each in np.percentile(values, [0, 50, 90, 99, 100])))
