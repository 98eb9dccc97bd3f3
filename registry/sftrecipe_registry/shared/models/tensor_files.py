"""The tensors of a Hugging Face model folder: safetensors, read one at a time with numpy alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sftrecipe.plugin import PluginRefused, Texts

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

texts = Texts(__package__)
_ONE = "model.safetensors"
_INDEX = "model.safetensors.index.json"
_NUMBERS = {"F32": "<f4", "F16": "<f2", "BF16": "<u2"}
_HEADER_AT_MOST = 1 << 26


class StoredTensor(NamedTuple):
    """Where a tensor lies."""

    file: Path
    offset: int
    numbers: str
    shape: tuple[int, ...]

    def read(self) -> npt.NDArray[np.float32]:
        """Its values."""
        import numpy as np  # noqa: PLC0415

        kind = np.dtype(_NUMBERS[self.numbers])
        stored = np.memmap(self.file, kind, "r", self.offset, self.shape)
        if self.numbers == "BF16":  # float32's upper half
            return (stored.astype(np.uint32) << np.uint32(16)).view(np.float32)
        return stored.astype(np.float32)


def stored_tensors(folder: Path) -> dict[str, StoredTensor]:
    """All tensors of a model's folder, by name, in the files' order.

    Raises PluginRefused where there are none that can be read, or numbers of another kind.
    """
    found: dict[str, StoredTensor] = {}
    for name in _files(folder):
        found |= _tensors_of(folder / name)
    return found


def _files(folder: Path) -> list[str]:
    if (folder / _ONE).is_file():
        return [_ONE]
    try:
        named = json.loads((folder / _INDEX).read_text("utf-8"))["weight_map"].values()
    except (OSError, ValueError, LookupError, AttributeError) as error:
        raise PluginRefused(texts("no-safetensors", folder=folder)) from error
    files = sorted({Path(str(name)).name for name in named})
    for name in files:
        if not (folder / name).is_file():
            raise PluginRefused(texts("file-missing", file=name, folder=folder))
    return files


def _tensors_of(file: Path) -> dict[str, StoredTensor]:
    """Source: the safetensors format: length of the header, header as JSON, numbers."""
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        content = opened.read(min(length, _HEADER_AT_MOST))
    try:
        header: Mapping[str, Mapping[str, object]] = json.loads(content)
    except ValueError as error:
        raise PluginRefused(texts("not-safetensors", file=file.name)) from error
    found = {}
    for name, about in header.items():
        if name == "__metadata__":
            continue
        numbers, shape, places = about["dtype"], about["shape"], about["data_offsets"]
        if numbers not in _NUMBERS:
            raise PluginRefused(texts("odd-numbers", tensor=name, numbers=numbers))
        assert isinstance(shape, list) and isinstance(places, list)  # noqa: S101
        found[name] = StoredTensor(file, 8 + length + places[0], str(numbers), tuple(shape))
    return found
