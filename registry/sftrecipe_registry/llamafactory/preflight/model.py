"""The model to start from and the folder to train into, as far as this machine's disk tells."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sftrecipe.plugin import Finding, Texts, Training
from sftrecipe_registry.llamafactory.preflight.arguments import Settings
from sftrecipe_registry.llamafactory.training.output import NOTE, listed
from sftrecipe_registry.shared.models.model_folder import is_adapter, is_path

texts = Texts(__package__)
_WEIGHTS = ("*.safetensors", "*.bin", "*.pt", "*.pth")
_OTHER_MODELS = ("ref_model", "ref_model_adapters", "reward_model", "reward_model_adapters")
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt")


def model_findings(settings: Settings, training: Training) -> Iterator[Finding]:
    """A model's folder that is not there, holds an adapter, or lacks a part."""
    model = str(settings.get("model_name_or_path") or "")
    if not model:
        yield Finding("fault", "model", texts("no-model-set"), texts("name-model"))
        return
    folder = training.folder / model
    if _comes_later(folder, training):
        yield Finding("warning", "model", texts("model-not-trained-yet", model=model))
    elif folder.is_dir():
        yield from _inside(model, folder)
    elif _is_folder(model):
        text = texts("no-model-folder", model=model)
        yield Finding("fault", "model", text, texts("seen-from-recipe-file"))
    yield from _adapters(settings, training)
    for name in _OTHER_MODELS:
        for other in listed(settings.get(name)):
            if "://" not in other and _is_folder(other) and not (training.folder / other).is_dir():
                text = texts("no-other-model", name=name, other=other)
                yield Finding("fault", "model", text, texts("seen-from-recipe"))


def _adapters(settings: Settings, training: Training) -> Iterator[Finding]:
    for adapter in listed(settings.get("adapter_name_or_path")):
        place = training.folder / adapter
        if place.is_dir() and not (place / "adapter_config.json").is_file():
            text = texts("no-adapter-config", adapter=adapter)
            yield Finding("fault", "model", text, texts("name-lora-folder"))
        elif not place.is_dir() and _is_folder(adapter):
            yield Finding("fault", "model", texts("no-adapter-folder", adapter=adapter))


def _comes_later(folder: Path, training: Training) -> bool:
    """Whether it is the model that an earlier block makes, in the output folder, and has not yet.

    The models of the trainings before are given by the folder that each starts from until it has
    run; the training's own is none that anything makes.
    """
    made = {
        model.resolve()
        for block, model in training.models.items()
        if block != training.id and model.is_absolute() and model.is_relative_to(training.folder)
    }
    return folder.resolve() in made and not (folder / "config.json").is_file()


def _is_folder(model: str) -> bool:
    """Whether a name is a folder's, not one of the hub."""
    return is_path(model) or model.count("/") > 1


def _inside(model: str, folder: Path) -> Iterator[Finding]:
    if is_adapter(folder):
        text = texts("adapter-as-model", model=model)
        yield Finding("fault", "model", text, texts("name-base-and-adapter"))
        return
    if not (folder / "config.json").is_file():
        text = texts("no-model-config", model=model)
        yield Finding("fault", "model", text, texts("name-model-folder"))
        return
    if not any(True for pattern in _WEIGHTS for _ in folder.glob(pattern)):
        yield Finding("fault", "model", texts("no-weights", model=model), texts("download-again"))
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        text = texts("no-tokenizer", model=model)
        yield Finding("fault", "model", text, texts("copy-tokenizer"))


def output_findings(settings: Settings, training: Training) -> Iterator[Finding]:
    """An output folder that holds something else than an earlier training of this recipe."""
    name = str(settings.get("output_dir") or "trainer_output")
    folder = training.folder / name
    for argument in ("model_name_or_path", "dataset_dir", "adapter_name_or_path"):
        if folder.resolve() in {
            (training.folder / each).resolve() for each in listed(settings.get(argument))
        }:
            text = texts("output-is-input", name=name, argument=argument)
            yield Finding("fault", "output_dir", text, texts("name-new-output"))
            return
    if folder.exists() and not folder.is_dir():
        text = texts("output-is-file", name=name)
        yield Finding("fault", "output_dir", text, texts("name-folder"))
        return
    if not folder.is_dir() or (folder / NOTE).is_file():
        return
    if checkpoint := settings.get("resume_from_checkpoint"):
        if isinstance(checkpoint, str) and not (training.folder / checkpoint).is_dir():
            text = texts("no-checkpoint", checkpoint=checkpoint)
            yield Finding("fault", "output_dir", text, texts("name-checkpoint"))
        return
    inside = sorted(each.name for each in folder.iterdir() if each.name[:1] != ".")
    if inside:
        old = any(each.startswith("checkpoint-") for each in inside)
        text = texts("output-has-checkpoints" if old else "output-has-files", name=name)
        yield Finding("fault", "output_dir", text, texts("move-away"), tuple(inside[:3]))
