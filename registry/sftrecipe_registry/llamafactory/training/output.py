"""The folder that LLaMA-Factory trains into: what stands in it, where to go on.

It lies by the training's fingerprint among the run's `models`, and a note in it says how far the
training is. `output_dir` becomes a link to it once the model is whole.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, ClassVar

import yaml

from sftrecipe.plugin import (
    KeptModel,
    ModelNote,
    PluginRefused,
    Texts,
    is_model_link,
    kept_model_of,
    read_model_note,
)
from sftrecipe_registry.shared.models.model_folder import weights_fingerprint

texts = Texts(__package__)

RESULTS = "all_results.json"
MERGED = "merged"
NOTE = ".sftrecipe.json"
RESUMABLE: Mapping[str, object] = {"save_steps": 0.1, "save_total_limit": 1}
"""Checkpoints to go on from after an interruption, where the recipe asks for none."""
_SEALED = 1 << 20
"""Bytes of a file of weights that are read at its beginning and its end."""
ADAPTERS = ("adapter_model.safetensors", "adapter_model.bin")
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
OPTIMIZERS = ("optimizer.pt", "optimizer.bin", "optimizer_*", "global_step*")
"""What a checkpoint keeps of the optimizer: torch's, FSDP's, DeepSpeed's."""
_STARTS_OVER = ("rm", "ppo")
"""Stages that LLaMA-Factory cannot go on with from a checkpoint: their value head is not in it."""


