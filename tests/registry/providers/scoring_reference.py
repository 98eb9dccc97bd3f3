"""The worker's scorer on small random models: `python scoring_reference.py`.

Runs in the environment that has torch. Reads names of architectures with what is different in their
settings, and writes of each whether it packs texts, and how far its log-probabilities are from
those of each text alone.
"""

from __future__ import annotations

import json
import random
import sys
from types import SimpleNamespace
from typing import Any

import torch
import transformers
from transformers_reference import worker

WORDS = 300
SIZES = {
    "vocab_size": WORDS,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 256,
    "initializer_range": 0.3,
}


def small(architecture: str, settings: dict[str, Any]) -> Any:
    """A model with random weights."""
    torch.manual_seed(7)
    config = getattr(transformers, f"{architecture}Config")(**SIZES | settings)
    return transformers.AutoModelForCausalLM.from_config(config).eval()


def apart(scorer: Any, model: Any, texts: list[Any]) -> float:
    """The largest difference to the model's own logits, a text at a time."""
    found = {reply["id"]: reply["logprobs"] for reply in scorer.replies(texts)}
    largest = 0.0
    for text in texts:
        logits = model(torch.tensor([text.tokens])).logits[0].log_softmax(-1)
        wanted = [logits[at - 1, text.tokens[at]] for at in range(text.start, len(text.tokens))]
        gaps = [abs(float(one) - two) for one, two in zip(wanted, found[text.id], strict=True)]
        largest = max(largest, *gaps, 0.0)
    return largest


@torch.inference_mode()
def main() -> None:
    scoring, made = worker("scoring"), worker("texts").Text
    scoring._CPU_LOGITS = (16, 64)  # several blocks, the last ones not full
    chance = random.Random(3)
    lengths = [(1, 2), (5, 20), (12, 13), (30, 31), (3, 40), (40, 40), (2, 9)]
    texts = [
        made(number, "loglikelihood", chance.choices(range(3, WORDS), k=end), start)
        for number, (start, end) in enumerate(lengths)
    ]
    told = []
    for architecture, settings in json.load(sys.stdin):
        model = small(architecture, settings)
        named = {"tokenizer": None, "model": model, "device": "cpu", "context": 256}
        scorer = scoring.Scorer(SimpleNamespace(**named, writes=True, rates=False))
        told.append([scorer.packs, apart(scorer, model, texts)])
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
