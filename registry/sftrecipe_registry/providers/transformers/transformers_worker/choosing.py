"""The next token of every row of a batch."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import torch

from .texts import Like

_FEW = 1024
"""Likeliest tokens that `top_p` looks at first: sorting a whole vocabulary is slow."""
_BELOW_ONE = 1 - 1e-12


def chosen(
    logits: Any, tokens: Any, prompt: int, like: Like, draws: Sequence[random.Random]
) -> list[int]:
    """A token a row, from the logits after its text.

    `tokens` are the rows so far, the first `prompt` columns not written by the model. A row draws
    with its own generator, by the inverse of the cumulated probabilities: what it draws does not
    depend on the other rows. Penalties and their order as in transformers and vLLM.
    """
    logits = penalised(logits.float(), tokens, prompt, like)
    if like.temperature == 0:
        greedy: list[int] = logits.argmax(1).tolist()
        return greedy
    odds = narrowed((logits / like.temperature).softmax(1), like)
    sums = odds.double().cumsum(1)
    drawn = [each.random() * _BELOW_ONE for each in draws]
    levels = torch.tensor(drawn, dtype=torch.float64, device=sums.device)[:, None] * sums[:, -1:]
    places: list[int] = torch.searchsorted(sums, levels, right=True)[:, 0].tolist()
    return places


def penalised(logits: Any, tokens: Any, prompt: int, like: Like) -> Any:
    """The logits without what the penalties take.

    `repetition_penalty` (Keskar et al. 2019, CTRL, arXiv 1909.05858) looks at prompt and reply, the
    others (OpenAI's API reference) at the reply.
    """
    if like.repetition_penalty != 1:
        seen = logits.gather(1, tokens)
        factor = like.repetition_penalty
        logits = logits.scatter(1, tokens, torch.where(seen < 0, seen * factor, seen / factor))
    if like.presence_penalty or like.frequency_penalty:
        written = tokens[:, prompt:]
        counts = torch.zeros_like(logits).scatter_add_(
            1, written, torch.ones_like(written, dtype=logits.dtype)
        )
        logits = logits - like.frequency_penalty * counts
        logits = logits - like.presence_penalty * (counts > 0)
    return logits


def narrowed(odds: Any, like: Like) -> Any:
    """The probabilities with those of unlikely tokens set to 0: by `top_k`, `top_p`, `min_p`."""
    if 0 < like.top_k < odds.shape[1]:
        odds = _from(odds, odds.topk(like.top_k).values[:, -1:])
        odds = odds / odds.sum(1, keepdim=True)
    if like.top_p < 1:
        odds = _from(odds, _nucleus(odds, like.top_p))
    if like.min_p > 0:
        odds = _from(odds, like.min_p * odds.amax(1, keepdim=True))
    return odds


def _from(odds: Any, least: Any) -> Any:
    return odds.where(odds >= least, 0)


def _nucleus(odds: Any, share: float) -> Any:
    """The smallest probability of the fewest tokens that together have the share."""
    few = odds.topk(min(_FEW, odds.shape[1])).values
    if float(few.sum(1).min()) < share:
        few = odds.sort(1, descending=True).values
    before = few.cumsum(1) - few
    last = (before < share).sum(1, keepdim=True) - 1
    return few.gather(1, last.clamp(min=0))
