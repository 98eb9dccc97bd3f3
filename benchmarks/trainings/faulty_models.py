"""Makes the small random models of `faults.py`: `python faulty_models.py TOKENIZER FOLDER …`.

Runs in the training environment, which has torch and transformers.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM

SIZES = {"base": 32, "twin": 32, "other": 48}

if __name__ == "__main__":
    tokenizer, folder = Path(sys.argv[1]), Path(sys.argv[2])
    for seed, (name, size) in enumerate(SIZES.items()):
        torch.manual_seed(seed)
        config = LlamaConfig(
            vocab_size=49152,
            hidden_size=size,
            intermediate_size=2 * size,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            tie_word_embeddings=True,
        )
        LlamaForCausalLM(config).save_pretrained(folder / name)
        for file in tokenizer.iterdir():
            if "token" in file.name:
                shutil.copy(file, folder / name)
