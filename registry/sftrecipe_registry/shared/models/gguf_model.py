"""A Hugging Face checkpoint as one GGUF file, which llama.cpp loads: the way back of
`packaged_checkpoint`, with nothing but gguf and numpy."""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sftrecipe.plugin import PluginRefused, Texts
from sftrecipe_registry.shared.models.gguf_architecture import (
    Architecture,
    add_settings,
    architecture_of,
    rope_factors,
)
from sftrecipe_registry.shared.models.gguf_vocabulary import add_vocabulary, read_json
from sftrecipe_registry.shared.models.packaged_checkpoint import INSTALL
from sftrecipe_registry.shared.models.tensor_files import StoredTensor, stored_tensors

if TYPE_CHECKING:
    import gguf
    import numpy as np
    import numpy.typing as npt

texts = Texts(__package__)

GGUF_NUMBERS: Mapping[str, tuple[str, str]] = {
    "f32": ("F32", "ALL_F32"),
    "bf16": ("BF16", "MOSTLY_BF16"),
    "f16": ("F16", "MOSTLY_F16"),
    "q8_0": ("Q8_0", "MOSTLY_Q8_0"),
    "q4_1": ("Q4_1", "MOSTLY_Q4_1"),
}
"""gguf's names of tensor and file types, by the user's word: those that gguf itself can write."""
_BLOCK = 32
"""Numbers that are quantized together."""


def write_gguf(folder: Path, file: Path, numbers: str = "q8_0", name: str = "") -> None:
    """Write the model of a folder as GGUF; the file appears when it is whole.

    Matrices have the `numbers` asked for (embeddings and output at least 8 bits), whatever else
    float32. Raises PluginRefused where the model is of a kind that is not known to come out right.
    """
    if find_spec("gguf") is None:
        raise PluginRefused(texts("gguf-missing", command=INSTALL))
    import gguf  # noqa: PLC0415 - numpy with it

    config = read_json(folder / "config.json")
    architecture = architecture_of(config)
    arch = gguf.MODEL_ARCH[architecture.name]
    unfinished = file.with_name(f"{file.name}.{secrets.token_hex(4)}.part")
    writer = gguf.GGUFWriter(unfinished, gguf.MODEL_ARCH_NAMES[arch])
    try:
        writer.add_type(gguf.GGUFType.MODEL)
        writer.add_name(name or folder.name)
        writer.add_file_type(gguf.LlamaFileType[GGUF_NUMBERS[numbers][1]])
        writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
        add_settings(writer, config)
        add_vocabulary(writer, folder, int(config["vocab_size"]))
        _Tensors(writer, config, architecture, numbers).write(stored_tensors(folder))
        writer.close()
        unfinished.rename(file)
    finally:
        unfinished.unlink(missing_ok=True)


class _Tensors:
    """The weights: all told first, then written one at a time."""

    def __init__(
        self,
        writer: gguf.GGUFWriter,
        config: Mapping[str, Any],
        architecture: Architecture,
        numbers: str,
    ) -> None:
        import gguf  # noqa: PLC0415

        self._writer, self._config, self._pairs = writer, config, architecture.pairs
        self._numbers = numbers
        arch = gguf.MODEL_ARCH[architecture.name]
        self._names = gguf.get_tensor_name_map(arch, int(config["num_hidden_layers"]))

    def write(self, stored: Mapping[str, StoredTensor]) -> None:
        """Write them all. Raises PluginRefused for one that llama.cpp has no place for."""
        import gguf  # noqa: PLC0415

        tied = bool(self._config.get("tie_word_embeddings"))
        kept = {name: each for name, each in stored.items() if not (tied and "lm_head" in name)}
        named = {name: self._named(name) for name in kept}
        factors = rope_factors(self._config)
        for name, tensor in kept.items():
            kind = self._kind(named[name], tensor.shape)
            block, size = gguf.GGML_QUANT_SIZES[kind]
            count = math.prod(tensor.shape)
            self._tell(named[name], tensor.shape, count // block * size, kind)
        if factors is not None:
            kind = gguf.GGMLQuantizationType.F32
            self._tell("rope_freqs.weight", factors.shape, factors.nbytes, kind)
        writer = self._writer
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        for name, tensor in kept.items():
            values = self._sorted(named[name], tensor.read())
            kind = self._kind(named[name], tensor.shape)
            writer.write_tensor_data(gguf.quantize(values, kind))
        if factors is not None:
            writer.write_tensor_data(factors)

    def _tell(
        self, name: str, shape: tuple[int, ...], size: int, kind: gguf.GGMLQuantizationType
    ) -> None:
        import numpy as np  # noqa: PLC0415

        self._writer.add_tensor_info(name, shape, np.dtype(np.float32), size, raw_dtype=kind)

    def _named(self, name: str) -> str:
        found = self._names.get_name(name, try_suffixes=(".weight", ".bias"))
        if found is None:
            raise PluginRefused(texts("tensor-unknown", tensor=name))
        return str(found)

    def _kind(self, name: str, shape: tuple[int, ...]) -> gguf.GGMLQuantizationType:
        import gguf  # noqa: PLC0415

        kind = gguf.GGMLQuantizationType[GGUF_NUMBERS[self._numbers][0]]
        if len(shape) == 1:
            return gguf.GGMLQuantizationType.F32
        if kind == gguf.GGMLQuantizationType.Q4_1 and name.startswith(("token_embd", "output")):
            kind = gguf.GGMLQuantizationType.Q8_0
        quantized = self._numbers.startswith("q")
        return gguf.GGMLQuantizationType.F16 if quantized and shape[-1] % _BLOCK else kind

    def _sorted(self, name: str, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Queries and keys as llama.cpp turns them: what turns together, side by side."""
        part = name.split(".")[-2]
        if not self._pairs or part not in ("attn_q", "attn_k"):
            return values
        heads = int(self._config["num_attention_heads"])
        if part == "attn_k":
            heads = int(self._config.get("num_key_value_heads") or heads)
        halves = values.reshape(heads, 2, values.shape[0] // heads // 2, *values.shape[1:])
        return halves.swapaxes(1, 2).reshape(values.shape)
