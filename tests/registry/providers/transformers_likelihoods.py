"""Log-probabilities of answers by transformers: `python transformers_likelihoods.py MODEL`.

Reads pairs of prompt and answer as JSON, writes each answer token's log-probability. Runs in the
environment that has torch, with float32.
"""

from __future__ import annotations

import json
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


def main() -> None:
    tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
    model = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32)
    found = []
    for prompt, answer in json.load(sys.stdin):
        before = tokenizer(prompt, add_special_tokens=False)["input_ids"]
        tokens = before + tokenizer(answer, add_special_tokens=False)["input_ids"]
        with torch.no_grad():
            logits = model(torch.tensor([tokens])).logits[0].log_softmax(-1)
        places = range(len(before), len(tokens))
        found.append([float(logits[place - 1, tokens[place]]) for place in places])
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
