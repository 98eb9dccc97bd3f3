"""Make a random Llama of 150,000 numbers with a tokenizer of bytes: `python tiny_llama.py FOLDER`.

It knows nothing and trains in seconds. Needs numpy alone.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

WIDTH, LAYERS, HEADS, INNER = 64, 2, 4, 128
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
CONTEXT = 512


def make(folder: Path, seed: int = 0) -> Path:
    """Make the model; a folder that has its weights is complete."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = [*SPECIAL, *_bytes()]
    end = SPECIAL.index("<|im_end|>")
    tokens = {"bos_token_id": 1, "eos_token_id": end, "pad_token_id": end}
    config = {
        **{"architectures": ["LlamaForCausalLM"], "model_type": "llama", **tokens},
        **{"hidden_size": WIDTH, "intermediate_size": INNER, "num_hidden_layers": LAYERS},
        **{"num_attention_heads": HEADS, "num_key_value_heads": HEADS, "hidden_act": "silu"},
        **{"head_dim": WIDTH // HEADS, "rms_norm_eps": 1e-5, "rope_theta": 10000.0},
        **{"max_position_embeddings": CONTEXT, "vocab_size": len(vocabulary)},
        **{"tie_word_embeddings": True, "torch_dtype": "float32"},
    }
    named = {"bos_token": SPECIAL[1], "eos_token": SPECIAL[2], "pad_token": SPECIAL[2]}
    tokenizer = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": CONTEXT}
    for name, content in {
        "config.json": config,
        "generation_config.json": tokens,
        "tokenizer.json": _tokenizer(vocabulary),
        "tokenizer_config.json": {**tokenizer, **named},
    }.items():
        (folder / name).write_text(json.dumps(content, indent=1), encoding="utf-8")
    _write(folder / "model.safetensors", _weights(len(vocabulary), seed))
    return folder


def _bytes() -> list[str]:
    """The 256 bytes as the letters that GPT-2 writes them with."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in shown]
    letters = {byte: chr(byte) for byte in shown}
    letters.update({byte: chr(256 + place) for place, byte in enumerate(others)})
    return [letters[byte] for byte in range(256)]


def _tokenizer(vocabulary: list[str]) -> dict[str, object]:
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": number, "content": token, "special": True, **plain}
            for number, token in enumerate(SPECIAL)
        ],
        "normalizer": None,
        "pre_tokenizer": {**byte_level, "use_regex": True},
        "post_processor": None,
        "decoder": {**byte_level, "use_regex": True},
        "model": {
            "type": "BPE",
            "vocab": {token: number for number, token in enumerate(vocabulary)},
            "merges": [],
        },
    }


def _weights(tokens: int, seed: int) -> dict[str, np.ndarray]:
    drawn = np.random.default_rng(seed)

    def matrix(*shape: int) -> np.ndarray:
        return drawn.normal(0, 0.05, shape).astype("<f4")

    weights = {
        "model.embed_tokens.weight": matrix(tokens, WIDTH),
        "model.norm.weight": np.ones(WIDTH, "<f4"),
    }
    for layer in range(LAYERS):
        inside = f"model.layers.{layer}"
        for name in "qkvo":
            weights[f"{inside}.self_attn.{name}_proj.weight"] = matrix(WIDTH, WIDTH)
        for name in ("gate", "up"):
            weights[f"{inside}.mlp.{name}_proj.weight"] = matrix(INNER, WIDTH)
        weights[f"{inside}.mlp.down_proj.weight"] = matrix(WIDTH, INNER)
        for name in ("input", "post_attention"):
            weights[f"{inside}.{name}_layernorm.weight"] = np.ones(WIDTH, "<f4")
    return weights


def _write(file: Path, weights: dict[str, np.ndarray]) -> None:
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    place = 0
    for name, values in weights.items():
        end = place + values.nbytes
        header[name] = {"dtype": "F32", "shape": values.shape, "data_offsets": [place, end]}
        place = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    content = b"".join(values.tobytes() for values in weights.values())
    file.write_bytes(len(text).to_bytes(8, "little") + text + content)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
