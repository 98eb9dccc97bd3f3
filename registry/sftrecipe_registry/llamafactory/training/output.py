"""The folder that LLaMA-Factory trains into: whose it is, what stands in it, where to go on.

A note in the folder says for which configuration and data it is. Without the note the folder is
somebody else's, and nothing in it is touched.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from sftrecipe.plugin import PluginRefused, Texts
from sftrecipe_registry.shared.models.model_folder import weights_fingerprint

texts = Texts(__package__)

NOTE = ".sftrecipe.json"
RESULTS = "all_results.json"
MERGED = "merged"
_ADAPTERS = ("adapter_model.safetensors", "adapter_model.bin")
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_OPTIMIZERS = ("optimizer.pt", "optimizer.bin", "optimizer_*", "global_step*")
"""What a checkpoint keeps of the optimizer: torch's, FSDP's, DeepSpeed's."""
_STARTS_OVER = ("rm", "ppo")
"""Stages that LLaMA-Factory cannot go on with from a checkpoint: their value head is not in it."""


@dataclass(frozen=True)
class Output:
    """The folder of one training."""

    folder: Path
    settings: Mapping[str, Any]
    """LLaMA-Factory's arguments, as `train.yaml` has them."""
    fingerprint: str
    """Of the settings and the data."""

    @property
    def adapter(self) -> bool:
        """Whether it trains an adapter, not the model itself."""
        return self.settings.get("finetuning_type", "lora") in ("lora", "oft")

    @property
    def finished(self) -> bool:
        """Whether this very training is done and its model stands."""
        return self._is_this() and self._note().get("done") is True and self.trained(0)

    @property
    def resumed(self) -> bool:
        """Whether it went on from a checkpoint."""
        return self._note().get("resumed") is True

    def prepare(self) -> Path | None:
        """Make the folder ready: the checkpoint to go on from; None: it starts with nothing in it.

        Raises PluginRefused where files lie in it that no earlier training of a recipe left.
        """
        checkpoint = None
        if self.settings.get("resume_from_checkpoint"):
            self.folder.mkdir(parents=True, exist_ok=True)  # the user says where it goes on
        else:
            if self._is_this():
                checkpoint = self._last_checkpoint()
            if checkpoint is None:
                self._empty()
        self._write_note(done=False, resumed=checkpoint is not None)
        return checkpoint

    def noted(self) -> int:
        """When the training was begun or, later, done: by the disk's own clock, in nanoseconds."""
        return (self.folder / NOTE).stat().st_mtime_ns

    def trained(self, since: int) -> bool:
        """Whether weights and results stand that were written since then."""
        if not _newer(self.folder / RESULTS, since) or "train_loss" not in self.results():
            return False
        if self.adapter:
            return any(_newer(self.folder / name, since) for name in _ADAPTERS)
        return model_stands(self.folder, since)

    def results(self) -> dict[str, float]:
        """The figures that LLaMA-Factory leaves at the end."""
        found = _read_json(self.folder / RESULTS)
        return {name: value for name, value in found.items() if isinstance(value, int | float)}

    def finish(self) -> None:
        """Note that this training is done."""
        self._write_note(done=True, resumed=self.resumed)

    def _note(self) -> dict[str, Any]:
        return _read_json(self.folder / NOTE)

    def _is_this(self) -> bool:
        return self._note().get("fingerprint") == self.fingerprint

    def _write_note(self, *, done: bool, resumed: bool) -> None:
        new = self.folder / f"{NOTE}.new"
        note = {"fingerprint": self.fingerprint, "done": done, "resumed": resumed}
        new.write_text(json.dumps(note), "utf-8")
        new.replace(self.folder / NOTE)

    def _last_checkpoint(self) -> Path | None:
        """The last whole one, where the stage can go on from any."""
        if self.settings.get("stage") in _STARTS_OVER:
            return None
        found = {_step(folder): folder for folder in self.folder.glob("checkpoint-*")}
        whole = [step for step, folder in found.items() if _is_whole(folder, step)]
        return found[max(whole)] if whole else None

    def _empty(self) -> None:
        """Remove what earlier trainings of the recipe left."""
        self.folder.mkdir(parents=True, exist_ok=True)
        inside = [entry for entry in sorted(self.folder.iterdir()) if entry.name[:1] != "."]
        if inside and not self._note():
            names = ", ".join(entry.name for entry in inside[:3])
            names += " …" if len(inside) > 3 else ""
            raise PluginRefused(texts("folder-of-others", folder=self.folder, names=names))
        for entry in inside:
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()


def model_stands(folder: Path, since: int = 0) -> bool:
    """Whether a whole model lies there, written since then (nanoseconds)."""
    if not (folder / "config.json").is_file():
        return False
    if any(_newer(folder / name, since) for name in _WEIGHTS):
        return True
    for name in _INDEXES:
        parts = set(_read_json(folder / name).get("weight_map", {}).values())
        if parts and all(_newer(folder / part, since) for part in parts):
            return True
    return False


def training_fingerprint(settings: Mapping[str, Any], folder: Path) -> str:
    """32 hexadecimal digits that another configuration, base model or data does not have."""
    found = blake2b(json.dumps(settings, sort_keys=True, default=str).encode(), digest_size=16)
    base = folder / str(settings.get("model_name_or_path"))
    if base.is_dir():
        found.update(weights_fingerprint(base).encode())
    for text in _data(settings, folder):
        found.update(text)
    return found.hexdigest()


def _data(settings: Mapping[str, Any], folder: Path) -> Iterator[bytes]:
    """The catalogue entries of the data sets and what is in their files."""
    place = folder / str(settings.get("dataset_dir", "data"))
    catalogue = _read_json(place / "dataset_info.json")
    for name in [*listed(settings.get("dataset")), *listed(settings.get("eval_dataset"))]:
        entry = catalogue.get(name, {})
        yield json.dumps([name, entry], sort_keys=True).encode()
        for file in _files(place / str(entry.get("file_name", name))):
            with file.open("rb") as opened:
                while part := opened.read(1 << 20):
                    yield part


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.iterdir() if file.is_file())
    return [path] if path.is_file() else []


def listed(names: object) -> list[str]:
    """LLaMA-Factory takes a list, or names between commas."""
    items = names if isinstance(names, list) else str(names or "").split(",")
    return [name for item in items if (name := str(item).strip())]


def _step(checkpoint: Path) -> int:
    number = checkpoint.name.removeprefix("checkpoint-")
    return int(number) if number.isdecimal() else -1


def _is_whole(checkpoint: Path, step: int) -> bool:
    """Whether all of it was written: the state comes last."""
    state = _read_json(checkpoint / "trainer_state.json")
    kept = any(any(checkpoint.glob(pattern)) for pattern in _OPTIMIZERS)
    return kept and state.get("global_step") == step


def _newer(file: Path, since: int) -> bool:
    try:
        return file.stat().st_mtime_ns >= since
    except FileNotFoundError:
        return False


def _read_json(file: Path) -> dict[str, Any]:
    """An object in a file; empty where there is none, or it was cut short."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
