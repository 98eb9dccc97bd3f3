"""Scores and embeds texts with transformers: `python transformers_worker.py SETTINGS`.

A process of another Python environment, which has torch and transformers and not this package.
SETTINGS is JSON: model, revision, device, dtype, batch_tokens. Requests come as lines of JSON on
standard input, `{"id", "kind": "loglikelihood" | "embed", "prompt", "answer"}`; replies go to
standard output in the order in which they are ready. It ends with its standard input.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
from typing import Any, NamedTuple

import torch
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, AutoTokenizer

_GATHER = 0.005
"""Seconds that the first request of a batch waits for others."""
_CPU_TOKENS, _GPU_TOKENS = 1024, 16384
"""Tokens of a batch, padding included, where the settings name none."""
_ROWS = 256
"""Positions whose whole vocabulary is held at the same time."""
_WRITERS = ("ForCausalLM", "LMHeadModel")
"""How the names of architectures end that write text."""


class Text(NamedTuple):
    """A request as the model takes it."""

    id: int
    kind: str
    tokens: list[int]
    start: int
    """Place of the first token that is scored."""
    cut: bool
    """Whether it was longer than the model's context."""


class Scorer:
    """The model, and how much of it is used at once."""

    def __init__(self, model: str, revision: str | None, device: str, dtype: str) -> None:
        config = AutoConfig.from_pretrained(model, revision=revision)
        names = config.architectures or [""]
        self.writes = names[0].endswith(_WRITERS)
        self.device = device if device != "auto" else _device()
        self.tokenizer = AutoTokenizer.from_pretrained(model, revision=revision)
        kind = AutoModelForCausalLM if self.writes else AutoModel
        if dtype == "auto":  # few CPUs compute faster in half precision
            dtype = "float32" if self.device == "cpu" else "bfloat16"
        self.model = kind.from_pretrained(model, revision=revision, dtype=getattr(torch, dtype))
        self.model.to(self.device).eval()
        self.context = getattr(config, "max_position_embeddings", None) or 1 << 20
        self.head = self._separate_head()

    def text(self, asked: dict[str, Any]) -> Text:
        """A request's tokens. The answer begins after as many tokens as the prompt alone has."""
        prompt, answer = asked["prompt"], asked.get("answer", "")
        # With what the tokenizer puts before a text (<s>): without it, the first token of a text
        # that nothing precedes cannot be scored.
        tokens = self.tokenizer.encode(prompt + answer)
        start = max(len(self.tokenizer.encode(prompt)), 1)
        kept = tokens[: self.context]
        return Text(asked["id"], asked["kind"], kept, start, len(kept) < len(tokens))

    def answers(self, batch: list[Text]) -> list[dict[str, Any]]:
        """The replies to texts of one kind. Halves the batch where memory is short."""
        try:
            with torch.inference_mode():
                return self._scores(batch) if batch[0].kind != "embed" else self._vectors(batch)
        except torch.OutOfMemoryError as error:
            if len(batch) == 1:
                return [{"id": batch[0].id, "error": f"the text does not fit: {error}"}]
        torch.cuda.empty_cache()
        half = len(batch) // 2
        return self.answers(batch[:half]) + self.answers(batch[half:])

    def _padded(self, batch: list[Text]) -> Any:
        width = max(len(text.tokens) for text in batch)
        rows = [text.tokens + [0] * (width - len(text.tokens)) for text in batch]
        return torch.tensor(rows, device=self.device)

    def _scores(self, batch: list[Text]) -> list[dict[str, Any]]:
        # Padding stands at the end, where a causal model's earlier tokens never look: no mask.
        tokens = self._padded(batch)
        states = self._before_the_head(tokens)
        spans = [(row, text.start, len(text.tokens)) for row, text in enumerate(batch)]
        lines = torch.tensor([row for row, start, end in spans for _ in range(start, end)])
        places = torch.tensor([at for _, start, end in spans for at in range(start, end)])
        values = self._log_probabilities(states[lines, places - 1], tokens[lines, places])
        replies, done = [], 0
        for text, (_, start, end) in zip(batch, spans, strict=True):
            own, done = values[done : done + end - start], done + end - start
            told = {"input_tokens": start, "output_tokens": len(own), "cut": text.cut}
            replies.append({"id": text.id, "logprobs": own, **told})
        return replies

    def _before_the_head(self, tokens: Any) -> Any:
        """What the head makes logits of: for the answers alone, since a vocabulary is wide."""
        if self.head is None:
            return self.model(tokens, use_cache=False).logits
        return self.model.base_model(tokens, use_cache=False).last_hidden_state

    def _separate_head(self) -> Any:
        """The layer that alone makes the logits; None where a model does more (scales, caps)."""
        head = self.model.get_output_embeddings() if self.writes else None
        if head is None:
            return None
        tokens = torch.arange(1, 9, device=self.device)[None]
        with torch.inference_mode():
            states = self.model.base_model(tokens, use_cache=False).last_hidden_state
            same = torch.equal(head(states), self.model(tokens, use_cache=False).logits)
        return head if same else None

    def _log_probabilities(self, states: Any, tokens: Any) -> list[float]:
        values: list[float] = []
        for at in range(0, len(tokens), _ROWS):
            part, named = states[at : at + _ROWS], tokens[at : at + _ROWS, None]
            logits = (part if self.head is None else self.head(part)).float()
            values += (logits.gather(1, named)[:, 0] - logits.logsumexp(1)).tolist()
        return values

    def _vectors(self, batch: list[Text]) -> list[dict[str, Any]]:
        """Means of the last hidden states over a text's tokens."""
        tokens = self._padded(batch)
        lengths = torch.tensor([len(text.tokens) for text in batch], device=self.device)
        mask = torch.arange(tokens.shape[1], device=self.device)[None, :] < lengths[:, None]
        # A model that writes is asked without its head, which a vocabulary makes costly.
        body = self.model.base_model if self.writes else self.model
        named = {} if self.writes else {"attention_mask": mask.long()}
        states = body(tokens, **named).last_hidden_state.float() * mask[..., None]
        vectors = (states.sum(1) / lengths[:, None]).cpu().tolist()
        return [
            {
                "id": text.id,
                "vector": vector,
                "input_tokens": len(text.tokens),
                "output_tokens": 0,
                "cut": text.cut,
            }
            for text, vector in zip(batch, vectors, strict=True)
        ]


