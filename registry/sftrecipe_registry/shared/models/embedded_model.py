"""Which GGUF the embedded runtime loads for a model that a recipe names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from sftrecipe.plugin import OptionProblem, Texts
from sftrecipe_registry.shared.models.gguf_model import write_gguf
from sftrecipe_registry.shared.models.model_folder import (
    file_fingerprint,
    is_path,
    model_folder,
    model_problems,
    weights_fingerprint,
)
from sftrecipe_registry.shared.models.packaged_models import (
    PACKAGED_MODELS,
    fetch_command,
    not_here,
    present_weights,
)

texts = Texts(__package__)
SUFFIX = ".gguf"
_MAGIC = b"GGUF"
_CACHE = "gguf"
_TRAINED = "trained"


def named_model_problems(model: str) -> Iterator[OptionProblem]:
    """What is wrong with a name that means neither a packaged model nor a file or folder; as a
    warning, that a run will fetch it."""
    if model.partition(":")[0] == _TRAINED:
        return
    if packaged := PACKAGED_MODELS.get(model):
        if present_weights(packaged) is None:
            told, command = not_here(packaged), fetch_command(model)
            yield OptionProblem(("model",), told, command, severity="warning")
    elif not is_path(model):
        hint = texts("name-a-path", names=", ".join(PACKAGED_MODELS))
        yield OptionProblem(("model",), texts("not-on-disk", model=model), hint)
    elif not model.endswith(SUFFIX):
        yield from model_problems(model)
    elif _is_another_file(model_folder(model)):
        yield OptionProblem(("model",), texts("no-gguf", model=model), texts("write-gguf"))


def _is_another_file(file: Path) -> bool:
    """Whether something lies there that is no GGUF; one that is not there may still be made."""
    if not file.is_file():
        return file.exists()
    with file.open("rb") as opened:
        return opened.read(len(_MAGIC)) != _MAGIC


def model_revision(model: str) -> str:
    """What tells the weights of a file or folder from others."""
    path = model_folder(model)
    return weights_fingerprint(path) if path.is_dir() else file_fingerprint(path)


def gguf_of(model: Path, cache: Path, numbers: str) -> Path:
    """The GGUF of a file or folder: of a folder it is written into the cache, unless it is there.

    Raises PluginRefused where the folder's model is of a kind that is not written as GGUF.
    """
    if not model.is_dir():
        return model
    file = cache / _CACHE / f"{weights_fingerprint(model)}-{numbers}{SUFFIX}"
    file.parent.mkdir(parents=True, exist_ok=True)
    note = json.dumps({"made_of": str(model.resolve())})  # `gc` then knows when it is of no use
    file.with_name(f"{file.name}.json").write_text(note, "utf-8")
    if not file.exists():
        write_gguf(model, file, numbers)
    return file
