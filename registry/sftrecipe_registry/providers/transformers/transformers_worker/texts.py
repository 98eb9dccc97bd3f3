"""What is asked of the model, as tokens, and how it is put together into batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Like(NamedTuple):
    """How the next token is chosen: the same for all rows of a batch."""

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0


class Writing(NamedTuple):
    """How a text is gone on with."""

    like: Like
    max_tokens: int
    stop: tuple[str, ...]
    stop_tokens: frozenset[int]
    seed: int


class Text(NamedTuple):
    """A request as the model takes it."""

    id: int
    kind: str
    """`loglikelihood`, `embed`, `write` or `reward`."""
    tokens: list[int]
    start: int = 0
    """Place of the first token whose log-probability is asked for."""
    cut: bool = False
    """Whether it was longer than the model's context."""
    writing: Writing | None = None

    @property
    def size(self) -> int:
        """Tokens that it takes in a batch, those to be written included."""
        return len(self.tokens) + (self.writing.max_tokens if self.writing else 0)

    @property
    def group(self) -> tuple[str, Like | None]:
        """What is the same for all texts of a batch."""
        return self.kind, self.writing.like if self.writing else None


class Unfit(Exception):
    """A request that the model cannot take, and why."""


def taken(pool: list[Text], most: int, *, packed: bool) -> list[Text]:
    """Takes a batch out of the pool: the text that waited longest, and those nearest in length.

    Padded, unless it is packed, it has `most` tokens at most, or one text that alone has more.
    """
    oldest = pool[0]
    alike = [text for text in pool if text.group == oldest.group]
    batch: list[Text] = []
    width = total = 0
    for text in sorted(alike, key=lambda text: abs(text.size - oldest.size)):
        wider = max(width, text.size)
        tokens = total + text.size if packed else wider * (len(batch) + 1)
        if batch and tokens > most:
            break
        batch.append(text)
        width, total = wider, total + text.size
    chosen = {text.id for text in batch}
    pool[:] = [text for text in pool if text.id not in chosen]
    return batch


def padded(batch: Sequence[Text], padding: int = 0) -> list[list[int]]:
    """The rows of a batch, all as long as the longest, filled up behind their ends."""
    width = max(len(text.tokens) for text in batch)
    return [text.tokens + [padding] * (width - len(text.tokens)) for text in batch]