def _device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def taken(pool: list[Text], most: int) -> list[Text]:
    """Takes a batch out of the pool: the text that waited longest, and those nearest in length.

    Padded, it has `most` tokens at most, unless one text alone has more.
    """
    oldest = pool[0]
    near = sorted(pool, key=lambda text: abs(len(text.tokens) - len(oldest.tokens)))
    batch: list[Text] = []
    width = 0
    for text in near:
        if text.kind != oldest.kind:
            continue
        wider = max(width, len(text.tokens))
        if batch and wider * (len(batch) + 1) > most:
            break
        batch.append(text)
        width = wider
    chosen = {text.id for text in batch}
    pool[:] = [text for text in pool if text.id not in chosen]
    return batch


def unscored(text: Text) -> dict[str, Any]:
    """The reply for an answer without a token that can be scored."""
    told = {"input_tokens": len(text.tokens), "output_tokens": 0, "cut": text.cut}
    return {"id": text.id, "logprobs": [], **told}


def read_requests(scorer: Scorer, waiting: queue.Queue[Text | dict[str, Any]]) -> None:
    """Tokenise what comes, while the model works; end with the input."""
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            text = scorer.text(asked)
        except Exception as error:  # whoever asks is told
            waiting.put({"id": asked["id"], "error": f"{type(error).__name__}: {error}"})
            continue
        if asked["kind"] == "loglikelihood" and not scorer.writes:
            waiting.put({"id": text.id, "error": "the model is an encoder: it only embeds"})
        elif text.kind == "loglikelihood" and len(text.tokens) <= text.start:
            waiting.put(unscored(text))
        elif not text.tokens:
            waiting.put({"id": text.id, "error": "the text has no token"})
        else:
            waiting.put(text)
    os._exit(0)  # also in the middle of a batch: nobody waits for it


def serve(scorer: Scorer, most: int, replies: Any) -> None:
    """Answer for ever, as many requests at once as a batch holds."""
    waiting: queue.Queue[Text | dict[str, Any]] = queue.Queue()
    threading.Thread(target=read_requests, args=(scorer, waiting), daemon=True).start()
    pool: list[Text] = []

    def take(item: Text | dict[str, Any]) -> None:
        if isinstance(item, Text):
            pool.append(item)
        else:
            replies.write(json.dumps(item) + "\n")

    while True:
        if not pool:
            take(waiting.get())
            time.sleep(_GATHER)
        while not waiting.empty():
            take(waiting.get())
        if pool:
            batch = taken(pool, most)
            replies.writelines(json.dumps(answer) + "\n" for answer in scorer.answers(batch))
        replies.flush()


def main() -> None:
    """Load the model, say that it is ready, and serve."""
    settings = json.loads(sys.argv[1])
    # Libraries print: what they say goes to the log, not among the replies.
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    named = {name: settings[name] for name in ("model", "revision", "device", "dtype")}
    scorer = Scorer(**named)
    default = _CPU_TOKENS if scorer.device == "cpu" else _GPU_TOKENS
    replies.write(json.dumps({"ready": scorer.device}) + "\n")
    replies.flush()
    serve(scorer, settings["batch_tokens"] or default, replies)


if __name__ == "__main__":
    main()
