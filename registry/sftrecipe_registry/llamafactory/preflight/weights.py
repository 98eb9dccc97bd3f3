"""The files of a model's weights: all there, and none of them cut short or a mere pointer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from sftrecipe.plugin import Finding, Texts
from sftrecipe_registry.llamafactory.training.output import INDEXES, read_json

texts = Texts(__package__)

_PATTERNS = ("*.safetensors", "*.bin", "*.pt", "*.pth")
_POINTER = b"version https://git-lfs"
_LARGEST_HEADER = 1 << 27


def weight_findings(model: str, folder: Path) -> Iterator[Finding]:
    """What is missing of the weights in a model's folder, or was not downloaded whole."""
    files = [file for pattern in _PATTERNS for file in sorted(folder.glob(pattern))]
    if not files:
        gguf = next(iter(sorted(folder.glob("*.gguf"))), None)
        text = texts("no-weights", model=model)
        advice = texts("download-again")
        if gguf is not None:
            text = texts("weights-for-others", model=model, file=gguf.name)
            advice = texts("name-whole-model")
        yield Finding("fault", "model", text, advice)
        return
    missing = sorted(
        {
            str(part)
            for index in INDEXES
            for part in read_json(folder / index).get("weight_map", {}).values()
            if not (folder / str(part)).is_file()
        }
    )
    if missing:
        text = texts("parts-missing", model=model, count=len(missing), part=missing[0])
        yield Finding("fault", "model", text, texts("download-again"))
    for file in files:
        if (broken := _broken(file)) is not None:
            text = texts(broken, model=model, file=file.name, size=file.stat().st_size)
            yield Finding("fault", "model", text, texts("download-again"))
            return


def _broken(file: Path) -> str | None:
    """The slug of what is wrong with a file of weights; None: nothing that its ends tell.

    A safetensors file tells the length of its header, and the header where the last tensor ends
    (huggingface.co/docs/safetensors).
    """
    size = file.stat().st_size
    with file.open("rb") as opened:
        start = opened.read(max(8, len(_POINTER)))
        if start.startswith(_POINTER):
            return "weights-are-a-pointer"
        if file.suffix != ".safetensors":
            return None if size else "weights-cut-short"
        length = int.from_bytes(start[:8], "little")
        if len(start) < 8 or length > min(size - 8, _LARGEST_HEADER):
            return "weights-cut-short"
        opened.seek(8)
        header = opened.read(length)
    return None if 8 + length + _end(header) <= size else "weights-cut-short"


def _end(header: bytes) -> int:
    """Where the last tensor ends, after the header."""

    try:
        tensors = json.loads(header)
        return max((each["data_offsets"][1] for name, each in tensors.items()
                    if name != "__metadata__"), default=0)  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return 1 << 62
