"""Huatuo."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from sftrecipe_registry.shared.readers.known_set import KnownSet, others, text_of

_USED = ("query", "question", "answer")


class Huatuo(KnownSet):
    """Read Huatuo's question-answer sets: `query` or `question`, and `answer`."""

    paper: ClassVar[str] = "Huatuo-26M (arXiv 2305.01526)"
    example: ClassVar[str] = "{use: huatuo, path: data/huatuo.jsonl, sample: 350}"

    def shaped(self, row: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The question as instruction, the answer as output."""
        asked, answered = text_of(row, "query", "question"), text_of(row, "answer")
        yield {"instruction": asked, "input": "", "output": answered} | others(row, *_USED)
