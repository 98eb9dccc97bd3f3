"""How far a step is, how fast it goes, how long it will take, and what was spent by now."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from sftrecipe.messages import message
from sftrecipe.report.text.folding import cells
from sftrecipe.report.text.text_format import money_text
from sftrecipe.report.text.training_text import duration_text
from sftrecipe.run.progress import Spending

_WINDOW = 20
"""Looks at the pace, of which the first and the last tell it."""
_APART = 0.5
"""Seconds between two looks."""
_SURE = 2.0
"""Seconds before which no pace is told."""
_SLOW = 1.0
_MINUTE = 60


class StepPace:
    """Follows one step."""

    def __init__(self, total: int | None, spending: Callable[[], Spending] | None) -> None:
        self.total = total or None
        self.done = 0
        self._rejected = 0
        self._spending = spending
        self._looks = deque([(time.monotonic(), 0)], maxlen=_WINDOW)

    def moved(self, done: int, rejected: int = 0) -> None:
        """So many items are done by now, and so many of them rejected."""
        self.done, self._rejected = done, rejected
        now = time.monotonic()
        if now - self._looks[-1][0] >= _APART:
            self._looks.append((now, done))

    def parts(self) -> list[str]:
        """What there is to tell, what says most first."""
        rate = self._rate()
        told = [self._counts()]
        if self.total and rate and self.done < self.total:
            left = duration_text((self.total - self.done) / rate)
            told.append(message("training-left", {"time": left}))
        if money := self._money():
            told.append(money)
        if self._rejected:
            told.append(message("progress-lost", {"count": f"{self._rejected:,}"}))
        if rate:
            told.append(_rate_text(rate))
        return told

    def _counts(self) -> str:
        if self.total is None or self.done > self.total:
            return f"{self.done:,}"
        return f"{self.done:,}/{self.total:,}"

    def _rate(self) -> float | None:
        """Items a second; None before it can be told."""
        (began, first), (now, last) = self._looks[0], self._looks[-1]
        return (last - first) / (now - began) if now - began >= _SURE and last > first else None

    def _money(self) -> str:
        found = self._spending() if self._spending else None
        if found is None or found.currency is None:
            return ""
        values = {"cost": money_text(found.cost), "currency": found.currency}
        if found.limit is None:
            return message("progress-money", values) if found.cost else ""
        return message("progress-money-of", values | {"limit": f"{found.limit:g}"})


def fitting(parts: list[str], width: int) -> str:
    """The first of the parts that fit into so many cells, one behind the other."""
    told = ""
    for part in parts:
        longer = f"{told}  {part}" if told else part
        if told and cells(longer) > width:
            break
        told = longer
    return told


def _rate_text(rate: float) -> str:
    if rate < _SLOW:
        return message("progress-rate-slow", {"rate": f"{rate * _MINUTE:.2g}"})
    return message("progress-rate", {"rate": f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"})
