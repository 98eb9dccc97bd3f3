"""Labels of judgements (KTO), in the forms in which data sets have them."""

from __future__ import annotations

import re
import unicodedata

_BETWEEN = re.compile(r"[\s_-]+")
_SHADES = dict.fromkeys((0xFE0F, 0xFE0E, *range(0x1F3FB, 0x1F400)))
"""Skin tones, and signs that ask for an emoji or a plain one."""

_FORMS = (
    ("true", "false"),
    ("1", "0"),
    ("1.0", "0.0"),
    ("+1", "-1"),
    ("1.0", "-1.0"),
    ("yes", "no"),
    ("y", "n"),
    ("t", "f"),
    ("good", "bad"),
    ("desirable", "undesirable"),
    ("desired", "undesired"),
    ("thumbs up", "thumbs down"),
    ("thumb up", "thumb down"),
    ("thumbsup", "thumbsdown"),
    ("upvote", "downvote"),
    ("upvoted", "downvoted"),
    ("like", "dislike"),
    ("liked", "disliked"),
    ("accept", "reject"),
    ("accepted", "rejected"),
    ("chosen", "rejected"),
    ("preferred", "dispreferred"),
    ("correct", "incorrect"),
    ("right", "wrong"),
    ("helpful", "unhelpful"),
    ("pass", "fail"),
    ("passed", "failed"),
    ("win", "lose"),
    ("up", "down"),
    ("👍", "👎"),
    ("✅", "❌"),
    ("✓", "✗"),
    ("✔", "✘"),
    ("好", "坏"),
    ("好", "差"),
    ("是", "否"),
    ("对", "错"),
    ("真", "假"),
    ("正确", "错误"),
    ("赞", "踩"),
    ("点赞", "点踩"),
    ("喜欢", "不喜欢"),
    ("满意", "不满意"),
    ("有用", "没用"),
    ("有用", "无用"),
    ("有帮助", "没有帮助"),
    ("好评", "差评"),
    ("接受", "拒绝"),
    ("采纳", "不采纳"),
    ("合格", "不合格"),
    ("通过", "不通过"),
    ("支持", "反对"),
    ("推荐", "不推荐"),
)
"""What good and bad are called; other words are no judgement."""
_NUMBERS: dict[float, bool] = {1: True, 0: False, -1: False}
_READ = {good: True for good, _ in _FORMS} | {bad: False for _, bad in _FORMS}


def counts_more(value: object) -> bool:
    """Whether a label is a number that judges nothing: of a class, or on a scale."""
    return isinstance(value, int | float) and judgement(value) is None


def judgement(value: object) -> bool | None:
    """Whether an answer is good, as its label says; None: the label is no judgement."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return _NUMBERS.get(value)
    if not isinstance(value, str) or len(value) > 40:
        return None
    text = unicodedata.normalize("NFKC", value.translate(_SHADES)).strip().casefold()
    return _READ[text] if text in _READ else _READ.get(_BETWEEN.sub(" ", text).strip())
