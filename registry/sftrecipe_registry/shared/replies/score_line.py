"""The score at the end of a judge's reply."""

from __future__ import annotations

import re

_LINE = re.compile(
    r"(?:score|rating|评分|得分|分数|打分)\W{0,8}?(?P<score>-?\d+(?:\.\d+)?)(?![\d.]*\d)",
    re.IGNORECASE,
)


def last_score(text: str, worst: float, best: float) -> float | None:
    """The number of the last `Score: n` (`**Score:** 4/5`, `评分：4`) that lies on the scale.

    The last one counts: judges are asked to give their reasons first, and may speak of scores in
    them. None where there is none. Source: Self-Alignment with Instruction Backtranslation (arXiv
    2308.06259), table 19.
    """
    scores = [float(found["score"]) for found in _LINE.finditer(text)]
    if not scores or not worst <= scores[-1] <= best:
        return None
    return scores[-1]
