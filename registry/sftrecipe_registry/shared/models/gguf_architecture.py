"""Which checkpoints are written as GGUF, and what llama.cpp is told of their shape.

An allow-list: what is written is tried against transformers, number by number; anything that it
does not name is refused, since llama.cpp would load much of it and answer wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from sftrecipe.plugin import PluginRefused, Texts

if TYPE_CHECKING:
    import gguf
    import numpy as np
    import numpy.typing as npt

texts = Texts(__package__)


class Architecture(NamedTuple):
    """How a kind of checkpoint is written."""

    name: str
    """Of `gguf.MODEL_ARCH`."""
    pairs: bool
    """Whether the numbers that turn together lie side by side in llama.cpp (q and k are sorted)."""


ARCHITECTURES: Mapping[str, Architecture] = {
    "llama": Architecture("LLAMA", pairs=True),
    "mistral": Architecture("LLAMA", pairs=True),
    "qwen2": Architecture("QWEN2", pairs=False),
    "qwen3": Architecture("QWEN3", pairs=False),
}
"""By `model_type` of config.json."""


def architecture_of(config: Mapping[str, Any]) -> Architecture:
    """How the checkpoint is written. Raises PluginRefused with what it has that is not known."""
    kind = str(config.get("model_type"))
    if kind not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise PluginRefused(texts("architecture-unknown", kind=kind, known=known))
    named = [str(each) for each in config.get("architectures") or ()]
    if any(not each.endswith("ForCausalLM") for each in named):
        raise PluginRefused(texts("writes-no-text", kind=", ".join(named)))
    if config.get("quantization_config"):
        raise PluginRefused(texts("quantized-already"))
    if (activation := config.get("hidden_act", "silu")) != "silu":
        raise PluginRefused(texts("setting-unknown", name="hidden_act", value=activation))
    for name in ("mlp_bias", "use_sliding_window"):
        if config.get(name):
            raise PluginRefused(texts("setting-unknown", name=name, value=config[name]))
    return ARCHITECTURES[kind]


def add_settings(writer: gguf.GGUFWriter, config: Mapping[str, Any]) -> None:
    """Write what llama.cpp is told of the model's shape. Raises PluginRefused."""
    heads = int(config["num_attention_heads"])
    head = head_size(config)
    writer.add_block_count(int(config["num_hidden_layers"]))
    writer.add_context_length(_context(config))
    writer.add_embedding_length(int(config["hidden_size"]))
    writer.add_feed_forward_length(int(config["intermediate_size"]))
    writer.add_head_count(heads)
    writer.add_head_count_kv(int(config.get("num_key_value_heads") or heads))
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_rope_dimension_count(head)
    writer.add_rope_freq_base(float(_rope(config).get("rope_theta", 10000.0)))
    writer.add_layer_norm_rms_eps(float(config["rms_norm_eps"]))
    writer.add_vocab_size(int(config["vocab_size"]))
    if _rope(config).get("rope_type") == "linear":
        import gguf  # noqa: PLC0415

        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(float(_rope(config)["factor"]))


def head_size(config: Mapping[str, Any]) -> int:
    """Numbers of an attention head."""
    width, heads = int(config["hidden_size"]), int(config["num_attention_heads"])
    return int(config.get("head_dim") or width // heads)


def rope_factors(config: Mapping[str, Any]) -> npt.NDArray[np.float32] | None:
    """By what llama.cpp divides the turning speeds; None where it turns them as they are.

    Source: Llama 3.1's scaling (meta-llama/llama-models, `apply_scaling`).
    """
    rope = _rope(config)
    if rope.get("rope_type", "default") in ("default", "linear"):
        return None
    if rope["rope_type"] != "llama3":
        name, value = "rope_scaling", rope["rope_type"]
        raise PluginRefused(texts("setting-unknown", name=name, value=value))
    import numpy as np  # noqa: PLC0415

    size = head_size(config)
    low, high = float(rope["low_freq_factor"]), float(rope["high_freq_factor"])
    known = float(rope["original_max_position_embeddings"])
    speeds = float(rope["rope_theta"]) ** -(np.arange(0, size, 2, dtype=np.float64) / size)
    waves = known * speeds / (2 * np.pi)  # that fit into the context it was first trained on
    smooth = np.clip((waves - low) / (high - low), 0, 1)
    factor = float(rope["factor"])
    return (1 / ((1 - smooth) / factor + smooth)).astype(np.float32)


def _rope(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of transformers 5 (`rope_parameters`) and of earlier ones (`rope_theta`, `rope_scaling`)."""
    scaling = config.get("rope_parameters") or config.get("rope_scaling") or {}
    kind = scaling.get("rope_type", scaling.get("type", "default"))
    theta = scaling.get("rope_theta", config.get("rope_theta", 10000.0))
    return {**scaling, "rope_type": kind, "rope_theta": theta}


def _context(config: Mapping[str, Any]) -> int:
    """Tokens; no more than the window that it sees at once, where llama.cpp knows no window."""
    most = int(config["max_position_embeddings"])
    window = config.get("sliding_window") if config.get("model_type") == "mistral" else None
    return min(most, int(window or most))
