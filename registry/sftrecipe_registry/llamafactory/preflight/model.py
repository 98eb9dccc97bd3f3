"""The model to start from and the folder to train into, as far as this machine's disk tells."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from sftrecipe.plugin import Finding, Text, Texts, Training
from sftrecipe_registry.llamafactory.preflight.adapter import ADAPTER_CONFIG, adapter_findings
from sftrecipe_registry.llamafactory.preflight.arguments import Settings
from sftrecipe_registry.llamafactory.preflight.weights import weight_findings
from sftrecipe_registry.llamafactory.training.output import NOTE, listed, read_json
from sftrecipe_registry.shared.models.model_folder import is_adapter, is_path

texts = Texts(__package__)
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
    elif folder.is_file() or model.endswith(".gguf"):
        yield Finding("fault", "model", texts("model-is-file", model=model), _whole_model(folder))
    elif _is_folder(model):
        text = texts("no-model-folder", model=model)
        yield Finding("fault", "model", text, _models_beside(folder))
    yield from adapter_findings(settings, training)
    for name in _OTHER_MODELS:
        for other in listed(settings.get(name)):
            if "://" not in other and _is_folder(other) and not (training.folder / other).is_dir():
                text = texts("no-other-model", name=name, other=other)
                yield Finding("fault", "model", text, texts("seen-from-recipe"))


def _whole_model(file: Path) -> Text:
    """What to name in a file's place."""
    if file.is_file() and (file.parent / "config.json").is_file():
        return texts("write-this", name="model_name_or_path", value=file.parent)
    return texts("name-whole-model")


def _models_beside(folder: Path) -> Text:
    """A model's folder that lies where this one was looked for and has a name like it."""
    above = next((each for each in folder.parents if each.is_dir()), None)
    found = {} if above is None else {
        each.parent.name: each.parent for each in sorted(above.glob("*/config.json"))[:200]
    }  # fmt: skip
    if near := get_close_matches(folder.name, found, n=1):
        return texts("write-this", name="model_name_or_path", value=found[near[0]])
    return texts("seen-from-recipe-file")


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
        base = read_json(folder / ADAPTER_CONFIG).get("base_model_name_or_path")
        text, advice = texts("adapter-as-model", model=model), texts("name-base-and-adapter")
        if base:
            advice = texts("write-base-and-adapter", base=base, adapter=model)
        yield Finding("fault", "model", text, advice)
        return
    if not (folder / "config.json").is_file():
        text = texts("no-model-config", model=model)
        yield Finding("fault", "model", text, texts("name-model-folder"))
        return
    yield from weight_findings(model, folder)
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
    if settings.get("resume_from_checkpoint"):
        return
    inside = sorted(each.name for each in folder.iterdir() if each.name[:1] != ".")
    if inside:
        old = any(each.startswith("checkpoint-") for each in inside)
        text = texts("output-has-checkpoints" if old else "output-has-files", name=name)
        yield Finding("fault", "output_dir", text, texts("move-away"), tuple(inside[:3]))
