"""Rewards: how good a reward model finds the last answer of a conversation."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import count
from math import isfinite
from pathlib import Path
from typing import Any

import torch
from transformers.utils import cached_file

from .loading import Loaded
from .texts import Text, Unfit, padded

_VALUE_HEADS = ("value_head.safetensors", "value_head.bin")
"""What LLaMA-Factory's stage rm leaves beside the model (trl's names)."""


class Rater:
    """Rates conversations: by a classifier with one label, or by a value head on a model that
    writes, at the last token."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded

    def text(self, asked: dict[str, Any]) -> Text:
        """A request's tokens. Raises Unfit."""
        loaded = self._loaded
        if loaded.rates and loaded.model.config.num_labels != 1:
            raise Unfit(
                f"the model has {loaded.model.config.num_labels} labels: a reward model has one"
            )
        if not loaded.rates and self._value_head is None:
            raise Unfit(
                "the model is no reward model: neither a classifier of sequences nor one with a "
                f"value head ({_VALUE_HEADS[0]})"
            )
        tokens = loaded.chat_tokens(asked["messages"], answered=True)
        if len(tokens) > loaded.context:
            raise Unfit(
                f"the conversation has {len(tokens)} tokens, and the model's context holds "
                f"{loaded.context}"
            )
        return Text(asked["id"], "reward", tokens)

    def replies(self, batch: list[Text]) -> Iterator[dict[str, Any]]:
        """The rewards, as text, to the last bit."""
        found = self._by_classifier(batch) if self._loaded.rates else self._by_value(batch)
        for text, reward in zip(batch, found.float().tolist(), strict=True):
            if not isfinite(reward):
                yield {"id": text.id, "error": f"the reward is {reward}: try another dtype"}
                continue
            told = {"input_tokens": len(text.tokens), "output_tokens": 0, "finish": "stop"}
            yield {"id": text.id, "text": repr(reward), **told}

    def _by_classifier(self, batch: list[Text]) -> Any:
        model, device = self._loaded.model, self._loaded.device
        # It finds a row's last token by its padding; many have none, and then any other id will do.
        padding = model.config.pad_token_id
        unset = padding is None
        if unset:
            used = {token for text in batch for token in text.tokens}
            padding = next(each for each in count() if each not in used)
            model.config.pad_token_id = padding
        try:
            rows = torch.tensor(padded(batch, padding), device=device)
            lengths = torch.tensor([len(text.tokens) for text in batch], device=device)
            mask = torch.arange(rows.shape[1], device=device)[None, :] < lengths[:, None]
            return model(rows, attention_mask=mask.long()).logits[:, 0]
        finally:
            if unset:
                model.config.pad_token_id = None

    def _by_value(self, batch: list[Text]) -> Any:
        # Padding stands at the end, where a causal model's earlier tokens never look: no mask.
        rows = torch.tensor(padded(batch), device=self._loaded.device)
        states = self._loaded.model.base_model(rows, use_cache=False).last_hidden_state
        ends = torch.tensor([len(text.tokens) - 1 for text in batch])
        weight, bias = self._value_head
        return states[torch.arange(len(batch)), ends].float() @ weight + bias

    @cached_property
    def _value_head(self) -> Any:
        """Weight and bias; None where the model has no value head."""
        file = next((found for name in _VALUE_HEADS if (found := self._file(name))), None)
        if file is None:
            return None
        if file.endswith(".safetensors"):
            from safetensors.torch import load_file  # noqa: PLC0415 - only for such a file

            held = load_file(file)
        else:
            held = torch.load(file, map_location="cpu", weights_only=True)
        weight, bias = held["v_head.summary.weight"], held["v_head.summary.bias"]
        device = self._loaded.device
        return weight[0].float().to(device), bias[0].float().to(device)

    def _file(self, name: str) -> str | None:
        if Path(self._loaded.name).is_dir():
            path = Path(self._loaded.name, name)
            return str(path) if path.exists() else None
        found: str | None = cached_file(
            self._loaded.name,
            name,
            revision=self._loaded.revision,
            _raise_exceptions_for_missing_entries=False,
            _raise_exceptions_for_connection_errors=False,
        )
        return found
