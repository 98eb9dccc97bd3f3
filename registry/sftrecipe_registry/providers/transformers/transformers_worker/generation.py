"""Writing: what the model says after chat turns, or after a text."""

from __future__ import annotations

import inspect
import random
from collections.abc import Iterator
from typing import Any

import torch
from transformers import DynamicCache

from .choosing import chosen
from .loading import Loaded
from .texts import Like, Text, Unfit, Writing

_MAX_TOKENS = 1024
"""Tokens of a reply where the request names no limit."""
_TAIL = 8
"""Tokens of the prompt that a reply is decoded with: a tokenizer may drop a text's first space."""
_KNOWN = {*Like._fields, "max_tokens", "stop", "stop_token_ids", "seed", "add_special_tokens"}


class Writer:
    """Goes on with texts, many at once; the rows that are done leave the batch."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._tokenizer = loaded.tokenizer
        self._model = loaded.model
        settings = getattr(loaded.model, "generation_config", None)
        # What the model's authors advise; as vLLM, a request's own settings come before it.
        self._advised = {} if settings is None else settings.to_diff_dict()
        self._ends = _token_ids(self._advised.get("eos_token_id")) | _token_ids(
            loaded.tokenizer.eos_token_id
        )
        accepted = inspect.signature(loaded.model.forward).parameters
        self._last_alone = {"logits_to_keep": 1} if "logits_to_keep" in accepted else {}

    def text(self, asked: dict[str, Any]) -> Text:
        """A request's tokens. Raises Unfit."""
        if not self._loaded.writes:
            raise Unfit("the model does not write text")
        if getattr(self._model, "_is_stateful", False):
            raise Unfit("models with a recurrent state are not written with: use vllm")
        sampling = asked["sampling"]
        if unknown := sorted(sampling.keys() - _KNOWN):
            raise Unfit(f"sampling '{unknown[0]}' is not supported by transformers")
        if asked["kind"] == "chat":
            tokens = self._loaded.chat_tokens(asked["messages"], tools=asked.get("tools") or ())
        else:
            special = sampling.get("add_special_tokens", True)
            tokens = self._tokenizer.encode(asked["prompt"], add_special_tokens=special)
        if not tokens:
            raise Unfit("the prompt has no token")
        room = self._loaded.context - len(tokens)
        if room <= 0:
            raise Unfit(
                f"the prompt has {len(tokens)} tokens, and the model's context holds "
                f"{self._loaded.context}"
            )
        return Text(asked["id"], "write", tokens, writing=self._writing(asked, sampling, room))

    def _writing(self, asked: dict[str, Any], sampling: dict[str, Any], room: int) -> Writing:
        named = {name: self._advised[name] for name in Like._fields if self._advised.get(name)}
        named |= {name: sampling[name] for name in Like._fields if sampling.get(name) is not None}
        stop = sampling.get("stop") or ()
        return Writing(
            Like(**named),
            min(sampling.get("max_tokens") or _MAX_TOKENS, room),
            (stop,) if isinstance(stop, str) else tuple(stop),
            self._ends | _token_ids(sampling.get("stop_token_ids")),
            asked["seed"],
        )

    def replies(self, batch: list[Text]) -> Iterator[dict[str, Any]]:
        """The replies to texts that are sampled alike, as they are done."""
        rows = [_Row(text) for text in batch]
        tokens, mask = self._left_padded(batch)
        prompt, new = tokens.shape[1], tokens
        like = rows[0].writing.like
        cache = DynamicCache(config=self._model.config)
        while True:
            logits = self._next_logits(new, mask, cache)
            draws = [row.random for row in rows]
            for row, token in zip(rows, chosen(logits, tokens, prompt, like, draws), strict=True):
                row.tokens.append(token)
                self._look_for_the_end(row)
            yield from (self._reply(row) for row in rows if row.finish)
            left = [place for place, row in enumerate(rows) if not row.finish]
            if not left:
                return
            if len(left) < len(rows):
                rows = [rows[place] for place in left]
                kept = torch.tensor(left, device=self._loaded.device)
                tokens, mask = tokens[kept], mask[kept]
                cache.batch_select_indices(kept)
            new = torch.tensor([row.tokens[-1:] for row in rows], device=self._loaded.device)
            tokens = torch.cat([tokens, new], 1)
            mask = torch.cat([mask, mask.new_ones(len(rows), 1)], 1)

    def _left_padded(self, batch: list[Text]) -> tuple[Any, Any]:
        """Tokens and attention mask. Filled up with a token of the row's own, for penalties."""
        width = max(len(text.tokens) for text in batch)
        gaps = [width - len(text.tokens) for text in batch]
        rows = [text.tokens[:1] * gap + text.tokens for gap, text in zip(gaps, batch, strict=True)]
        marks = [[0] * gap + [1] * (width - gap) for gap in gaps]
        device = self._loaded.device
        return torch.tensor(rows, device=device), torch.tensor(marks, device=device)

    def _next_logits(self, new: Any, mask: Any, cache: Any) -> Any:
        places = (mask.cumsum(1) - 1).clamp(min=0)[:, -new.shape[1] :]
        out = self._model(
            new,
            attention_mask=mask,
            position_ids=places,
            past_key_values=cache,
            use_cache=True,
            **self._last_alone,
        )
        return out.logits[:, -1]

    def _look_for_the_end(self, row: _Row) -> None:
        """Note why the row is done, and its text, if it is."""
        writing = row.writing
        if row.tokens[-1] in writing.stop_tokens:
            row.finish, row.said = "stop", self._decoded(row, row.tokens[:-1])
            return
        if self._may_hold_a_stop(row):
            said = self._decoded(row, row.tokens)
            found = [at for stop in writing.stop if (at := said.find(stop)) >= 0]
            if found:
                row.finish, row.said = "stop", said[: min(found)]
                return
        if len(row.tokens) >= writing.max_tokens:
            row.finish, row.said = "length", self._decoded(row, row.tokens)

    def _may_hold_a_stop(self, row: _Row) -> bool:
        """Whether a stop text is in the last tokens: the whole is decoded only then."""
        if not row.writing.stop:
            return False
        # A letter has four tokens at most, one a byte.
        longest = 4 * max(len(stop) for stop in row.writing.stop) + _TAIL
        last = self._tokenizer.decode(row.tokens[-longest:], skip_special_tokens=True)
        return any(stop in last for stop in row.writing.stop)

    def _decoded(self, row: _Row, tokens: list[int]) -> str:
        tail = row.text.tokens[-_TAIL:]
        before: str = self._tokenizer.decode(tail, skip_special_tokens=True)
        whole: str = self._tokenizer.decode(tail + tokens, skip_special_tokens=True)
        return whole[len(before) :]

    def _reply(self, row: _Row) -> dict[str, Any]:
        return {
            "id": row.text.id,
            "text": row.said,
            "finish": row.finish,
            "input_tokens": len(row.text.tokens),
            "output_tokens": len(row.tokens),
        }


class _Row:
    """A reply while it is written."""

    def __init__(self, text: Text) -> None:
        assert text.writing is not None  # noqa: S101 - texts of kind `write` have it
        self.text = text
        self.writing = text.writing
        self.random = random.Random(text.writing.seed)  # noqa: S311 - sampling, not secrets
        self.tokens: list[int] = []
        self.finish = ""
        self.said = ""


def _token_ids(value: Any) -> frozenset[int]:
    """Ids as configurations have them: none, one, or several."""
    if value is None:
        return frozenset()
    return frozenset({value} if isinstance(value, int) else value)