@dataclass(frozen=True)
class Output:
    """The folder of one training."""

    kept: KeptModel
    name: str
    """`output_dir`, from the run's folder on."""
    settings: Mapping[str, Any]
    """LLaMA-Factory's arguments, as `train.yaml` has them."""
    made_by: Mapping[str, Any] = field(default_factory=dict)
    """What the engine says of the step."""
    overwrites: ClassVar[bool] = True
    """Whether it empties its folder unless it is told not to."""
    last_written: ClassVar[str] = "trainer_state.json"
    """The file of a checkpoint that comes last."""

    @property
    def command(self) -> str:
        """The trainer's word for it."""
        return "train"

    @property
    def folder(self) -> Path:
        """Where the training lies."""
        return self.kept.folder

    @property
    def adapter(self) -> bool:
        """Whether it trains an adapter, not the model itself."""
        return self.settings.get("finetuning_type", "lora") in ("lora", "oft")

    @property
    def finished(self) -> bool:
        """Whether this very training is done and its model stands."""
        return self.kept.note.done and self.trained(0)

    @property
    def resumed(self) -> bool:
        """Whether it went on from a checkpoint."""
        return self.kept.note.resumed

    @property
    def seconds(self) -> float:
        """How long it took, all attempts together."""
        return self.kept.note.seconds

    def check_place(self) -> None:
        """Take over what an earlier version left where the link will be.

        Raises PluginRefused where files lie there that no training of a recipe left.
        """
        link = self.kept.run / self.name
        if is_model_link(self.kept.run, link):
            return
        old = read_model_note(link).fingerprint
        if old and not link.is_symlink():
            with suppress(OSError):  # a system without links: it stays what it is
                KeptModel(self.kept.run, old).take_over(self.name)
            return
        inside = sorted(each.name for each in link.iterdir()) if link.is_dir() else []
        if inside or link.is_symlink() or link.is_file():
            names = ", ".join(inside[:3]) + (" …" if len(inside) > 3 else "")
            raise PluginRefused(texts("folder-of-others", folder=link, names=names or link.name))
        if link.is_dir():
            link.rmdir()

    def prepare(self) -> Path | None:
        """Make the folder ready: the checkpoint to go on from; None: it starts with nothing in it.

        What somebody trained into the folder by hand is set aside.
        """
        note, checkpoint = self.kept.note, None
        if self._altered(note):
            self.kept.set_aside("by-hand")
            note = ModelNote()
        if note.fingerprint and not self.settings.get("resume_from_checkpoint"):
            checkpoint = self._last_checkpoint()
        seconds = 0.0
        if checkpoint is None:
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            seconds = note.seconds + self._unnoted(checkpoint)
            shutil.rmtree(self.folder / MERGED, ignore_errors=True)  # of the adapter before
        self.kept.write_note(
            ModelNote(
                fingerprint=self.kept.key,
                name=self.name,
                resumed=checkpoint is not None,
                seconds=seconds,
                spare=self._spare(),
                made_by=self.made_by,
            )
        )
        return checkpoint

    def noted(self) -> int:
        """When the training was begun or, later, done: by the disk's own clock, in nanoseconds."""
        return (self.folder / NOTE).stat().st_mtime_ns

    def trained(self, since: int) -> bool:
        """Whether weights and results stand that were written since then, and nobody's by hand."""
        if not self._came_to_its_end(since) or self._altered(self.kept.note):
            return False
        if self.adapter:
            return any(is_newer(self.folder / name, since) for name in ADAPTERS)
        return model_stands(self.folder, since)

    def results(self) -> dict[str, float]:
        """The figures that LLaMA-Factory leaves at the end."""
        found = read_json(self.folder / RESULTS)
        return {name: value for name, value in found.items() if isinstance(value, int | float)}

    def stopped(self, seconds: float) -> None:
        """Note that an attempt of so many seconds did not come to its end."""
        note = self.kept.note
        if note.fingerprint:
            self.kept.write_note(replace(note, seconds=note.seconds + seconds))

    def finish(self, seconds: float) -> None:
        """Note that this training is done, after a last attempt of so many seconds."""
        note = self.kept.note
        seal, seconds = weights_seal(self.folder), note.seconds + seconds
        self.kept.write_note(replace(note, done=True, seconds=seconds, seal=seal))

    def _spare(self) -> tuple[str, ...]:
        """Its checkpoints, where the user asked for none: they are to go on from, no more."""
        said = {
            name: value
            for name, value in self.settings.items()
            if name.startswith(("save_", "load_best_model_at_end"))
        }
        return ("checkpoint-*",) if said in ({}, RESUMABLE) else ()

    def _came_to_its_end(self, since: int) -> bool:
        """Whether its results were written since then."""
        return is_newer(self.folder / RESULTS, since) and "train_loss" in self.results()

    def _altered(self, note: ModelNote) -> bool:
        """Whether the weights are others than the training left."""
        return note.done and bool(note.seal) and weights_seal(self.folder) not in ("", note.seal)

    def _unnoted(self, checkpoint: Path) -> float:
        """Seconds from the beginning of an attempt that was killed to its last checkpoint."""
        until = (checkpoint / self.last_written).stat().st_mtime_ns
        return max(0, until - self.noted()) / 1e9

    def _last_checkpoint(self) -> Path | None:
        """The last whole one, where the stage can go on from any."""
        if self.settings.get("stage") in _STARTS_OVER:
            return None
        found = {step_of(folder): folder for folder in self.folder.glob("checkpoint-*")}
        whole = [step for step, folder in found.items() if self._is_whole(folder, step)]
        return found[max(whole)] if whole else None

    def _is_whole(self, checkpoint: Path, step: int) -> bool:
        """Whether all of it was written: the state comes last."""
        state = read_json(checkpoint / self.last_written)
        kept = any(any(checkpoint.glob(pattern)) for pattern in OPTIMIZERS)
        return kept and state.get("global_step") == step


def weights_seal(folder: Path) -> str:
    """What tells the weights in a folder from others; empty where there are none.

    Of each file the size, the beginning and the end are read: a training alters all of it.
    """
    found, any_weights = blake2b(digest_size=8), False
    for pattern in (*ADAPTERS, "model*.safetensors", "pytorch_model*.bin"):
        for file in sorted(folder.glob(pattern)):
            any_weights = True
            size = file.stat().st_size
            found.update(f"{file.name} {size}\n".encode())
            with file.open("rb") as opened:
                found.update(opened.read(_SEALED))
                opened.seek(max(0, size - _SEALED))
                found.update(opened.read(_SEALED))
    return found.hexdigest() if any_weights else ""


