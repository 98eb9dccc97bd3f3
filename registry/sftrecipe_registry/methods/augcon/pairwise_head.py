"""A linear head trained on pairs of feature vectors: the chosen one shall score higher."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Loss = Literal["log_sigmoid", "sigmoid_difference"]
Matrix = NDArray[np.float64]

_BETA, _BETA_SQUARE, _EPSILON = 0.9, 0.999, 1e-8


class Head(NamedTuple):
    """Weights over features that were centred and scaled as those it was trained on."""

    weights: Matrix
    centre: Matrix
    scale: Matrix

    def score(self, features: NDArray[Any]) -> Matrix:
        """A score for every row of a matrix of features."""
        scores: Matrix = (features - self.centre) / self.scale @ self.weights
        return scores


def loss_and_gradient(
    weights: Matrix, chosen: Matrix, rejected: Matrix, loss: Loss
) -> tuple[float, Matrix]:
    """The mean loss over the pairs, and its exact gradient.

    `log_sigmoid`: -log σ(s⁺ - s⁻), the paper's; `sigmoid_difference`: -σ(s⁺) + σ(s⁻), the released
    code's. Source: AugCon (arXiv 2405.16579).
    """
    count = len(chosen)
    if loss == "log_sigmoid":
        apart = (chosen - rejected) @ weights
        slope = -_sigmoid(-apart) / count
        return float(np.logaddexp(0, -apart).mean()), (chosen - rejected).T @ slope
    high, low = _sigmoid(chosen @ weights), _sigmoid(rejected @ weights)
    gradient = rejected.T @ (low * (1 - low)) - chosen.T @ (high * (1 - high))
    return float((low - high).mean()), gradient / count


def trained_head(
    chosen: Matrix, rejected: Matrix, *, loss: Loss, steps: int, rate: float, decay: float
) -> Head:
    """Train from zero with AdamW on all pairs at once: the same pairs give the same head."""
    both = np.concatenate([chosen, rejected])
    centre, scale = both.mean(axis=0), both.std(axis=0)
    scale[scale < 1e-9] = 1.0
    chosen, rejected = (chosen - centre) / scale, (rejected - centre) / scale
    weights = np.zeros(chosen.shape[1])
    first, second = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, steps + 1):
        _, gradient = loss_and_gradient(weights, chosen, rejected, loss)
        first += (1 - _BETA) * (gradient - first)
        second += (1 - _BETA_SQUARE) * (gradient**2 - second)
        moved = first / (1 - _BETA**step)
        spread = np.sqrt(second / (1 - _BETA_SQUARE**step)) + _EPSILON
        weights -= rate * (moved / spread + decay * weights)
    return Head(weights, centre, scale)


def _sigmoid(values: Matrix) -> Matrix:
    result: Matrix = np.exp(-np.logaddexp(0, -values))
    return result
