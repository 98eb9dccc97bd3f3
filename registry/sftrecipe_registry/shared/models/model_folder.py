"""A model in a folder of this machine: its path, and what tells its weights from others."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

from sftrecipe.plugin import MachineCheck, OptionProblem, Text, Texts

texts = Texts(__package__)
_WHOLE = 1 << 24
"""Bytes up to which a file is read whole."""
_BLOCK = 4096
_BLOCKS = 512
"""Blocks that are read of a large file without a list of tensors."""
_HEADER_AT_MOST = 1 << 26
_WHOLE_MODELS = ("model*.safetensors", "pytorch_model*.bin")
_READ = (".json", ".jinja", ".model", ".txt", ".safetensors", ".bin", ".pt", ".pth", ".gguf")

Stamp = tuple[str, int, int]


def is_path(model: str) -> bool:
    """Whether a model's name is a folder, not a name of a model hub."""
    return model.startswith(("/", "~", "./", "../")) or model in (".", "..")


def model_folder(model: str) -> Path:
    """The folder that a name means."""
    return Path(model).expanduser()


def model_problems(model: str) -> Iterator[OptionProblem]:
    """What is wrong with a provider's `model` that means a folder where something else lies."""
    if problem := _model_problem(model):
        advice = texts("name-merged-model") if is_adapter(model_folder(model)) else None
        yield OptionProblem(("model",), problem, advice)


def _model_problem(model: str) -> Text | None:
    if not is_path(model):
        return None
    folder = model_folder(model)
    if not folder.is_absolute():
        return texts("not-absolute", model=model)
    if not folder.exists():
        return None
    if is_adapter(folder):
        return texts("adapter-alone", model=model)
    if not (folder / "config.json").is_file():
        return texts("no-config", model=model)
    return None


def missing_model(model: str) -> Iterator[MachineCheck]:
    """A folder that is not there: it may come from another run, or lie on another machine."""
    if is_path(model) and not model_folder(model).exists():
        yield MachineCheck("fault", texts("not-here", model=model), texts("make-or-name-it"))


def is_adapter(folder: Path) -> bool:
    """Whether a folder holds what a training added to a model (LoRA), and not the model."""
    if not (folder / "adapter_config.json").is_file():
        return False
    return not any(True for name in _WHOLE_MODELS for _ in folder.glob(name))


def weights_fingerprint(folder: Path) -> str:
    """16 hexadecimal digits that other weights, tokenizers or chat templates do not have.

    They are the same wherever the folder lies. Of large files the size and the beginning of every
    tensor are read, so that training shows and 15 GB cost milliseconds.
    """
    return _fingerprint(folder, tuple(_stamps(folder)))


@lru_cache(maxsize=16)
def _fingerprint(folder: Path, stamps: tuple[Stamp, ...], *, named: bool = True) -> str:
    found = blake2b(digest_size=8)
    for name, size, _ in stamps:
        found.update(f"{name if named else ''} {size}\n".encode())
        with (folder / name).open("rb") as file:
            for offset, length in _blocks(folder / name, size):
                found.update(os.pread(file.fileno(), length, offset))
    return found.hexdigest()


def file_fingerprint(file: Path) -> str:
    """16 hexadecimal digits of one file's weights, likewise; empty where it is not there."""
    if not file.is_file():
        return ""
    about = file.stat()
    return _fingerprint(file.parent, ((file.name, about.st_size, about.st_mtime_ns),), named=False)


def _stamps(folder: Path) -> Iterator[Stamp]:
    if not folder.is_dir():
        return
    for file in sorted(folder.iterdir()):
        if file.suffix in _READ and file.is_file():
            about = file.stat()
            yield file.name, about.st_size, about.st_mtime_ns


def _blocks(file: Path, size: int) -> Iterator[tuple[int, int]]:
    """The parts (offset, length) of a file that are read."""
    if size <= _WHOLE:
        yield 0, size
        return
    offsets = _tensor_offsets(file) if file.suffix == ".safetensors" else None
    yield 0, _BLOCK
    for offset in offsets or range(0, size, max(size // _BLOCKS, _BLOCK)):
        yield offset, _BLOCK


def _tensor_offsets(file: Path) -> list[int] | None:
    """Where a safetensors file's tensors begin; None where it is none."""
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        if length > _HEADER_AT_MOST:
            return None
        try:
            header = json.loads(opened.read(length))
            starts = [
                about["data_offsets"][0] for name, about in header.items() if name[:2] != "__"
            ]
            return sorted(8 + length + int(start) for start in starts)
        except (ValueError, TypeError, KeyError, AttributeError):
            return None
