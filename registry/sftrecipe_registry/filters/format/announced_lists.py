"""Lists that stop before the number that was asked for."""

from __future__ import annotations

import re

_NUMBERS = {
    **{
        word: at
        for at, word in enumerate(
            [
                "two",
                "three",
                "four",
                "five",
                "six",
                "seven",
                "eight",
                "nine",
                "ten",
                "eleven",
                "twelve",
            ],
            2,
        )
    },
    **{word: at for at, word in enumerate("二三四五六七八九十", 2)},
    "两": 2,
}
_EN = "|".join(word for word in _NUMBERS if word.isascii())
_ASKED = re.compile(
    rf"(?:\b(?:list|name|give|suggest|provide|write|generate|recommend|tell|state|mention"
    rf"|identify|create|describe"
    rf"|offer|explain|what are|come up with|share|enumerate|propose|brainstorm)\b(?: me| us"
    rf"| down| out| up| the"
    rf"| at least| exactly)*\s+(?P<en>{_EN}|\d{{1,2}})\s+(?!(?:to|or|-|–)\s*\d)(?P<of>\w+)"
    rf"|(?:列出|列举|给出|写出|说出|举出|提供|推荐|介绍|总结|提出|写|给我|想出|设计|起|说说"
    rf"|讲)(?:我国|中国|至少|一下)?"
    rf"(?P<zh>[两二三四五六七八九十]|\d{{1,2}})(?P<unit>[个条种点项位本部句首道款件类大])(?!月"
    rf"|人))",
    re.IGNORECASE,
)
_NOT_ITEMS = frozenset(
    [
        "year",
        "years",
        "day",
        "days",
        "hour",
        "hours",
        "minute",
        "minutes",
        "word",
        "words",
        "sentence",
        "sentences",
        "paragraph",
        "paragraphs",
        "page",
        "pages",
        "line",
        "lines",
        "percent",
        "dollars",
        "people",
        "characters",
        "numbers",
        "digits",
        "digit",
        "letters",
        "letter",
        "part",
        "parts",
        "person",
        "stanza",
        "stanzas",
        "times",
        "points-of",
        "steps",
    ]
)
_ITEM = re.compile(
    r"^\s*\**(?:第|[(（])?(\d{1,2}|[①-⑳]|[一二三四五六七八九十])\s*(?:[.)、．）：:]|(?<=[①-⑳]))\s*\**\s*\S"
)
_BULLET = re.compile(r"^\s{0,2}[-*•]\s+\S")
_OPENING = 300
"""Characters of what was asked, from its start, that tell how many are wanted."""


def missing_item(asked: str, lines: list[str]) -> str | None:
    """The last item of a list that is shorter than asked and ends the text; None where none is."""
    if len(lines) < 2 or not (_ITEM.match(lines[-1]) or _BULLET.match(lines[-1])):
        return None
    found = _ASKED.search(asked[:_OPENING])
    if not found or (found["of"] or "").lower() in _NOT_ITEMS:
        return None
    written = (found["en"] or found["zh"]).lower()
    wanted = int(written) if written.isdigit() else _NUMBERS[written]
    if wanted > 30:
        return None
    return lines[-1].strip()[:40] if 1 < _listed(lines) < wanted else None


def _listed(lines: list[str]) -> int:
    """Items of the list that ends the text; 0 where it ends otherwise, or holds several lists."""
    if last := _ITEM.match(lines[-1]):
        numbers = [_number(found[1]) for line in lines if (found := _ITEM.match(line))]
        return _number(last[1]) if numbers == list(range(1, len(numbers) + 1)) else 0
    bullets = [at for at, line in enumerate(lines) if _BULLET.match(line)]
    if len(bullets) > 1 and bullets == list(range(len(lines) - len(bullets), len(lines))):
        return len(bullets)
    return 0


def _number(written: str) -> int:
    """Of `3`, ③ or 三."""
    if "①" <= written <= "⑳":
        return ord(written) - ord("①") + 1
    return int(written) if written.isdigit() else "一二三四五六七八九十".index(written) + 1
