"""Log-probabilities of given answers, and embeddings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from .loading import Loaded
from .texts import Text, Unfit, padded

_ROWS = 256
"""Positions whose whole vocabulary is held at the same time."""


class Scorer:
    """Scores and embeds texts."""

    def __init__(self, loaded: Loaded) -> None:
        self._tokenizer = loaded.tokenizer
        self._model = loaded.model
        self._device = loaded.device
        self._context = loaded.context
        self._writes = loaded.writes
        self._body = loaded.model.base_model if loaded.writes or loaded.rates else loaded.model
        self._head = self._separate_head()

    def text(self, asked: dict[str, Any]) -> Text:
        """A request's tokens. The answer begins after as many tokens as the prompt alone has.

        Raises Unfit.
        """
        kind, prompt, answer = asked["kind"], asked["prompt"], asked.get("answer", "")
        if kind == "loglikelihood" and not self._writes:
            raise Unfit("the model does not write: it gives no log-probabilities")
        # With what the tokenizer puts before a text (<s>): without it, the first token of a text
        # that nothing precedes cannot be scored.
        tokens = self._tokenizer.encode(prompt + answer)
        start = max(len(self._tokenizer.encode(prompt)), 1)
        kept = tokens[: self._context]
        if kind == "embed" and not kept:
            raise Unfit("the text has no token")
        return Text(asked["id"], kind, kept, start, len(kept) < len(tokens))

    def replies(self, batch: list[Text]) -> Iterator[dict[str, Any]]:
        """The replies to texts of one kind."""
        if batch[0].kind == "embed":
            yield from self._vectors(batch)
            return
        yield from (_told(text, []) for text in batch if len(text.tokens) <= text.start)
        if scored := [text for text in batch if len(text.tokens) > text.start]:
            yield from self._scores(scored)

    def _padded(self, batch: list[Text]) -> Any:
        return torch.tensor(padded(batch), device=self._device)

    def _scores(self, batch: list[Text]) -> Iterator[dict[str, Any]]:
        # Padding stands at the end, where a causal model's earlier tokens never look: no mask.
        tokens = self._padded(batch)
        states = self._before_the_head(tokens)
        spans = [(row, text.start, len(text.tokens)) for row, text in enumerate(batch)]
        lines = torch.tensor([row for row, start, end in spans for _ in range(start, end)])
        places = torch.tensor([at for _, start, end in spans for at in range(start, end)])
        values = self._log_probabilities(states[lines, places - 1], tokens[lines, places])
        done = 0
        for text, (_, start, end) in zip(batch, spans, strict=True):
            own, done = values[done : done + end - start], done + end - start
            yield _told(text, own)

    def _before_the_head(self, tokens: Any) -> Any:
        """What the head makes logits of: for the answers alone, since a vocabulary is wide."""
        if self._head is None:
            return self._model(tokens, use_cache=False).logits
        return self._body(tokens, use_cache=False).last_hidden_state

    def _separate_head(self) -> Any:
        """The layer that alone makes the logits; None where a model does more (scales, caps)."""
        head = self._model.get_output_embeddings() if self._writes else None
        if head is None:
            return None
        tokens = torch.arange(1, 9, device=self._device)[None]
        with torch.inference_mode():
            states = self._body(tokens, use_cache=False).last_hidden_state
            same = torch.equal(head(states), self._model(tokens, use_cache=False).logits)
        return head if same else None

    def _log_probabilities(self, states: Any, tokens: Any) -> list[float]:
        values: list[float] = []
        for at in range(0, len(tokens), _ROWS):
            part, named = states[at : at + _ROWS], tokens[at : at + _ROWS, None]
            logits = (part if self._head is None else self._head(part)).float()
            values += (logits.gather(1, named)[:, 0] - logits.logsumexp(1)).tolist()
        return values

    def _vectors(self, batch: list[Text]) -> Iterator[dict[str, Any]]:
        """Means of the last hidden states over a text's tokens."""
        tokens = self._padded(batch)
        lengths = torch.tensor([len(text.tokens) for text in batch], device=self._device)
        mask = torch.arange(tokens.shape[1], device=self._device)[None, :] < lengths[:, None]
        # A model that writes is asked without its head, which a vocabulary makes costly.
        named = {} if self._writes else {"attention_mask": mask.long()}
        states = self._body(tokens, **named).last_hidden_state.float() * mask[..., None]
        vectors = (states.sum(1) / lengths[:, None]).cpu().tolist()
        for text, vector in zip(batch, vectors, strict=True):
            yield {
                "id": text.id,
                "vector": vector,
                "input_tokens": len(text.tokens),
                "output_tokens": 0,
                "finish": _finish(text),
            }


def _told(text: Text, values: list[float]) -> dict[str, Any]:
    """The reply with an answer's log-probabilities; none for one without a token to be scored."""
    return {
        "id": text.id,
        "logprobs": values,
        "input_tokens": text.start if values else len(text.tokens),
        "output_tokens": len(values),
        "finish": _finish(text),
    }


def _finish(text: Text) -> str:
    return "length" if text.cut else "stop"
