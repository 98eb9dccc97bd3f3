"""The files of a trained model that others need, without what is of this machine alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from sftrecipe.plugin import PluginRefused, Publication, Texts
from sftrecipe_registry.llamafactory.training.output import MERGED

texts = Texts(__package__)
_MODEL = (
    *(
        "config.json",
        "generation_config.json",
        "model*.safetensors",
        "model.safetensors.index.json",
    ),
    *("value_head.safetensors", "Modelfile"),
)
_ADAPTER = ("adapter_config.json", "adapter_model.safetensors", "value_head.safetensors")
_TOKENIZER = (
    *("tokenizer.json", "tokenizer_config.json", "tokenizer.model", "special_tokens_map.json"),
    *("added_tokens.json", "vocab.json", "vocab.txt", "merges.txt", "chat_template.jinja"),
    *("chat_template.json", "preprocessor_config.json", "processor_config.json"),
    "video_preprocessor_config.json",
)
"""Names that are published; `training_args.bin`, logs, checkpoints and whatever else lies there
tell of this machine, or of the training alone."""
_PLACES = ("_name_or_path", "name_or_path")
_BASE = "base_model_name_or_path"


def adapter_folder(model: Path) -> Path:
    """Where the adapter of a merged model lies. Raises PluginRefused where it was none."""
    if model.name != MERGED or not (model.parent / "adapter_config.json").is_file():
        raise PluginRefused(texts("no-adapter", model=model))
    return model.parent


def published(model: Path, what: Publication, base: str | None) -> dict[str, Path | bytes]:
    """The files by their names; `base`: the name of the base model on a hub.

    Raises PluginRefused where there are none.
    """
    folder = model if what == "merged" else adapter_folder(model)
    patterns = (*(_MODEL if what == "merged" else _ADAPTER), *_TOKENIZER)
    found: dict[str, Path | bytes] = {}
    for pattern in patterns:
        for file in sorted(folder.glob(pattern)):
            found[file.name] = _clean(file, base) if file.suffix == ".json" else file
    if not any(name.endswith(".safetensors") for name in found):
        raise PluginRefused(texts("nothing-to-publish", folder=folder))
    return found


def _clean(file: Path, base: str | None) -> Path | bytes:
    """A JSON file without the paths of this machine."""
    if file.stat().st_size > 1 << 20:  # a tokenizer's vocabulary, an index
        return file
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    cleaned = {name: value for name, value in found.items() if name not in _PLACES}
    if _BASE in cleaned and _is_place(cleaned):
        cleaned[_BASE] = base or PurePosixPath(str(cleaned[_BASE])).name
    if cleaned == found:
        return file
    return (json.dumps(cleaned, ensure_ascii=False, indent=2) + "\n").encode()


def _is_place(settings: Mapping[str, Any]) -> bool:
    named = str(settings[_BASE])
    return named.startswith(("/", "~", ".")) or Path(named).exists()