def model_stands(folder: Path, since: int = 0) -> bool:
    """Whether a whole model lies there, written since then (nanoseconds)."""
    if not (folder / "config.json").is_file():
        return False
    if any(is_newer(folder / name, since) for name in _WEIGHTS):
        return True
    for name in INDEXES:
        parts = set(read_json(folder / name).get("weight_map", {}).values())
        if parts and all(is_newer(folder / part, since) for part in parts):
            return True
    return False


def training_fingerprint(settings: Mapping[str, Any], folder: Path) -> str:
    """32 hexadecimal digits that another configuration, base model or data does not have."""
    named = {**settings, **_base_by_name(settings, folder)}
    found = blake2b(json.dumps(named, sort_keys=True, default=str).encode(), digest_size=16)
    base = folder / str(settings.get(_base_argument(settings)))
    adapters = [folder / each for each in listed(settings.get("adapter_name_or_path"))]
    for weights in (base, *adapters):
        if weights.is_dir():
            found.update(weights_fingerprint(weights).encode())
    for text in _data(settings, folder):
        found.update(text)
    return found.hexdigest()


def _base_by_name(settings: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """A base that an earlier block trained, as its link would show it: a key says how it was made,
    not what it is."""
    argument = _base_argument(settings)
    base = folder / str(settings.get(argument))
    kept = kept_model_of(folder, base)
    if kept is None or not kept.note.name:
        return {}
    name = Path(kept.note.name) / base.relative_to(kept.folder)
    return {argument: str(name)}


def _base_argument(settings: Mapping[str, Any]) -> str:
    """How the base is called: v1's settings have `train_dataset`."""
    return "model" if "train_dataset" in settings else "model_name_or_path"


def data_fingerprint(settings: Mapping[str, Any], folder: Path) -> str:
    """16 hexadecimal digits that other rows to train on do not have; empty where there are none.

    LLaMA-Factory goes on from a checkpoint of other rows without a word.
    """
    found, any_read = blake2b(digest_size=8), False
    for text in _data({**settings, "eval_dataset": None}, folder):
        found.update(text)
        any_read = True
    return found.hexdigest() if any_read else ""


def _data(settings: Mapping[str, Any], folder: Path) -> Iterator[bytes]:
    """The catalogue entries of the data sets and what is in their files."""
    place = folder / str(settings.get("dataset_dir", "data"))
    catalogue = read_json(place / "dataset_info.json")
    for name in [*listed(settings.get("dataset")), *listed(settings.get("eval_dataset"))]:
        entry = catalogue.get(name, {})
        yield json.dumps([name, entry], sort_keys=True).encode()
        yield from _contents(place / str(entry.get("file_name", name)))
    if components := settings.get("components_cfg_file"):  # DataFlex's
        yield from _contents(folder / str(components))
    if listing := settings.get("train_dataset"):  # v1's
        sets = yaml.safe_load((folder / str(listing)).read_text(encoding="utf-8")) or {}
        for name, entry in sets.items():
            yield json.dumps([name, entry], sort_keys=True).encode()
            yield from _contents(folder / str(entry["path"]))


def _contents(path: Path) -> Iterator[bytes]:
    for file in _files(path):
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


def step_of(checkpoint: Path) -> int:
    """The step that a checkpoint is named after; -1 where it is none."""
    number = checkpoint.name.removeprefix("checkpoint-")
    return int(number) if number.isdecimal() else -1


def is_newer(file: Path, since: int) -> bool:
    """Whether a file was written since then (nanoseconds)."""
    try:
        return file.stat().st_mtime_ns >= since
    except FileNotFoundError:
        return False


def read_json(file: Path) -> dict[str, Any]:
    """An object in a file; empty where there is none, or it was cut short."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
