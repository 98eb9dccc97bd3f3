"""A SentencePiece vocabulary as llama.cpp reads it: pairs merged by score, the rest as bytes.

Source: llama.cpp, src/llama-vocab.cpp (`llm_tokenizer_spm`), for vocabularies without a space that
is put in front, as Gemma's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from heapq import heapify, heappop, heappush

_CONTROL, _USER_DEFINED = 3, 4
_SPACE = "\u2581"


class SentencePieces:
    """Counts a text's tokens."""

    def __init__(
        self, tokens: Sequence[bytes], scores: Sequence[float], kinds: Sequence[int]
    ) -> None:
        self._scores = dict(zip(tokens, scores, strict=True))
        whole = {
            token.decode()
            for token, kind in zip(tokens, kinds, strict=True)
            if kind in (_CONTROL, _USER_DEFINED) and token
        }
        self._whole = re.compile("|".join(map(re.escape, sorted(whole, key=len, reverse=True))))

    def count(self, text: str) -> int:
        """Tokens of a text; those that are taken as a whole count as one each."""
        parts = self._whole.split(text)
        return len(parts) - 1 + sum(self._merged(part) for part in parts if part)

    def _merged(self, text: str) -> int:
        pieces: list[bytes] = [char.encode() for char in text.replace(" ", _SPACE)]
        after = [*range(1, len(pieces)), -1]
        before = [*range(-1, len(pieces) - 1)]
        pairs = [
            pair for left in range(len(pieces) - 1) if (pair := self._pair(pieces, left, left + 1))
        ]
        heapify(pairs)
        while pairs:
            _, left, right, size = heappop(pairs)
            if not (pieces[left] and pieces[right]) or len(pieces[left] + pieces[right]) != size:
                continue  # one of them was merged meanwhile
            pieces[left], pieces[right] = pieces[left] + pieces[right], b""
            after[left] = after[right]
            if after[right] >= 0:
                before[after[right]] = left
            for first, second in ((before[left], left), (left, after[left])):
                if min(first, second) >= 0 and (pair := self._pair(pieces, first, second)):
                    heappush(pairs, pair)
        return sum(1 if piece in self._scores else len(piece) for piece in pieces if piece)

    def _pair(
        self, pieces: list[bytes], left: int, right: int
    ) -> tuple[float, int, int, int] | None:
        """A pair that is a token: the highest score first, of equal ones the left."""
        whole = pieces[left] + pieces[right]
        score = self._scores.get(whole)
        return None if score is None else (-score, left, right, len(whole))
