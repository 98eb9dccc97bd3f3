"""The model to start from and the folder to train into, as far as this machine's disk tells."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sftrecipe.plugin import Finding, Training
from sftrecipe_registry.llamafactory.preflight.arguments import Settings
from sftrecipe_registry.llamafactory.training.output import NOTE, listed
from sftrecipe_registry.shared.models.model_folder import is_adapter, is_path

_WEIGHTS = ("*.safetensors", "*.bin", "*.pt", "*.pth")
_OTHER_MODELS = ("ref_model", "ref_model_adapters", "reward_model", "reward_model_adapters")
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt")


def model_findings(settings: Settings, training: Training) -> Iterator[Finding]:
    """A model's folder that is not there, holds an adapter, or lacks a part."""
    model = str(settings.get("model_name_or_path") or "")
    if not model:
        text = "model_name_or_path is not set"
        yield Finding("fault", "model", text, "name a folder, or a model of a hub")
        return
    folder = training.folder / model
    if _comes_later(folder, training):
        text = f"model '{model}' is not trained yet: template and truncation are not checked"
        yield Finding("warning", "model", text)
    elif folder.is_dir():
        yield from _inside(model, folder)
    elif _is_folder(model):
        advice = "a relative path is seen from the recipe's file"
        yield Finding("fault", "model", f"model folder '{model}' does not exist", advice)
    yield from _adapters(settings, training)
    for name in _OTHER_MODELS:
        for other in listed(settings.get(name)):
            if "://" not in other and _is_folder(other) and not (training.folder / other).is_dir():
                text = f"{name} '{other}' does not exist"
                yield Finding("fault", "model", text, "a relative path is seen from the recipe")


def _adapters(settings: Settings, training: Training) -> Iterator[Finding]:
    for adapter in listed(settings.get("adapter_name_or_path")):
        place = training.folder / adapter
        if place.is_dir() and not (place / "adapter_config.json").is_file():
            text = f"adapter folder '{adapter}' has no adapter_config.json"
            yield Finding("fault", "model", text, "name the folder that a LoRA training wrote")
        elif not place.is_dir() and _is_folder(adapter):
            yield Finding("fault", "model", f"adapter folder '{adapter}' does not exist")


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
        text = f"model folder '{model}' holds an adapter, not a model"
        advice = (
            "name the adapter's base as model_name_or_path and this folder as "
            "adapter_name_or_path, or the merged model"
        )
        yield Finding("fault", "model", text, advice)
        return
    if not (folder / "config.json").is_file():
        text = f"model folder '{model}' has no config.json"
        yield Finding("fault", "model", text, "name the folder of a Hugging Face model")
        return
    if not any(True for pattern in _WEIGHTS for _ in folder.glob(pattern)):
        advice = "download it again: its large files are missing"
        yield Finding("fault", "model", f"model folder '{model}' has no weights", advice)
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        advice = "copy the tokenizer's files beside the weights"
        yield Finding("fault", "model", f"model folder '{model}' has no tokenizer", advice)


def output_findings(settings: Settings, training: Training) -> Iterator[Finding]:
    """An output folder that holds something else than an earlier training of this recipe."""
    name = str(settings.get("output_dir") or "trainer_output")
    folder = training.folder / name
    for argument in ("model_name_or_path", "dataset_dir", "adapter_name_or_path"):
        if folder.resolve() in {
            (training.folder / each).resolve() for each in listed(settings.get(argument))
        }:
            text = f"output_dir '{name}' is {argument} at the same time"
            yield Finding("fault", "output_dir", text, "name a new folder as output_dir")
            return
    if folder.exists() and not folder.is_dir():
        yield Finding("fault", "output_dir", f"output_dir '{name}' is a file", "name a folder")
        return
    if not folder.is_dir() or (folder / NOTE).is_file():
        return
    if checkpoint := settings.get("resume_from_checkpoint"):
        if isinstance(checkpoint, str) and not (training.folder / checkpoint).is_dir():
            text = f"resume_from_checkpoint '{checkpoint}' does not exist"
            yield Finding("fault", "output_dir", text, "name a folder checkpoint-N")
        return
    inside = sorted(each.name for each in folder.iterdir() if each.name[:1] != ".")
    if inside:
        old = any(each.startswith("checkpoint-") for each in inside)
        what = "checkpoints of another training" if old else "files"
        text = f"output_dir '{name}' holds {what} that this recipe did not make"
        advice = "move them away, or set output_dir; LLaMA-Factory would resume or refuse"
        yield Finding("fault", "output_dir", text, advice, tuple(inside[:3]))
