"""IFD as the papers' scripts compute it: one row at a time, a pass for each text, float32.

`python ifd_reference.py MODEL auto|cpu|cuda`, in the environment that has torch. Reads rows as
JSON, writes their IFD (ratio of perplexities, plain prompt, as Superfiltering) and the CPU- and
wall-seconds of the scoring alone. All hidden states are kept, as the released script asks for them.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

MAX_LENGTH = 1024


def perplexity(model: Any, tokens: Any, start: int) -> float:
    """Of the tokens from `start` on."""
    labels = tokens.clone()
    labels[0, :start] = -100
    with torch.no_grad():
        return float(torch.exp(model(tokens, labels=labels).loss))


def main() -> None:
    """Score what stands on standard input."""
    tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
    model = AutoModelForCausalLM.from_pretrained(
        sys.argv[1], dtype=torch.float32, output_hidden_states=True
    )
    seen = "cuda" if torch.cuda.is_available() else "cpu"
    device = seen if sys.argv[2] == "auto" else sys.argv[2]
    model.to(device).eval()

    def encoded(text: str, limit: int) -> Any:
        tokens = tokenizer.encode(text, return_tensors="pt", truncation=True, max_length=limit)
        return tokens.to(device)

    rows = json.load(sys.stdin)
    perplexity(model, encoded("The first pass is slower.", MAX_LENGTH), 0)
    cpu, wall = time.process_time(), time.perf_counter()
    ratios = []
    for row in rows:
        prompt = "\n".join(filter(None, (row["instruction"], row["input"]))) + "\n"
        length = encoded(prompt, MAX_LENGTH).shape[1]
        alone = perplexity(model, encoded(row["output"], MAX_LENGTH - length + 1), 0)
        whole = encoded(prompt + row["output"], MAX_LENGTH)
        ratios.append(perplexity(model, whole, length) / alone)
    spent = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
    json.dump({"ifd": ratios, **spent}, sys.stdout)


if __name__ == "__main__":
    main()
