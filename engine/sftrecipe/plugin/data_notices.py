"""What a plugin tells of data beside rows and rejects: files passed over, values mended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sftrecipe.messages import Text, own_text
from sftrecipe.messages.en import MESSAGES

PASSED_OVER = "passed_over"
"""Files of a folder or an archive that a source does not read."""
_MOST = 1000
"""Examples that are kept."""
_SHOWN = 5


@dataclass
class Told:
    """What happened to data, how often, and to which first."""

    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, example: str) -> None:
        """Once more."""
        self.count += 1
        if len(self.examples) < _MOST:
            self.examples.append(example)


def told_texts(told: Mapping[str, Told]) -> Iterator[Text]:
    """A sentence for each thing that was told."""
    for what, each in told.items():
        yield _text(what, each.count, each.examples)


def _text(what: str, count: int, examples: Sequence[str]) -> Text:
    slug = f"told-{what.replace('_', '-')}"
    shown = "; ".join(examples[:_SHOWN])
    if more := count - min(count, _SHOWN):
        shown = own_text("told-more", examples=shown, more=more)
    known = slug if slug in MESSAGES else "told-other"
    return own_text(known, what=what, count=count, examples=shown)
