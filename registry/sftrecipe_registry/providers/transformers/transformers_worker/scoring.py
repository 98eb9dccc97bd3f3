"""Log-probabilities of given answers, and embeddings."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import Any

import torch

from .loading import Loaded
from .packing import packed_states, packs
from .texts import Text, Unfit, padded

_CPU_LOGITS, _GPU_LOGITS = (512, 2048), (256, 1 << 20)
"""Positions and tokens of the vocabulary whose logits are held at the same time: what the caches of
a core hold."""


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
        on_cpu = loaded.device == "cpu"
        self._logits = _CPU_LOGITS if on_cpu else _GPU_LOGITS
        # A GPU takes padding with ease, and the many small attentions of packed texts less so.
        self.packs = on_cpu and self._head is not None and packs(self._model)

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
        states, starts = self._before_the_head(batch)
        foretold = [text.tokens[text.start :] for text in batch]
        places = [
            at + place - 1
            for at, text in zip(starts, batch, strict=True)
            for place in range(text.start, len(text.tokens))
        ]
        tokens = torch.tensor([token for own in foretold for token in own], device=self._device)
        values = self._log_probabilities(states[torch.tensor(places, device=self._device)], tokens)
        done = 0
        for text, own in zip(batch, foretold, strict=True):
            yield _told(text, values[done : done + len(own)])
            done += len(own)

    def _before_the_head(self, batch: list[Text]) -> tuple[Any, list[int]]:
        """What the head makes logits of, for the answers alone, since a vocabulary is wide; and
        where in it each text begins."""
        if self.packs:  # the last token foretells nothing that is asked for
            read = [text.tokens[:-1] for text in batch]
            lengths = [len(tokens) for tokens in read]
            return packed_states(self._model, read), [*accumulate([0, *lengths[:-1]])]
        # Padding stands at the end, where a causal model's earlier tokens never look: no mask.
        tokens = self._padded(batch)
        if self._head is None:
            states = self._model(tokens, use_cache=False).logits
        else:
            states = self._body(tokens, use_cache=False).last_hidden_state
        return states.flatten(0, 1), [row * tokens.shape[1] for row in range(len(batch))]

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
        rows, _ = self._logits
        for at in range(0, len(tokens), rows):
            values += self._of_some(states[at : at + rows], tokens[at : at + rows]).tolist()
        return values

    def _of_some(self, states: Any, tokens: Any) -> Any:
        own, totals = torch.zeros(len(tokens), device=self._device), []
        for first, logits in self._blocks(states):
            here = ((tokens >= first) & (tokens < first + logits.shape[1])).nonzero()[:, 0]
            own[here] = logits[here, tokens[here] - first]
            totals.append(logits.logsumexp(1))
        return own - torch.stack(totals).logsumexp(0)

    def _blocks(self, states: Any) -> Iterator[tuple[int, Any]]:
        """The logits of some tokens of the vocabulary after the others, with the first's number."""
        if type(self._head) is not torch.nn.Linear:
            yield 0, (states if self._head is None else self._head(states)).float()
            return
        weight, bias = self._head.weight, self._head.bias
        _, step = self._logits
        for first in range(0, len(weight), step):
            some = slice(first, first + step)
            more = None if bias is None else bias[some]
            yield first, torch.nn.functional.linear(states, weight[some], more).float()

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
