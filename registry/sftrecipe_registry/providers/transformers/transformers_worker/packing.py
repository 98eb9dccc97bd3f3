"""Texts one after another in a single row, without padding: each token sees its own text alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate, pairwise
from typing import Any

import torch

_ATTENTION = "own_text"
_SETTLED = {"dropout", "is_causal", "output_attentions", "position_ids", "use_cache"}
"""Arguments of an attention that change nothing here."""
_EXACT, _ROUNDED = 1e-4, 0.02
"""How far rounding may move hidden states, of their size: of float32, and of fewer bits."""


def packed_states(model: Any, texts: Sequence[Sequence[int]]) -> Any:
    """The last hidden states of all tokens, text after text.

    `model` is one that writes. Raises NotImplementedError where its attention does more.
    """
    ends = [0, *accumulate(len(text) for text in texts)]
    row = torch.tensor([[token for text in texts for token in text]], device=model.device)
    places = torch.cat([torch.arange(len(text)) for text in texts])[None].to(model.device)
    with _own_attention(model):
        told = model.base_model(
            row, position_ids=places, use_cache=False, spans=tuple(pairwise(ends))
        )
    return told.last_hidden_state[0]


def packs(model: Any) -> bool:
    """Whether texts in one row come out as they do alone; not where states or biases cross them."""
    texts = [range(1, 30), range(30, 42)]  # any tokens
    with torch.inference_mode():
        try:
            together = packed_states(model, texts).float()
        except Exception:  # whatever a model's own code raises: it is read with padding
            return False
        rows = (torch.tensor([[*text]], device=model.device) for text in texts)
        alone = [model.base_model(row, use_cache=False).last_hidden_state[0] for row in rows]
        wanted = torch.cat(alone).float()
    within = _EXACT if model.dtype == torch.float32 else _ROUNDED
    return bool((together - wanted).norm() <= within * wanted.norm())


@contextmanager
def _own_attention(model: Any) -> Iterator[None]:
    from transformers import AttentionInterface  # noqa: PLC0415 - the oldest have none

    AttentionInterface.register(_ATTENTION, _attention)
    usual = model.config._attn_implementation
    model.set_attn_implementation(_ATTENTION)
    try:
        if model.config._attn_implementation != _ATTENTION:
            raise NotImplementedError("attention of its own")
        yield
    finally:
        model.set_attn_implementation(usual)


def _attention(
    module: Any,
    query: Any,
    key: Any,
    value: Any,
    _mask: Any,
    *,
    spans: Sequence[tuple[int, int]],
    scaling: float | None = None,
    **named: Any,
) -> tuple[Any, None]:
    """Causal attention within each span; query, key and value are rows, heads, tokens, width."""
    if more := [name for name in named.keys() - _SETTLED if named[name] is not None]:
        raise NotImplementedError(f"attention with {more}")
    rows, heads, tokens, _ = query.shape
    states = query.new_empty(rows, tokens, heads, value.shape[-1])
    for start, end in spans:
        within = (part[:, :, start:end] for part in (query, key, value))
        states[:, start:end] = torch.nn.functional.scaled_dot_product_attention(
            *within, is_causal=True, scale=scaling, enable_gqa=key.shape[1] != heads
        ).transpose(1, 2)
    return states, None
