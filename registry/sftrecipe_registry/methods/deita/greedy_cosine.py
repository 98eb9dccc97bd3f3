"""Taking vectors one after the other, each only if it is not too near to those taken before."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_FIRST_ROOM = 256


class NearestTaken(NamedTuple):
    """The nearest vector that was taken."""

    cosine: float
    place: int


class GreedyCosine:
    """Vectors that were taken; they have length 1."""

    def __init__(self, most: float) -> None:
        self._most = most
        self._taken = np.zeros((0, 0), np.float32)
        self._places: list[int] = []

    def __len__(self) -> int:
        return len(self._places)

    def too_near(self, vector: NDArray[np.float32], place: int) -> NearestTaken | None:
        """The taken vector that is nearer than allowed; None: there is none, and it is taken."""
        count = len(self._places)
        if count:
            cosines = self._taken[:count] @ vector
            at = int(cosines.argmax())
            if cosines[at] > self._most:
                return NearestTaken(float(cosines[at]), self._places[at])
        if count == len(self._taken):
            grown = np.zeros((max(2 * count, _FIRST_ROOM), len(vector)), np.float32)
            grown[:count] = self._taken[:count] if count else 0
            self._taken = grown
        self._taken[count] = vector
        self._places.append(place)
        return None
