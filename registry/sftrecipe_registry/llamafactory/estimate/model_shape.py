"""A model's shape: its matrices and widths, read from its files on this machine, never fetched."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sftrecipe_registry.llamafactory.training.output import read_json
from sftrecipe_registry.shared.models.packaged_checkpoint import packaged_folder
from sftrecipe_registry.shared.models.packaged_models import PACKAGED

Basis = Literal["files", "config", "name"]
"""Its weights' headers with its configuration, that alone, or the size that its name tells."""

_HEADER_AT_MOST = 1 << 26
_BYTES = {"F64": 8, "F32": 4, "BF16": 2, "F16": 2, "I64": 8, "I32": 4, "F8_E4M3": 1, "F8_E5M2": 1}
_IN_NAME = re.compile(r"(?<![a-z0-9.])(\d+(?:\.\d+)?)\s?([bm])(?![a-z0-9])", re.IGNORECASE)
_TWO_MATRICES = ("gpt2", "gptj", "gpt_neox", "gpt_bigcode", "opt", "bloom", "falcon", "phi", "mpt")
"""Model types whose feed-forward part has no gate: two matrices a layer, not three."""
_LAYER = re.compile(r"(?:^|\.)(?:layers|h|blocks)\.\d+\.")
_ASPECT, _OF_NAME = 128, 128_256
"""Width a layer of the usual decoder, and a vocabulary as of Llama 3."""


class Matrix(NamedTuple):
    """A kind of matrix that every layer has, or some."""

    name: str
    """`q_proj`, `down_proj` …"""
    outputs: int
    inputs: int
    number: int
    """Of the whole model."""

    @property
    def parameters(self) -> int:
        """All its numbers."""
        return self.outputs * self.inputs * self.number


@dataclass(frozen=True)
class ModelShape:
    """What memory depends on."""

    basis: Basis
    parameters: int
    matrices: Sequence[Matrix]
    """The layers' own; embeddings and head are not among them."""
    layers: int
    hidden: int
    intermediate: int
    """Of the feed-forward part that one token passes: of the experts asked, of a mixture."""
    queries: int
    """Width of all heads' queries together."""
    keys: int
    """Width of all heads' keys together."""
    vocabulary: int
    file_bytes: int
    """Its weights on the disk; as bf16 where they are not there."""
    type_bytes: int = 2
    """Bytes a number of the type that its configuration names."""
    quantized: bool = False
    """Whether the files themselves are quantised (GPTQ, AWQ …)."""

    @property
    def in_layers(self) -> int:
        """Parameters of the layers' matrices."""
        return sum(each.parameters for each in self.matrices)


def shape_of(model: str, folder: Path, settings: Mapping[str, Any]) -> ModelShape | None:
    """The shape of a model by its name or folder (seen from `folder`); None: nothing tells it."""
    for place in _places(model, folder, settings):
        config = read_json(place / "config.json")
        if shape := shape_from_config(config, place):
            return shape
    if model == PACKAGED or str(packaged_folder()) == model:
        return shape_from_config(_SMOLLM2)
    return shape_from_name(model)


def _places(model: str, folder: Path, settings: Mapping[str, Any]) -> Iterator[Path]:
    """Where its files may lie: a folder, or the caches of the hubs."""
    yield packaged_folder() if model == PACKAGED else folder / Path(model).expanduser()
    if model.count("/") != 1:
        return
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    caches = [settings.get("cache_dir"), os.environ.get("HF_HUB_CACHE"), home / "hub"]
    for cache in caches:
        if cache:
            found = folder / Path(str(cache)).expanduser() / f"models--{model.replace('/', '--')}"
            yield from sorted((found / "snapshots").glob("*"), reverse=True)
    scope = Path(os.environ.get("MODELSCOPE_CACHE") or Path.home() / ".cache" / "modelscope")
    yield scope / "models" / model
    yield scope / "hub" / "models" / model


