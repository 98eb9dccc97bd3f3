"""A model's score of something as the mean of all scores, each weighed by its probability."""

from __future__ import annotations

from math import exp

from sftrecipe.plugin import Model


async def expected_score(
    model: Model, prompt: str, worst: int, best: int
) -> tuple[float, tuple[str, ...]]:
    """The expected score, and the ledger keys of the calls, one a score of the scale.

    `prompt` ends where the number follows. Raises CallFailed. Source: Liu et al. 2024, Deita (arXiv
    2312.15685), the softmax over the logits of the tokens 1 to 6.
    """
    scale = range(worst, best + 1)
    replies = [await model.loglikelihood(prompt, f" {score}") for score in scale]
    logs = [sum(reply.logprobs) for reply in replies]
    weights = [exp(log - max(logs)) for log in logs]
    mean = sum(weight * score for weight, score in zip(weights, scale, strict=True)) / sum(weights)
    return mean, tuple(reply.key for reply in replies)
