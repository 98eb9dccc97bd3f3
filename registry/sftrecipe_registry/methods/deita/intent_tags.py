"""Open tags of intentions: reading, normalising and merging them, and choosing rows by them."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from sftrecipe_registry.shared.replies.json_items import find_items

Tags = tuple[str, ...]
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "tags": {
            "type": "array",
            "minItems": 1,
            "maxItems": 8,
            "items": {
                "type": "object",
                "properties": {
                    "tag": {"type": "string", "maxLength": 40},
                    "explanation": {"type": "string", "maxLength": 100},
                },
                "required": ["tag", "explanation"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["tags"],
    "additionalProperties": False,
}
"""What a reply is held to, where it is."""
_APART = re.compile(r"[\W_]+")
_LONGEST = 80


def read_tags(reply: str) -> Tags:
    """The tags of a reply: `[{"tag": …, "explanation": …}]`, or a list of texts; normalised.

    The list may stand in an object under `tags`. Never raises; empty where there is none.
    """
    items = find_items(reply).items
    for item in list(items):
        if isinstance(listed := item.get("tags"), list):
            items.extend(inner for inner in listed if isinstance(inner, dict))
    said: list[Any] = [item.get("tag") for item in items]
    if not any(isinstance(tag, str) for tag in said):
        said = _texts(reply)
    tags = (normalised(tag) for tag in said if isinstance(tag, str))
    return tuple(dict.fromkeys(tag for tag in tags if tag))


def normalised(tag: str) -> str:
    """Lower case, marks as spaces."""
    return _APART.sub(" ", tag.lower()).strip()[:_LONGEST]


def _texts(reply: str) -> list[Any]:
    """The items of a plain JSON list."""
    start, end = reply.find("["), reply.rfind("]")
    try:
        items = json.loads(reply[start : end + 1])
    except (ValueError, RecursionError):
        return []
    return items if isinstance(items, list) else []


def without_rare(tags: Sequence[Tags], at_least: int) -> list[Tags]:
    """The rows' tags without those that fewer rows have."""
    counts = Counter(tag for row in tags for tag in row)
    return [tuple(tag for tag in row if counts[tag] >= at_least) for row in tags]


def renamed(tags: Sequence[Tags], names: Mapping[str, str]) -> list[Tags]:
    """The rows' tags under the names of those that they were merged into."""
    return [tuple(dict.fromkeys(names.get(tag, tag) for tag in row)) for row in tags]


def implied(tags: Sequence[Tags], support: int, confidence: float) -> dict[str, str]:
    """Tag → the tag that stands beside it nearly always, into which it is merged.

    Of two that imply one another the rarer goes (of equals the later in the alphabet); chains lead
    to their end. Source: InsTag (arXiv 2308.07074), association aggregation, with pairs alone.
    """
    counts = Counter(tag for row in tags for tag in row)
    together = Counter(pair for row in tags for pair in combinations(sorted(row), 2))
    into: dict[str, str] = {}
    for pair, count in sorted(together.items(), key=lambda item: (-item[1], item[0])):
        frequent, rare = sorted(pair, key=lambda tag: (-counts[tag], tag))
        if count >= support and count / counts[rare] >= confidence:
            into.setdefault(rare, frequent)
    return {tag: _end(tag, into) for tag in into}


def _end(tag: str, into: Mapping[str, str]) -> str:
    while tag in into:
        tag = into[tag]
    return tag


def by_frequency(tags: Sequence[Tags]) -> list[str]:
    """Every tag once, the most frequent first; equals by the alphabet."""
    counts = Counter(tag for row in tags for tag in row)
    return sorted(counts, key=lambda tag: (-counts[tag], tag))


def complexity_first(tags: Sequence[Tags], most: int) -> Iterator[int]:
    """Places of the rows that are chosen, in the order of the choice.

    Rows are scanned from the most tags to the fewest; one is taken if it has a tag that none taken
    in this scan has; then again from the start with nothing covered, until there are enough. Rows
    without tags are never taken. Source: InsTag (arXiv 2308.07074), algorithm 1.
    """
    ranked = sorted(range(len(tags)), key=lambda place: (-len(tags[place]), place))
    waiting = [place for place in ranked if tags[place]]
    while waiting:
        covered: set[str] = set()
        every = len({tag for place in waiting for tag in tags[place]})
        passed: list[int] = []
        for at, place in enumerate(waiting):
            if covered.issuperset(tags[place]):
                passed.append(place)
                continue
            if most <= 0:
                return
            yield place
            most -= 1
            covered.update(tags[place])
            if len(covered) == every:
                passed.extend(waiting[at + 1 :])
                break
        waiting = passed