def shape_from_config(config: Mapping[str, Any], folder: Path | None = None) -> ModelShape | None:
    """By a configuration, and the headers of a folder's weights; None: it is not understood."""
    text = {**config, **(config.get("text_config") or {})}
    layers = _first(text, "num_hidden_layers", "n_layer", "num_layers")
    hidden = _first(text, "hidden_size", "n_embd", "d_model")
    heads = _first(text, "num_attention_heads", "n_head", "num_heads")
    vocabulary = _first(text, "vocab_size", "padded_vocab_size")
    if not (layers and hidden and heads and vocabulary):
        return None
    width = _first(text, "head_dim") or hidden // heads
    queries, keys = heads * width, (_first(text, "num_key_value_heads") or heads) * width
    inner = _first(text, "intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size") or 4 * hidden
    experts = _first(text, "num_local_experts", "num_experts", "n_routed_experts")
    if experts:
        inner = _first(text, "moe_intermediate_size") or inner
    two = text.get("model_type") in _TWO_MATRICES
    matrices: Sequence[Matrix] = _dense(
        layers, hidden, inner, queries=queries, keys=keys, experts=experts or 1, two=two
    )
    tied = text.get("tie_word_embeddings", config.get("tie_word_embeddings", two))
    parameters = sum(each.parameters for each in matrices)
    parameters += vocabulary * hidden * (1 if tied else 2) + hidden * (2 * layers + 1)
    active = (_first(text, "num_experts_per_tok", "moe_topk") or 1) if experts else 1
    found = _weights(folder) if folder is not None else None
    if found is not None and not config.get("quantization_config"):
        parameters, matrices = found.parameters, found.matrices or matrices
    return ModelShape(
        basis="config" if found is None else "files",
        parameters=parameters,
        matrices=matrices,
        layers=layers,
        hidden=hidden,
        intermediate=inner * active,
        queries=queries,
        keys=keys,
        vocabulary=vocabulary,
        file_bytes=2 * parameters if found is None else found.size,
        type_bytes=_type_bytes(text),
        quantized=bool(config.get("quantization_config")),
    )


def _type_bytes(config: Mapping[str, Any]) -> int:
    kind = str(config.get("torch_dtype") or config.get("dtype") or "bfloat16")
    return 4 if kind.endswith("32") else 2


def shape_from_name(model: str) -> ModelShape | None:
    """Roughly, by the size in a name such as `Qwen/Qwen2.5-7B-Instruct`, as of a usual decoder.

    It has 12 l h² numbers in its layers (Kaplan et al. 2020, section 2.1) and is 128 l wide.
    """
    found = _IN_NAME.findall(model.rsplit("/", 1)[-1])
    if not found:
        return None
    parameters = round(float(found[-1][0]) * (1e9 if found[-1][1] in "bB" else 1e6))
    hidden = max(64, round((parameters * _ASPECT / 12) ** (1 / 3) / 64) * 64)
    layers = max(1, round(hidden / _ASPECT))
    inner = 8 * hidden // 3
    matrices = _dense(layers, hidden, inner, queries=hidden, keys=hidden, experts=1, two=False)
    return ModelShape(
        basis="name",
        parameters=parameters,
        matrices=matrices,
        layers=layers,
        hidden=hidden,
        intermediate=inner,
        queries=hidden,
        keys=hidden,
        vocabulary=_OF_NAME,
        file_bytes=2 * parameters,
    )


def _dense(
    layers: int, hidden: int, inner: int, *, queries: int, keys: int, experts: int, two: bool
) -> list[Matrix]:
    found = [
        Matrix("q_proj", queries, hidden, layers),
        Matrix("k_proj", keys, hidden, layers),
        Matrix("v_proj", keys, hidden, layers),
        Matrix("o_proj", hidden, queries, layers),
        Matrix("up_proj", inner, hidden, layers * experts),
        Matrix("down_proj", hidden, inner, layers * experts),
    ]
    return found if two else [*found, Matrix("gate_proj", inner, hidden, layers * experts)]


class _Weights(NamedTuple):
    parameters: int
    matrices: Sequence[Matrix]
    size: int


def _weights(folder: Path) -> _Weights | None:
    """What the headers of a model's safetensors files tell; None where there are none.

    Others beside them hold the same weights once more, or a value head.
    """
    files = sorted(folder.glob("model*.safetensors"))
    headers = [header for file in files if (header := _header(file))]
    if not headers or len(headers) < len(files):
        return None
    total, size, counts = 0, 0, dict[tuple[str, int, int], int]()
    for header in headers:
        for name, about in header.items():
            if name.startswith("__"):
                continue
            amount = math.prod(about["shape"])
            total += amount
            size += amount * _BYTES.get(about["dtype"], 1)
            if len(about["shape"]) == 2 and _LAYER.search(name):
                kind = name.removesuffix(".weight").rsplit(".", 1)[-1]
                key = (kind, *about["shape"])
                counts[key] = counts.get(key, 0) + 1
    return _Weights(total, [Matrix(*key, count) for key, count in counts.items()], size)


def _header(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            found = json.loads(opened.read(length)) if length <= _HEADER_AT_MOST else {}
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _first(config: Mapping[str, Any], *names: str) -> int:
    """The first of these that is a number above zero; 0 where none is."""
    for name in names:
        value = config.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return 0


_SMOLLM2: Mapping[str, Any] = {
    "hidden_size": 576,
    "intermediate_size": 1536,
    "num_attention_heads": 9,
    "num_hidden_layers": 30,
    "num_key_value_heads": 3,
    "tie_word_embeddings": True,
    "torch_dtype": "float32",
    "vocab_size": 49152,
}
"""The embedded model, whose folder is written when it is first trained."""
