"""Adapters to train on from: whether they are whole, and of this base and of this form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sftrecipe.plugin import Finding, Text, Texts, Training
from sftrecipe_registry.llamafactory.preflight.arguments import Settings
from sftrecipe_registry.llamafactory.training.output import ADAPTERS, listed, read_json
from sftrecipe_registry.shared.models.model_folder import is_path, weights_fingerprint

texts = Texts(__package__)

ADAPTER_CONFIG = "adapter_config.json"
NAMED = "adapter_name_or_path"


def adapter_findings(settings: Settings, training: Training) -> Iterator[Finding]:
    """An adapter that is missing, empty, of another base, or of another form than is asked for."""
    names = listed(settings.get(NAMED))
    for at, name in enumerate(names):
        place = training.folder / Path(name).expanduser()
        if not place.is_dir():
            if is_path(name) or name.count("/") > 1:
                text = texts("no-adapter-folder", adapter=name)
                yield _fault(text, _those_inside(place.parent, training))
            continue
        adapter = read_json(place / ADAPTER_CONFIG)
        if not adapter:
            text = texts("no-adapter-config", adapter=name)
            yield _fault(text, _those_inside(place, training))
            continue
        if not any((place / weights).is_file() for weights in ADAPTERS):
            text = texts("no-adapter-weights", adapter=name)
            yield _fault(text, _those_inside(place, training))
            continue
        yield from base_findings(settings, training, adapter, NAMED, name)
        if at == len(names) - 1 and settings.get("create_new_adapter") is not True:
            yield from shape_findings(settings, adapter, NAMED, name)


def base_findings(
    settings: Settings, training: Training, adapter: Mapping[str, Any], argument: str, shown: str
) -> Iterator[Finding]:
    """An adapter of another base than the model: it fits none of its weights."""
    then, now = str(adapter.get("base_model_name_or_path") or ""), _model(settings)
    if not then or not now:
        return
    there, here = training.folder / Path(then).expanduser(), training.folder / now
    if then == now and (there.is_absolute() or not there.is_dir()):
        return
    if there.is_dir() and here.is_dir():
        if there.resolve() == here.resolve():
            return
        if weights_fingerprint(there) != weights_fingerprint(here):
            text = texts("of-other-base", argument=argument, adapter=shown, then=then, now=now)
            advice = texts("write-this", name="model_name_or_path", value=then)
            yield Finding("fault", "checkpoint", text, advice)
    elif Path(then).name != Path(now).name:
        text = texts("base-unknown", argument=argument, adapter=shown, then=then, now=now)
        advice = texts("write-this", name="model_name_or_path", value=then)
        yield Finding("warning", "checkpoint", text, advice)


def shape_findings(
    settings: Settings, adapter: Mapping[str, Any], argument: str, shown: str
) -> Iterator[Finding]:
    """Another rank or other modules than are asked for: it is refused, or they are not read."""
    slug = "adapter-refused" if argument != NAMED else "adapter-not-read"
    for name, then in (("lora_rank", adapter.get("r")), ("lora_alpha", adapter.get("lora_alpha"))):
        now = settings.get(name, 8 if name == "lora_rank" and argument != NAMED else None)
        if now is not None and then is not None and now != then:
            yield _unlike(slug, name, then, now=now, argument=argument, adapter=shown)
    targets = adapter.get("target_modules")
    asked = listed(settings.get("lora_target"))
    if isinstance(targets, list) and asked and asked != ["all"] and {*asked} != {*targets}:
        then, now = ",".join(sorted(targets)), ",".join(asked)
        yield _unlike(slug, "lora_target", then, now=now, argument=argument, adapter=shown)


def _unlike(slug: str, name: str, then: object, **values: object) -> Finding:
    text = texts(slug, name=name, then=then, **values)
    return Finding("fault", "checkpoint", text, texts("write-this", name=name, value=then))


def _model(settings: Settings) -> str:
    return str(settings.get("model_name_or_path") or "")


def _those_inside(folder: Path, training: Training) -> Text:
    """An adapter that lies beside, or what to name."""
    if folder.is_dir() and folder != training.folder:
        for config in sorted(folder.glob(f"*/{ADAPTER_CONFIG}"), reverse=True):
            return texts("write-this", name=NAMED, value=config.parent)
    return texts("name-lora-folder")


def _fault(text: Text, advice: Text) -> Finding:
    return Finding("fault", "model", text, advice)
