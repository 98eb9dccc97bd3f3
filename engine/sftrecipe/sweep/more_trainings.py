"""How many trainings of each variant would tell differences apart, by the noise of those seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sftrecipe.sweep.noise import Noise

MOST_TRAININGS = 20
"""Of each variant: as many as `sweep.seeds` takes."""


@dataclass(frozen=True)
class MoreTrainings:
    """What more trainings of each variant would tell, 4 times of 5."""

    trainings: int
    difference: float
    """The difference from the best variant that they would tell."""
    suffices: bool
    """Whether a variant that is that far behind now would be told; else even the most trainings
    would not tell any."""


def more_trainings(noise: Noise, best: int, told: Sequence[bool]) -> MoreTrainings | None:
    """For the variant next behind the best one that could still be told from it.

    `told`: whether each is told from the best one already. None where no variant was trained again,
    or nothing is open.
    """
    gaps = np.abs(noise.figures - noise.figures[best])
    waiting = [at for at, gap in enumerate(gaps) if gap > 0 and not told[at]]
    if not waiting or not noise.is_trained_again:
        return None
    pairs = list(zip(*(each.tolist() for each in np.triu_indices(len(gaps), 1)), strict=True))
    places = {at: pairs.index((min(at, best), max(at, best))) for at in waiting}
    reach = noise.reach_with(MOST_TRAININGS)
    within = [at for at in waiting if reach[places[at]] <= gaps[at]]
    if not within:
        least = min(float(reach[place]) for place in places.values())
        return MoreTrainings(MOST_TRAININGS, least, suffices=False)
    next_one = min(within, key=lambda at: gaps[at])
    for trainings in range(max(noise.judged.counts) + 1, MOST_TRAININGS):
        if noise.reach_with(trainings)[places[next_one]] <= gaps[next_one]:
            return MoreTrainings(trainings, float(gaps[next_one]), suffices=True)
    return MoreTrainings(MOST_TRAININGS, float(gaps[next_one]), suffices=True)
